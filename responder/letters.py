"""The wording: templates/ through jinja2. All of it is read and tried out at the start, never while a mail waits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from jinja2 import Template, TemplateSyntaxError
from jinja2 import TemplateError as JinjaError

from responder.corpus import English, Entry, Link, Mode
from responder.errors import Fault, TemplateError, shown
from responder.mail.subject import LONGEST_TOPIC, topic_of
from responder.sandbox import MOST_CHARACTERS, Bounded
from responder.triage.language import Language

LETTERS = (
    "answer.txt",
    "answers.txt",
    "acknowledgement.txt",
    "person.txt",
    "salutation.txt",
    "draft.txt",
    "blank.txt",
    "english_answer.txt",
    "english_answers.txt",
    "english_acknowledgement.txt",
    "notice.txt",
    "framed.txt",
    "correction.txt",
    "english_correction.txt",
    "english_person.txt",
    "english_salutation.txt",
    "english_draft.txt",
    "english_blank.txt",
    "english_framed.txt",
)
MOST_MENTIONED = 50
"""Cases that a notice to staff names one by one; of the others it gives the number."""


@dataclass(frozen=True, slots=True)
class Sender:
    """How the organisation names itself in a letter."""

    name: str
    address: str
    reply_within_business_days: int
    """What the acknowledgement promises; 0 promises no figure."""
    english_name: str = ""
    """None: the name."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter ready to be put into a mail."""

    subject: str
    body: str
    language: str = ""
    """As in Content-Language (RFC 3282); none where a person wrote it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a draft: what was asked, in the contractor's words, and the entry that answers it, if one does."""

    questions: tuple[str, ...]
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Mention:
    """A case in a notice to staff, without a word of the mail's text."""

    reference: str
    sender: str
    """"" is nobody."""
    subject: str
    """One line; may be empty."""
    reason: str
    """In the words of staff."""
    due_at: datetime | None = None
    """Where the staff live."""
    overdue: bool = False
    taken_by: str = ""
    """"" where nobody has taken it."""
    link: str = ""
    """"" where there is no page of it."""


