"""The running service takes over what changes on disk and what is taught, whole or not at all."""

import asyncio
import json
import os
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from responder.app.renewal import Current
from responder.config import load_config
from responder.mail.envelope import Envelope
from responder.mail.reply import Reply
from responder.store import inbox, outbox, reviews
from responder.store.engine import make_ready, open_engine
from responder.store.outbox import DeliveryKind
from responder.store.reviews import Judgement
from tests.conftest import postgres_database
from tests.knowledge import ADDRESS, ROOT, cold_corpus
from tests.service import ALL, Service, environ_of, learners, running

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SHARED = "部署の共有メールアドレスを契約担当者のアドレスとして届け出ても問題ないでしょうか。"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return cold_corpus(tmp_path)


def _settings(folder: Path, corpus: Path) -> dict[str, str]:
    """A service that looks every second, and answers by likeness alone."""
    return {
        "RESPONDER_SERVICE__CORPUS": str(corpus),
        "RESPONDER_SERVICE__STATE": str(folder / "state"),
        "RESPONDER_TRIAGE__RELEARN": "1s",
        "RESPONDER_TRIAGE__FLOOR": "0.26",
    }


def _url(folder: Path) -> str:
    return f"sqlite:///{folder}/responder.db"


@pytest.fixture
def service(tmp_path: Path, corpus: Path) -> Iterator[Service]:
    with running(tmp_path, _url(tmp_path), ALL, **_settings(tmp_path, corpus)) as started:
        yield started


def _ask(service: Service, number: int) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"user{number}@contractor.example", ADDRESS, "お尋ね"
    mail["Message-ID"] = f"<{number}@contractor.example>"
    mail.set_content(SHARED)
    service.mail(mail.as_bytes(), sender=f"user{number}@contractor.example")


def _answer(service: Service, number: int) -> str:
    """The text that the number-th mail of this kind is answered with."""
    _ask(service, number)
    service.wait_for(lambda: len(service.delivered()) == number)
    text: str = service.delivered()[-1].get_content()
    return text


def _rewrite(file: Path, change: Callable[[str], str]) -> None:
    file.write_text(change(file.read_text("utf-8")), "utf-8")


def _classifiers(service: Service) -> list[str]:
    """The fingerprint of every classifier that came into force, in order."""
    return [event["classifier"] for event in service.events("knowledge")]


def _get(service: Service, path: str) -> str:
    host, port = service.at("http")
    with urllib.request.urlopen(f"http://{host}:{port}{path}") as reply:
        text: str = reply.read().decode()
    return text


def test_an_answer_that_is_changed_on_disk_goes_out_with_the_next_mail(service: Service, corpus: Path) -> None:
    assert "変更後の回答" not in _answer(service, 1)
    _rewrite(corpus / "q04.toml", lambda text: text.replace('answer = """\n', 'answer = """\n変更後の回答です。\n'))
    service.wait_for(lambda: service.events("reloaded"))
    assert "変更後の回答です。" in _answer(service, 2)
    decisions = [service.command("inbox", "show", str(number))[0]["decision"] for number in (1, 2)]
    assert [decision["classifier"][:16] for decision in decisions] == _classifiers(service)
    assert decisions[0]["corpus"] != decisions[1]["corpus"]


def test_a_broken_file_is_refused_once_and_told_until_it_is_mended(service: Service, corpus: Path) -> None:
    whole = (corpus / "q04.toml").read_text("utf-8")
    _rewrite(corpus / "q04.toml", lambda text: text.replace('mode = "automatic"', 'mode = "auto"'))
    (told,) = service.wait_for(lambda: service.events("not reloaded"))
    for words in ("q04.toml:", ": mode: ", "Write automatic, review or off"):
        assert words in told["fault"]
    assert json.loads(_get(service, "/readyz")) == {"status": "ok", "refused": 1}
    assert "変更前の内容で回答を続けています" in service.page("/status")
    assert "No.4" in _answer(service, 1)
    time.sleep(2.5)  # two more looks at the same fault
    assert len(service.events("not reloaded")) == 1
    (corpus / "q04.toml").write_text(whole, "utf-8")
    service.wait_for(lambda: service.events("reloaded"))
    assert json.loads(_get(service, "/readyz")) == {"status": "ok"}
    assert "変更前の内容" not in service.page("/status")


def test_what_is_taught_comes_into_force_and_is_counted(service: Service) -> None:
    _answer(service, 1)
    service.command("cases", "teach", "1", "--entry", "q04", "--by", "sato")
    service.wait_for(lambda: len(_classifiers(service)) == 2)
    service.command("cases", "unteach", "1", "--by", "sato")
    service.wait_for(lambda: len(_classifiers(service)) == 3)
    first, taught, undone = _classifiers(service)
    assert first == undone != taught
    assert [(event["mails"], event["taught"]) for event in service.events("knowledge")] == [(0, 0), (1, 1), (0, 0)]


