"""Outbox → next hop: claim what is due, attempt it, write down what became of it."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from responder import maillog
from responder.courier.maildir import Maildir
from responder.courier.smtp import SmtpNextHop
from responder.courier.together import Together
from responder.failpoints import Point, reach
from responder.mail.delivery import (
    Bounced,
    Deferred,
    Outcome,
    Schedule,
    Sent,
    is_about_the_address,
    next_attempt,
)
from responder.store import cases, muted, outbox
from responder.store.engine import reading, words_of
from responder.store.outbox import Delivery, DeliveryKind
from responder.wakeup import Wakeup, pause

NextHop = Maildir | SmtpNextHop

_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(seconds=30)
# An attempt ends before its lease does, or a second courier would send the mail while we still do.
_SHARE_LEFT = 0.1
_MUTED = timedelta(days=60)

Sign = Callable[[bytes], bytes]


def _never() -> bool:
    return False


_log = maillog.log("courier")


def unsigned(raw: bytes) -> bytes:
    """The octets as they stand in the outbox."""
    return raw


async def run(
    engine: Engine,
    next_hop: NextHop,
    schedule: Schedule,
    *,
    stop: asyncio.Event,
    clock: Callable[[], datetime],
    draw: Callable[[], float],
    sign: Sign = unsigned,
    hands: int = 4,
    lease: timedelta = timedelta(minutes=20),
    poll: timedelta = timedelta(milliseconds=500),
    work: Wakeup | None = None,
    grace: timedelta = timedelta(seconds=5),
    mute_after_bounce: timedelta = _MUTED,
) -> None:
    """Deliver until `stop` is set, then give attempts in hand `grace` to end; what is left keeps its lease.

    Each of the `hands` takes one mail at a time: a next hop that is slow for one mail holds up no other, and
    none waits while its lease runs. What became of a mail is written down, and the next one claimed, for all hands that
    are at that point together. `lease` must outlast the next hop's slowest answer. `draw` gives [0, 1).
    `sign` makes of a mail's octets those that leave. `work` says that there are mails; without a call the hands look
    every `poll`.
    Trouble with the database is waited out; any other fault of ours is raised.
    """

    together = Together(engine)

    async def step() -> int:
        return await deliver_next(
            engine,
            next_hop,
            schedule,
            now=clock(),
            draw=draw,
            limit=1,
            lease=lease,
            mute_after_bounce=mute_after_bounce,
            sign=sign,
            together=together,
            go_on=lambda: not stop.is_set(),
        )

    working = {asyncio.create_task(_keep_delivering(step, stop=stop, poll=poll, work=work)) for _ in range(hands)}
    try:
        await _until_stopped(working, stop, grace)
    finally:
        await together.close()


async def _until_stopped(working: set[asyncio.Task[None]], stop: asyncio.Event, grace: timedelta) -> None:
    """Wait for `stop`, and so much longer for the hands; one that breaks takes the others down, and is raised."""
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({stopping, *working}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            await asyncio.wait(working, timeout=grace.total_seconds())
    finally:
        for task in (stopping, *working):
            task.cancel()
        ended = await asyncio.gather(*working, return_exceptions=True)
    for fault in ended:
        if isinstance(fault, Exception):
            raise fault


async def _keep_delivering(
    step: Callable[[], Awaitable[int]], *, stop: asyncio.Event, poll: timedelta, work: Wakeup | None
) -> None:
    wait = _FIRST_PAUSE
    while not stop.is_set():
        try:
            attempted = await step()
        except SQLAlchemyError as error:
            _log.error("store unavailable", error=words_of(error), pause=wait.total_seconds())
            await pause(stop, wait)
            wait = min(wait * 2, _LONGEST_PAUSE)
            continue
        wait = _FIRST_PAUSE
        if attempted == 0:
            await pause(stop, poll, work)


async def deliver_next(
    engine: Engine,
    next_hop: NextHop,
    schedule: Schedule,
    *,
    now: datetime,
    draw: Callable[[], float],
    limit: int,
    lease: timedelta,
    mute_after_bounce: timedelta = _MUTED,
    sign: Sign = unsigned,
    together: Together | None = None,
    go_on: Callable[[], bool] = _never,
) -> int:
    """Attempt up to `limit` mails that are due, all at once, and settle each as it ends; how many there were.

    While `go_on` says so, whoever has settled one claims another in the same transaction, and attempts that. What
    somebody of `together` has in hand is claimed by none of them: a clock put forward ends leases whose owner lives.
    Raises SQLAlchemyError where the store could not be asked. A mail whose outcome cannot be written down
    before its lease ends is attempted again, under the same Message-ID.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    this = _Round(
        together or Together(engine),
        schedule,
        draw,
        sign,
        # An attempt may last for minutes: what comes of it is dated by when it ended.
        clock=lambda: now + timedelta(seconds=loop.time() - began),
        lease=lease,
        mute_after_bounce=mute_after_bounce,
        go_on=go_on,
    )
    if not await asyncio.to_thread(_any_due, engine, now):
        return 0
    batch = await this.together.write(lambda conn: this.claim(conn, now=now, limit=limit))
    await asyncio.gather(*(_deliver(this, next_hop, delivery) for delivery in batch))
    return len(batch)


def _any_due(engine: Engine, now: datetime) -> bool:
    with reading(engine) as conn:
        return outbox.any_due(conn, now=now)


