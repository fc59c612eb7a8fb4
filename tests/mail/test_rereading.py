"""A garbled mail, and the reading that a person would pick."""

import pytest

from responder.mail.rereading import How, Rereading, Rereadings, rereadings_of
from tests.mail.test_message import mail

TEXT = "電子契約の押印について、教えていただけますでしょうか。①よろしくお願いいたします。"
SUBJECT = "契約書の件"


def _typed(charset: bytes, body: bytes, subject: bytes = b"x") -> bytes:
    return mail(b"Subject: " + subject, b"Content-Type: text/plain; charset=" + charset, body=body)


def _found(raw: bytes) -> Rereadings:
    found = rereadings_of(raw)
    assert isinstance(found, Rereadings)
    return found


def _best(raw: bytes) -> Rereading:
    found = _found(raw)
    assert found.garbled
    return found.others[0]


@pytest.mark.parametrize(
    ("once", "how"), [("cp1252", How.AS_CP1252), ("cp932", How.AS_CP932)], ids=["Windows-1252", "Shift_JIS"]
)
def test_what_was_garbled_on_its_way_is_read(once: str, how: How) -> None:
    octets = TEXT.encode()
    text = "".join(chr(octet) if once == "cp1252" else "" for octet in octets) or octets.decode("cp932", "replace")
    best = _best(_typed(b"utf-8", text.encode()))
    assert (best.charset, best.how) == ("utf-8", how)
    # Shift_JIS has no place for every octet, and what it loses stays lost.
    assert best.text.startswith(TEXT[:3])


def test_what_lost_its_escape_characters_is_read() -> None:
    octets = TEXT.replace("①", "").encode("iso2022_jp").replace(b"\x1b", b"")
    best = _best(_typed(b"iso-2022-jp", octets))
    assert (best.how, best.text.strip()) == (How.ESCAPES_LOST, TEXT.replace("①", ""))


def test_a_subject_that_alone_is_garbled_is_read() -> None:
    garbled = SUBJECT.encode().decode("latin-1").encode()
    best = _best(_typed(b"utf-8", TEXT.encode(), garbled))
    assert (best.subject, best.text.strip()) == (SUBJECT, TEXT)


@pytest.mark.parametrize("charset", ["utf-8", "cp932", "iso-2022-jp", "euc-jp"])
def test_a_mail_that_is_read_well_is_not_called_garbled(charset: str) -> None:
    text = TEXT.replace("①", "")
    found = _found(_typed(charset.encode(), text.encode("iso2022_jp" if charset == "iso-2022-jp" else charset)))
    assert not found.garbled
    assert found.present.text.strip() == text


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "caf\xe9 \xe0 la carte, na\xefve",
        "$B is a price, $@ another (B)",
        "Это вопрос о договоре",
        "계약에 대해 질문이 있습니다",
        "我们想问一下合同的问题，谢谢。",
    ],
)
def test_a_western_mail_is_not_called_garbled(text: str) -> None:
    assert not _found(_typed(b"utf-8", text.encode())).garbled


def test_readings_differ_from_the_present_one_and_from_each_other_and_the_most_sensible_comes_first() -> None:
    found = _found(_typed(b"iso-8859-5", TEXT.encode("cp932")))
    texts = [found.present.text, *(other.text for other in found.others)]
    assert len(set(texts)) == len(texts)
    assert [other.sense for other in found.others] == sorted((other.sense for other in found.others), reverse=True)


def test_what_stands_in_tags_does_not_count_as_text() -> None:
    raw = mail(b"Content-Type: text/html; charset=utf-8", body=f'<p title="x">{TEXT}</p>'.encode())
    assert "<p" not in _found(raw).present.text
