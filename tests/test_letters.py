"""The letters: tried out at the start, and a broken one is named with its file and line."""

import re
import tracemalloc
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from responder.corpus import Entry, load_corpus
from responder.errors import TemplateError
from responder.letters import LETTERS, MOST_MENTIONED, Letters, Mention, Passage, Sender, load_letters
from responder.sandbox import japanese_date
from responder.triage.language import Language

ROOT = Path(__file__).parent.parent
CORPUS = load_corpus(ROOT / "faq_corpus")
SENDER = Sender("電子契約サポート窓口", "support@example.jp", 3, "Contract Desk")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(copytree(ROOT / "templates", tmp_path / "templates"))


@pytest.fixture(scope="module")
def letters() -> Letters:
    return load_letters(ROOT / "templates", SENDER)


def test_an_answer_names_question_number_revision_origin_and_the_way_to_a_person(letters: Letters) -> None:
    entry = CORPUS.entry("q04")
    letter = letters.answer([entry], subject="共有アドレスについて", reference="R-000042")
    assert letter.subject == "自動返信: 共有アドレスについて"
    for part in (
        entry.question,
        entry.answer,
        "No.4",
        "2026年11月24日",
        "自動",
        "ご返信",
        "担当者",
        "R-000042",
    ):
        assert part.strip() in letter.body
    assert SENDER.address in letter.body


def test_an_english_answer_names_question_number_revision_origin_and_the_way_to_a_person(letters: Letters) -> None:
    entry = CORPUS.entry("q04")
    letter = letters.answer([entry], subject="Shared mailbox", reference="R-000042", language=Language.ENGLISH)
    assert (letter.subject, letter.language) == ("Automatic reply: Shared mailbox", "en")
    assert entry.english is not None
    for part in (
        entry.english.question,
        entry.english.answer,
        "No. 4",
        "2026-11-24",
        "automatically",
        "reply to this e-mail",
        "A member of our staff",
        "R-000042",
        "Contract Desk",
        SENDER.address,
    ):
        assert part in letter.body
    assert entry.answer not in letter.body
    assert letters.answer([entry], subject="", reference="R-000042").language == "ja"


def test_several_english_answers_stand_in_the_order_asked(letters: Letters) -> None:
    asked = [CORPUS.entry("q07"), CORPUS.entry("q04")]
    body = letters.answer(asked, subject="", reference="R-000001", language=Language.ENGLISH).body
    first, second = (entry.english.answer for entry in asked if entry.english is not None)
    assert -1 < body.index("No. 7") < body.index(first) < body.index("No. 4") < body.index(second)


def test_english_links_go_before_those_of_the_entry(letters: Letters) -> None:
    entry = CORPUS.entry("q03")
    assert entry.english is not None
    own = letters.answer([entry], subject="", reference="R-000001", language=Language.ENGLISH).body
    assert all(f"{link.label}\n  {link.url}" in own for link in entry.english.links)
    bare = replace(entry, english=replace(entry.english, links=()))
    lent = letters.answer([bare], subject="", reference="R-000001", language=Language.ENGLISH).body
    assert all(f"{link.label}\n  {link.url}" in lent for link in entry.links)


@pytest.mark.parametrize(
    ("language", "subject", "tag", "japanese", "english"),
    [
        (Language.JAPANESE, "受付のお知らせ: X（受付番号 R-000007）", "ja", True, False),
        (Language.ENGLISH, "Received: X (Reference R-000007)", "en", False, True),
        (Language.OTHER, "受付のお知らせ: X（受付番号 R-000007）", "ja, en", True, True),
        (None, "受付のお知らせ: X（受付番号 R-000007）", "ja", True, False),
    ],
)
def test_an_acknowledgement_is_in_the_language_of_the_mail_and_in_both_where_that_is_neither(
    letters: Letters, language: Language | None, subject: str, tag: str, japanese: bool, english: bool
) -> None:
    letter = letters.acknowledgement(subject="X", reference="R-000007", language=language)
    assert (letter.subject, letter.language) == (subject, tag)
    assert ("担当者に引き継ぎました" in letter.body, "passed it on" in letter.body) == (japanese, english)