class Letters:
    """The templates of one folder, every one of them known to render."""

    def __init__(self, templates: Mapping[str, Template], sender: Sender) -> None:
        self._templates = dict(templates)
        self._sender = sender

    def answer(
        self, entries: Sequence[Entry], *, subject: str, reference: str, language: Language | None = Language.JAPANESE
    ) -> Letter:
        """The answer of one entry, or of several in the order of the questions; in English all must have `english`."""
        name = "answer.txt" if len(entries) == 1 else "answers.txt"
        values = {"subject": subject, "reference": reference, "entries": entries, "entry": entries[0]}
        return self._english(name, **values) if language is Language.ENGLISH else self._japanese(name, **values)

    def acknowledgement(self, *, subject: str, reference: str, language: Language | None = Language.JAPANESE) -> Letter:
        """Tells the sender that a person has the mail; in both languages where it is in neither."""
        name, values = "acknowledgement.txt", {"subject": subject, "reference": reference}
        match language:
            case Language.ENGLISH:
                return self._english(name, **values)
            case Language.OTHER:
                japanese, english = self._japanese(name, **values), self._english(name, **values)
                return Letter(japanese.subject, f"{japanese.body}\n\n{english.body}", "ja, en")
            case Language.JAPANESE | None:
                return self._japanese(name, **values)

    def person(
        self,
        text: str,
        *,
        subject: str,
        reference: str,
        salutation: str = "",
        signature: str = "",
        language: Language | None = Language.JAPANESE,
    ) -> Letter:
        """What a member of staff wrote, under the salutation if there is one, and signed; `signature` is a name."""
        values = {"text": text, "salutation": salutation, "signature": signature}
        return self._render(_name("person.txt", language), subject=subject, reference=reference, **values)

    def salutation(self, called: str, language: Language | None = Language.JAPANESE) -> str:
        """The line that a letter begins with, for somebody who is called so; "" is nobody known."""
        return " ".join(self._text(_name("salutation.txt", language), called=called).split("\n")).strip()

    def framed(self, text: str, language: Language | None = Language.JAPANESE) -> str:
        """A piece of an answer between the words that a letter begins and ends with; not signed."""
        return self._text(_name("framed.txt", language), text=text).strip("\n") + "\n"

    def notice(self, opened: Sequence[Mention], due: Sequence[Mention], *, link: str) -> Letter:
        """Tells staff of new cases and of those due soon, not both of them none. `link` is the page of all cases."""
        values = {"opened": list(opened), "due": list(due), "longest": MOST_MENTIONED, "link": link}
        return self._japanese("notice.txt", subject="", **values)

    def draft(
        self,
        passages: Sequence[Passage],
        *,
        subject: str,
        reference: str,
        language: Language | None = Language.JAPANESE,
    ) -> str:
        """The text that a person starts from, with `blank.txt` wherever an answer is missing; not signed.

        In English all entries must have `english`.
        """
        values = {"passages": passages, "subject": subject, "reference": reference}
        # What the contractor wrote may be long, and a person must see it all.
        quoted = sum(len(question) for passage in passages for question in passage.questions)
        text = self._text(_name("draft.txt", language), most=MOST_CHARACTERS + quoted, **values).strip("\n")
        if any(passage.entry is None for passage in passages) and not self.unfinished(text):
            raise ValueError("a question without an answer must show blank.txt, so that nobody sends it by mistake")
        return text + "\n"

    def correction(
        self, entries: Sequence[Entry], *, subject: str, reference: str, language: Language | None = Language.JAPANESE
    ) -> str:
        """The text that a person starts from where the answer of these entries was wrong, with `blank.txt` in it."""
        text = self._text(
            _name("correction.txt", language), entries=entries, subject=subject, reference=reference
        ).strip("\n")
        if not self.unfinished(text):
            raise ValueError("a correction must show blank.txt, so that nobody sends it without the right answer")
        return text + "\n"

    def unfinished(self, text: str) -> bool:
        """Whether a place of a draft is still empty, in either language."""
        blanks = {name: self._text(name).strip() for name in ("blank.txt", "english_blank.txt")}
        for name, blank in blanks.items():
            if not blank:
                raise ValueError(f"{name} has no text, by which an empty place is known")
        return any(blank in text for blank in blanks.values())

    def _japanese(self, name: str, **values: Any) -> Letter:
        return replace(self._render(name, **values), language="ja")

    def _english(self, name: str, **values: Any) -> Letter:
        return replace(self._render(f"english_{name}", **values), language="en")

    def _render(self, name: str, *, subject: str, **values: Any) -> Letter:
        head, _, body = self._text(name, subject=topic_of(subject), **values).partition("\n\n")
        if not head.startswith("Subject:") or "\n" in head:
            raise ValueError("the first line must be the Subject, and an empty line must follow it")
        if not body.strip():
            raise ValueError("the letter has no text under its Subject")
        return Letter(head.removeprefix("Subject:").strip(), body.strip("\n") + "\n")

    def _text(self, name: str, *, most: int = MOST_CHARACTERS, **values: Any) -> str:
        """What the template makes of the values, with "\\n" as line end; given up where it grows too long."""
        pieces, length = [], 0
        for piece in self._templates[name].generate(service=self._sender, **values):
            length += len(piece)
            if length > most:
                raise ValueError(f"the letter is longer than {most} characters")
            pieces.append(piece)
        return "".join(pieces).replace("\r\n", "\n")


def _name(name: str, language: Language | None) -> str:
    return f"english_{name}" if language is Language.ENGLISH else name


def load_letters(folder: Path, sender: Sender) -> Letters:
    """Read every letter and render it with sample values. Raises TemplateError with all that is wrong."""
    faults: list[Fault] = []
    sources = _sources(folder, faults)
    templates = _compiled(Bounded(sources), folder, faults)
    letters = Letters(templates, sender)
    if not faults:
        faults.extend(_rehearsed(letters, folder))
    if faults:
        raise TemplateError(faults)
    return letters


def _sources(folder: Path, faults: list[Fault]) -> dict[str, str]:
    sources: dict[str, str] = {}
    for path in sorted(folder.glob("*.txt")):
        try:
            sources[path.name] = path.read_text(encoding="utf-8")
        except OSError as error:
            faults.append(Fault(shown(path), "", f"cannot be read ({error.strerror})", "See to its permissions"))
        except UnicodeDecodeError as error:
            faults.append(Fault(shown(path), "", f"is not UTF-8 at byte {error.start}", "Save it as UTF-8"))
    read = {Path(fault.file).name for fault in faults} | set(sources)
    missing = (name for name in LETTERS if name not in read)
    remedy = "Restore it, or mend service.templates"
    faults.extend(Fault(shown(folder / name), "", "is missing", remedy) for name in missing)
    return sources


