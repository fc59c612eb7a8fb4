"""The form of an entry: from an entry to its fields, and back to an edit; nothing here changes anything."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from jinja2 import TemplateError

from responder.corpus import English, Entry, Link, Mode, entry_in, load_entries
from responder.corpus.writing import Edit, edit_of, edited, written
from responder.desk.desk import Desk
from responder.desk.visit import Form, number_in
from responder.errors import CorpusError, Fault
from responder.letters import Letter, Letters
from responder.triage.language import Language

TEXTS = ("title", "question", "answer", "note", "english_title", "english_question", "english_answer")
LISTS = ("phrasings", "counterexamples", "links", "english_links")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What keeps an edit from being an entry: words that have a translation, and what stands in them."""

    key: str
    words: str
    values: Mapping[str, str]
    remedy: str


# The sentences of the corpus's checks in which something of the entry is quoted.
_QUOTING = [
    (re.compile(r"(?P<text>.+) also stands in (?P<file>.+)", re.DOTALL), "%(text)s also stands in %(file)s"),
    (re.compile(r"(?P<text>.+) is a phrasing in (?P<file>.+)", re.DOTALL), "%(text)s is a phrasing in %(file)s"),
    (re.compile(r"(?P<text>\d+) is also in (?P<file>.+)"), "the number %(text)s is also in %(file)s"),
    (re.compile(r"String should match pattern .*", re.DOTALL), "it is not written as it must be"),
]


def fields_of(edit: Edit) -> dict[str, str]:
    """What the fields of the form show: one phrasing a line, and one link a line, its address last."""
    english = edit.english
    return {
        "title": edit.title,
        "question": edit.question,
        "phrasings": _lines(edit.phrasings),
        "counterexamples": _lines(edit.counterexamples),
        "answer": edit.answer,
        "mode": edit.mode.value,
        "links": _link_lines(edit.links),
        "note": edit.note,
        "english_title": english.title if english else "",
        "english_question": english.question if english else "",
        "english_answer": english.answer if english else "",
        "english_links": _link_lines(english.links) if english else "",
    }


def fields_in(form: Form) -> dict[str, str]:
    """What somebody wrote into them."""
    found = {name: form.text(name).strip() for name in (*TEXTS, *LISTS)}
    mode = form.text("mode")
    return {**found, "mode": mode if mode in set(Mode) else Mode.REVIEW.value}


def edit_in(fields: Mapping[str, str], old: Edit | None) -> Edit:
    """The edit that the fields say; texts of the old one that the form shows in one line stay as they were."""
    known = (*old.phrasings, *old.counterexamples) if old else ()
    return Edit(
        title=fields["title"],
        question=fields["question"],
        phrasings=_texts(fields["phrasings"], known),
        counterexamples=_texts(fields["counterexamples"], known),
        answer=fields["answer"],
        mode=Mode(fields["mode"]),
        links=_links(fields["links"]),
        note=fields["note"],
        english=_english(fields),
    )


def _english(fields: Mapping[str, str]) -> English | None:
    title, question, answer = (fields[f"english_{name}"] for name in ("title", "question", "answer"))
    links = _links(fields["english_links"])
    return English(title, question, answer, links) if title or question or answer or links else None


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(map(_one_line, texts))


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))


def _texts(lines: str, known: Iterable[str]) -> tuple[str, ...]:
    whole = {_one_line(text): text for text in known}
    found = [line.strip() for line in lines.split("\n")]
    return tuple(dict.fromkeys(whole.get(line, line) for line in found if line))


def _link_lines(links: Iterable[Link]) -> str:
    return "\n".join(f"{_one_line(link.label)} {link.url}" for link in links)


EMPTY = fields_of(Edit("", "", (), (), "", Mode.REVIEW, (), "", None))


def _links(lines: str) -> tuple[Link, ...]:
    found = [line.strip().rpartition(" ") for line in lines.replace("　", " ").split("\n") if line.strip()]
    return tuple(Link(label.strip(), url) for label, _, url in found)


def digest(source: str) -> str:
    """Tells one text of a file from another."""
    return hashlib.sha256(source.encode()).hexdigest()


def content_of(source: str, entry: Entry, fields: Mapping[str, str], *, today: date) -> str:
    """The file of an entry as the fields would have it."""
    old = edit_of(entry)
    return edited(source, entry, edit_in(fields, old), today=today)


def new_content(entry_id: str, number: str, fields: Mapping[str, str], *, today: date) -> str:
    """The file of a new entry; a number that is none becomes 0, which the checks refuse."""
    return written(entry_id, number_in(number) or 0, edit_in(fields, None), today=today)


def checked(desk: Desk, entry_id: str, content: str) -> Entry | list[Mistake]:
    """The entry that the content is, beside all others and in a letter; else what keeps it from being one."""
    name = f"{entry_id}.toml"
    try:
        entry = entry_in(desk.corpus / name, content)
        load_entries(desk.corpus, {name: content})
    except CorpusError as error:
        return [_mistake(fault, name) for fault in error.faults]
    try:
        letters_about(desk.letters(), entry)
    except (TemplateError, ValueError) as error:
        return [Mistake("answer", "no letter can be made of it: %(text)s", {"text": str(error)}, "")]
    return entry


def _mistake(fault: Fault, name: str) -> Mistake:
    if not fault.file.endswith(name) and not fault.key:
        return Mistake("", "", {"text": str(fault)}, "")
    for pattern, words in _QUOTING:
        if found := pattern.fullmatch(fault.problem):
            return Mistake(fault.key.partition(".")[0], words, found.groupdict(), fault.remedy)
    return Mistake(fault.key.partition(".")[0], "", {"text": fault.problem}, fault.remedy)


def letters_about(letters: Letters, entry: Entry) -> Sequence[Letter]:
    """The automatic answers that the entry alone would be sent as, in each language that it has."""
    spoken = [Language.JAPANESE, *([Language.ENGLISH] if entry.english else [])]
    return [letters.answer([entry], subject="", reference="R-000000", language=language) for language in spoken]
