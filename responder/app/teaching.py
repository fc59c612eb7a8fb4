"""What people taught, as examples to learn from."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from responder import maillog
from responder.corpus import Example
from responder.store.cases import reference_of
from responder.store.labels import Label

log = maillog.log("app")


def examples_of(taught: Sequence[Label], known: AbstractSet[str]) -> list[Example]:
    """An example for each label; one that names an entry which is gone is left out, with a warning."""
    examples: list[Example] = []
    for label in taught:
        if gone := sorted(set(label.expected) - known):
            log.warning("label left out", inquiry=label.inquiry_id, no_such_entry=",".join(gone), remedy=_REMEDY)
        else:
            examples.append(_example(label))
    return examples


_REMEDY = "teach it anew, or unteach it"


def _example(label: Label) -> Example:
    return Example(
        author=_author(label),
        subject=label.subject,
        body=label.body,
        expected=label.expected,
        complete=label.complete,
        kind="taught",
        name=reference_of(label.inquiry_id),
    )


def _author(label: Label) -> str:
    # The model judges itself on each author's mails after learning from the others. Everybody's mails under one name
    # would be kept from it all at once; a name for each sender would make thousands of blocks. A month is between.
    return f"taught {label.taught_at:%Y-%m}"


def line_of(label: Label) -> dict[str, object]:
    """A label as a line of faq_corpus/examples."""
    return {
        "id": reference_of(label.inquiry_id),
        "kind": "taught",
        "subject": label.subject,
        "body": label.body,
        "expected": list(label.expected),
        "complete": label.complete,
    }
