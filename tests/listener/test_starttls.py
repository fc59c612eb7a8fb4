"""STARTTLS with a certificate made for the test (RFC 3207)."""

import asyncio
import shutil
import signal
import smtplib
import ssl
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from responder.listener import Encryption, Inet, Unix
from tests.knowledge import ROOT
from tests.listening import MAIL, TANAKA, US, Client, alone, kept, listening
from tests.service import running

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates"),
]


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for mx.example.jp that signs itself, and its key."""
    files = folder / f"{name}.pem", folder / f"{name}.key"
    names = ["-subj", "/CN=mx.example.jp", "-addext", "subjectAltName=DNS:mx.example.jp"]
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9"]
    files_out = ["-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(["openssl", "req", "-x509", *new, *names, *files_out], check=True, capture_output=True)
    return files


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"), "mx")


@pytest.fixture
def context(pair: tuple[Path, Path]) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(*pair)
    return made


@pytest.fixture
def trusting(pair: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=pair[0])


async def test_a_mail_comes_encrypted_where_it_is_offered(
    sqlite: Engine, context: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with listening(sqlite, encryption=Encryption(context, required=False)) as (_, (address,)):
        client = await Client.to(address)
        assert "STARTTLS" in (await client.say("EHLO contractor.example")).split("-")[-1]
        assert (await client.say("STARTTLS")).startswith("220")
        await client.encrypt(trusting)
        # RFC 3207 §4.2: all that was said before is forgotten.
        assert (await client.say(f"MAIL FROM:<{TANAKA}>")).startswith("503")
        assert "STARTTLS" not in await client.say("EHLO contractor.example")
        assert (await client.say("STARTTLS")).startswith("503")
        await client.begin()
        assert (await client.send()).startswith("250")
        plain = await Client.to(address)
        await plain.begin()
        assert (await plain.send()).startswith("250")
    assert [b" with ESMTPS id " in inquiry.raw for inquiry in kept(sqlite)] == [True, False]


@pytest.mark.parametrize("lmtp", [False, True])
async def test_nothing_is_taken_in_clear_where_it_is_required(
    sqlite: Engine, context: ssl.SSLContext, trusting: ssl.SSLContext, lmtp: bool
) -> None:
    hello = "LHLO" if lmtp else "EHLO"
    place = Inet("127.0.0.1", 0, lmtp)
    async with listening(sqlite, place, encryption=Encryption(context, required=True)) as (_, (address,)):
        client = await Client.to(address)
        assert (await client.say("NOOP")).startswith("250")
        assert (await client.say(f"{hello} contractor.example")).startswith("250")
        for command in (f"MAIL FROM:<{TANAKA}>", "RSET", "HELP", "VRFY x"):
            assert (await client.say(command)).startswith("530 5.7.0")
        assert (await client.say("STARTTLS")).startswith("220")
        await client.encrypt(trusting)
        await client.begin(hello=hello)
        assert (await client.send()).startswith("250")
    assert (b" with LMTPS " if lmtp else b" with ESMTPS ") in kept(sqlite)[0].raw


async def test_a_unix_socket_is_private_already(sqlite: Engine, context: ssl.SSLContext, tmp_path: Path) -> None:
    place = Unix(str(tmp_path / "lmtp"))
    async with listening(sqlite, place, encryption=Encryption(context, required=True)) as (_, (path,)):
        client = await Client.to(path)
        assert "STARTTLS" not in await client.say("LHLO contractor.example")
        await client.begin(hello="LHLO")
        assert (await client.send()).startswith("250")


async def test_what_was_slipped_in_before_encryption_does_not_count_cve_2024_34083(
    sqlite: Engine, context: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with listening(sqlite, encryption=Encryption(context, required=False)) as (_, (address,)):
        client = await Client.to(address)
        await client.say("EHLO contractor.example")
        slipped = f"EHLO x\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<{US}>\r\n".encode()
        assert (await client.say(b"STARTTLS\r\n" + slipped)).startswith("220")
        await client.encrypt(trusting)
        assert (await client.say(f"RCPT TO:<{US}>")).startswith("503")
        await client.begin()
        assert (await client.send()).startswith("250")
    assert [inquiry.envelope.mail_from for inquiry in kept(sqlite)] == [TANAKA]


@pytest.mark.parametrize("then", ["nonsense", "hang up", "reset"])
async def test_a_handshake_that_fails_ends_the_session_and_no_other(
    sqlite: Engine, context: ssl.SSLContext, then: str
) -> None:
    async with listening(sqlite, encryption=Encryption(context, required=False)) as (listener, (address,)):
        client, other = await Client.to(address), await Client.to(address)
        await client.say("EHLO contractor.example")
        await client.say("STARTTLS")
        if then == "nonsense":
            client.writer.write(b"MAIL FROM:<x@y.example>\r\n" * 20)
            assert b"250" not in await asyncio.wait_for(client.reader.read(), 5)
        elif then == "reset":
            client.reset()
        await client.hang_up()
        assert (await other.say("QUIT")).startswith("221")
        await alone(listener)
        assert listener._crowd._clients.total() == 0


async def test_stopping_in_the_middle_of_a_handshake_leaves_no_session(sqlite: Engine, context: ssl.SSLContext) -> None:
    async with listening(sqlite, encryption=Encryption(context, required=False)) as (listener, (address,)):
        client = await Client.to(address)
        await client.say("EHLO contractor.example")
        await client.say("STARTTLS")
        await asyncio.sleep(0.05)
        await listener.stop(timedelta(seconds=0.5))
        await alone(listener)


async def test_a_client_that_leaves_without_a_word_leaves_no_session(
    sqlite: Engine, context: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with listening(sqlite, encryption=Encryption(context, required=False)) as (listener, (address,)):
        for leave in (Client.hang_up, Client.reset):
            client = await Client.to(address)
            await client.say("EHLO contractor.example")
            await client.say("STARTTLS")
            await client.encrypt(trusting)
            await client.begin()
            client.writer.write(MAIL)
            await client.writer.drain()
            left = leave(client)
            if left is not None:
                await left
            await alone(listener)
    assert kept(sqlite) == []


def test_a_new_certificate_is_shown_after_sighup_and_a_broken_one_is_not(tmp_path: Path) -> None:
    shown, key = certificate(tmp_path, "shown")
    second = certificate(tmp_path, "second")
    settings = {
        "RESPONDER_SERVICE__CORPUS": str(ROOT / "faq_corpus"),  # of which a listener learns nothing
        "RESPONDER_LISTENER__TLS": "offer",
        "RESPONDER_LISTENER__TLS_CERTIFICATE": str(shown),
        "RESPONDER_LISTENER__TLS_KEY": str(key),
    }

    def peer() -> bytes | None:
        host, port = service.at("smtp")
        with smtplib.SMTP(host, port, timeout=10) as client:
            client.starttls(context=ssl._create_unverified_context())  # noqa: S323 - it is compared instead
            assert isinstance(client.sock, ssl.SSLSocket)
            return client.sock.getpeercert(binary_form=True)

    with running(tmp_path, f"sqlite:///{tmp_path}/responder.db", "listener", **settings) as service:
        first = peer()
        shown.write_bytes(second[0].read_bytes())
        service.process.send_signal(signal.SIGHUP)
        (fault,) = service.wait_for(lambda: service.events("not reloaded"))
        assert "this is not the key of the certificate" in fault["fault"]
        assert peer() == first
        key.write_bytes(second[1].read_bytes())
        service.process.send_signal(signal.SIGHUP)
        service.wait_for(lambda: peer() != first)