@dataclass(frozen=True, slots=True)
class _Round:
    """What the mails that were claimed together share."""

    together: Together
    schedule: Schedule
    draw: Callable[[], float]
    sign: Sign
    clock: Callable[[], datetime]
    lease: timedelta
    mute_after_bounce: timedelta
    go_on: Callable[[], bool]

    def claim(self, conn: Connection, *, now: datetime, limit: int) -> list[Delivery]:
        return outbox.claim(conn, now=now, limit=limit, lease=self.lease, but=tuple(self.together.in_hand))


async def _deliver(this: _Round, next_hop: NextHop, delivery: Delivery) -> None:
    """One mail, and then one after the other that is claimed where the last one was settled."""
    one: Delivery | None = delivery
    while one is not None:
        this.together.in_hand.add(number := one.id)
        try:
            reach(Point.DELIVERY_CLAIMED)
            # Another hand may have claimed it, by a clock that was put back since.
            left = min(one.lease_until - this.clock(), this.lease) - this.lease * _SHARE_LEFT
            if left <= timedelta():
                # This process stood still for so long that another courier may have the mail.
                _log.warning("lease lost", delivery=one.id, attempts=one.attempts)
                return
            outcome = await _attempt(this, next_hop, one, left)
            if isinstance(outcome, Sent):
                reach(Point.DELIVERY_TAKEN)
            one = await _settled(this, one, outcome)
        finally:
            this.together.in_hand.discard(number)


async def _settled(this: _Round, delivery: Delivery, outcome: Outcome) -> Delivery | None:
    """Write down what became of a mail, and give the one that was claimed for this hand at the same time."""

    def change(conn: Connection) -> str:
        return _settle(this, conn, delivery, outcome, this.clock())

    def claim(conn: Connection, limit: int) -> list[Delivery]:
        return this.claim(conn, now=this.clock(), limit=limit) if this.go_on() else []

    wait = _FIRST_PAUSE
    while True:
        try:
            state, following = await this.together.write_and_claim(change, claim)
            reach(Point.DELIVERY_SETTLED)
            break
        except SQLAlchemyError as error:
            # While the lease lasts nobody else sends this mail: forgetting that we did would send it twice.
            _log.error("not settled", delivery=delivery.id, outcome=_word(outcome), error=words_of(error))
            if this.clock() + wait >= delivery.lease_until:
                return None
            await asyncio.sleep(wait.total_seconds())
            wait = min(wait * 2, _LONGEST_PAUSE)
    line = _log.info if state == "sent" else _log.warning
    line(state, delivery=delivery.id, to=delivery.recipient, reply=outcome.reply, attempts=delivery.attempts)
    return following


async def _attempt(this: _Round, next_hop: NextHop, delivery: Delivery, longest: timedelta) -> Outcome:
    try:
        async with asyncio.timeout(longest.total_seconds()):
            # Ten milliseconds of arithmetic for an RSA signature: clients wait for the listener in this loop.
            raw = delivery.raw if this.sign is unsigned else await asyncio.to_thread(this.sign, delivery.raw)
            return await next_hop.attempt(replace(delivery, raw=raw))
    except TimeoutError:
        return Deferred(f"no outcome within {longest.total_seconds():.0f} s")
    except Exception as fault:  # noqa: BLE001 - a fault of ours must cost neither this mail nor the others
        # Its place without its words or the values around it: a password or a mail may be among them.
        place = traceback.extract_tb(fault.__traceback__)[-1]
        _log.error("fault", delivery=delivery.id, fault=type(fault).__name__, at=f"{place.filename}:{place.lineno}")
        return Deferred(f"a fault of the courier: {type(fault).__name__}")


def _settle(this: _Round, conn: Connection, delivery: Delivery, outcome: Outcome, now: datetime) -> str:
    """What became of the mail, in Postfix's words, or "lease lost": then another courier's word counts."""
    match outcome:
        case Sent(reply):
            state, ours = "sent", outbox.settle_sent(conn, delivery, reply=reply, now=now)
        case Bounced(reply):
            state, ours = "bounced", _fail(conn, delivery, "bounced", reply, now)
            if ours and is_about_the_address(reply) and delivery.kind is not DeliveryKind.NOTICE:
                until = now + this.mute_after_bounce
                muted.mute(conn, delivery.recipient, reason=f"bounced: {reply}", until=until, now=now)
        case Deferred(reply):
            due = next_attempt(
                this.schedule,
                delivery.attempts,
                created_at=delivery.created_at,
                now=now,
                jitter=this.draw(),
            )
            if due is None:
                state, ours = "expired", _fail(conn, delivery, "expired", reply, now)
            else:
                state = "deferred"
                ours = outbox.settle_deferred(conn, delivery, reply=reply, next_attempt_at=due, now=now)
    return state if ours else "lease lost"


def _fail(
    conn: Connection, delivery: Delivery, state: Literal["bounced", "expired"], reply: str, now: datetime
) -> bool:
    ours = outbox.settle_failed(conn, delivery, state=state, reply=reply, now=now)
    # A case for a notice that staff did not get would be told of by another notice, to the same address.
    if ours and delivery.kind is not DeliveryKind.NOTICE:
        # A later mail of a thread has no case of its own.
        case_id = cases.case_of(conn, delivery.inquiry_id) or delivery.inquiry_id
        cases.open_case(conn, case_id, reason=f"{delivery.kind.value} {state}: {reply}", now=now)
    return ours


def _word(outcome: Outcome) -> str:
    return type(outcome).__name__.lower()
