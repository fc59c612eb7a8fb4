"""Which conversation a mail belongs to, as a table: clues and what the store knows in, the conversation out."""

from email.message import EmailMessage

import pytest

from responder.mail.envelope import Envelope
from responder.mail.keyed import own_id
from responder.mail.message import Message, parse_message
from responder.triage.thread import Clues, Conversation, Known, clues_of, conversation_of, own_ids

KEY = b"a key of ours"
DIGEST, OTHER = "0123456789abcdef" * 4, "fedcba9876543210" * 4
TANAKA, SUZUKI = "tanaka@contractor.example", "suzuki@contractor.example"


def _own(inquiry: int, kind: str = "answer", key: bytes = KEY) -> str:
    return own_id(key, kind, inquiry, DIGEST, host="example.jp")


ANSWER, ACKNOWLEDGEMENT, CLEARED = _own(1), _own(2, "acknowledgement"), _own(3)
NOTICE = _own(1, "notice")
KNOWN = Known(
    sent={ANSWER: 1, ACKNOWLEDGEMENT: 2, "<answer.9.0123@example.jp>": 9},
    digests={1: DIGEST, 2: DIGEST, 3: DIGEST, 4: OTHER, 5: DIGEST, 6: DIGEST},
    contractors={
        **dict.fromkeys((1, 2, 3, 9, 44, 50), frozenset({TANAKA})),
        6: frozenset({"taro@elsewhere.example"}),
        42: frozenset({TANAKA}),
        43: frozenset({SUZUKI}),
    },
    told=frozenset({42, 43}),
    received={"<first@contractor.example>": 50, "<first@elsewhere.example>": 6},
    notices=frozenset({NOTICE}),
)


def _clues(*, mail_from: str = TANAKA, subject: str = "お尋ね", attached: bool = False, **fields: str) -> Clues:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = TANAKA, subject
    mail.set_content("本文")
    if attached:
        inner = EmailMessage()
        inner["Subject"] = "inner"
        mail.add_attachment(inner)
    raw = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items()).encode() + mail.as_bytes()
    message = parse_message(raw)
    assert isinstance(message, Message)
    return clues_of(Envelope(mail_from, ("support@example.jp",)), message)


