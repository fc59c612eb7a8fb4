"""Settings → store, knowledge, wording, next hop: each piece as the settings ask for it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import Engine

from responder.config import Config, MaildirHop, SmtpHop
from responder.corpus import load_corpus
from responder.courier.agent import NextHop
from responder.courier.maildir import Maildir
from responder.courier.smtp import Smarthost, SmtpNextHop
from responder.errors import ConfigError, Fault, OperatorError
from responder.letters import Letters, Sender, load_letters
from responder.mail.address import normalised
from responder.mail.envelope import Envelope
from responder.mail.message import parse_message
from responder.mail.reply import Mailbox
from responder.store import inbox
from responder.store.engine import make_ready, open_engine
from responder.triage.policy import Thresholds
from responder.triage.reading import Knowledge, envelope_of
from responder.worker import Briefing


def clock() -> datetime:
    """The only clock; agents are given it."""
    return datetime.now(UTC)


def author_of(config: Config) -> Mailbox:
    """Who our mails are from."""
    return Mailbox(config.service.address, config.service.name)


def letters_of(config: Config) -> Letters:
    """The wording. Raises TemplateError."""
    service = config.service
    return load_letters(service.templates, Sender(service.name, service.address, service.reply_within_business_days))


def knowledge_of(config: Config) -> Knowledge:
    """The corpus and what was learned of it. Raises CorpusError."""
    # scikit-learn takes a second to import, which most commands need not spend.
    from responder.app.learning import learned_of
    from responder.triage.cold import fit_cold
    from responder.triage.learned import LEAST_EXAMPLES

    corpus, triage = load_corpus(config.service.corpus), config.triage
    budget, own = triage.automatic_per_sender_per_hour, own_addresses(config)
    if len(corpus.examples) < LEAST_EXAMPLES:
        basis = (
            "set by hand" if triage.floor is not None else f"none: {len(corpus.examples)} labelled mails are too few"
        )
        return Knowledge(corpus, fit_cold(corpus), Thresholds(triage.floor, triage.margin, budget), own, basis)
    classifier = learned_of(corpus, config.service.state)
    found = classifier.trial.threshold(alpha=triage.alpha, delta=triage.delta)
    floor, basis = (found.floor, str(found)) if triage.floor is None else (triage.floor, "set by hand")
    standings = dict(zip(classifier.entries, classifier.trial.standings(floor), strict=True))
    unproven = frozenset(
        entry for entry, standing in standings.items() if standing.wrong_at_most(triage.delta) > triage.entry_alpha
    )
    thresholds = Thresholds(floor, 0.0, budget, unproven if triage.floor is None else frozenset())
    return Knowledge(corpus, classifier, thresholds, own, basis, standings)


def own_addresses(config: Config) -> frozenset[str]:
    """The addresses that we take mail for, normalised."""
    return frozenset(map(normalised, (config.service.address, *config.service.also_known_as)))


def briefing_of(config: Config) -> Briefing:
    """All that an answer is made of. Raises OperatorError with the faults of corpus and templates together."""
    faults: list[Fault] = []
    made: list[Any] = []
    for load in (knowledge_of, letters_of):
        try:
            made.append(load(config))
        except OperatorError as error:
            faults.extend(error.faults)
    if faults:
        raise OperatorError(faults)
    return Briefing(made[0], made[1], author_of(config))


def store_of(config: Config) -> Engine:
    """The store as the settings name it, not yet connected. Raises StoreError."""
    return open_engine(config.store.url)


def ready_store(config: Config) -> Engine:
    """The store, with the schema of this version. Raises StoreError."""
    engine = store_of(config)
    make_ready(engine)
    return engine


def take_in(engine: Engine, config: Config, raws: Sequence[bytes]) -> None:
    """Put mails from files into the inbox, as if they had come by SMTP to our address."""
    mails = [(Envelope(envelope_of(parse_message(raw)).mail_from, (config.service.address,)), raw) for raw in raws]
    with engine.begin() as connection:
        inbox.accept(connection, mails, now=clock())


def next_hop_of(config: Config) -> NextHop:
    """Where mails leave to."""
    settings = config.courier
    match settings.next_hop:
        case MaildirHop(path):
            return Maildir(path)
        case SmtpHop(host, port, tls):
            return SmtpNextHop(
                Smarthost(
                    host=host,
                    port=port,
                    tls=tls,
                    username=settings.username or None,
                    password=settings.password.get_secret_value() or None,
                    auth=settings.auth,
                    token_command=settings.token_command,
                    connections=settings.connections,
                    timeout=settings.timeout,
                    ca_file=settings.ca_file,
                )
            )


def tried_next_hop(config: Config) -> str:
    """Words on a next hop that would take our mail. Raises ConfigError."""
    problem = asyncio.run(_probed(next_hop_of(config)))
    hop = config.courier.next_hop
    if problem is not None:
        remedy = "See that it is there and lets us in, or mend [courier]"
        raise ConfigError([Fault("config.toml", "courier.next_hop", f"{hop}: {problem}", remedy)])
    return f"ok, {hop}"


async def _probed(next_hop: NextHop) -> str | None:
    return await next_hop.probe()
