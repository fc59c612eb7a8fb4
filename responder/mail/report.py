"""Delivery reports: whether a mail came back, why, and which one it was. Whoever wrote them may be hostile."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message as Part
from enum import StrEnum

from responder.mail.body import children_of, content_of, parameter, raw_value, unfolded
from responder.mail.charset import decoded, decoded_field
from responder.mail.delivery import reply_line
from responder.mail.html import html_text
from responder.mail.ids import ids_in, usable_id
from responder.mail.mailboxes import read_mailboxes
from responder.mail.message import part_of

_LONGEST_TEXT = 100_000
_MOST_IDS = 100


class Fate(StrEnum):
    """What a report says of the mail."""

    FAILED = "failed"
    DELAYED = "delayed"


@dataclass(frozen=True, slots=True)
class Report:
    """One report, whoever may have written it: only the key of its ids says that the mail was ours."""

    ids: tuple[str, ...]
    """Message-IDs that the mail may have had, most likely first; alone that of the returned mail where it is there."""
    fate: Fate
    status: str
    """RFC 3463: "5.1.1"; "" where none is told."""
    recipient: str
    """As the report names it; "" where it names none."""
    diagnostic: str
    """One printable line."""
    by_thread: bool = False
    """An id was only in In-Reply-To or References: absence notes have those as well."""

    @property
    def hard(self) -> bool:
        """Whether the next mail would fare no better (RFC 3463 §3.1)."""
        return self.fate is Fate.FAILED and self.status.startswith("5") and not self.by_thread


@dataclass(frozen=True, slots=True)
class _Said:
    fate: Fate
    status: str
    recipient: str
    diagnostic: str


def report_of(raw: bytes, *, null_sender: bool) -> Report | None:
    """What a mail reports; None where it reports no failure and no delay. Never raises; bounds as for any mail.

    `null_sender`: whether it came with the null reverse-path, as reports must (RFC 5321 §6.1).
    """
    part = part_of(raw)
    if part is None:
        return None
    try:
        text, fields = _text(part), list(_blocks(part))
        told = any("action" in block for block in fields)
        said = _by_status(fields)
        if said is None and not told and _is_from_a_machine(part, null_sender=null_sender):
            said = _by_words(part, text)
        if said is None:
            return None
        ids, by_thread = _ids(part, text)
        return Report(ids, said.fate, said.status, said.recipient, said.diagnostic, by_thread)
    except Exception:  # noqa: BLE001 - whatever a stranger's octets do to the parsers, it is just no report then
        return None


# --- RFC 3464 ---

_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")


def _by_status(fields: list[dict[str, str]]) -> _Said | None:
    """What message/delivery-status says; of several recipients one that failed."""
    said = [one for block in fields if (one := _of_block(block)) is not None]
    return next((one for one in said if one.fate is Fate.FAILED), said[0] if said else None)


def _blocks(part: Part) -> Iterator[dict[str, str]]:
    for status in _walk(part):
        if status.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            yield from (_fields(block) for block in children_of(status))


def _fields(block: Part) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in block.raw_items():
        fields.setdefault(name.lower(), decoded_field(unfolded(str(value))))
    return fields


def _of_block(fields: dict[str, str]) -> _Said | None:
    action = fields.get("action", "").partition(" ")[0].strip().lower()
    recipient = fields.get("original-recipient") or fields.get("final-recipient") or ""
    if not (recipient or action) or action not in ("", "failed", "delayed"):
        return None
    diagnostic = fields.get("diagnostic-code", "")
    found = _STATUS.search(fields.get("status", "")) or _STATUS.search(diagnostic)
    status = found[1] if found else ""
    if not action and status[:1] not in ("4", "5"):
        return None
    # RFC 3464 §2.3.3: the action decides. A 4.4.7 that failed was tried for days, and nobody will try it again.
    late = action == "delayed" or (not action and status.startswith("4"))
    words = diagnostic.partition(";")[2].strip() or diagnostic
    address = recipient.partition(";")[2].strip() or recipient.strip()
    told = reply_line(f"{status} {words}".strip() or "no diagnostic given")
    return _Said(Fate.DELAYED if late else Fate.FAILED, status, reply_line(address), told)


# --- reports in plain words ---

_DAEMON = re.compile(
    r"\A(?:mailer-daemon|postmaster|mail(?:er)?[-_.]?(?:daemon|system|delivery))(?:@|\Z)", re.IGNORECASE
)
_NO_REPLY = re.compile(r"\Ano-?reply@", re.IGNORECASE)
_SUBJECT = re.compile(
    r"undeliver|returned (?:mail|to sender)|delivery (?:status|failure|has failed|problem)|failure notice|non.?delivery"
    r"|mail system error|mail delivery"
    r"|(?:配信|配送|送信)(?:不能|の?エラー|に?失敗|でき(?:ません|なかった))|エラーメール|未達|宛先不明|戻り",
    re.IGNORECASE,
)
_NO_SUCH_USER = re.compile(
    r"user unknown|unknown user|no such user|no mailbox here by that name|mailbox (?:unavailable|not found)"
    r"|mailbox does not exist|recipient (?:address )?(?:rejected|not found)|address (?:not found|does not exist)"
    r"|user(?:\(s\))? account is disabled|does not have an account|宛先不明"
    r"|(?:アドレス|ユーザー?|メールボックス|宛先).{0,20}(?:存在しません|見つかりません)",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r"undeliver|could ?n.t be delivered|could not be delivered|(?:was|were) not delivered|wasn.t able to deliver"
    r"|(?:not able|unable) to deliver|did not receive|delivery .{0,40}failed|failed to deliver"
    r"|permanent (?:fatal )?(?:error|failure)|failed permanently|mailbox is full|returned mail"
    r"|(?:配信|配送|送信|届け|送達)(?:する(?:こと)?が?)?(?:でき|出来)(?:ません|ない)"
    r"|(?:配信|配送|送信)[にはが]{0,2}失敗|(?:配信|配送)不能|届きませんでした|届けられません",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"(?:has been|was|is) delayed|delivery delayed|will (?:be retried|retry|keep trying|continue to try)|still trying"
    r"|will continue to be attempted|not yet been delivered|do not need to resend|warning message only"
    r"|遅延|再送[を信]|再試行|引き続き(?:配信|送信)",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![\d.])([45])\d\d(?=[ -][#\w<\[(])")
_ADDRESS = re.compile(r"<?\b([\w.+-]{1,64}@[\w.-]{1,190}\.[a-z]{2,})>?:?", re.IGNORECASE)
# What follows is the mail that came back, and says nothing about its way.
_COPY = re.compile(
    r"below this line is a copy|this is a copy of (?:the|your) message|original message headers?"
    r"|元のメッセージの?ヘッダー?"
    r"|^[ >\t|]*(?:return-path|received|message-id)\s*:",
    re.IGNORECASE | re.MULTILINE,
)


def _is_from_a_machine(part: Part, *, null_sender: bool) -> bool:
    """A person may write of mails that did not arrive, and an absence note or a ticket too: that is no report."""
    if raw_value(part, "x-failed-recipients"):
        return True
    addresses = [address for _, address in read_mailboxes(raw_value(part, "from")[:2000])[0]]
    if any(_DAEMON.search(address) for address in addresses):
        return True
    subject = decoded_field(raw_value(part, "subject")[:2000])
    named = any(_NO_REPLY.search(address) for address in addresses) or _SUBJECT.search(subject) is not None
    return null_sender and named


def _by_words(part: Part, text: str) -> _Said | None:
    copy = _COPY.search(text)
    words = text[: copy.start()] if copy else text
    gone = _NO_SUCH_USER.search(words)
    status = _status_in(words, gone=gone is not None)
    failed = gone or _FAILURE.search(words) or raw_value(part, "x-failed-recipients")
    late = _DELAY.search(words) is not None and not status.startswith("5")
    if not (failed or late):
        return None
    named = decoded_field(raw_value(part, "x-failed-recipients")[:2000])
    address = _ADDRESS.search(named or words)
    told = _telling_line(words, status)
    return _Said(Fate.DELAYED if late else Fate.FAILED, status, address[1] if address else "", told)


def _status_in(words: str, *, gone: bool) -> str:
    """RFC 3463 where it is told, else the class of an SMTP reply (RFC 5321 §4.2.1), else what the words mean."""
    statuses = [found[1] for found in _STATUS.finditer(words) if found[1][0] in "45"]
    if statuses:
        return min(statuses, key=lambda status: status[0] != "5")
    if gone:
        return "5.1.1"
    code = _CODE.search(words)
    return f"{code[1]}.0.0" if code else ""


def _telling_line(words: str, status: str) -> str:
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    for pattern in (re.compile(re.escape(status)) if status else None, _CODE, _NO_SUCH_USER, _FAILURE, _DELAY):
        told = next((line for line in lines if pattern is not None and pattern.search(line)), None)
        if told is not None:
            return reply_line(told)
    return "no diagnostic given"


# --- which mail ---

_ID_LINE = re.compile(r"^[ >\t|]*message-id\s*:\s*(<[^<>\s]{1,900}>)", re.IGNORECASE | re.MULTILINE)


def _ids(part: Part, text: str) -> tuple[tuple[str, ...], bool]:
    """That of the returned mail decides: what else a mail refers to is its thread, of which more may be ours.

    Besides, whether one of them stands nowhere but in the thread.
    """
    returned = next(_returned_ids(part), None)
    in_text = _ID_LINE.search(text)
    if returned is None and in_text is not None and usable_id(in_text[1]):
        returned = in_text[1]
    if returned is not None:
        return (returned,), False
    fields = [decoded_field(raw_value(part, name)) for name in ("in-reply-to", "references")]
    thread = (*ids_in(fields[:1]), *reversed(ids_in(fields[1:])))
    loose = ids_in(re.findall(r"<[^<>\s]{1,900}>", text))
    return tuple(dict.fromkeys((*thread, *loose)))[:_MOST_IDS], not set(thread) <= set(loose)


def _returned_ids(part: Part) -> Iterator[str]:
    for returned in _walk(part):
        match returned.get_content_type():
            case "message/rfc822" | "message/global":
                headers = children_of(returned)[:1]
            case "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers":
                headers = [message_from_bytes(_octets(returned).lstrip())]
            case _:
                continue
        yield from (
            known for header in headers for known in ids_in([decoded_field(raw_value(header, "message-id"))])[:1]
        )


def _octets(part: Part) -> bytes:
    # The parser takes what it knows as message/… apart; the header is then that of the part in it.
    children = children_of(part)
    return children[0].as_bytes() if children else content_of(part)


def _walk(part: Part) -> Iterator[Part]:
    """The parts of the report itself, not those of the mail that it returns."""
    yield part
    if part.get_content_maintype() == "multipart":
        for child in children_of(part):
            yield from _walk(child)


def _text(part: Part) -> str:
    """What the report says in words, and where nothing else holds it, the mail that it returns as text."""
    texts, left = [], _LONGEST_TEXT
    for leaf in _walk(part):
        is_html = leaf.get_content_type() == "text/html"
        if left <= 0:
            break
        if (is_html or leaf.get_content_type() == "text/plain") and not leaf.is_multipart():
            written = decoded(content_of(leaf)[: 4 * left], parameter(leaf, "content-type", "charset")).text[:left]
            # What was written counts, and not what it comes to: a layout engine may work long for an empty page.
            left -= len(written)
            texts.append(html_text(written) if is_html else written)
    return "\n".join(texts).replace("\r\n", "\n")
