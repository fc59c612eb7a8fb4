"""Edits of entries: what becomes of the file's text, and how it comes onto the disk."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.corpus import English, Link, Mode, entry_in, load_corpus, load_entries, with_entries
from responder.corpus.writing import Edit, alone, edit_of, edited, put, source_of, written
from responder.errors import CorpusError
from tests.knowledge import ROOT, cold_corpus

TODAY = date(2026, 12, 1)
PATH = Path("q16.toml")
SOURCE = '''# Written by hand.
id = "q16"
number = 16
title = "Seals"
question = "Is a seal needed?"
phrasings = [
    "need seal?",  # as they type it
    "is a stamp needed",
    "hanko?",
]
answer = """
No.
"""
mode = "review"  # until the rules are out
revision = 3
revised = 2026-11-24

[english]
title = "Seals"
question = "Seal?"
answer = "No."
'''
ENTRY = entry_in(PATH, SOURCE)


def _after(**changes: Any) -> str:
    return edited(SOURCE, ENTRY, replace(edit_of(ENTRY), **changes), today=TODAY)


def test_an_edit_that_changes_nothing_gives_the_same_text() -> None:
    assert _after() == SOURCE


def test_the_shipped_entries_come_back_as_they_were() -> None:
    for entry in load_entries(ROOT / "faq_corpus"):
        source = source_of(ROOT / "faq_corpus", entry.id)
        assert source is not None
        assert edited(source, entry, edit_of(entry), today=TODAY) == source


def test_an_edit_touches_what_differs_and_leaves_comments_and_order() -> None:
    after = _after(phrasings=("need seal?", "with a stamp?", "hanko?", "seal or no seal"), mode=Mode.AUTOMATIC)
    assert after == SOURCE.replace('"is a stamp needed",', '"with a stamp?",').replace(
        '    "hanko?",\n', '    "hanko?",\n    "seal or no seal",\n'
    ).replace('"review"', '"automatic"')


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"answer": "No, never."}, id="the answer"),
        pytest.param({"question": "Seal?"}, id="the question, which the letter shows"),
        pytest.param({"links": (Link("Help", "https://help.example/"),)}, id="a link under the answer"),
        pytest.param({"english": English("Seals", "Seal?", "Not at all.")}, id="the English answer"),
        pytest.param({"english": None}, id="no English answer any more"),
    ],
)
def test_the_revision_counts_up_where_another_text_would_be_sent(changes: dict[str, Any]) -> None:
    after = entry_in(PATH, _after(**changes))
    assert (after.revision, after.revised) == (4, TODAY)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Stamps"},
        {"phrasings": ("hanko?",)},
        {"counterexamples": ("Where do I buy a seal?",)},
        {"mode": Mode.OFF},
        {"note": "Ask the lawyers."},
        {"english": English("Stamps", "Seal?", "No.")},
    ],
)
def test_the_revision_stays_where_the_letter_says_the_same(changes: dict[str, Any]) -> None:
    after = entry_in(PATH, _after(**changes))
    assert (after.revision, after.revised) == (3, date(2026, 11, 24))
    assert edit_of(after) == replace(edit_of(ENTRY), **changes)


# What a form sends: any text at all, without blanks around it.
TEXT = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1).map(str.strip).filter(bool)
)
LINKS = st.lists(st.builds(Link, TEXT, st.sampled_from(["https://a.example/", "http://b.example/x"])), max_size=2)
TEXTS = st.lists(TEXT, unique=True, max_size=4).map(tuple)
EDITS = st.builds(
    Edit,
    title=TEXT,
    question=TEXT,
    phrasings=TEXTS,
    counterexamples=st.just(()),
    answer=TEXT,
    mode=st.sampled_from(Mode),
    links=LINKS.map(tuple),
    note=st.one_of(st.just(""), TEXT),
    english=st.one_of(st.none(), st.builds(English, TEXT, TEXT, TEXT, LINKS.map(tuple))),
)


@settings(max_examples=60)
@given(EDITS, EDITS)
def test_a_file_says_what_it_was_edited_to(first: Edit, second: Edit) -> None:
    source = written("q16", 16, replace(first, phrasings=first.phrasings or ("?",)), today=TODAY)
    entry = entry_in(PATH, source)
    again = edited(source, entry, second, today=TODAY)
    assert edit_of(entry_in(PATH, again)) == second
    assert edited(again, entry_in(PATH, again), edit_of(entry), today=TODAY).count("\n[english]\n") <= 1


def test_a_note_of_several_lines_gains_none_when_it_is_written() -> None:
    noted = replace(edit_of(ENTRY), note="一行目\n二行目")
    assert edit_of(entry_in(PATH, edited(SOURCE, ENTRY, noted, today=TODAY))).note == "一行目\n二行目"


def test_a_new_entry_begins_at_revision_one() -> None:
    entry = entry_in(PATH, written("q16", 16, edit_of(ENTRY), today=TODAY))
    assert (entry.id, entry.number, entry.revision, entry.revised) == ("q16", 16, 1, TODAY)


def test_a_folder_is_checked_with_one_file_replaced(tmp_path: Path) -> None:
    folder = cold_corpus(tmp_path)
    q04, q05 = (next(entry for entry in load_entries(folder) if entry.id == name) for name in ("q04", "q05"))
    source = source_of(folder, "q04")
    assert source is not None
    claimed = edited(source, q04, replace(edit_of(q04), phrasings=(q05.phrasings[0],)), today=TODAY)
    with pytest.raises(CorpusError, match=r"q05\.toml: phrasings.*also stands in .*q04\.toml"):
        load_entries(folder, {"q04.toml": claimed})
    with pytest.raises(CorpusError, match="number: 4 is also in"):
        load_entries(folder, {"q77.toml": written("q77", 4, edit_of(ENTRY), today=TODAY)})
    assert source_of(folder, "q04") == source


def test_a_corpus_with_other_entries_has_the_fingerprint_that_it_will_have_on_disk(tmp_path: Path) -> None:
    folder = cold_corpus(tmp_path)
    corpus = load_corpus(folder)
    content = written("q77", 77, edit_of(ENTRY), today=TODAY)
    edited_corpus = with_entries(corpus, load_entries(folder, {"q77.toml": content}))
    assert edited_corpus.fingerprint != corpus.fingerprint
    put(folder, "q77", content, was=None)
    assert load_corpus(folder).fingerprint == edited_corpus.fingerprint


def test_a_file_is_written_whole_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "q16.toml"
    path.write_text(SOURCE)
    path.chmod(0o640)
    put(tmp_path, "q16", _after(mode=Mode.OFF), was=SOURCE)
    put(tmp_path, "q17", SOURCE, was=None)
    assert path.read_text() == _after(mode=Mode.OFF)
    assert [found.stat().st_mode & 0o777 for found in sorted(tmp_path.iterdir())] == [0o640, 0o640]


def test_a_file_that_changed_since_it_was_read_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "q16.toml"
    path.write_text(SOURCE + "# by hand\n")
    for was in (SOURCE, None):
        with pytest.raises(CorpusError, match=r"q16\.toml: has changed since it was read"):
            put(tmp_path, "q16", _after(mode=Mode.OFF), was=was)
    assert path.read_text() == SOURCE + "# by hand\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="gone"), alone(tmp_path / "gone"):
        pass
    with pytest.raises(CorpusError, match=r"q16\.toml: cannot be written \(No such file or directory\)"):
        put(tmp_path / "gone", "q16", SOURCE, was=None)