@pytest.mark.parametrize(("days", "promised"), [(3, "within 3 business days."), (1, "1 business day."), (0, "")])
def test_an_english_acknowledgement_promises_what_the_japanese_one_does(days: int, promised: str) -> None:
    letters = load_letters(ROOT / "templates", Sender("窓口", "support@example.jp", days))
    body = letters.acknowledgement(subject="", reference="R-000007", language=Language.ENGLISH).body
    assert ("business day" in body) is bool(promised)
    assert promised in body
    assert "窓口" in body


def test_several_entries_are_answered_in_the_order_asked(letters: Letters) -> None:
    asked = [CORPUS.entry("q07"), CORPUS.entry("q04")]
    body = letters.answer(asked, subject="", reference="R-000001").body
    assert body.index(asked[0].answer.strip()) < body.index(asked[1].answer.strip())
    assert "No.7" in body
    assert "No.4" in body


def test_links_follow_their_answer(letters: Letters) -> None:
    body = letters.answer([CORPUS.entry("q03")], subject="", reference="R-000001").body
    assert all(link.url in body for link in CORPUS.entry("q03").links)


@pytest.mark.parametrize(("days", "promised"), [(3, True), (0, False)])
def test_an_acknowledgement_promises_a_figure_only_where_one_is_set(days: int, promised: bool) -> None:
    letters = load_letters(ROOT / "templates", Sender("窓口", "support@example.jp", days))
    letter = letters.acknowledgement(subject="支払日", reference="R-000007")
    assert ("営業日" in letter.body) is promised
    assert "R-000007" in letter.subject + letter.body


def test_a_persons_words_stand_as_they_were_written(letters: Letters) -> None:
    text = "鈴木様\n\n{{ 7 * 7 }} ご確認ください。"
    letter = letters.person(text, subject="支払日", reference="R-000007")
    assert text in letter.body
    assert "R-000007" in letter.subject


@pytest.mark.parametrize("entry", CORPUS.entries, ids=lambda entry: entry.id)
def test_every_answer_is_laid_out_calmly(letters: Letters, entry: object) -> None:
    body = letters.answer([entry], subject="件名", reference="R-000001").body  # type: ignore[list-item]  # an Entry
    assert "\n\n\n" not in body
    assert all(line == line.rstrip() for line in body.splitlines())


@pytest.mark.parametrize("entry", CORPUS.entries, ids=lambda entry: entry.id)
@pytest.mark.parametrize("count", [1, 2], ids=["alone", "with another"])
def test_every_english_answer_is_laid_out_calmly(letters: Letters, entry: Entry, count: int) -> None:
    body = letters.answer([entry] * count, subject="", reference="R-000001", language=Language.ENGLISH).body
    assert "\n\n\n" not in body
    assert all(line == line.rstrip() for line in body.splitlines())


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("answer.txt", "Subject: x\n\n{{ entry.answr }}\n", 3, "answr"),
        ("answers.txt", "Subject: x\n\n{% for entry in entries %}\n{{ entry.answer }}\n", 4, "endfor"),
        ("acknowledgement.txt", "Subject: x\n\n{{ subject | nosuch }}\n", 3, "nosuch"),
        ("person.txt", "{{ text }}\n", None, "Subject"),
        ("person.txt", "Subject: x\n\n\n", None, "no text"),
        ("signature.txt", "{{ service.fax }}\n", 1, "fax"),
        ("answer.txt", "Subject: x\n\n" + "a" * 100_001, None, "longer than"),
        ("english_answer.txt", "Subject: x\n\n{{ entry.english.answr }}\n", 3, "answr"),
        ("english_answers.txt", "{{ entries }}\n", None, "Subject"),
        ("english_acknowledgement.txt", "Subject: x\n\n{{ nosuch }}\n", 3, "nosuch"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.endswith(".txt") else None,
)
def test_a_broken_letter_is_named_with_file_and_line(
    folder: Path, name: str, text: str, line: int | None, words: str
) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=words) as caught:
        load_letters(folder, SENDER)
    fault = caught.value.faults[0]
    assert fault.line == line
    assert fault.remedy
    assert name in fault.file or name == "signature.txt"


