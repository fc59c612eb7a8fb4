"""The reading process of the pages: its requests take turns, and nobody else waits."""

import asyncio
from datetime import timedelta

from responder.desk.mails import ShownMail, shown
from responder.desk.reading import SharedReader
from responder.mail.message import Unreadable
from responder.mail.view import View
from responder.reader import VIEW
from tests.desk.mails import PAYMENT, SEAL


async def _view(reader: SharedReader, raw: bytes) -> View | Unreadable:
    return await reader.ask(VIEW, raw)


async def test_a_mail_that_is_being_read_keeps_nobody_else_waiting() -> None:
    slow = b"From: taro@example.jp\r\n\r\n" + b"\r\n" * 6_000_000
    shared = SharedReader()
    # More than the threads by which the store is asked.
    asked = [asyncio.create_task(_view(shared, slow)) for _ in range(40)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 10) == "free"
    assert not any(task.done() for task in asked)
    shared.close()
    assert set(await asyncio.gather(*asked)) == {Unreadable("it was closed")}


async def test_where_time_is_short_the_newest_mail_is_shown_and_the_others_say_why_not() -> None:
    shared = SharedReader()
    found = await shown(shared, {1: PAYMENT, 2: SEAL}, within=timedelta())
    shared.close()
    assert found[1] == ShownMail(None, "it took too long")
    assert found[2].view is not None
