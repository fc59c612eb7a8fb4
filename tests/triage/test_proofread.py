"""What an editor is told about a corpus: each warning by a corpus made for it, and none by a good one."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from responder.corpus import LEAST_PHRASINGS, Corpus, load_corpus
from responder.errors import Fault
from responder.triage.proofread import warnings_of
from tests.knowledge import ROOT

COPY = "契約書の控えはどこで見られますか。"
COST = "電子契約の利用料金はいくらでしょうか。"
WAYS_TO_THE_COPY = [f"{word}、締結した契約書の控えを見る場所" for word in "一二三四五六七八"]
WAYS_TO_THE_COST = [f"{word}、電子契約を利用する料金の額" for word in "一二三四五六七八"]
ENGLISH = "You can see your copies of concluded documents at any time in the list of documents."
SENTENCE = "締結した書類の控えは、画面の書類一覧からいつでもご覧いただけます。"


@dataclass(frozen=True, slots=True)
class _Page:
    question: str
    phrasings: list[str]
    answer: str = SENTENCE
    links: tuple[str, ...] = ()
    english: str = ENGLISH
    english_links: tuple[str, ...] = ()


COPY_PAGE, COST_PAGE = _Page(COPY, WAYS_TO_THE_COPY), _Page(COST, WAYS_TO_THE_COST)


def _warnings(folder: Path, *pages: _Page) -> list[Fault]:
    for number, page in enumerate(pages, 1):
        links = "".join(f'\n[[links]]\nlabel = "案内"\nurl = "{url}"\n' for url in page.links)
        if page.english:
            links += f'\n[english]\ntitle = "Title"\nquestion = "Question?"\nanswer = "{page.english}"\n'
            links += "".join(f'\n[[english.links]]\nlabel = "Help"\nurl = "{url}"\n' for url in page.english_links)
        phrasings = "".join(f'    "{phrasing}",\n' for phrasing in page.phrasings)
        (folder / f"q{number:02}.toml").write_text(
            f'number = {number}\nid = "q{number:02}"\ntitle = "表題"\nquestion = "{page.question}"\n'
            f'phrasings = [\n{phrasings}]\nanswer = """\n{page.answer}\n"""\nmode = "automatic"\n'
            f"revision = 1\nrevised = 2026-11-24\n{links}",
            encoding="utf-8",
        )
    return warnings_of(load_corpus(folder), "faq")


def _only(folder: Path, *pages: _Page) -> Fault:
    (warning,) = _warnings(folder, *pages)
    assert warning.remedy
    return warning


def test_a_good_corpus_gets_no_warning(tmp_path: Path) -> None:
    assert _warnings(tmp_path, COPY_PAGE, COST_PAGE) == []


@pytest.mark.parametrize(
    "answer",
    [
        "はい、いつでもご覧いただけますので、どうぞご安心くださいませ。",
        "いいえ。書類の控えをお送りすることはしておりませんのでご了承ください。",
        "可能です。画面の書類一覧から、いつでもご覧いただくことができます。",
        "できません、画面の書類一覧からご覧いただくこともかないません。",
        "問題ございません。画面の書類一覧から、いつでもご覧いただけます。",
        "一覧からご覧ください。",
    ],
    ids=["yes", "no", "it can be", "it cannot be", "no problem", "a few words"],
)
def test_a_bare_answer_is_named(tmp_path: Path, answer: str) -> None:
    warning = _only(tmp_path, _Page(COPY, WAYS_TO_THE_COPY, answer), COST_PAGE)
    assert (warning.file, warning.key) == ("faq/q01.toml", "answer")
    assert "bare" in warning.problem


@pytest.mark.parametrize(
    "answer",
    ["はいと申し上げたいところですが、控えは一覧からご覧ください。", SENTENCE],
    ids=["a word like yes", "whole"],
)
def test_a_whole_answer_is_not(tmp_path: Path, answer: str) -> None:
    assert _warnings(tmp_path, _Page(COPY, WAYS_TO_THE_COPY, answer), COST_PAGE) == []


@pytest.mark.parametrize(
    ("url", "cut"),
    [
        ("https://help.example/articles/12-", True),
        ("https://help.example/articles/12-/", True),
        ("https://help.example/articles/…", True),
        ("https://help.example/articles/12。", True),
        ("https://help.example/articles/12」をご覧ください", True),
        ("https://help.example/articles/12", False),
        ("https://help.example/articles/12-how-to/", False),
        ("https://help.example/a?b=c#d", False),
    ],
)
def test_a_link_that_was_cut_or_glued_is_named(tmp_path: Path, url: str, cut: bool) -> None:
    warnings = _warnings(tmp_path, _Page(COPY, WAYS_TO_THE_COPY, links=(url,)), COST_PAGE)
    assert [(warning.key, url in warning.problem) for warning in warnings] == ([("links", True)] if cut else [])


def test_each_of_several_links_is_looked_at(tmp_path: Path) -> None:
    links = ("https://help.example/1-", "https://help.example/2", "https://help.example/3…")
    warnings = _warnings(tmp_path, _Page(COPY, WAYS_TO_THE_COPY, links=links), COST_PAGE)
    assert [warning.problem.split()[0] for warning in warnings] == [links[0], links[2]]


_FULL_WIDTH = pytest.param(
    "控えは見られますか？ 紙でも届く？",
    id="two full-width question marks",
)


@pytest.mark.parametrize(
    "question",
    ["控えはどこで見られますか。紙の控えもありますか。", "Where is it? Is it free?", _FULL_WIDTH],
    ids=["two sentences", "two question marks", None],
)
def test_an_entry_that_asks_two_questions_is_named(tmp_path: Path, question: str) -> None:
    warning = _only(tmp_path, _Page(question, [f"{one}、{question}" for one in "一二三四五六七八"]), COST_PAGE)
    assert (warning.key, "two questions" in warning.problem) == ("question", True)


def test_an_entry_without_english_is_named(tmp_path: Path) -> None:
    warning = _only(tmp_path, _Page(COPY, WAYS_TO_THE_COPY, english=""), COST_PAGE)
    assert (warning.file, warning.key) == ("faq/q01.toml", "english")
    assert "[english]" in warning.remedy


@pytest.mark.parametrize(
    ("answer", "bare"),
    [
        ("Yes, and you find all of your copies in the list of documents.", True),
        ("No. We do not send copies of your documents to you by post or by e-mail.", True),
        ("It is not possible; please look at the list of documents on the screen.", True),
        ("You may. Please look at the list of documents that the screen shows.", True),
        ("Please see the list of documents.", True),
        ("It is possible to see your copies at any time in the list of documents.", False),
        ("Not only copies are there, but all documents, in the list on the screen.", False),
        (ENGLISH, False),
    ],
    ids=["yes", "no", "it is not possible", "you may", "a few words", "it is possible to", "a word like no", "whole"],
)
def test_a_bare_english_answer_is_named(tmp_path: Path, answer: str, bare: bool) -> None:
    warnings = _warnings(tmp_path, _Page(COPY, WAYS_TO_THE_COPY, english=answer), COST_PAGE)
    assert [(one.key, "bare" in one.problem) for one in warnings] == ([("english.answer", True)] if bare else [])


def test_a_link_of_the_english_answer_is_looked_at_too(tmp_path: Path) -> None:
    warning = _only(tmp_path, _Page(COPY, WAYS_TO_THE_COPY, english_links=("https://help.example/1-",)), COST_PAGE)
    assert warning.key == "english.links"


def test_few_phrasings_are_named_with_how_many_there_are(tmp_path: Path) -> None:
    warning = _only(tmp_path, _Page(COPY, WAYS_TO_THE_COPY[: LEAST_PHRASINGS - 1]), COST_PAGE)
    assert (warning.key, warning.problem.split()[0]) == ("phrasings", str(LEAST_PHRASINGS - 1))


def test_near_twins_are_named_once_at_the_later_entry(tmp_path: Path) -> None:
    twin = _Page("契約書の控えはどこで見られますか？", [])
    warnings = [one for one in _warnings(tmp_path, COPY_PAGE, COST_PAGE, twin) if one.key == "question"]
    assert [(one.file, one.problem[:18]) for one in warnings] == [("faq/q03.toml", "a near twin of q01")]


def test_the_very_question_of_an_entry_with_many_phrasings_is_its_twin() -> None:
    corpus = load_corpus(ROOT / "faq_corpus")
    twin = replace(corpus.entry("q07"), id="q99", number=99, phrasings=())
    warnings = warnings_of(Corpus((*corpus.entries, twin), (), "fingerprint"), "faq")
    assert any(one.file == "faq/q99.toml" and "near twin of q07" in one.problem for one in warnings)


def test_a_phrasing_that_another_entry_answers_is_named(tmp_path: Path) -> None:
    warning = _only(tmp_path, _Page(COPY, [*WAYS_TO_THE_COPY, COST]), COST_PAGE)
    assert (warning.file, warning.key) == ("faq/q01.toml", "phrasings")
    assert warning.problem == f"'{COST}' is nearer to q02"


def test_warnings_come_entry_by_entry(tmp_path: Path) -> None:
    bare = "可能です。"
    warnings = _warnings(tmp_path, _Page(COPY, [], bare), _Page(COST, [], bare))
    assert [(warning.file, warning.key) for warning in warnings] == [
        ("faq/q01.toml", "answer"),
        ("faq/q01.toml", "phrasings"),
        ("faq/q02.toml", "answer"),
        ("faq/q02.toml", "phrasings"),
    ]


def test_the_shipped_corpus_has_no_twins_no_strays_and_no_cut_links() -> None:
    warnings = warnings_of(load_corpus(ROOT / "faq_corpus"), "faq_corpus")
    told = [str(warning) for warning in warnings]
    assert not [line for line in told if "twin" in line or "nearer" in line or "looks cut" in line]
    assert not [line for line in told if "english" in line]
