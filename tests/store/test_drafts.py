"""Drafts, who is writing, and snippets, on both engines."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from responder.mail.envelope import Envelope
from responder.store import cases, composing, drafts, inbox, snippets
from responder.store.composing import UNHEARD, Composer
from responder.store.drafts import Draft
from responder.store.engine import open_engine, reading

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def engine(made_url: str) -> Iterator[Engine]:
    """A store with the open case 1."""
    opened = open_engine(made_url)
    with opened.begin() as connection:
        inbox.accept(connection, [(Envelope("tanaka@contractor.example", ("support@example.jp",)), b"1")], now=NOW)
        cases.open_case(connection, 1, reason="asked", now=NOW)
    yield opened
    opened.dispose()


def test_a_draft_is_kept_for_its_author_alone_until_it_is_dropped(engine: Engine) -> None:
    with engine.begin() as connection:
        drafts.save(connection, 1, who="sato", salutation="田中様", text="下書き", seen=1, now=NOW)
        drafts.save(connection, 1, who="sato", salutation="田中様", text="書き直し", seen=2, now=NOW + SECOND)
        drafts.save(connection, 1, who="suzuki", salutation="", text="別", seen=1, now=NOW)
    with engine.begin() as connection:
        assert drafts.load(connection, 1, who="sato") == Draft("田中様", "書き直し", 2, NOW + SECOND)
        drafts.drop(connection, 1, who="sato")
        assert drafts.load(connection, 1, who="sato") is None
        assert drafts.load(connection, 1, who="suzuki") == Draft("", "別", 1, NOW)


def test_who_writes_first_holds_the_case_until_nothing_is_heard_of_them(engine: Engine) -> None:
    with engine.begin() as connection:
        sato = Composer("sato", NOW)
        assert composing.heartbeat(connection, 1, who="sato", now=NOW) == sato
        assert composing.heartbeat(connection, 1, who="suzuki", now=NOW + 5 * SECOND) == sato
        assert composing.heartbeat(connection, 1, who="sato", now=NOW + 50 * SECOND) == sato
        just_before = NOW + 50 * SECOND + UNHEARD - SECOND
        assert composing.heartbeat(connection, 1, who="suzuki", now=just_before) == sato
        assert composing.holder(connection, 1, now=just_before) == sato
        free = just_before + SECOND
        assert composing.holder(connection, 1, now=free) is None
        assert composing.heartbeat(connection, 1, who="suzuki", now=free) == Composer("suzuki", free)
        assert composing.heartbeat(connection, 1, who="sato", now=free) == Composer("suzuki", free)


def test_who_takes_over_writes_and_only_the_writer_leaves(engine: Engine) -> None:
    with engine.begin() as connection:
        composing.heartbeat(connection, 1, who="sato", now=NOW)
        composing.take_over(connection, 1, who="suzuki", now=NOW)
        composing.leave(connection, 1, who="sato")
        assert composing.heartbeat(connection, 1, who="sato", now=NOW) == Composer("suzuki", NOW)
        composing.leave(connection, 1, who="suzuki")
        assert composing.holder(connection, 1, now=NOW) is None


def test_of_two_who_begin_at_once_both_hear_of_the_same_one(engine: Engine) -> None:
    barrier = Barrier(2)

    def begin(who: str) -> str:
        barrier.wait(timeout=30)
        with engine.begin() as connection:
            return composing.heartbeat(connection, 1, who=who, now=NOW).who

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(begin, ["sato", "suzuki"]))) == 1


def test_snippets_are_ones_own_or_everybodys_and_changed_by_their_owner_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        shared = snippets.add(connection, owner=None, title="結び", text="よろしくお願いいたします。", now=NOW)
        own = snippets.add(connection, owner="sato", title="お詫び", text="申し訳ございません。", now=NOW)
        assert [one.id for one in snippets.listing(connection, who="sato")] == [own, shared]
        assert [one.id for one in snippets.listing(connection, who="suzuki")] == [shared]
        assert snippets.find(connection, own, who="suzuki") is None
        wording: dict[str, Any] = {"title": "x", "text": "y", "now": NOW}
        assert not snippets.change(connection, own, owner="suzuki", **wording)
        assert not snippets.change(connection, shared, owner="sato", **wording)
        assert snippets.change(connection, shared, owner=None, **wording)
        assert not snippets.drop(connection, own, owner=None)
        assert snippets.drop(connection, own, owner="sato")
    with reading(engine) as connection:
        assert [(one.title, one.text) for one in snippets.listing(connection, who="sato")] == [("x", "y")]