def test_a_draft_holds_the_answers_in_order_and_an_empty_place_for_each_other_question(letters: Letters) -> None:
    asked = [
        Passage(("共有アドレスは使えますか。", "部署のアドレスは？"), CORPUS.entry("q04")),
        Passage(("支払日はいつですか。",), None),
        Passage(("三者でも結べますか。",), CORPUS.entry("q07")),
    ]
    draft = letters.draft(asked, subject="", reference="R-000001")
    places = [
        draft.index(words)
        for words in (
            "共有アドレスは使えますか。",
            "部署のアドレスは？",
            CORPUS.entry("q04").answer.strip(),
            "支払日はいつですか。",
            "【この質問への回答を、ここにご記入ください】",
            "三者でも結べますか。",
            CORPUS.entry("q07").answer.strip(),
        )
    ]
    assert places == sorted(places)
    assert letters.unfinished(draft)
    assert not letters.unfinished(draft.replace("【この質問への回答を、ここにご記入ください】", "翌月末です。"))


def test_an_english_draft_and_letter_have_no_word_of_japanese_but_what_the_entry_says(letters: Letters) -> None:
    english = Language.ENGLISH
    passages = [Passage(("May we share an address?",), CORPUS.entry("q04")), Passage(("When are we paid?",), None)]
    draft = letters.draft(passages, subject="Address", reference="R-000007", language=english)
    answer = CORPUS.entry("q04").english
    assert answer is not None
    assert answer.answer.strip() in draft
    assert letters.unfinished(draft)
    finished = draft.replace("[Please write the answer to this question here]", "At the end of next month.")
    assert not letters.unfinished(finished)
    salutation = letters.salutation("John Smith", english)
    letter = letters.person(
        finished, subject="Address", reference="R-000007", salutation=salutation, signature="Sato", language=english
    )
    assert letter.subject == "Re: Address (reference R-000007)"
    assert letter.body.startswith("Dear John Smith,\n\nThank you")
    assert "Your contact: Sato" in letter.body
    assert letters.salutation("", english) == "Dear Sir or Madam,"
    written = (letter.body + letters.framed("Text.", english)).replace(answer.answer.strip(), "")
    assert not re.search(r"[ぁ-ゖァ-ヺ一-鿿]", written)


@pytest.mark.parametrize("entry", CORPUS.entries, ids=lambda entry: entry.id)
def test_every_draft_is_laid_out_calmly(letters: Letters, entry: object) -> None:
    passages = [Passage(("問い",), entry), Passage(("別の問い",), None)]  # type: ignore[arg-type]  # an Entry
    for asked, language in product((passages[:1], passages), (Language.JAPANESE, Language.ENGLISH)):
        draft = letters.draft(asked, subject="件名", reference="R-000001", language=language)
        assert "\n\n\n" not in draft
        assert all(line == line.rstrip() for line in draft.splitlines())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("draft.txt", "ご回答いたします。\n"),
        ("blank.txt", "\n"),
        ("english_draft.txt", "Our answer.\n"),
        ("english_blank.txt", "\n"),
    ],
)
def test_a_draft_that_would_hide_an_unanswered_question_is_a_fault(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=r"blank\.txt"):
        load_letters(folder, SENDER)


