"""What a change of an entry would do to the mails kept here, found in a process of its own."""

import asyncio
import os
import pickle
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

from sqlalchemy.engine import Engine

from responder import maillog
from responder.app.child import end_with_parent
from responder.app.pieces import clock, corpus_of, enough_examples, knowledge_on, store_of
from responder.app.standings import Judged
from responder.config import Config
from responder.corpus import Corpus, load_entries, with_entries
from responder.errors import OperatorError
from responder.mail.message import Unreadable
from responder.reader import Reader
from responder.store import labels, rehearsals, reviews
from responder.store.engine import reading
from responder.store.rehearsals import Kept, Rehearsal
from responder.triage.changes import COUNTS, Change, Comparison, change_of, outcome_of, recognised
from responder.triage.contents import Contents
from responder.triage.policy import NO_HISTORY
from responder.triage.reading import Knowledge, decision_on, read_contents

_LONG = timedelta(minutes=10)

log = maillog.log("app")


def rehearse(engine: Engine, config: Config, number: int) -> None:
    """Try a change that is running, and keep what was found, or why nothing was. Ends early where it was dropped."""
    try:
        found = _found(engine, config, number)
    except OperatorError as error:
        problem = str(error)
    except Exception as error:  # noqa: BLE001 - a fault of ours must not leave the row running for ever
        log.error("not rehearsed", number=number, reason=type(error).__name__)
        problem = f"a fault of the program: {type(error).__name__}"
    else:
        if found is not None:
            with engine.begin() as connection:
                rehearsals.settle(connection, number, found, now=clock())
        return
    with engine.begin() as connection:
        rehearsals.fail(connection, number, problem, now=clock())


def _found(engine: Engine, config: Config, number: int) -> Comparison | None:
    with reading(engine) as connection:
        rehearsal, taught = rehearsals.find(connection, number), labels.listing(connection)
        judged = reviews.by_entry(connection)
    if rehearsal is None:
        return None
    corpus = corpus_of(config, taught)
    instead = {f"{rehearsal.entry_id}.toml": rehearsal.content}
    edited = with_entries(corpus, load_entries(config.service.corpus, instead))
    with engine.begin() as connection:
        if not rehearsals.begin(connection, number, corpus=corpus.fingerprint, now=clock()):
            return None
    return _decided(engine, rehearsal, _knowledge(config, corpus, judged), _knowledge(config, edited, judged))


def _knowledge(config: Config, corpus: Corpus, judged: Judged) -> Knowledge:
    from responder.app.learning import learned_beside
    from responder.triage.cold import fit_cold

    if not enough_examples(corpus):
        return knowledge_on(config, corpus, fit_cold(corpus), judged)
    # Learned in yet another process, whose gigabytes are given back before the first mail is read.
    learned = asyncio.run(learned_beside(corpus, config.service.state, config.service.log))
    return knowledge_on(config, corpus, learned, judged)


def _decided(engine: Engine, rehearsal: Rehearsal, before: Knowledge, after: Knowledge) -> Comparison | None:
    counts, changes = Counter[str](), list[Change]()
    with closing(Reader()) as reader:
        for batch in _batches(engine):
            for kept, contents in _read(reader, batch):
                counts.update(_compared(kept, contents, before, after, rehearsal.entry_id, changes))
            with engine.begin() as connection:
                if not rehearsals.go_on(connection, rehearsal.id, done=counts["mails"], now=clock()):
                    return None
    return Comparison(**{name: counts[name] for name in COUNTS}, changes=tuple(changes))


def _batches(engine: Engine) -> Iterator[list[Kept]]:
    last = 0
    while True:
        with reading(engine) as connection:
            batch = rehearsals.mails(connection, after=last)
        if not batch:
            return
        yield batch
        last = batch[-1].id


def _read(reader: Reader, batch: list[Kept]) -> Iterator[tuple[Kept, Contents | Unreadable]]:
    left = batch
    while left:
        contents = reader.read([kept.raw for kept in left], within=_LONG)
        yield from zip(left, contents, strict=False)  # of as many as there was time for
        left = left[len(contents) :]


def _compared(
    kept: Kept,
    contents: Contents | Unreadable,
    before: Knowledge,
    after: Knowledge,
    entry_id: str,
    changes: list[Change],
) -> dict[str, int]:
    """What one mail adds to the counts; its change, if there is one, is added to the others."""
    read = read_contents(kept.envelope, contents, before)
    if not recognised(read, kept.reason):
        return {"mails": 1, "apart": 1}
    old = outcome_of(decision_on(read, NO_HISTORY, before))
    new = outcome_of(decision_on(read_contents(kept.envelope, contents, after), NO_HISTORY, after))
    change = change_of(kept.id, old, new)
    if change is not None:
        changes.append(change)
    reworded = change is None and new.answered and entry_id in new.entries
    return {"mails": 1, "answered_before": old.answered, "answered_after": new.answered, "reworded": reworded}


def main() -> None:
    """The child: settings and a number from standard input, whose end is the child's end."""
    config, number = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the parent's own hand
    maillog.open_log(config.service.log)
    os.nice(15)  # below learning for the corpus in force, and far below the mails that wait
    end_with_parent()
    engine = store_of(config)
    rehearse(engine, config, number)
    engine.dispose()


if __name__ == "__main__":
    main()
