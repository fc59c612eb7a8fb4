"""Two whole services that write to each other over SMTP: each is the other's next hop."""

import socket
import time
from pathlib import Path

from responder.store import inbox, outbox
from responder.store.engine import open_engine, reading
from tests.knowledge import cold_corpus, example
from tests.service import Service, running


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _counts(service: Service) -> tuple[int, list[tuple[str | None, str | None]]]:
    engine = open_engine(service.environ["RESPONDER_STORE__URL"])
    with reading(engine) as connection:
        found = len(outbox.listing(connection)), [(row.lane, row.rule) for row in inbox.listing(connection)]
    engine.dispose()
    return found


def _all_settled(service: Service) -> bool:
    _, lanes = _counts(service)
    return len(lanes) == 2 and all(lane for lane, _ in lanes)


def test_two_responders_write_to_each_other_once_and_fall_silent(tmp_path: Path) -> None:
    ports = {"one": _free_port(), "two": _free_port()}

    def settings(name: str, other: str) -> dict[str, str]:
        return {
            "RESPONDER_SERVICE__ADDRESS": f"support@{name}.example",
            "RESPONDER_SERVICE__CORPUS": str(corpus),
            "RESPONDER_LISTENER__SMTP": f"127.0.0.1:{ports[name]}",
            "RESPONDER_COURIER__NEXT_HOP": f"smtp://127.0.0.1:{ports[other]}",
            "RESPONDER_COURIER__TLS": "none",
            "RESPONDER_COURIER__RETRY_FIRST": "1s",
        }

    corpus = cold_corpus(tmp_path)
    folders = {name: tmp_path / name for name in ports}
    for folder in folders.values():
        folder.mkdir()
    one, two = (f"sqlite:///{folder}/responder.db" for folder in folders.values())
    with (
        running(folders["one"], one, **settings("one", "two")) as first,
        running(folders["two"], two, **settings("two", "one")) as second,
    ):
        # What the second service's own address asks the first, and the other way round.
        first.mail(_between("two", "one"), sender="support@two.example", to="support@one.example")
        second.mail(_between("one", "two"), sender="support@one.example", to="support@two.example")
        for service in (first, second):
            service.wait_for(lambda service=service: _all_settled(service))
        time.sleep(1)  # whatever would go on has had its time
        for service in (first, second):
            sent, lanes = _counts(service)
            assert sent == 1
            assert sorted(lanes, key=str) == [("escalated", None), ("suppressed", "null sender")]
        assert first.stop() == second.stop() == 0


def _between(sender: str, receiver: str) -> bytes:
    raw = example("payment-date").replace(b"suzuki@example.com", f"support@{sender}.example".encode())
    return raw.replace(b"support@example.jp", f"support@{receiver}.example".encode())