def test_every_worker_learns_what_is_taught(tmp_path: Path, postgres: str, corpus: Path) -> None:
    url, settings = postgres_database(postgres), _settings(tmp_path, corpus)
    with (
        running(tmp_path, url, "listener,courier", **settings) as front,
        running(tmp_path, url, "worker", **settings) as one,
        running(tmp_path, url, "worker", **settings) as two,
    ):
        _answer(front, 1)
        front.command("cases", "teach", "1", "--entry", "q04", "--by", "sato")
        for worker in (one, two):
            worker.wait_for(lambda worker=worker: len(_classifiers(worker)) == 2)
        assert _classifiers(one) == _classifiers(two)
        assert one.stop() == two.stop() == 0


def _give_much_to_learn(corpus: Path) -> None:
    shutil.copytree(ROOT / "faq_corpus" / "examples", corpus / "examples")


def test_mails_are_answered_while_it_learns_and_sigterm_waits_for_no_learning(service: Service, corpus: Path) -> None:
    _give_much_to_learn(corpus)
    service.wait_for(lambda: learners(service.process.pid))
    began = time.monotonic()
    assert "No.4" in _answer(service, 1)
    took = time.monotonic() - began
    (learner,) = learners(service.process.pid)
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 10
    assert not Path(f"/proc/{learner}").exists()
    assert service.events("reloaded") == []
    assert took < 5  # learning took longer than this answer


def test_a_killed_service_leaves_no_learner_behind(service: Service, corpus: Path) -> None:
    _give_much_to_learn(corpus)
    (learner,) = service.wait_for(lambda: service.events("learning") and learners(service.process.pid))
    service.process.kill()
    service.process.wait()
    end = time.monotonic() + 2  # it would learn for longer
    while (cmdline := Path(f"/proc/{learner}/cmdline")).exists() and b"learning" in cmdline.read_bytes():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def current(tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Current]:
    """The briefing of a worker in this process."""
    monkeypatch.chdir(ROOT)
    for name, value in environ_of(tmp_path, _url(tmp_path), **_settings(tmp_path, corpus)).items():
        monkeypatch.setenv(name, value)
    engine = open_engine(_url(tmp_path))
    make_ready(engine)
    yield Current(engine, load_config(None), None)
    engine.dispose()


@pytest.mark.anyio
async def test_files_that_are_still_being_copied_are_not_read(current: Current, corpus: Path) -> None:
    await current.begin()
    before = current.briefing
    os.utime(corpus / "q01.toml")
    looking = asyncio.create_task(current.look())
    await asyncio.sleep(0.5)
    _rewrite(corpus / "q02.toml", lambda text: text.replace("revision = 1", "revision = 2"))
    await looking
    assert current.briefing is before
    await current.look()
    assert current.briefing is not before
    assert current.briefing.knowledge.corpus.entry("q02").revision == 2


@pytest.mark.anyio
async def test_nothing_is_read_where_nothing_changed(current: Current) -> None:
    await current.begin()
    before: Any = current.briefing
    await current.look()
    assert current.briefing is before


@pytest.mark.anyio
async def test_an_entry_that_people_judge_wrong_is_stopped_and_let_go_again_without_learning(
    current: Current, tmp_path: Path
) -> None:
    await current.begin()
    before = current.briefing.knowledge
    _judge_wrong(tmp_path, 3)
    await current.look()
    after = current.briefing.knowledge
    assert before.thresholds.unproven == frozenset()
    assert after.thresholds.unproven == {"q04"}
    assert after.classifier.fingerprint == before.classifier.fingerprint
    with open_engine(_url(tmp_path)).begin() as connection:
        reviews.undo(connection, 1, who="sato", now=NOW)
    await current.look()
    assert current.briefing.knowledge.thresholds.unproven == frozenset()


def _judge_wrong(folder: Path, number: int) -> None:
    """So many answers of q04, all of them judged wrong."""
    with open_engine(_url(folder)).begin() as connection:
        envelope = Envelope("tanaka@contractor.example", (ADDRESS,))
        inbox.accept(connection, [(envelope, str(each).encode()) for each in range(number)], now=NOW)
        for each in range(1, number + 1):
            reply = Reply(f"<{each}@example.jp>", "", "tanaka@contractor.example", b"reply")
            once, kind = f"automatic:{each}", DeliveryKind.ANSWER
            outbox.enqueue(connection, reply, inquiry_id=each, kind=kind, once=once, now=NOW, entries=["q04"])
            reviews.judge(connection, each, Judgement.WRONG, who="sato", now=NOW)


@pytest.mark.anyio
async def test_a_broken_letter_and_a_broken_entry_are_told_together(
    current: Current, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await current.begin()
    before = current.briefing
    templates = Path(shutil.copytree(ROOT / "templates", tmp_path / "templates"))
    (templates / "person.txt").write_text("Subject: x\n\n{{ txt }}\n")
    (corpus / "q01.toml").write_text("id = ")
    monkeypatch.setenv("RESPONDER_SERVICE__TEMPLATES", str(templates))
    await current.reload()
    assert current.briefing is before
    assert [Path(fault.split(":")[0]).name for fault in current.refused] == ["q01.toml", "person.txt"]
