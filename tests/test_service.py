"""The main job, end to end: a process is started, mailed to, and its answers are read."""

import os
import shutil
import signal
import urllib.request
from pathlib import Path

from responder.store import inbox, outbox
from responder.store.engine import open_engine, reading
from tests.conftest import postgres_database
from tests.knowledge import ROOT, example
from tests.service import Service, running

TANAKA = "tanaka@contractor.example"

KILLS = int(os.environ.get("RESPONDER_TEST_KILLS", "3"))
"""`make kills` asks for many more than a run of all tests has time for."""


def _settled(service: Service, count: int) -> list[dict[str, object]]:
    url = service.environ["RESPONDER_STORE__URL"]
    service.wait_for(lambda: _balance(url)[0]["accepted"] == count and _waiting(url) == 0)
    found: list[dict[str, object]] = service.command("inbox", "list")
    return sorted(found, key=lambda row: str(row["id"]))


def test_a_newcomer_mails_a_question_and_reads_the_answer(tmp_path: Path, store_url: str) -> None:
    with running(tmp_path, store_url) as service:
        service.mail(example("shared-mailbox"))
        (answer,) = service.wait_for(service.delivered)
        assert answer["To"] == TANAKA
        assert "No.4" in answer.get_content()
        service.mail(example("payment-date"), example("out-of-office"))
        lanes = [(row["lane"], row["rule"]) for row in _settled(service, 3)]
        assert lanes == [("answered", None), ("escalated", None), ("suppressed", "auto-submitted")]
        service.wait_for(lambda: len(service.delivered()) == 2)
        (case,) = service.command("cases", "list")
        assert f"受付番号 {case['reference']}" in service.delivered()[1]["Subject"]
        assert service.stop() == 0
        assert service.events("stopped")


def test_a_person_answers_from_the_command_line_and_the_thread_holds(tmp_path: Path) -> None:
    with running(tmp_path, f"sqlite:///{tmp_path}/responder.db") as service:
        service.mail(example("payment-date"))
        _settled(service, 1)
        service.command("cases", "take", "1", "--by", "sato")
        service.command("cases", "answer", "1", "--by", "sato", "--text", "お支払いは翌月末でございます。")
        service.wait_for(lambda: len(service.delivered()) == 2)
        mail = service.delivered()[1]
        assert mail["Auto-Submitted"] is None
        assert mail["In-Reply-To"] in example("payment-date").decode()
        assert "お支払いは翌月末でございます。" in mail.get_content()
        assert service.command("cases", "list") == []
        (shown,) = service.command("cases", "show", "1")
        assert [event["event"] for event in shown["events"]] == ["opened", "taken", "answered"]
        assert shown["sent"][0]["state"] == "sent"


def test_the_pages_show_the_balance(tmp_path: Path) -> None:
    with running(tmp_path, f"sqlite:///{tmp_path}/responder.db") as service:
        service.mail(example("shared-mailbox"))
        _settled(service, 1)
        host, port = service.at("http")
        for path in ("/healthz", "/readyz"):
            with urllib.request.urlopen(f"http://{host}:{port}{path}") as reply:
                assert "ok" in reply.read().decode()
        assert "自動で回答したもの" in service.page("/status")


def test_a_broken_template_is_told_and_the_running_service_keeps_the_old_one(tmp_path: Path) -> None:
    templates = Path(shutil.copytree(ROOT / "templates", tmp_path / "templates"))
    url = f"sqlite:///{tmp_path}/responder.db"
    with running(tmp_path, url, RESPONDER_SERVICE__TEMPLATES=str(templates)) as service:
        whole = (templates / "answer.txt").read_text()
        (templates / "answer.txt").write_text("Subject: x\n\n{{ entry.answr }}\n")
        service.process.send_signal(signal.SIGHUP)
        (told,) = service.wait_for(lambda: service.events("not reloaded"))
        assert "answer.txt:3" in told["fault"]
        service.mail(example("shared-mailbox"))
        (answer,) = service.wait_for(service.delivered)
        assert "No.4" in answer.get_content()
        (templates / "answer.txt").write_text(whole.replace("Subject: ", "Subject: 試験 "))
        service.process.send_signal(signal.SIGHUP)
        service.wait_for(lambda: service.events("reloaded"))
        service.mail(example("three-party-iso-2022-jp"))
        service.wait_for(lambda: len(service.delivered()) == 2)
        assert service.delivered()[1]["Subject"].startswith("試験")


def test_two_workers_share_one_postgresql(tmp_path: Path, postgres: str) -> None:
    url = postgres_database(postgres)
    with running(tmp_path, url, "listener,courier") as front:
        with running(tmp_path, url, "worker") as one, running(tmp_path, url, "worker") as two:
            for number in range(60):
                _mail(front, number)
            front.wait_for(lambda: _waiting(url) == 0)
            assert one.stop() == two.stop() == 0
        balance, sent = _balance(url)
        assert balance["accepted"] == 60
        assert (balance["answered"], balance["escalated"]) == (30, 30)
        assert sent == len(set(sent_inquiries(url))) == 60


def _mail(service: Service, number: int) -> None:
    """A mail that is like no other, from a sender of its own: nobody's budget is touched."""
    name, there = ("shared-mailbox", "contractor.example") if number % 2 else ("payment-date", "example.com")
    raw = example(name)
    unlike = raw.replace(b"Message-ID: <", f"Message-ID: <n{number}.".encode(), 1)
    service.mail(unlike, sender=f"user{number}@{there}")


def _waiting(url: str) -> int:
    return _balance(url)[0]["waiting"]


def _balance(url: str) -> tuple[dict[str, int], int]:
    engine = open_engine(url)
    with reading(engine) as connection:
        found = inbox.balance(connection), len(outbox.listing(connection, limit=10_000))
    engine.dispose()
    return found


def _queued(url: str) -> list[outbox.Listing]:
    engine = open_engine(url)
    with reading(engine) as connection:
        found = outbox.listing(connection, state="queued")
    engine.dispose()
    return found


def sent_inquiries(url: str) -> list[int]:
    engine = open_engine(url)
    with reading(engine) as connection:
        found = [row.inquiry_id for row in outbox.listing(connection, limit=10_000)]
    engine.dispose()
    return found