@pytest.mark.parametrize("name", LETTERS)
def test_a_missing_letter_is_a_fault(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(TemplateError, match="is missing"):
        load_letters(folder, SENDER)


@pytest.mark.parametrize(
    ("bomb", "words"),
    [
        ("{{ 'a' * 10**8 }}", r"\*\* is not to be had"),
        ("{{ 'a' * 100000000 }}", "makes more than 100000 characters"),
        ("{{ subject * 1000 }}", "makes more than 100000 characters"),
        ("{% set many = [0] * 100000000 %}", "makes more than 100000 characters"),
        ("{{ 'a' | center(100000000) }}", "no measure of a letter"),
        ("{{ subject | indent(width=100000000) }}", "no measure of a letter"),
        ("{{ 'a'.ljust(100000000) }}", "no measure of a letter"),
        ("{{ '%0100000000d' % 1 }}", "% is not to be had"),
        ("{{ '%0100000000d' | format(1) }}", "No filter named 'format'"),
        ("{{ '{:0100000000}'.format(1) }}", "format is not to be had"),
        ("{{ lipsum(1000) }}", "'lipsum' is undefined"),
        ("{% for _ in range(100000) %}a{% endfor %}", "a range of more than 1000"),
        ("{% for _ in range(1000) %}{% for _ in range(1000) %}a{% endfor %}{% endfor %}", "longer than 100000"),
        ("{% set n = namespace(x='a') %}", "'namespace' is undefined"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
    ],
)
def test_a_letter_that_would_grow_beyond_bounds_is_a_fault_and_takes_no_memory(
    folder: Path, bomb: str, words: str
) -> None:
    (folder / "acknowledgement.txt").write_text(f"Subject: x\n\nHello.\n{bomb}\n", encoding="utf-8")
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError, match=words) as caught:
            load_letters(folder, SENDER)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (caught.value.faults[0].file.endswith("acknowledgement.txt"), bool(caught.value.faults[0].remedy)) == (
        True,
    ) * 2
    assert peak < 10 << 20


@pytest.mark.parametrize(
    "value",
    [
        "{{ 7 * 7 }}",
        "{% for i in range(9) %}x{% endfor %}",
        "{{ service.__class__.__mro__ }}",
        "{{ 'a' * 10**9 }}",
        "{% include 'person.txt' %}",
        "{# hidden #}",
        "%(asctime)s {0} ${x} `id`",
        "<script>&amp;</script>",
    ],
)
def test_values_are_put_in_as_they_are_and_run_nothing(letters: Letters, value: str) -> None:
    given: dict[str, Any] = {"subject": value, "reference": "R-000007"}
    for letter in (
        letters.person(value, **given),
        letters.acknowledgement(language=Language.OTHER, **given),
        letters.answer([replace(CORPUS.entry("q04"), answer=value, question=value)], **given),
    ):
        assert value in letter.subject
    assert value in letters.person(value, **given).body
    assert value in letters.draft([Passage((value,), None)], **given)


@pytest.mark.parametrize("subject", ["件" * 100_000, "𠮷🙂" * 50_000, "Re: " * 50_000, "\r\n" * 50_000])
def test_no_subject_of_a_mail_makes_a_letter_large_or_costs_it_its_reference(letters: Letters, subject: str) -> None:
    given: dict[str, Any] = {"subject": subject, "reference": "R-000007"}
    for letter in (
        letters.person("x", **given),
        *(letters.acknowledgement(language=language, **given) for language in Language),
    ):
        assert len(letter.subject) <= 200
        assert "R-000007" in letter.subject
        assert len(letter.body) < 5000


def test_a_draft_shows_the_whole_of_a_long_question(letters: Letters) -> None:
    question = "長い質問。" * 100_000
    assert question in letters.draft([Passage((question,), None)], subject="", reference="R-000007")


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("支払日", "Re: 支払日（受付番号 R-000007）"),
        ("Re: 受付のお知らせ: 支払日（受付番号 R-000007）", "Re: 受付のお知らせ: 支払日（受付番号 R-000007）"),
        ("Re: RE: 自動返信: 支払日", "Re: 支払日（受付番号 R-000007）"),
    ],
    ids=["a first answer", "an answer in the thread of an acknowledgement", "a chain of prefixes"],
)
def test_rfc_3834_3_1_5_a_reference_and_a_prefix_stand_once(letters: Letters, subject: str, shown: str) -> None:
    assert letters.person("x", subject=subject, reference="R-000007").subject == shown


def test_a_letter_reaches_no_further_than_its_values(folder: Path) -> None:
    (folder / "person.txt").write_text("Subject: x\n\n{{ text.__class__.__mro__ }}\n", encoding="utf-8")
    with pytest.raises(TemplateError):
        load_letters(folder, SENDER)


def test_a_notice_names_so_many_cases_and_counts_the_others(letters: Letters) -> None:
    several = [Mention(f"R-{number:06}", "a@b.example", "件名", "理由") for number in range(1, MOST_MENTIONED + 3)]
    letter = letters.notice(several, [], link="")
    assert letter.subject == "【お知らせ】未対応52件（R-000001、R-000002、R-000003ほか）"
    assert (letter.body.count("差出人"), "ほかに2件ございます。" in letter.body) == (50, True)


def test_a_date_reads_as_in_a_japanese_letter() -> None:
    assert japanese_date(date(2026, 1, 5)) == "2026年1月5日"
