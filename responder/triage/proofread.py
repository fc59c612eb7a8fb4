"""What an editor should look at again in a corpus that loads."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from responder.corpus import LEAST_PHRASINGS, Corpus, Entry, Link
from responder.errors import Fault
from responder.triage.cold import ColdClassifier, fit_cold
from responder.triage.questions import Question
from responder.triage.text import normalised

TWINS = 0.4
"""Cosine above which two entries' questions read as one; the nearest pair of the shipped corpus has 0.30."""

BARE = 20
"""Characters under which an answer says yes or no and hardly to what."""

BARE_ENGLISH = 2 * BARE
"""The same in English, which takes about twice as many; the shortest answer of the shipped corpus has 86."""

_CUT = re.compile(r"-/?$|[\s、。」）]|…")
_ASKED = re.compile(r"[?？]|か。|か(?=$|\n)")
_AFFIRMATION = re.compile(
    r"^(?:はい|いいえ|可能です|可能でございます|できます|できません|不可|問題ございません|問題ありません)(?:[、。]|です|$)"
)

_ENGLISH_AFFIRMATION = re.compile(
    r"(?:yes|no|it is|this is|that is|you (?:can|may)|we do|certainly|of course|possible|not possible|no problem)"
    r"(?: not| fine| possible| all right| allowed)*\s*(?:[,.;:!]|$)",
    re.IGNORECASE,
)
_IS_BARE = (
    "the answer is bare, and may be misread when the mail asks the negative",
    "Say in a whole sentence what is possible or not",
)


def warnings_of(corpus: Corpus, folder: str) -> list[Fault]:
    """Near twins, bare answers, no English, cut links, two questions in one, few or misleading phrasings."""
    classifier = fit_cold(corpus)
    # Phrasings would dilute a question that another entry repeats word by word.
    questions = fit_cold(replace(corpus, entries=tuple(replace(entry, phrasings=()) for entry in corpus.entries)))
    warnings: list[Fault] = []
    for entry in corpus.entries:
        file = f"{folder}/{entry.id}.toml"
        findings = (
            *_of_words(entry),
            *_of_twins(entry, questions),
            *_of_phrasings(entry, classifier),
            *_of_english(entry),
        )
        warnings.extend(Fault(file, key, problem, remedy) for key, problem, remedy in findings)
    return warnings


_Finding = tuple[str, str, str]


def _of_words(entry: Entry) -> Iterator[_Finding]:
    text = entry.answer.strip()
    if len(text) < BARE or _AFFIRMATION.match(text):
        yield "answer", *_IS_BARE
    yield from _of_links("links", entry.links)
    if len(_ASKED.findall(entry.question)) > 1:
        yield (
            "question",
            "the entry asks two questions",
            "Make sure that the answer answers both, or make two entries of it",
        )
    if len(entry.phrasings) < LEAST_PHRASINGS:
        yield (
            "phrasings",
            f"{len(entry.phrasings)} phrasings; recognition still improves up to {LEAST_PHRASINGS} and more",
            "Add the words that contractors use",
        )


def _of_links(key: str, links: Iterable[Link]) -> Iterator[_Finding]:
    for link in links:
        if _CUT.search(link.url):
            yield key, f"{link.url} looks cut off or glued to other text", "Compare it with the page's own address"


def _of_twins(entry: Entry, questions: ColdClassifier) -> Iterator[_Finding]:
    """Entries that ask nearly the same; each pair is named once, at the later entry."""
    question = normalised(entry.question)
    (verdict,) = questions.verdicts([Question(question, question)])
    for candidate in verdict.candidates:
        if candidate.entry < entry.id and candidate.score > TWINS:
            yield (
                "question",
                f"a near twin of {candidate.entry} (likeness {candidate.score:.2f})",
                "Merge the two, or give each the words that tell it apart",
            )


def _of_phrasings(entry: Entry, classifier: ColdClassifier) -> Iterator[_Finding]:
    for phrasing in entry.phrasings:
        text = normalised(phrasing)
        (verdict,) = classifier.verdicts([Question(text, text)])
        if verdict.entry != entry.id:
            yield "phrasings", f"{phrasing!r} is nearer to {verdict.entry}", "Move it there, or say it more plainly"


def _of_english(entry: Entry) -> Iterator[_Finding]:
    english = entry.english
    if english is None:
        yield (
            "english",
            "no English answer, so that a person answers mails in English",
            "Add a table [english]",
        )
        return
    text = english.answer.strip()
    if len(text) < BARE_ENGLISH or _ENGLISH_AFFIRMATION.match(text):
        yield "english.answer", *_IS_BARE
    yield from _of_links("english.links", english.links)