@pytest.mark.parametrize(
    ("clues", "conversation"),
    [
        (_clues(), None),
        (_clues(In_Reply_To=ANSWER), Conversation(1, ANSWER)),
        (_clues(References=f"<x@y> {ANSWER} <z@y>"), Conversation(1, ANSWER)),
        (_clues(References=f"{ANSWER} {ACKNOWLEDGEMENT}"), Conversation(2, ACKNOWLEDGEMENT)),
        (_clues(References=f"{ANSWER}", In_Reply_To=ACKNOWLEDGEMENT), Conversation(1, ANSWER)),
        (_clues(References=f"<x@y>,{ANSWER[:20]}\r\n {ANSWER[20:]}"), Conversation(1, ANSWER)),
        (_clues(References=f'"{ANSWER[1:]}'), Conversation(1, ANSWER)),
        (_clues(In_Reply_To=ANSWER[1:-1]), Conversation(1, ANSWER)),
        (_clues(In_Reply_To=CLEARED), Conversation(3, CLEARED)),
        (_clues(In_Reply_To=ANSWER.upper()), Conversation(1, ANSWER.upper())),
        (_clues(In_Reply_To=_own(4)), Conversation(None, _own(4))),
        (_clues(In_Reply_To=_own(5, key=b"forged")), None),
        (_clues(In_Reply_To=_own(5).replace("answer.5", "answer.1")), None),
        (_clues(In_Reply_To="<answer.9.0123@example.jp>"), Conversation(9, "<answer.9.0123@example.jp>")),
        (_clues(subject="Re: お尋ね（受付番号 R-000042）"), Conversation(42, None)),
        (_clues(subject="Ｒ－０００４２ ではなく Ｒ－００００４２"), Conversation(42, None)),
        (_clues(subject="r-000042", mail_from="Bounce@Relay.example"), Conversation(42, None)),
        (_clues(subject="R-000043"), None),
        (_clues(subject="R-000043", mail_from=SUZUKI.upper()), None),
        (_clues(subject="R-000043 R-000042"), Conversation(42, None)),
        (_clues(subject="R-000044"), None),
        (_clues(subject="AR-000042 R-0000423 R-42"), None),
        (_clues(subject="R-000042", In_Reply_To=ANSWER), Conversation(1, ANSWER)),
        (_clues(subject="R-999999999999"), None),
        (_clues(subject="Fwd: R-000042"), None),
        (_clues(subject="転送: お尋ね", References="<x@y>"), None),
        (_clues(subject="FW: お尋ね", In_Reply_To=ANSWER), Conversation(None, ANSWER)),
        (_clues(attached=True, In_Reply_To=ANSWER), Conversation(None, ANSWER)),
        (_clues(subject="Re: FW: お尋ね", In_Reply_To=ANSWER), Conversation(1, ANSWER)),
        (_clues(In_Reply_To=_own(6)), Conversation(None, _own(6))),
        (_clues(In_Reply_To="<first@contractor.example>"), Conversation(50, None)),
        (_clues(Message_ID="<first@contractor.example>"), Conversation(50, None)),
        (_clues(In_Reply_To="<first@elsewhere.example>"), Conversation(None, None)),
        (_clues(subject="Fwd: お尋ね", References="<first@contractor.example>"), None),
        (_clues(In_Reply_To=NOTICE), Conversation(None, NOTICE, notice=True)),
        (_clues(subject="Fwd: お知らせ", References=NOTICE), Conversation(None, NOTICE, notice=True)),
        (_clues(References=f"{ANSWER} {NOTICE}"), Conversation(1, ANSWER)),
        (_clues(In_Reply_To=NOTICE, subject="R-000042"), Conversation(42, None)),
    ],
    ids=[
        "nothing refers to us",
        "RFC 5322 §3.6.4 In-Reply-To",
        "RFC 5322 §3.6.4 among References",
        "of two references the right one",
        "References before In-Reply-To",
        "joined by a comma and folded in its middle",
        "not opened, and in quotes",
        "In-Reply-To without brackets",
        "a mail of ours that the outbox has no more",
        "in capitals",
        "an inquiry whose number another mail has now",
        "made with another key",
        "with another number than was signed",
        "one from before there was a key",
        "the case number from the contractor",
        "the case number in full width, and another that is none",
        "the case number where only From is the contractor's",
        "the case number of somebody else",
        "the case number where only MAIL FROM is the contractor's: the answer would go to From",
        "the first number that is theirs",
        "a number that nobody was told",
        "what only looks like a number",
        "a reference before a number",
        "a number that there is not",
        "a forward with a number",
        "a forward of a mail that is not ours",
        "a forward of our answer cites it, and begins a case of its own",
        "a mail attached makes it a forward",
        "a reply to what was once a forward",
        "our mail to another organisation cited: a case of its own",
        "a reply to their own mail",
        "their own mail once more, by another way",
        "a reply to a mail of another organisation",
        "a forward of their own mail",
        "a notice to staff belongs to no case",
        "nor does a forward of it",
        "the mail of ours beside a notice",
        "the contractor's case number beside a notice",
    ],
)
def test_a_mail_belongs_to_the_conversation_that_its_clues_name(
    clues: Clues, conversation: Conversation | None
) -> None:
    assert conversation_of(clues, own_ids(KEY, clues), KNOWN) == conversation


def test_of_thousands_of_references_the_nearest_hundred_are_looked_up() -> None:
    clues = _clues(References=" ".join(f"<{number}@x>" for number in range(5000)), In_Reply_To="<last@x>")
    assert (clues.ids[0], clues.ids[99], clues.ids[-1], len(clues.ids)) == ("<4999@x>", "<4900@x>", "<last@x>", 101)
