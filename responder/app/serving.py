"""The agents of one process: started, told to stop or to read their files again by a signal."""

import asyncio
import random
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from responder import maillog, worker
from responder.app import rehearsing, renewal, retention
from responder.app.desk import desk_of, invite_first, orders_of
from responder.app.encryption import encryption_of
from responder.app.pieces import clock, next_hop_of, own_addresses, ready_store, see_breaker_closed, signer_of
from responder.app.renewal import Current
from responder.config import Config, HostPort, UnixSocket
from responder.courier import agent as courier
from responder.courier.maildir import Maildir
from responder.desk.desk import Desk
from responder.errors import ConfigError, Fault, StoreError
from responder.listener import Acceptance, Inet, Limits, Listener, Unix
from responder.mail.address import domain_of
from responder.mail.delivery import Schedule
from responder.reader import Reader
from responder.wakeup import Wakeup

AGENTS = ("listener", "worker", "courier", "desk")

GRACE = timedelta(seconds=8)
"""From the signal to the end; what is in hand by then keeps its lease and is taken up at the next start."""

log = maillog.log("app")


@dataclass(frozen=True, slots=True)
class Wakeups:
    """How the agents of a service tell each other of work, in whichever of its processes they are."""

    worker: Wakeup = field(default_factory=Wakeup)
    courier: Wakeup = field(default_factory=Wakeup)


async def serve(
    config: Config,
    path: Path | None,
    agents: Sequence[str],
    wakeups: Wakeups,
    current: Current | None = None,
    *,
    stale: bool = False,
) -> None:
    """Run these agents until SIGTERM or SIGINT. Raises OperatorError before anything listens.

    `current` is what was read already, and read again where it is `stale`; without it a worker reads for itself.
    """
    engine = ready_store(config)
    stop, asked = asyncio.Event(), asyncio.Event()
    # Everything that an operator can have got wrong is tried before the first mail is taken.
    running: list[Coroutine[Any, Any, None]] = []
    heard = [asked.set]
    if current is not None and stale:
        await current.reload()
    if "worker" in agents:
        if current is None:
            current = Current(engine, config, path)
            await current.begin()
        running.append(_worker(engine, config, current, wakeups, stop))
    if current is not None:
        running.append(renewal.run(current, stop=stop, asked=asked))
    if "courier" in agents:
        if kept := retention.days_of(config.retention):
            running.append(retention.run(engine, kept, stop=stop, clock=clock))
        signer = signer_of(config)
        running.append(_courier(engine, config, signer.signed if signer else None, wakeups.courier, stop))
    if "desk" in agents and config.notify.to:
        running.append(_notices(desk_of(engine, config, current), config, stop))
    if "desk" in agents and config.desk.listen is not None:
        running += _pages(engine, config, current, config.desk.listen, stop)
    if "listener" in agents:
        listener = Listener(engine, _acceptance(config), clock, encryption_of(config), wakeups.worker.call)
        await _listen(listener, config)
        running.append(_listener(listener, stop))
        heard.append(lambda: _renew_certificate(listener, config))
    _watch_signals(stop, heard)
    _tell_of_breaker(engine)
    if "desk" in agents and config.desk.listen is not None:
        invite_first(engine, config)
    log.info("ready", agents=",".join(agents), store=engine.url.render_as_string(hide_password=True))
    try:
        await _until_stopped(running, stop)
    finally:
        engine.dispose()


def _tell_of_breaker(engine: Engine) -> None:
    with suppress(SQLAlchemyError):
        try:
            see_breaker_closed(engine)
        except StoreError as error:
            log.error("breaker", fault=str(error))


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
    limits = Limits(
        message_bytes=listener.max_message_bytes,
        memory=listener.memory,
        connections=listener.connections,
        connections_per_client=listener.connections_per_client,
        recipients=listener.recipients,
        mails=listener.mails,
        commands=listener.commands,
        errors=listener.errors,
        idle=listener.timeout,
        data=listener.data_timeout,
        session=listener.session_timeout,
    )
    postmaster = f"postmaster@{domain_of(config.service.address)}"
    return Acceptance(socket.gethostname(), own_addresses(config), postmaster, limits, listener.networks)


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


def _renew_certificate(listener: Listener, config: Config) -> None:
    try:
        listener.encryption = encryption_of(config)
    except ConfigError as error:
        for fault in error.faults:
            log.error("not reloaded", fault=str(fault))


async def _listener(listener: Listener, stop: asyncio.Event) -> None:
    stopped, broken = asyncio.create_task(stop.wait()), asyncio.create_task(listener.broken())
    try:
        done, _ = await asyncio.wait({stopped, broken}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await listener.stop()
        stopped.cancel()
    if broken in done:
        await broken
    broken.cancel()


async def _worker(engine: Engine, config: Config, current: Current, wakeups: Wakeups, stop: asyncio.Event) -> None:
    triage, reader = config.triage, Reader()
    try:
        await worker.run(
            engine,
            lambda: current.briefing,
            reader,
            stop=stop,
            clock=clock,
            limit=triage.batch,
            lease=triage.lease,
            work=wakeups.worker,
            queued=wakeups.courier.call,
        )
    finally:
        # Also where a mail is still being read: its thread sees the child end, and gives back what it had claimed.
        reader.close()


async def _courier(
    engine: Engine, config: Config, sign: courier.Sign | None, work: Wakeup, stop: asyncio.Event
) -> None:
    settings, next_hop = config.courier, next_hop_of(config)
    schedule = Schedule(settings.retry_first, settings.retry_most, settings.expire_after)
    # A lease must outlast a dialogue that is slow at every step; what was in hand at a kill waits for as long. A folder
    # answers at once.
    dialogue = settings.final_timeout + 8 * settings.timeout
    lease = timedelta(seconds=10) if isinstance(next_hop, Maildir) else dialogue
    try:
        await courier.run(
            engine,
            next_hop,
            schedule,
            stop=stop,
            clock=clock,
            draw=random.random,
            sign=sign or courier.unsigned,
            hands=settings.connections,
            lease=lease,
            poll=timedelta(milliseconds=200),
            work=work,
            mute_after_bounce=config.guard.mute_after_bounce,
        )
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await next_hop.close()


def _pages(
    engine: Engine, config: Config, current: Current | None, place: HostPort, stop: asyncio.Event
) -> list[Coroutine[Any, Any, None]]:
    """The staff pages, and the rehearsals that are asked for there."""
    bound = _bound(place, "desk.listen")
    return [
        _desk(desk_of(engine, config, current), bound, stop, config.desk.proxies),
        rehearsing.run(engine, lambda: current.config if current else config, stop=stop),
    ]


async def _desk(desk: Desk, bound: socket.socket, stop: asyncio.Event, proxies: Sequence[object]) -> None:
    from responder.desk.site import serve as serve_site
    from responder.desk.site import site

    await serve_site(site(desk), bound, stop=stop, proxies=[str(network) for network in proxies])


def _notices(desk: Desk, config: Config, stop: asyncio.Event) -> Coroutine[Any, Any, None]:
    from responder.desk import notices

    return notices.run(desk, orders_of(config), stop=stop)


def _watch_signals(stop: asyncio.Event, heard: Sequence[Callable[[], None]]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # Heard in every process: without a handler it would end one that has nothing to read again.
    loop.add_signal_handler(signal.SIGHUP, lambda: [each() for each in heard])