def _compiled(environment: Bounded, folder: Path, faults: list[Fault]) -> dict[str, Template]:
    templates: dict[str, Template] = {}
    for name in environment.list_templates():
        try:
            templates[name] = environment.get_template(name)
        except TemplateSyntaxError as error:
            remedy = "Mend the template at that line"
            faults.append(Fault(shown(folder / (error.name or name)), "", str(error.message), remedy, error.lineno))
    return templates


_SAMPLE_LINK = Link("Help", "https://help.example/articles/1")


def _sample(number: int, links: tuple[Link, ...], english_links: tuple[Link, ...] = ()) -> Entry:
    return Entry(
        id=f"q{number:02}",
        number=number,
        title="Title",
        question="Question?",
        phrasings=("Phrasing?",),
        answer="Answer.",
        mode=Mode.AUTOMATIC,
        revision=1,
        revised=date(2026, 11, 24),
        links=links,
        english=English("Title", "Question?", "Answer.", english_links),
    )


def _sample_drafts(entries: Sequence[Entry]) -> list[list[Passage]]:
    covered = [Passage(("Question?", "Another?"), entry) for entry in entries]
    return [covered[:1], [Passage(("Question?",), None)], [*covered, Passage(("Question?",), None)]]


def _sample_news(subject: str) -> list[tuple[list[Mention], list[Mention], str]]:
    at, link = datetime(2026, 11, 24, 17, 30, tzinfo=UTC), "https://desk.example/cases"
    bare = Mention("R-000001", "", subject, "Reason")
    full = Mention("R-000002", "a@example.jp", subject, "Reason", at, True, "Name", f"{link}/2")
    return [([bare], [], ""), ([], [full], link), ([bare] * (MOST_MENTIONED + 1), [full], link)]


def _rehearsed(letters: Letters, folder: Path) -> list[Fault]:
    """Every letter with every kind of value it can meet: with and without links, subject, several entries."""
    links = (_SAMPLE_LINK, _SAMPLE_LINK)
    entries = [_sample(1, ()), _sample(2, links), _sample(3, links, links)]
    faults: dict[str, Fault] = {}
    spoken = (("", Language.JAPANESE), ("english_", Language.ENGLISH))
    for subject, (prefix, language) in product(("", "件" * LONGEST_TOPIC), spoken):
        given: dict[str, Any] = {"subject": subject, "reference": "R-000001"}
        answer = partial(letters.answer, language=language, **given)
        correction = partial(letters.correction, language=language, **given)
        person = partial(letters.person, language=language, **given)
        draft = partial(letters.draft, language=language, **given)
        trials: list[tuple[str, Callable[[], object]]] = [
            *((f"{prefix}answer.txt", partial(answer, [entry])) for entry in entries),
            (f"{prefix}answers.txt", partial(answer, entries)),
            (f"{prefix}acknowledgement.txt", partial(letters.acknowledgement, language=language, **given)),
            *((f"{prefix}correction.txt", partial(correction, some)) for some in ([], entries)),
            (f"{prefix}person.txt", partial(person, "Text.")),
            (f"{prefix}person.txt", partial(person, "Text.", salutation="Dear you", signature="Name")),
            (f"{prefix}framed.txt", partial(letters.framed, "Text.", language)),
            *((f"{prefix}salutation.txt", partial(letters.salutation, name, language)) for name in ("", "Name")),
            *((f"{prefix}draft.txt", partial(draft, passages)) for passages in _sample_drafts(entries)),
            *(("notice.txt", partial(letters.notice, *news, link=link)) for *news, link in _sample_news(subject)),
        ]
        for name, render in trials:
            fault = _trial(render, folder / name)
            if fault is not None:
                faults.setdefault(name, fault)
    return list(faults.values())


def _trial(render: Callable[[], object], path: Path) -> Fault | None:
    try:
        render()
    except (JinjaError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        remedy = "Mend the template; the values it may use stand in CONTRIBUTING.md"
        return Fault(shown(path), "", " ".join(str(error).split()), remedy, _line_of(error))
    return None


def _line_of(error: BaseException) -> int | None:
    """Where in the template it broke: jinja2 rewrites its frames, whose file is then `<template>`."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
