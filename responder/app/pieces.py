"""Settings → store, knowledge, wording, next hop: each piece as the settings ask for it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from responder import maillog
from responder.app.secret import message_id_key
from responder.app.standings import Judged, unproven_of
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
from responder.store import breaker, inbox, labels, reviews
from responder.store.engine import is_there, make_ready, open_engine, reading, schema_state, words_of
from responder.store.labels import Label
from responder.triage.calibration import Threshold
from responder.triage.policy import Budgets, Thresholds
from responder.triage.reading import Knowledge, envelope_of
from responder.triage.trial import NEVER, Standing
from responder.triage.verdict import Classifier

if TYPE_CHECKING:
    from responder.courier.signing import Signer

log = maillog.log("app")

_T = TypeVar("_T")


def clock() -> datetime:
    """The only clock; agents are given it."""
    return datetime.now(UTC)


def author_of(config: Config) -> Mailbox:
    """Who our mails are from. Raises ConfigError where the key of their Message-IDs cannot be read."""
    return Mailbox(config.service.address, config.service.name, message_id_key(config))


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
    return _if_there(config, "without what people taught", labels.listing) or []


def judged_so_far(config: Config) -> Judged:
    """What people judged, likewise."""
    return _if_there(config, "without what people judged", reviews.by_entry) or {}


def _if_there(config: Config, without: str, read: Callable[[Connection], _T]) -> _T | None:
    if not is_there(config.store.url):
        return None
    try:
        engine = store_of(config)
        try:
            current, ours = schema_state(engine)
            if current != ours:
                return None
            with reading(engine) as connection:
                return read(connection)
        finally:
            engine.dispose()
    except (StoreError, SQLAlchemyError) as error:
        log.warning(without, reason=words_of(error))
        return None


def knowledge_of(config: Config, taught: Sequence[Label], judged: Judged) -> Knowledge:
    """The corpus and what was learned of it, in this process. Raises CorpusError."""
    # scikit-learn takes a second to import, which most commands need not spend.
    from responder.app.learning import learned_of
    from responder.triage.cold import fit_cold

    corpus = corpus_of(config, taught)
    learned = enough_examples(corpus)
    classifier = learned_of(corpus, config.service.state) if learned else fit_cold(corpus)
    return knowledge_on(config, corpus, classifier, judged)


def enough_examples(corpus: Corpus) -> bool:
    """Whether there are labelled mails enough to learn from."""
    from responder.triage.learned import LEAST_EXAMPLES

    return len(corpus.examples) >= LEAST_EXAMPLES


def knowledge_on(config: Config, corpus: Corpus, classifier: Classifier, judged: Judged) -> Knowledge:
    """What triage knows, given a classifier that was fitted on this corpus, and what people judged."""
    from responder.triage.learned import LearnedClassifier

    triage = config.triage
    floor, margin, basis = triage.floor, triage.margin, "set by hand"
    promise: Threshold | None = None
    tried: dict[str, Standing] = {}
    if isinstance(classifier, LearnedClassifier):
        margin = 0.0
        if floor is None:
            promise = classifier.trial.threshold(alpha=triage.alpha, delta=triage.delta)
            floor, basis = promise.floor, str(promise)
        tried = dict(zip(classifier.entries, classifier.trial.standings(floor), strict=True))
    elif floor is None:
        basis = f"none: {len(corpus.examples)} labelled mails are too few"
    known = {entry.id: Standing(*judged[entry.id]) for entry in corpus.entries if entry.id in judged}
    thresholds = Thresholds(floor, margin, unproven_of(config, tried, known))
    standings = {entry: tried.get(entry, NEVER) + known.get(entry, NEVER) for entry in {**tried, **known}}
    return Knowledge(
        corpus,
        classifier,
        thresholds,
        basis=basis,
        promise=promise,
        standings=standings,
        judged=known,
        **guarding_of(config),
    )


def guarding_of(config: Config) -> dict[str, Any]:
    """What the guard goes by, as `Knowledge` takes it."""
    guard = config.guard
    budgets = Budgets(
        per_sender_hour=guard.automatic_per_sender_per_hour,
        per_sender_day=guard.automatic_per_sender_per_day,
        per_organisation_hour=guard.automatic_per_organisation_per_hour,
        per_hour=guard.breaker_per_hour,
        same_answer_after=guard.same_answer_after,
        acknowledge_again_after=guard.acknowledge_again_after,
        falls_back=guard.breaker_falls_back,
    )
    own = own_addresses(config)
    return {
        "own_addresses": own,
        "bounces": bounces_of(config),
        "off": frozenset(guard.off),
        "authserv_id": guard.authserv_id,
        "budgets": budgets,
    }


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


def pages_url(config: Config) -> str:
    """What stands before the paths of the staff pages in a link; "" where it is unknown."""
    return config.desk.url or (f"http://{config.desk.listen}" if config.desk.listen is not None else "")


def store_of(config: Config) -> Engine:
    """The store as the settings name it, not yet connected. Raises StoreError."""
    return open_engine(config.store.url)


def ready_store(config: Config) -> Engine:
    """The store, with the schema of this version. Raises StoreError."""
    engine = store_of(config)
    make_ready(engine)
    return engine


def see_breaker_closed(engine: Engine) -> None:
    """Raises StoreError where the breaker has tripped, so that no automatic mail leaves."""
    with reading(engine) as connection:
        trip = breaker.in_force(connection)
    if trip is not None:
        problem = f"it tripped at {trip.tripped_at:%Y-%m-%d %H:%M} UTC after {trip.sent} automatic mails in an hour"
        remedy = "See what came in (`responder inbox list`), then `responder breaker reset`"
        raise StoreError([Fault("database", "breaker", problem, remedy)])


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
