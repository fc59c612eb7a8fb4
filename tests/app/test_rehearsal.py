"""What a change would do: every mail decided on by both corpora, in a process that ends with whoever started it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from responder.app import rehearsing
from responder.app.rehearsal import rehearse
from responder.config import Config, load_config
from responder.corpus import load_corpus, load_entries
from responder.corpus.writing import Edit, edit_of, edited, source_of
from responder.mail.envelope import Envelope
from responder.store import inbox, rehearsals
from responder.store.engine import open_engine, reading, upgrade
from responder.store.rehearsals import Rehearsal
from responder.triage.changes import Group
from responder.triage.policy import Reason
from tests.knowledge import ADDRESS, cold_corpus
from tests.service import environ_of

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LUNCH = "社員食堂の献立表はどちらに掲示されていますか。"
MENU = ("社員食堂の献立表", "献立表の掲示", "社員食堂の献立表はどちらですか", "食堂の献立表はどちらに掲示されますか")
SHARED = "部署の共有メールアドレスを契約担当者のアドレスとして届け出ても問題ないでしょうか。"


@pytest.fixture
def config(tmp_path: Path, store_url: str) -> Config:
    more = {
        "RESPONDER_SERVICE__CORPUS": str(cold_corpus(tmp_path)),
        "RESPONDER_SERVICE__STATE": str(tmp_path / "state"),
        "RESPONDER_TRIAGE__FLOOR": "0.26",
    }
    return load_config(None, environ_of(tmp_path, store_url, **more))


@pytest.fixture
def engine(config: Config) -> Iterator[Engine]:
    opened = open_engine(config.store.url)
    upgrade(opened)
    yield opened
    opened.dispose()


def _take_in(engine: Engine, text: str, sender: str = "tanaka@contractor.example", **fields: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ADDRESS, "お尋ね"
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(sender, (ADDRESS,)), mail.as_bytes())], now=NOW)


def _ask(engine: Engine, folder: Path, change: Callable[[Edit], Edit]) -> int:
    """Have a change of q04 tried."""
    entry = next(entry for entry in load_entries(folder) if entry.id == "q04")
    source = source_of(folder, "q04")
    assert source is not None
    content = edited(source, entry, change(edit_of(entry)), today=NOW.date())
    with engine.begin() as connection:
        return rehearsals.ask(connection, "q04", content, note="", who="sato", now=NOW)


def _claim(engine: Engine) -> None:
    with engine.begin() as connection:
        rehearsals.claim(connection, now=NOW)


def _find(engine: Engine, number: int) -> Rehearsal:
    with reading(engine) as connection:
        found = rehearsals.find(connection, number)
    assert found is not None
    return found


def _about_lunch(edit: Edit) -> Edit:
    return replace(edit, phrasings=(*edit.phrasings[:6], LUNCH, *MENU))


def test_every_mail_is_decided_on_by_both_corpora(engine: Engine, config: Config) -> None:
    _take_in(engine, LUNCH)
    _take_in(engine, SHARED)
    _take_in(engine, SHARED, Auto_Submitted="auto-replied")
    number = _ask(engine, config.service.corpus, _about_lunch)
    _claim(engine)
    rehearse(engine, config, number)
    found = _find(engine, number)
    assert (found.state, found.done, found.total, found.problem) == ("ready", 3, 3, None)
    assert found.corpus == load_corpus(config.service.corpus).fingerprint
    assert found.result is not None
    (change,) = found.result.changes
    assert (change.inquiry_id, change.group) == (1, Group.ANSWERED)
    assert (change.before.reason, change.after.entries) == (Reason.UNSURE, ("q04",))
    result = found.result
    assert (result.apart, result.answered_before, result.answered_after, result.reworded) == (1, 1, 2, 1)


def test_a_mail_whose_past_decided_is_counted_and_left_out(engine: Engine, config: Config) -> None:
    _take_in(engine, LUNCH)
    with engine.begin() as connection:
        (inquiry,) = inbox.claim(connection, now=NOW, limit=1, lease=timedelta(minutes=1))
        lane = inbox.Settlement(inbox.Lane.ESCALATED, Reason.IN_THREAD, None, {}, "", "")
        inbox.settle(connection, inquiry, lane, now=NOW)
    number = _ask(engine, config.service.corpus, _about_lunch)
    _claim(engine)
    rehearse(engine, config, number)
    result = _find(engine, number).result
    assert result is not None
    assert (result.mails, result.apart, result.changes) == (1, 1, ())


def test_a_change_that_is_no_entry_fails_with_file_and_key(engine: Engine, config: Config) -> None:
    with engine.begin() as connection:
        number = rehearsals.ask(connection, "q04", 'id = "q04"', note="", who="sato", now=NOW)
    _claim(engine)
    rehearse(engine, config, number)
    found = _find(engine, number)
    assert found.state == "failed"
    assert "q04.toml: number: Field required" in (found.problem or "")


def test_one_that_was_dropped_meanwhile_ends_without_a_result(engine: Engine, config: Config) -> None:
    number = _ask(engine, config.service.corpus, _about_lunch)
    with engine.begin() as connection:
        rehearsals.drop(connection, number, now=NOW)
    rehearse(engine, config, number)
    assert (_find(engine, number).state, _find(engine, number).result) == ("dropped", None)


async def _until(engine: Engine, number: int, state: str) -> Rehearsal:
    async with asyncio.timeout(60):
        while (found := await asyncio.to_thread(_find, engine, number)).state != state:
            await asyncio.sleep(0.05)
    return found


@pytest.mark.anyio
async def test_what_waits_is_tried_in_a_process_of_its_own(engine: Engine, config: Config) -> None:
    _take_in(engine, LUNCH)
    number = _ask(engine, config.service.corpus, _about_lunch)
    stop = asyncio.Event()
    agent = asyncio.create_task(rehearsing.run(engine, lambda: config, stop=stop))
    found = await _until(engine, number, "ready")
    assert found.result is not None
    assert len(found.result.changes) == 1
    stop.set()
    await agent


@pytest.mark.anyio
async def test_what_runs_at_a_stop_waits_for_the_next_start(engine: Engine, config: Config) -> None:
    number = _ask(engine, config.service.corpus, _about_lunch)
    stop = asyncio.Event()
    agent = asyncio.create_task(rehearsing.run(engine, lambda: config, stop=stop))
    await _until(engine, number, "running")
    stop.set()
    await agent
    assert (await asyncio.to_thread(_find, engine, number)).state == "waiting"


@pytest.mark.anyio
async def test_what_a_dead_process_left_running_has_failed(engine: Engine, config: Config) -> None:
    number = _ask(engine, config.service.corpus, _about_lunch)
    _claim(engine)  # long ago: NOW is not the machine's time
    stop = asyncio.Event()
    agent = asyncio.create_task(rehearsing.run(engine, lambda: config, stop=stop))
    found = await _until(engine, number, "failed")
    assert found.problem == "its process ended without a word"
    stop.set()
    await agent
