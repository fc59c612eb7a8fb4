"""People judge answers on the staff pages, and the running service stops the entry that they find wrong."""

import urllib.request
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import httpx

from responder.desk.visit import csrf_of
from responder.store import accounts, sessions
from responder.store.accounts import Role
from responder.store.engine import open_engine
from tests.knowledge import ADDRESS, cold_corpus
from tests.service import ALL, Service, running

SHARED = "部署の共有メールアドレスを契約担当者のアドレスとして届け出ても問題ないでしょうか。"


def _ask(service: Service, number: int) -> None:
    sender = f"user{number}@contractor{number}.example"
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ADDRESS, "お尋ね"
    mail["Message-ID"] = f"<{number}@contractor.example>"
    mail.set_content(SHARED)
    service.mail(mail.as_bytes(), sender=sender)
    service.wait_for(lambda: len(service.delivered()) == number)


def _staff(url: str, pages: str) -> tuple[httpx.Client, dict[str, str]]:
    """A member of staff who is logged in, and what their forms carry."""
    engine, now = open_engine(url), datetime.now(UTC)
    with engine.begin() as connection:
        account = accounts.add(connection, login="sato", name="佐藤", role=Role.AGENT, now=now)
        assert account is not None
        token = sessions.begin(connection, account.id, client="127.0.0.1", now=now)
    engine.dispose()
    return httpx.Client(base_url=pages, cookies={"desk": token}, timeout=30), {"csrf": csrf_of(token)}


def test_three_wrong_answers_stop_an_entry_in_the_running_service_and_it_comes_back_by_an_undo(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/responder.db"
    settings = {
        "RESPONDER_SERVICE__CORPUS": str(cold_corpus(tmp_path)),
        "RESPONDER_SERVICE__STATE": str(tmp_path / "state"),
        "RESPONDER_TRIAGE__RELEARN": "1s",
        "RESPONDER_TRIAGE__FLOOR": "0.26",
    }
    with running(tmp_path, url, ALL, **settings) as service:
        host, port = service.at("http")
        client, secret = _staff(url, f"http://{host}:{port}")
        with client:
            for number in (1, 2, 3):
                _ask(service, number)
                form = {**secret, "mail": str(number), "verdict": "wrong"}
                assert client.post("/answers/judge", data=form).status_code == 303
            service.wait_for(lambda: service.events("knowledge")[-1]["unproven"] == "q04")
            assert "<strong>停止中" in client.get("/status").text
            _ask(service, 4)
            assert client.post("/answers/undo", data={**secret, "mail": "1"}).status_code == 303
            service.wait_for(lambda: service.events("knowledge")[-1]["unproven"] == "")
            assert "<strong>停止中" not in client.get("/status").text
            _ask(service, 5)
        answered, stopped, again = ("FAQ No.4" in service.delivered()[number].get_content() for number in (0, 3, 4))
        assert (answered, stopped, again) == (True, False, True)
        with urllib.request.urlopen(f"http://{host}:{port}/metrics") as reply:
            assert b'responder_reviews{verdict="wrong"} 2.0' in reply.read()
        lanes = [(row["lane"], row["reason"]) for row in reversed(service.command("inbox", "list"))]
        assert lanes[3] == ("escalated", "too little is known of how often the entry is right")
