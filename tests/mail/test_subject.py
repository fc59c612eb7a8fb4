"""Subjects: one prefix at most, and cut where no letter is broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.mail.subject import LONGEST_TOPIC, shortened, topic_of


@pytest.mark.parametrize(
    ("subject", "topic"),
    [
        pytest.param("支払日", "支払日", id="none"),
        pytest.param("Re: Re: Re: 支払日", "支払日", id="RFC 5322 §3.6.5: a chain"),
        pytest.param("RE:RE:re : 支払日", "支払日", id="without blanks, and with one before the colon"),
        pytest.param("AW: SV: Antw: 支払日", "支払日", id="Outlook's other languages"),
        pytest.param("返信: Re: 返信： 支払日", "支払日", id="Outlook's Japanese, also with a wide colon"),
        pytest.param("回复：答复: 支払日", "支払日", id="Outlook's Chinese"),
        pytest.param("Re[2]: Re^3: RE(4): 支払日", "支払日", id="counted"),
        pytest.param("Ｒｅ：ＲＥ：支払日", "支払日", id="wide letters"),
        pytest.param("Re: 自動返信: 支払日", "支払日", id="an answer to our answer"),
        pytest.param("Re: Automatic reply: Payment", "Payment", id="an answer to our English answer"),
        pytest.param("Re: Fw: 支払日", "Fw: 支払日", id="forwarded, which says something else"),
        pytest.param("Request: 支払日", "Request: 支払日", id="a word that begins like one"),
        pytest.param("支払日 Re: 契約", "支払日 Re: 契約", id="in the middle"),
        pytest.param("Re:\r\nBcc: v@x.example", "Bcc: v@x.example", id="a line end behind it"),
        pytest.param("Re:", "", id="nothing else"),
    ],
)
def test_rfc_3834_3_1_5_what_mailers_put_before_a_subject_is_taken_off(subject: str, topic: str) -> None:
    assert topic_of(subject) == topic


@pytest.mark.parametrize(
    ("text", "longest", "cut"),
    [
        pytest.param("abc", 3, "abc", id="short enough"),
        pytest.param("xか\u3099", 2, "x", id="a dakuten of its own"),
        pytest.param("x葛\U000e0100", 2, "x", id="the variant of a kanji"),
        pytest.param("x👩\u200d💻", 3, "x", id="an emoji of two"),
        pytest.param("a b", 2, "a", id="no blank at the end"),
        pytest.param("e" + "\u0301" * 40, 20, "e" + "\u0301" * 3, id="endless marks are cut in the end"),
    ],
)
def test_no_letter_is_broken_by_a_cut(text: str, longest: int, cut: str) -> None:
    assert shortened(text, longest) == cut


@given(st.text(st.characters(codec=None), max_size=400))
def test_a_topic_is_one_short_line_and_its_own_topic(subject: str) -> None:
    topic = topic_of(subject)
    assert len(topic) <= LONGEST_TOPIC
    assert len(topic.splitlines()) <= 1
    assert topic_of(topic) == topic
