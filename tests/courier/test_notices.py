from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from responder.courier.smtp import SmtpNextHop
from responder.desk.desk import Desk
from responder.desk.due import Calendar
from responder.desk.notices import Orders, tell
from responder.store import cases, inbox, muted
from responder.store.engine import reading
from responder.store.outbox import DeliveryKind
from tests.knowledge import AUTHOR, ROOT, shipped_letters

if TYPE_CHECKING:
    from tests.courier.conftest import NextHopServer, Store

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)


async def test_a_notice_leaves_from_the_null_sender_to_whom_it_is_for(
    store: Store, server: NextHopServer, next_hop: SmtpNextHop
) -> None:
    store.queue()
    with store.engine.begin() as conn:
        [inquiry] = inbox.listing(conn)
        cases.open_case(conn, inquiry.id, reason="no entry fits well enough", now=NOW)
    calendar = Calendar(ZoneInfo("Asia/Tokyo"))
    desk = Desk(store.engine, AUTHOR, shipped_letters, ROOT / "faq_corpus", lambda: NOW, calendar)
    assert tell(desk, Orders(("staff@office.example",)), now=NOW) == 1
    await store.deliver(next_hop)
    told = [mail for mail in server.mails if mail.rcpt_tos == ["staff@office.example"]]
    assert [mail.mail_from for mail in told] == ["<>"]
    assert b"Auto-Submitted: auto-generated" in (told[0].original_content or b"")


@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "450 4.2.2 mailbox full"], ids=["bounced", "expired"])
async def test_a_notice_that_does_not_arrive_opens_no_case_and_mutes_nobody(
    store: Store, server: NextHopServer, next_hop: SmtpNextHop, reply: str
) -> None:
    number = store.queue(kind=DeliveryKind.NOTICE)
    server.moods["RCPT"] = [reply]
    await store.deliver(next_hop, now=NOW.replace(day=9))
    row = store.row(number)
    assert (row.state, row.reply) == ("bounced" if reply.startswith("5") else "expired", reply)
    assert store.opened() == []
    with reading(store.engine) as conn:
        assert muted.listing(conn, now=NOW) == []
