"""Telling staff by mail of cases that wait, and of those due soon; several cases in one mail, and never often."""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from responder import maillog, wakeup
from responder.desk.desk import Desk
from responder.desk.due import in_business_hours, overdue, remaining
from responder.desk.rendering import translations
from responder.letters import Letter, Mention
from responder.mail.address import correspondent_of
from responder.mail.charset import one_line
from responder.mail.reply import build_reply
from responder.mail.subject import LONGEST_TOPIC, shortened
from responder.store import outbox
from responder.store.cases import reference_of
from responder.store.engine import reading, words_of
from responder.store.notices import NoticeKind, Untold, settle, untold
from responder.store.outbox import DeliveryKind
from responder.triage.policy import Reason

_LONGEST_WAIT = timedelta(minutes=5)

log = maillog.log("notices")


@dataclass(frozen=True, slots=True)
class Orders:
    """Who is told of what, and how often at most."""

    to: tuple[str, ...]
    on_escalation: bool = True
    before_due: timedelta | None = timedelta(hours=4)
    """Business time; None: nobody is warned."""
    at_most_every: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _News:
    opened: Sequence[Untold] = ()
    due: Sequence[Untold] = ()

    def __iter__(self) -> Iterator[tuple[NoticeKind, Untold]]:
        yield from ((NoticeKind.DUE, case) for case in self.due)
        yield from ((NoticeKind.OPENED, case) for case in self.opened)


def tell(desk: Desk, orders: Orders, *, now: datetime) -> int:
    """Queue one mail to each address about what they were not told of yet; how many cases it is about.

    Raises MalformedReply, and what jinja2 raises, where the mail cannot be written.
    """
    with reading(desk.engine) as conn:
        if not any(_news(conn, desk, orders, now)):
            return 0
    with desk.engine.begin() as conn:
        news = _claimed(conn, _news(conn, desk, orders, now), orders, now)
        if not any(news):
            return 0
        letter = _letter(desk, news, now)
        for address in orders.to:
            _queue(conn, desk, letter, news, address, now)
    return len({case.id for _, case in news})


def _news(conn: Connection, desk: Desk, orders: Orders, now: datetime) -> _News:
    """What there is to tell of now; nothing while the last mail is too fresh."""
    if not orders.to or outbox.noticed(conn, since=now - orders.at_most_every):
        return _News()
    opened = untold(conn, NoticeKind.OPENED, now=now) if orders.on_escalation else []
    return _News(opened, _due_soon(conn, desk, orders, now))


def _due_soon(conn: Connection, desk: Desk, orders: Orders, now: datetime) -> Sequence[Untold]:
    before = orders.before_due
    if before is None or desk.reply_within == 0 or not in_business_hours(now, desk.calendar):
        return []

    def soon(case: Untold) -> bool:
        due_at = desk.due_of(case.opened_at)
        return due_at is not None and remaining(now, due_at, desk.calendar) <= before

    # Oldest first, and what was opened later is never due earlier.
    return list(takewhile(soon, untold(conn, NoticeKind.DUE, now=now)))


def _claimed(conn: Connection, news: _News, orders: Orders, now: datetime) -> _News:
    """What is ours to tell of: no other process has told of it meanwhile, and no mail of the told ones began it.

    A case that is due soon is told of as that alone.
    """
    due = settle(conn, NoticeKind.DUE, news.due, now=now)
    opened = settle(conn, NoticeKind.OPENED, news.opened, now=now)
    ours = frozenset(map(correspondent_of, orders.to))
    return _News(
        [case for case in news.opened if case.id in opened and case.id not in due and not _is_theirs(case, ours)],
        [case for case in news.due if case.id in due and not _is_theirs(case, ours)],
    )


def _is_theirs(case: Untold, told: frozenset[str]) -> bool:
    """Whether it began with somebody who is told: with an absence note without a mark, say, that we called forth."""
    senders = {correspondent_of(address) for address in (case.mail_from, case.from_address) if address}
    return case.reason == Reason.TO_NOTICE or not senders.isdisjoint(told)


def _letter(desk: Desk, news: _News, now: datetime) -> Letter:
    opened, due = ([_mention(desk, case, now) for case in cases] for cases in (news.opened, news.due))
    return desk.letters().notice(opened, due, link=f"{desk.url}/cases" if desk.url else "")


def _mention(desk: Desk, case: Untold, now: datetime) -> Mention:
    due_at = desk.due_of(case.opened_at)
    return Mention(
        reference=reference_of(case.id),
        sender=shortened(one_line(case.from_address or case.mail_from), LONGEST_TOPIC),
        subject=shortened(one_line(case.subject or ""), LONGEST_TOPIC),
        reason=shortened(one_line(translations()["japanese"].get(case.reason, case.reason)), LONGEST_TOPIC),
        due_at=due_at and due_at.astimezone(desk.zone),
        overdue=overdue(now, due_at),
        taken_by=case.taken_by or "",
        link=f"{desk.url}/cases/{case.id}" if desk.url else "",
    )


def _queue(conn: Connection, desk: Desk, letter: Letter, news: _News, address: str, now: datetime) -> None:
    told = [f"{kind.value} {case.id} {case.opened_at.isoformat()}" for kind, case in news]
    digest = hashlib.sha256("\n".join([address, *told]).encode()).hexdigest()
    _, first = next(iter(news))
    reply = build_reply(
        subject=letter.subject,
        body=letter.body,
        author=desk.author,
        recipient=address,
        message_id=desk.author.message_id(DeliveryKind.NOTICE.value, first.id, digest),
        date=now,
        answers=None,
        automatic=True,
        language=letter.language,
    )
    once = f"notice:{digest}"
    outbox.enqueue(conn, reply, inquiry_id=first.id, kind=DeliveryKind.NOTICE, once=once, now=now)


async def run(desk: Desk, orders: Orders, *, stop: asyncio.Event, pause: timedelta = timedelta(seconds=5)) -> None:
    """Tell of what there is, until `stop`; a store that is away or a letter that breaks is tried again later."""
    wait = pause
    while not stop.is_set():
        try:
            told = await asyncio.to_thread(tell, desk, orders, now=desk.clock())
            wait = pause
            if told:
                log.info("told", cases=told, to=len(orders.to))
        except SQLAlchemyError as error:
            wait = min(wait * 2, _LONGEST_WAIT)
            log.error("store not available", reason=words_of(error), retry_in=wait.total_seconds())
        except Exception as error:  # noqa: BLE001 - a letter that breaks must not end the pages beside it
            wait = min(wait * 2, _LONGEST_WAIT)
            log.error("not told", reason=type(error).__name__, retry_in=wait.total_seconds())
        await wakeup.pause(stop, wait)
