"""The only module that knows every piece: settings → store, knowledge, agents, signals."""

import asyncio
import random
import signal
import socket
import tempfile
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine

from responder import maillog, worker
from responder.config import Config, HostPort, MaildirHop, SmtpHop, UnixSocket, load_config
from responder.corpus import load_corpus
from responder.courier import agent as courier
from responder.courier.maildir import Maildir
from responder.courier.smtp import Smarthost, SmtpNextHop
from responder.errors import ConfigError, Fault, OperatorError
from responder.letters import Letters, Sender, load_letters
from responder.listener import Acceptance, Inet, Listener, Unix
from responder.mail.address import normalised
from responder.mail.delivery import Schedule
from responder.mail.message import parse_message
from responder.mail.reply import Mailbox
from responder.store import inbox
from responder.store.engine import make_ready, open_engine
from responder.triage.policy import Thresholds
from responder.triage.reading import Knowledge, envelope_of
from responder.worker import Briefing

AGENTS = ("listener", "worker", "courier", "desk")

GRACE = timedelta(seconds=8)
"""From the signal to the end; what is in hand by then keeps its lease and is taken up at the next start."""

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
    return load_letters(service.templates, Sender(service.name, service.address, service.reply_within_business_days))


def knowledge_of(config: Config) -> Knowledge:
    """The corpus, fitted. Raises CorpusError."""
    # scikit-learn takes a second to import, which most commands need not spend.
    from responder.triage.classifier import fit

    corpus = load_corpus(config.service.corpus)
    triage = config.triage
    thresholds = Thresholds(triage.floor, triage.margin, triage.automatic_per_sender_per_hour)
    return Knowledge(corpus, fit(corpus), thresholds, own_addresses(config))


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
    from responder.mail.envelope import Envelope

    mails = [(Envelope(envelope_of(parse_message(raw)).mail_from, (config.service.address,)), raw) for raw in raws]
    with engine.begin() as connection:
        inbox.accept(connection, mails, now=clock())


def next_hop_of(config: Config) -> courier.NextHop:
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
    """Words on a next hop that can be reached. Raises ConfigError."""
    match config.courier.next_hop:
        case MaildirHop(path):
            problem = _unwritable(path)
            words = f"ok, folder {path}"
        case SmtpHop() as hop:
            problem = _unreachable(hop)
            words = f"ok, {hop} answers"
    if problem is not None:
        remedy = "See that it is there and that we may use it, or mend courier.next_hop"
        raise ConfigError([Fault("config.toml", "courier.next_hop", problem, remedy)])
    return words


def _unwritable(folder: Path) -> str | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return f"{folder} cannot be written to ({error.strerror})"


def _unreachable(hop: SmtpHop) -> str | None:
    try:
        with socket.create_connection((hop.host, hop.port), timeout=10):
            return None
    except OSError as error:
        return f"{hop} cannot be reached ({error})"


class Current:
    """The briefing in force; a reload swaps it in whole, or leaves the old one."""

    def __init__(self, config: Config, path: Path | None) -> None:
        self._path = path
        self.briefing = briefing_of(config)

    def reload(self) -> None:
        """Read settings, corpus and templates again. What is wrong is logged, and the old ones stay."""
        try:
            self.briefing = briefing_of(load_config(self._path))
        except OperatorError as error:
            for fault in error.faults:
                log.error("not reloaded", fault=str(fault))
        else:
            knowledge = self.briefing.knowledge
            log.info("reloaded", entries=len(knowledge.corpus.entries), corpus=knowledge.corpus.fingerprint[:16])


