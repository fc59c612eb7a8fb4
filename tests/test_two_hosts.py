"""Two hosts on one PostgreSQL, each with a network of its own; one is cut off and killed while mail flows."""

import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from responder.store.engine import open_engine
from tests.accounting import Client, account_of, settings_for, unended
from tests.conftest import postgres_database, postgres_server
from tests.next_hop import NextHop, next_hop
from tests.service import Service, environ_of

AGENTS = "listener,worker,courier"


class RefusedError(Exception):
    """By `ip`, in its own words."""


def _ip(*words: str) -> None:
    ran = subprocess.run(["ip", *words], capture_output=True, text=True)
    if ran.returncode != 0:
        raise RefusedError(f"ip {' '.join(words)}: {ran.stderr.strip()}")


def _namespace() -> str:
    """The name of a new one. No other run's, nor what one that was killed left behind: all of a machine share them."""
    name = f"r{os.urandom(4).hex()}"
    _ip("netns", "add", name)
    return name


def _may_have_hosts() -> bool:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    try:
        _ip("netns", "del", _namespace())
    except RefusedError:
        return False
    return True


@dataclass(slots=True)
class Host:
    """A network namespace and the wire that leads to it; our end of the wire is the machine with the database."""

    number: int
    net: int
    name: str

    @property
    def address(self) -> str:
        return f"10.{self.net}.{self.number}.2"

    @property
    def ours(self) -> str:
        return f"10.{self.net}.{self.number}.1"

    def cut_off(self) -> None:
        """As if somebody pulled the wire: nobody hears that a connection has ended."""
        _ip("link", "set", f"{self.name}a", "down")


@contextmanager
def _host(number: int, net: int) -> Iterator[Host]:
    name = _namespace()
    host, near, far = Host(number, net, name), f"{name}a", f"{name}b"
    try:
        _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
        _ip("addr", "add", f"{host.ours}/24", "dev", near)
        _ip("link", "set", near, "up")
        for words in (f"addr add {host.address}/24 dev {far}", f"link set {far} up", "link set lo up"):
            _ip("-n", name, *words.split())
        yield host
    finally:
        _ip("netns", "del", name)


def _free_net() -> int:
    """The second number of 10.x.0.0/16 where this machine has no address yet."""
    addresses = subprocess.run(["ip", "-4", "-o", "addr"], check=True, capture_output=True, text=True).stdout
    return next(net for net in random.sample(range(100, 200), 100) if f" 10.{net}." not in addresses)


def _let_in(server: str, net: int) -> None:
    """Connections from the hosts' networks, without a password."""
    folder = Path(server.partition("host=")[2])
    with (folder / "data" / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all 10.{net}.0.0/16 trust\n")
    engine = open_engine(server)
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    engine.dispose()


def _service(host: Host, folder: Path, database: str, hop: NextHop) -> Service:
    folder.mkdir()
    settings = settings_for(
        hop,
        RESPONDER_LISTENER__SMTP=f"{host.address}:0",
        RESPONDER_LISTENER__LMTP="",
        RESPONDER_LISTENER__NETWORKS=f"10.{host.net}.0.0/16",
        RESPONDER_COURIER__NEXT_HOP=f"smtp://{host.ours}:{hop.port}",
        RESPONDER_SERVICE__SECRET_FILE=str(folder.parent / "secret"),
    )
    environ = environ_of(folder, f"postgresql://responder@{host.ours}/{database}", **settings)
    return Service(folder, AGENTS, environ, before=["ip", "netns", "exec", host.name])


@pytest.mark.skipif(not _may_have_hosts(), reason="no networks of our own can be made here")
def test_one_is_cut_off_and_killed_while_mail_flows_and_the_other_goes_on(tmp_path: Path) -> None:
    net = _free_net()
    (tmp_path / "secret").write_bytes(os.urandom(32).hex()[:32].encode())
    (tmp_path / "secret").chmod(0o600)
    # Both hear of one another's mails by the store alone: each sends what is its own, and answers whatever it claims.
    one, two = Client(list(range(0, 1000, 2)), []), Client(list(range(1, 61, 2)), [])
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server("listen_addresses=*"))
        hosts = [stack.enter_context(_host(number, net)) for number in (1, 2)]
        _let_in(server, net)
        url = postgres_database(server)
        database = str(sa.make_url(url).database)
        hop = stack.enter_context(next_hop(host="0.0.0.0"))  # noqa: S104 - for the two networks of ours
        first, second = (_service(host, tmp_path / host.name, database, hop) for host in hosts)
        for service in (first, second):
            stack.callback(service.process.wait)
            stack.callback(service.process.kill)
        with _sending(one, first), _sending(two, second):
            first.wait_for(lambda: len(one.acknowledged) >= 20 and len(hop.mails) >= 10)
            hosts[0].cut_off()
            time.sleep(1)
            first.process.kill()
        # As a mail server does whose first MX is gone.
        one.waiting = one.waiting[:10]
        one.send(second)
        second.wait_for(lambda: unended(url) == 0, seconds=90)
        both = Client([], [*one.acknowledged, *two.acknowledged])
        account = account_of(url, both, hop)
        assert second.stop() == 0
    assert not one.waiting
    assert not two.waiting
    assert (account.lost, account.twice, account.breaches, account.unended) == ([], [], [], 0)
    # What the next hop had taken from the one that was cut off before it could say so.
    assert account.repeated <= 4


@contextmanager
def _sending(client: Client, service: Service) -> Iterator[None]:

    thread = threading.Thread(target=client.send, args=[service])
    thread.start()
    yield
    thread.join()
