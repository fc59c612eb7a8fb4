"""The briefing in force, and how a newer one takes its place while mails are answered."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from responder import maillog
from responder.app.pieces import author_of, checked_files, enough_examples, knowledge_on
from responder.app.standings import Judged
from responder.config import Config, load_config
from responder.corpus import Corpus
from responder.errors import Fault, OperatorError, shown
from responder.store import labels, reviews
from responder.store.engine import reading, words_of
from responder.store.labels import Label
from responder.triage.verdict import Classifier
from responder.worker import Briefing

SETTLING = timedelta(seconds=1)
"""What is copied file by file is read once it has been still for so long."""

log = maillog.log("app")


@dataclass(frozen=True, slots=True)
class Stamp:
    """Equal as long as nobody has touched what a briefing is made of."""

    files: tuple[tuple[str, int, int], ...]
    """Name, nanoseconds of the last change, bytes."""
    taught: tuple[int, int]
    judged: tuple[int, int]


class Current:
    """The briefing in force; a renewal swaps it in whole, or leaves the old one."""

    briefing: Briefing

    def __init__(self, engine: Engine, config: Config, path: Path | None) -> None:
        self.config = config
        self.refused: tuple[str, ...] = ()
        """Why what stands on disk is not in force, one line a fault."""
        self._engine = engine
        self._path = path
        self._stamp: Stamp | None = None

    async def begin(self) -> None:
        """Make the first briefing. Raises OperatorError."""
        await self._renew(self.config)

    async def reload(self) -> None:
        """Read settings, files, labels and reviews again. What is wrong is logged, and the old ones stay."""
        try:
            config = load_config(self._path)
        except OperatorError as error:
            self._refuse(error.faults)
        else:
            await self._renew_or_refuse(config)

    async def look(self) -> None:
        """Renew the briefing where corpus, templates, labels or reviews have changed since they were last read."""
        with suppress(SQLAlchemyError):  # the worker says that the store is away, and the next look is soon
            before = await asyncio.to_thread(self._stamped, self.config)
            if before == self._stamp:
                return
            await asyncio.sleep(SETTLING.total_seconds())
            if before == await asyncio.to_thread(self._stamped, self.config):
                await self._renew_or_refuse(self.config)

    async def _renew_or_refuse(self, config: Config) -> None:
        try:
            await self._renew(config)
        except OperatorError as error:
            self._refuse(error.faults)
        except SQLAlchemyError as error:
            log.error("not reloaded", fault=words_of(error))
        except Exception as error:  # noqa: BLE001 - a fault of ours in learning must not end what still answers
            remedy = "Take the last change back, or send SIGHUP to try again"
            self._refuse([Fault(shown(config.service.corpus), "", f"nothing was learned: {error!r}", remedy)])
        else:
            log.info("reloaded")

    async def _renew(self, config: Config) -> None:
        stamp, taught, judged = await asyncio.to_thread(self._stamped_with_words, config)
        # Noted before it is known to be right: what was refused is not tried, nor told, again until it changes.
        self._stamp = stamp
        corpus, letters = await asyncio.to_thread(checked_files, config, taught)
        # A review changes no label, so that the model is the one that was kept, and only the thresholds move.
        classifier = await _classifier(config, corpus)
        knowledge = knowledge_on(config, corpus, classifier, judged)
        self.briefing = Briefing(knowledge, letters, author_of(config), config.guard.mute_after_bounce)
        self.config, self.refused = config, ()
        log.info(
            "knowledge",
            entries=len(corpus.entries),
            mails=len(corpus.examples),
            taught=len(taught),
            judged=sum(answers for answers, _ in judged.values()),
            unproven=",".join(sorted(knowledge.thresholds.unproven)),
            corpus=corpus.fingerprint[:16],
            classifier=classifier.fingerprint[:16],
            floor=knowledge.thresholds.floor,
            basis=knowledge.basis,
        )

    def _refuse(self, faults: tuple[Fault, ...] | list[Fault]) -> None:
        self.refused = tuple(map(str, faults))
        for fault in self.refused:
            log.error("not reloaded", fault=fault)

    def _stamped(self, config: Config) -> Stamp:
        with reading(self._engine) as connection:
            return Stamp(tuple(_files(config)), labels.stamp(connection), reviews.stamp(connection))

    def _stamped_with_words(self, config: Config) -> tuple[Stamp, list[Label], Judged]:
        stamp = self._stamped(config)
        with reading(self._engine) as connection:
            return stamp, labels.listing(connection), reviews.by_entry(connection)


async def _classifier(config: Config, corpus: Corpus) -> Classifier:
    from responder.app.learning import LearningError, learned_beside
    from responder.triage.cold import fit_cold

    if not enough_examples(corpus):
        return await asyncio.to_thread(fit_cold, corpus)
    try:
        return await learned_beside(corpus, config.service.state, config.service.log)
    except LearningError as error:
        remedy = "See that some 2 GB of memory is free, and send SIGHUP or start again"
        place = shown(config.service.corpus / "examples")
        raise OperatorError([Fault(place, "", f"learning from it broke off: {error}", remedy)]) from error


def _files(config: Config) -> Iterator[tuple[str, int, int]]:
    corpus, templates = config.service.corpus, config.service.templates
    labelled = ((corpus / folder, "*.jsonl") for folder in ("examples", "mailbox"))
    for folder, pattern in ((corpus, "*.toml"), *labelled, (templates, "*.txt")):
        for path in sorted(folder.glob(pattern)):
            with suppress(OSError):  # gone since it was listed, which the next look sees
                found = path.stat()
                yield str(path), found.st_mtime_ns, found.st_size


async def run(current: Current, *, stop: asyncio.Event, asked: asyncio.Event) -> None:
    """Look now and then, and reload when asked, until `stop`; what is being learned then is given up."""
    watching = asyncio.create_task(_watch(current, asked))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([watching, stopped], return_when=asyncio.FIRST_COMPLETED)
    for task in (watching, stopped):
        task.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def _watch(current: Current, asked: asyncio.Event) -> None:
    while True:
        try:
            async with asyncio.timeout(current.config.triage.relearn.total_seconds()):
                await asked.wait()
        except TimeoutError:
            await current.look()
        else:
            asked.clear()
            await current.reload()