async def serve(config: Config, path: Path | None, agents: Sequence[str]) -> None:
    """Run these agents until SIGTERM or SIGINT. Raises OperatorError before anything listens."""
    engine = ready_store(config)
    stop = asyncio.Event()
    # Everything that an operator can have got wrong is tried before the first mail is taken.
    running: list[Coroutine[Any, Any, None]] = []
    current = Current(config, path) if "worker" in agents else None
    if current is not None:
        running.append(_worker(engine, config, current, stop))
    if "courier" in agents:
        running.append(_courier(engine, config, stop))
    if "desk" in agents and config.desk.listen is not None:
        running.append(_desk(engine, config, _bound(config.desk.listen, "desk.listen"), stop))
    if "listener" in agents:
        listener = Listener(engine, _acceptance(config), clock)
        await _listen(listener, config)
        running.append(_listener(listener, stop))
    _watch_signals(stop, current)
    log.info("ready", agents=",".join(agents), store=engine.url.render_as_string(hide_password=True))
    try:
        await _until_stopped(running, stop)
    finally:
        engine.dispose()


async def _until_stopped(running: Sequence[Coroutine[Any, Any, None]], stop: asyncio.Event) -> None:
    """Wait for the signal, then for the agents; an agent that breaks takes the others down in order, and is raised."""
    tasks = [asyncio.create_task(one) for one in running]
    signalled = asyncio.create_task(stop.wait())
    await asyncio.wait([signalled, *tasks], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    _, late = await asyncio.wait(tasks, timeout=GRACE.total_seconds())
    for task in late:
        log.warning("left unfinished", task=task.get_coro().__qualname__)  # type: ignore[union-attr]  # always a coroutine
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
    log.info("stopped")


def _acceptance(config: Config) -> Acceptance:
    listener = config.listener
    return Acceptance(socket.gethostname(), own_addresses(config), listener.max_message_bytes, listener.timeout)


async def _listen(listener: Listener, config: Config) -> None:
    places: list[Inet | Unix] = []
    for place, lmtp in ((config.listener.smtp, False), (config.listener.lmtp, True)):
        match place:
            case HostPort(host, port):
                places.append(Inet(host, port, lmtp))
            case UnixSocket(path):
                places.append(Unix(str(path)))
    try:
        bound = await listener.start(places)
    except OSError as error:
        remedy = "End the other program, or choose another address"
        raise ConfigError([Fault("config.toml", "listener", f"cannot listen ({error})", remedy)]) from error
    for opened, address in zip(places, bound, strict=True):
        protocol = "lmtp" if isinstance(opened, Unix) or opened.lmtp else "smtp"
        log.info("listening", protocol=protocol, at=_shown(address), to=config.service.address)


def _shown(address: Any) -> str:
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)


def _bound(place: HostPort, key: str) -> socket.socket:
    try:
        bound = socket.create_server((place.host, place.port), family=_family(place.host), reuse_port=False)
    except OSError as error:
        remedy = "End the other program, or choose another address"
        raise ConfigError([Fault("config.toml", key, f"cannot listen ({error})", remedy)]) from error
    log.info("listening", protocol="http", at=_shown(bound.getsockname()))
    return bound


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


async def _listener(listener: Listener, stop: asyncio.Event) -> None:
    await stop.wait()
    await listener.stop()


async def _worker(engine: Engine, config: Config, current: Current, stop: asyncio.Event) -> None:
    triage = config.triage
    await worker.run(engine, lambda: current.briefing, stop=stop, clock=clock, limit=triage.batch, lease=triage.lease)


async def _courier(engine: Engine, config: Config, stop: asyncio.Event) -> None:
    settings, next_hop = config.courier, next_hop_of(config)
    schedule = Schedule(settings.retry_first, settings.retry_most, settings.expire_after)
    # A lease must outlast the slowest answer of the next hop, and a folder answers at once.
    lease = timedelta(seconds=10) if isinstance(next_hop, Maildir) else timedelta(minutes=20)
    try:
        await courier.run(
            engine,
            next_hop,
            schedule,
            stop=stop,
            clock=clock,
            draw=random.random,
            hands=settings.connections,
            lease=lease,
            poll=timedelta(milliseconds=200),
        )
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await next_hop.close()


async def _desk(engine: Engine, config: Config, bound: socket.socket, stop: asyncio.Event) -> None:
    from responder.desk.site import serve as serve_site
    from responder.desk.site import site

    await serve_site(site(engine, config.service.name), bound, stop=stop)


def _watch_signals(stop: asyncio.Event, current: Current | None) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if current is not None:
        reload = current.reload
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.run_in_executor(None, reload))
