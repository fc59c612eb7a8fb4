"""What became of the mails that a client sent to a service that was ill-treated: told by client, store and next hop."""

import re
import smtplib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from responder.store import inbox, laws, outbox
from responder.store.engine import open_engine, reading
from responder.triage.policy import Reason
from tests.knowledge import example
from tests.next_hop import NextHop
from tests.service import Service, running


@dataclass(slots=True)
class Client:
    """Sends mails until it has a 250 for each."""

    waiting: list[int]
    acknowledged: list[int]
    padding: bytes = b""
    """At the end of each mail."""
    pause: float = 0.0
    """Seconds between two mails."""

    def send(self, service: Service) -> None:
        """One after the other, until all are sent or the service is gone."""
        while self.waiting:
            number = self.waiting[0]
            name, there = ("shared-mailbox", "contractor.example") if number % 2 else ("payment-date", "example.com")
            # Like no other, and from a sender of its own: nobody's budget is touched.
            raw = example(name).replace(b"Message-ID: <", f"Message-ID: <n{number}.".encode(), 1) + self.padding
            try:
                service.mail(raw, sender=f"user{number}@{there}")
            except (OSError, smtplib.SMTPException):
                return
            self.acknowledged.append(self.waiting.pop(0))
            time.sleep(self.pause)


@dataclass(frozen=True, slots=True)
class Account:
    """What came of it all."""

    lost: list[int]
    """Mails with a 250 that nobody answers: no machine, and no person knows of them."""
    twice: list[int]
    """Mails with two different answers."""
    repeated: int
    """Answers that came again, under the same Message-ID."""
    breaches: list[laws.Breach]
    unended: int
    """Mails in no lane, and deliveries that are not sent."""


def settings_for(hop: NextHop, **more: str) -> dict[str, str]:
    """Of a service that is quick to try again, and whose budgets stand in nobody's way."""
    budgets = ("AUTOMATIC_PER_ORGANISATION_PER_HOUR", "BREAKER_PER_HOUR")
    return {
        "RESPONDER_TRIAGE__LEASE": "1s",
        "RESPONDER_COURIER__NEXT_HOP": f"smtp://127.0.0.1:{hop.port}",
        "RESPONDER_COURIER__TLS": "none",
        "RESPONDER_COURIER__TIMEOUT": "1s",
        "RESPONDER_COURIER__FINAL_TIMEOUT": "1s",
        "RESPONDER_COURIER__RETRY_FIRST": "1s",
        "RESPONDER_COURIER__RETRY_MOST": "2s",
        "RESPONDER_DESK__LISTEN": "",
        **{f"RESPONDER_GUARD__{name}": "1000000" for name in budgets},
        **more,
    }


def unended(url: str) -> int:
    """Mails in no lane, and deliveries that are not sent."""
    engine = open_engine(url)
    with reading(engine) as connection:
        unsent = sum(row.state != "sent" for row in outbox.listing(connection, limit=100_000))
        found = inbox.balance(connection)["waiting"] + unsent
    engine.dispose()
    return found


def account_of(url: str, client: Client, hop: NextHop) -> Account:
    """What client, store and next hop say together."""
    engine = open_engine(url)
    with reading(engine) as connection:
        breaches = laws.breaches(connection, now=datetime.now(UTC))
        balance = inbox.balance(connection)
    engine.dispose()
    # A mail whose 250 was lost with the process is here twice, and its repetition is kept in silence.
    assert balance["accepted"] == len(client.acknowledged) + balance["suppressed"]
    answered, known = hop.answered(), _left_to_people(url)
    return Account(
        lost=[number for number in client.acknowledged if number not in answered and number not in known],
        twice=[number for number, ids in answered.items() if len(ids) > 1],
        repeated=sum(ids.total() - len(ids) for ids in answered.values()),
        breaches=breaches,
        unended=unended(url),
    )


def _left_to_people(url: str) -> set[int]:
    """Mails whose work broke off three times: a person gets them unread, and nothing is sent."""
    engine = open_engine(url)
    with reading(engine) as connection:
        rows = inbox.listing(connection, lane="escalated", limit=100_000)
        found = [inbox.find(connection, row.id) for row in rows if row.reason == Reason.ABANDONED.value]
    engine.dispose()
    return {int(_NUMBER.findall(record.raw)[0]) for record in found if record is not None}


_NUMBER = re.compile(rb"Message-ID: <n(\d+)\.", re.IGNORECASE)


def work_off(folder: Path, url: str, client: Client, hop: NextHop) -> Account:
    """With a service that nobody kills any more."""
    with running(folder, url, "listener,worker,courier", **settings_for(hop)) as service:
        client.send(service)
        service.wait_for(lambda: unended(url) == 0, seconds=120 + len(client.acknowledged) / 20)
        assert service.stop() == 0
    return account_of(url, client, hop)
