"""Settings → store, knowledge, wording, next hop: each piece as the settings ask for it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from responder import maillog
from responder.app.teaching import examples_of
from responder.config import Config, MaildirHop, SmtpHop
from responder.corpus import Corpus, load_corpus, with_examples
from responder.courier.agent import NextHop
from responder.courier.maildir import Maildir
from responder.courier.smtp import Smarthost, SmtpNextHop
from responder.errors import ConfigError, Fault, OperatorError, StoreError
from responder.letters import Letters, Sender, load_letters
from responder.mail.address import domain_of, normalised
from responder.mail.envelope import Envelope
from responder.mail.message import parse_message
from responder.mail.reply import Mailbox
from responder.store import inbox, labels
from responder.store.engine import is_there, make_ready, open_engine, reading, schema_state
from responder.store.labels import Label
from responder.triage.policy import Thresholds
from responder.triage.reading import Knowledge, envelope_of
from responder.triage.verdict import Classifier

if TYPE_CHECKING:
    from responder.courier.signing import Signer

log = maillog.log("app")


def clock() -> datetime:
    """The only clock; agents are given it."""
    return datetime.now(UTC)


def author_of(config: Config) -> Mailbox:
    """Who our mails are from."""
    return Mailbox(config.service.address, config.service.name)


def letters_of(config: Config) -> Letters:
    """The wording. Raises TemplateError."""
    service = config.service
    days = service.reply_within_business_days
    return load_letters(service.templates, Sender(service.name, service.address, days, service.english_name))


def corpus_of(config: Config, taught: Sequence[Label]) -> Corpus:
    """The entries, and all labelled mails: those of the files and those that people taught. Raises CorpusError."""
    corpus = load_corpus(config.service.corpus)
    return with_examples(corpus, examples_of(taught, {entry.id for entry in corpus.entries}))


def taught_so_far(config: Config) -> list[Label]:
    """What people taught, for commands that need no store: none is made, and one that is away is only mentioned."""
    if not is_there(config.store.url):
        return []
    try:
        engine = store_of(config)
        try:
            current, ours = schema_state(engine)
            if current != ours:
                return []
            with reading(engine) as connection:
                return labels.listing(connection)
        finally:
            engine.dispose()
    except (StoreError, SQLAlchemyError) as error:
        log.warning("without what people taught", reason=" ".join(str(error).split())[:300])
        return []


def knowledge_of(config: Config, taught: Sequence[Label]) -> Knowledge:
    """The corpus and what was learned of it, in this process. Raises CorpusError."""
    # scikit-learn takes a second to import, which most commands need not spend.
    from responder.app.learning import learned_of
    from responder.triage.cold import fit_cold

    corpus = corpus_of(config, taught)
    learned = enough_examples(corpus)
    return knowledge_on(config, corpus, learned_of(corpus, config.service.state) if learned else fit_cold(corpus))


def enough_examples(corpus: Corpus) -> bool:
    """Whether there are labelled mails enough to learn from."""
    from responder.triage.learned import LEAST_EXAMPLES

    return len(corpus.examples) >= LEAST_EXAMPLES


def knowledge_on(config: Config, corpus: Corpus, classifier: Classifier) -> Knowledge:
    """What triage knows, given a classifier that was fitted on this corpus."""
    from responder.triage.learned import LearnedClassifier

    triage = config.triage
    budget, own = triage.automatic_per_sender_per_hour, own_addresses(config)
    if not isinstance(classifier, LearnedClassifier):
        few = f"none: {len(corpus.examples)} labelled mails are too few"
        basis = few if triage.floor is None else "set by hand"
        thresholds = Thresholds(triage.floor, triage.margin, budget)
        return Knowledge(corpus, classifier, thresholds, own, basis, bounces=bounces_of(config))
    found = classifier.trial.threshold(alpha=triage.alpha, delta=triage.delta)
    floor, basis = (found.floor, str(found)) if triage.floor is None else (triage.floor, "set by hand")
    standings = dict(zip(classifier.entries, classifier.trial.standings(floor), strict=True))
    unproven = frozenset(
        entry for entry, standing in standings.items() if standing.wrong_at_most(triage.delta) > triage.entry_alpha
    )
    thresholds = Thresholds(floor, 0.0, budget, unproven if triage.floor is None else frozenset())
    return Knowledge(corpus, classifier, thresholds, own, basis, standings, bounces_of(config))


def own_addresses(config: Config) -> frozenset[str]:
    """The addresses that we take mail for, normalised."""
    return frozenset(map(normalised, (config.service.address, *config.service.also_known_as))) | bounces_of(config)


def bounces_of(config: Config) -> frozenset[str]:
    """Those of them to which nobody writes but machines, normalised."""
    return frozenset(filter(None, [normalised(config.courier.envelope_sender)]))


def checked_files(config: Config, taught: Sequence[Label]) -> tuple[Corpus, Letters]:
    """What an answer is made of, read and checked. Raises OperatorError with the faults of both together."""
    faults: list[Fault] = []
    made: list[Any] = []
    for load in (lambda: corpus_of(config, taught), lambda: letters_of(config)):
        try:
            made.append(load())
        except OperatorError as error:
            faults.extend(error.faults)
    if faults:
        raise OperatorError(faults)
    return made[0], made[1]


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
                    final_timeout=settings.final_timeout,
                    null_sender=settings.envelope_sender,
                    ca_file=settings.ca_file,
                )
            )


def signer_of(config: Config) -> "Signer | None":
    """Who signs what leaves, tried out; None where nothing is signed. Raises ConfigError."""
    file = config.dkim.key_file
    if file is None:
        return None
    try:
        from responder.courier.signing import Signer, UnusableKey, read_key
    except ModuleNotFoundError as error:
        raise _key_fault("what signs is not installed", "pip install 'faq-responder[dkim]'") from error
    try:
        key = read_key(file.read_bytes())
    except (OSError, UnusableKey) as error:
        words = f"{file} cannot be read" if isinstance(error, OSError) else f"{file}: {error}"
        remedy = "Make one with: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"
        raise _key_fault(words, remedy) from error
    signer = Signer(config.dkim.domain or domain_of(config.service.address), config.dkim.selector, key)
    if not signer.works():
        raise _key_fault(f"{file}: what it signs does not hold by its own public half", "Make a new key")
    return signer


def _key_fault(problem: str, remedy: str) -> ConfigError:
    return ConfigError([Fault("config.toml", "dkim.key_file", problem, remedy)])


def tried_signer(config: Config) -> str:
    """Words on a key that signs, with the record to publish; nothing is asked of the DNS. Raises ConfigError."""
    signer = signer_of(config)
    if signer is None:
        return "ok, nothing is signed here"
    from responder.courier.signing import zone_line

    return f"ok, a mail was signed and verified; publish this record:\n{zone_line(signer)}"


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
