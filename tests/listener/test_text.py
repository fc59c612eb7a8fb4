"""The text after DATA, cut into pieces anywhere."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.listener.text import BARE, LONGEST_LINE, TOO_LARGE, TOO_LONG, Text

MOST = 1000


def _fed(stream: bytes, cuts: list[int], most: int = MOST) -> tuple[Text, bytes | None]:
    text, rest = Text(most), None
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for start, end in pairwise(edges):
        piece = stream[start:end]
        if rest is not None:
            rest += piece
        elif piece:
            rest = text.feed(piece)
    return text, rest


@pytest.mark.parametrize(
    ("stream", "mail", "rest"),
    [
        (b".\r\n", b"", b""),
        (b"a\r\n.\r\n", b"a\r\n", b""),
        (b"..\r\n.\r\n", b".\r\n", b""),
        (b".a\r\n..b\r\n.\r\n", b"a\r\n.b\r\n", b""),
        (b"a.\r\n\r\n.\r\nQUIT\r\n", b"a.\r\n\r\n", b"QUIT\r\n"),
        (b"\r\n\r\n.\r\n.\r\n", b"\r\n\r\n", b".\r\n"),
        (b"a\r\n.b\r\n.\r\n", b"a\r\nb\r\n", b""),
        (b"\0\xff\r\n.\r\n", b"\0\xff\r\n", b""),
    ],
    ids=[
        "nothing at all",
        "a line",
        "a dot alone is doubled on the wire",
        "a dot at the start is taken off, in the first line too",
        "what follows the end is not the mail's",
        "the first end counts",
        "a single dot before text is taken off as well",
        "any octet stays what it is",
    ],
)
@given(cuts=st.lists(st.integers(0, 40), max_size=5))
def test_the_end_is_found_and_dots_are_taken_off_rfc_5321_4_5_2(
    stream: bytes, mail: bytes, rest: bytes, cuts: list[int]
) -> None:
    text, found = _fed(stream, cuts)
    assert (text.refusal, text.take(), found) == (None, mail, rest)


BARE_ENDS = {
    "LF . LF": b"a\n.\nb",
    "LF . CRLF": b"a\n.\r\nb",
    "CRLF . LF": b"a\r\n.\nb",
    "CR . CR": b"a\r.\rb",
    "CR . CRLF": b"a\r.\r\nb",
    "CRLF . CR": b"a\r\n.\rb",
    "CR . LF": b"a\r.\nb",
    "LF CR . CRLF": b"a\n\r.\r\nb",
    "CR CRLF . CRLF": b"a\r\r\n.\r\nb",
    "CRLF . CR CRLF": b"a\r\n.\r\r\nb",
    "LF in the last line": b"a\nb",
    "CR at the very end": b"a\r\nb\r",
}


@pytest.mark.parametrize("stream", BARE_ENDS.values(), ids=BARE_ENDS)
@given(cuts=st.lists(st.integers(0, 40), max_size=5))
def test_no_bare_cr_or_lf_ends_a_mail_and_each_has_it_refused_rfc_5321_2_3_8(stream: bytes, cuts: list[int]) -> None:
    # Where a CR comes last, CR CRLF . CRLF is no end, and only the second one is.
    end = b"\r\n.\r\n \r\n.\r\n" if stream.endswith(b"\r") else b"\r\n.\r\n"
    text, rest = _fed(stream + end + b"NOOP\r\n", cuts)
    assert (text.refusal, rest) == (BARE, b"NOOP\r\n")
    assert text.held == 0


@given(
    lines=st.lists(st.binary(max_size=30).map(lambda line: re.sub(rb"[\r\n]", b".", line)), max_size=12),
    cuts=st.lists(st.integers(0, 500), max_size=12),
)
def test_every_mail_of_whole_lines_comes_through_as_it_was(lines: list[bytes], cuts: list[int]) -> None:
    mail = b"".join(line + b"\r\n" for line in lines)
    sent = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"
    text, rest = _fed(sent + b"QUIT\r\n", cuts)
    assert (text.refusal, text.take(), rest) == (None, mail, b"QUIT\r\n")


@pytest.mark.parametrize(("size", "refusal"), [(MOST, None), (MOST + 1, TOO_LARGE)])
def test_the_limit_is_of_the_mail_without_doubled_dots(size: int, refusal: str | None) -> None:
    text, rest = _fed(b".." + b"x" * (size - 3) + b"\r\n.\r\n", [1, 300, 600])
    assert (text.refusal, text.held, rest) == (refusal, 0 if refusal else size, b"")


@pytest.mark.parametrize(("size", "refusal"), [(LONGEST_LINE - 1, None), (LONGEST_LINE + 1, TOO_LONG)])
def test_a_line_is_bounded_however_it_is_cut(size: int, refusal: str | None) -> None:
    stream = b"first\r\n" + b"x" * size + b"\r\nlast\r\n.\r\n"
    text, rest = _fed(stream, list(range(0, size, 1 << 16)), most=1 << 24)
    assert (text.refusal, rest) == (refusal, b"")


def test_a_refused_mail_is_looked_through_and_not_kept() -> None:
    text = Text(MOST)
    for _ in range(100):
        assert text.feed(b"x" * 5000) is None
    assert (text.held, text.size, text.refusal) == (0, 500_000, TOO_LARGE)
    assert text.feed(b"\r\n.\r\nQUIT") == b"QUIT"
