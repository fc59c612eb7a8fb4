"""Quotations apart from what the sender wrote: nothing of the sender's own is ever folded away."""

import pytest

from responder.mail.passages import Passage, passages_of

OUTLOOK = "差出人: 窓口 <a@example.jp>\n送信日時: 2026年11月24日 10:00\n宛先: 山田\n件名: 回答\n\n回答です。"


def _told(text: str, subject: str = "Re: 件名") -> list[tuple[str, bool]]:
    return [(passage.text, passage.quoted) for passage in passages_of(subject, text)]


@pytest.mark.parametrize(
    "quotation",
    [
        "> 回答です。\n> 以上",
        "＞回答です。",
        "2026年11月24日(火) 10:00 窓口 <a@example.jp>:\n\n> 回答です。\n>\n> 以上",
        "2026/11/24 10:00、窓口 <a@example.jp>のメール：\n\n> 回答です。",
        "On Tue, Nov 24, 2026 at 10:00 AM, Desk <a@example.jp> wrote:\n> answer",
        f"-----Original Message-----\n{OUTLOOK}",
        f"________________________________\n{OUTLOOK}".split("\n", 1)[1],
        "----- 元のメッセージ -----\n回答です。\n\n以上",
    ],
    ids=["marked", "marked wide", "Gmail", "Apple Mail", "English", "Outlook, old", "Outlook", "Thunderbird"],
)
def test_a_quotation_below_is_told_from_what_was_written(quotation: str) -> None:
    assert _told(f"もう一点伺います。\n\n{quotation}") == [("もう一点伺います。", False), (quotation, True)]


def test_an_answer_between_the_lines_stays_in_sight() -> None:
    text = "2026年11月24日(火) 10:00 窓口 <a@example.jp>:\n> 一点目です。\n\nはい。\n\n> 二点目です。\n\nいいえ。"
    assert [passage for passage in _told(text) if not passage[1]] == [("はい。", False), ("いいえ。", False)]


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("件名", "> すべて引用です。"),
        ("Fwd: 件名", f"転送します。\n\n{OUTLOOK}"),
        ("転送：件名", "お願いします。\n> 質問です。"),
        ("件名", "2026年11月24日に締結した契約について:\n\n訂正したい。"),
        ("件名", "日時: 明日\n件名: 契約\n以上です。"),
        ("件名", ""),
    ],
    ids=["all is quoted", "forwarded", "forwarded in Japanese", "a date and a colon", "two fields", "nothing"],
)
def test_what_may_be_what_the_mail_is_about_is_no_quotation(subject: str, text: str) -> None:
    assert _told(text, subject) == [(text, False)]


def test_a_passage_knows_how_long_it_is() -> None:
    assert Passage("a\nb", quoted=True).lines == 2
