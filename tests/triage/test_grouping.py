"""Mails that ask the same find together, and what is said of a group is what its mails say."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from responder.corpus import Entry, load_entries
from responder.triage.grouping import LEAST_MAILS, Asked, Group, groups_of
from responder.triage.questions import questions_of
from responder.triage.sent import entries_sent
from tests.knowledge import ROOT

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

PARKING = (
    "来訪時に駐車場は利用できますか。",
    "御社の駐車場を利用したいのですが、事前の予約は必要ですか。",
    "打ち合わせで伺う際、駐車場を利用することはできますでしょうか。",
)
OTHERS = (
    "駐車場の利用料金を教えてください。",
    "入札の結果はいつ公表されますか。",
    "請求書の宛名を教えてください。",
    "採用試験の日程を知りたいです。",
    "図面のデータをいただけますか。",
)
SHARED = (
    "部署の共有メールアドレスを契約担当者のアドレスとして届け出てもよいですか。",
    "共有のメールアドレスを契約担当者のアドレスにしても問題ないでしょうか。",
    "契約担当者のアドレスは、部署で共有しているメールアドレスでも構いませんか。",
)


@cache
def entries() -> tuple[Entry, ...]:
    return load_entries(ROOT / "faq_corpus")


def _asked(*texts: str, answered_by: tuple[str, ...] | None = None, first: int = 1) -> list[Asked]:
    return [Asked(first + at, NOW + timedelta(days=at), "", text, answered_by) for at, text in enumerate(texts)]


def _numbers(group: Group) -> list[int]:
    return [mail.id for mail in group.mails]


def test_mails_about_one_thing_make_a_group_and_single_ones_none() -> None:
    (group,) = groups_of(_asked(*PARKING, *OTHERS), entries())
    assert _numbers(group) == [3, 2, 1]
    assert (group.first_at, group.last_at) == (NOW, NOW + timedelta(days=2))
    assert "駐車場" in group.words
    assert group.typical in group.mails


def test_what_no_entry_is_like_asks_for_a_new_one_and_what_one_is_like_for_a_phrasing() -> None:
    shared, parking = groups_of([*_asked(*PARKING, *OTHERS), *_asked(*SHARED, first=20)], entries())
    assert (parking.entry, parking.said) == (None, 0)
    assert (shared.entry, shared.nearest, shared.said) == ("q04", "q04", 0)
    assert shared.similarity > parking.similarity


@pytest.mark.parametrize(
    ("answered_by", "entry"),
    [(("q09",), "q09"), ((), None)],
    ids=["what people answered with goes before likeness", "and so does that they used no entry"],
)
def test_peoples_answers_decide_what_is_suggested(answered_by: tuple[str, ...], entry: str | None) -> None:
    first, *others = _asked(*SHARED)
    (group,) = groups_of([replace(first, answered_by=answered_by), *others], entries())
    assert (group.entry, group.said, group.nearest) == (entry, 1, "q04")


def test_the_order_of_the_mails_changes_nothing() -> None:
    mails = [*_asked(*PARKING, *OTHERS), *_asked(*SHARED, first=20)]
    assert groups_of(mails, entries()) == groups_of(mails[::-1], entries())


def test_few_empty_or_strange_mails_make_no_group_and_no_error() -> None:
    assert groups_of([], entries()) == ()
    assert groups_of(_asked(*PARKING[: LEAST_MAILS - 1]), entries()) == ()
    assert groups_of(_asked("", "", "", ""), entries()) == ()
    assert groups_of(_asked("привет", "٣٤٥", "\ud7ff\u0000", "🙂"), entries()) == ()
    strange = replace(entries()[0], question="привет", phrasings=("мир",), english=None)
    assert groups_of(_asked("あ", "い", "う"), [strange]) == ()


def test_english_mails_are_grouped_by_what_they_ask_and_not_by_their_language() -> None:
    lines = ("Where can we park our car?", "When will the result of the tender be published?", "Who gets our invoice?")
    assert groups_of(_asked(*lines, "How can I apply for a job at your office?"), entries()) == ()


def test_groups_of_labelled_mails_are_mostly_of_one_entry_though_no_label_was_seen() -> None:
    files = [ROOT / "faq_corpus" / "mailbox" / f"{name}.jsonl" for name in "rsv"]
    rows = (json.loads(line) for file in files for line in file.read_text("utf-8").splitlines())
    labelled = [row for row in rows if row["kind"] == "single"]
    mails = [
        Asked(at, NOW, row["subject"], questions_of(row["subject"], row["body"]).whole.text)
        for at, row in enumerate(labelled)
    ]
    groups = groups_of(mails, entries())
    expected = [[tuple(labelled[mail.id]["expected"]) for mail in group.mails] for group in groups]
    largest = sum(Counter(labels).most_common(1)[0][1] for labels in expected)
    assert len(groups) > 10
    assert largest / sum(map(len, expected)) > 0.85


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.id)
def test_an_answer_with_words_around_it_is_known_by_its_entry(entry: Entry) -> None:
    around = f"田中様\n\nお世話になっております。\n{entry.answer}\n以上、よろしくお願いいたします。"
    assert entries_sent(around, entries()) == (entry.id,)
    assert entry.english is not None
    assert entries_sent(entry.english.answer, entries()) == (entry.id,)


def test_an_answer_made_of_two_entries_names_both_the_wholest_first() -> None:
    first, second = entries()[0], entries()[3]
    short = second.answer[: int(len(second.answer) * 0.9)]
    assert entries_sent(f"{short}\n\n{first.answer}", entries()) == (first.id, second.id)


def test_half_an_answer_or_words_of_ones_own_name_no_entry() -> None:
    answer = entries()[0].answer
    assert entries_sent(answer[: len(answer) // 2], entries()) == ()
    assert entries_sent("お問い合わせの件、担当より折り返しお電話いたします。", entries()) == ()
    assert entries_sent("", entries()) == ()
