"""The settings of a signature: what cannot sign is told before a mail leaves, with file and remedy."""

import asyncio
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from responder.app.pieces import ready_store, signer_of, tried_signer
from responder.app.serving import _courier as run_courier
from responder.config import Config, load_config
from responder.errors import ConfigError
from responder.mail.envelope import Envelope
from responder.mail.reply import Reply
from responder.store import inbox, outbox
from responder.store.outbox import DeliveryKind
from responder.wakeup import Wakeup

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dkim") / "key.pem"
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", path, "2048"], check=True, capture_output=True)
    return path


def _config(folder: Path, key: Path, *, address: str = "support@example.jp", **settings: str) -> Config:
    lines = [f'{name} = "{value}"' for name, value in {"selector": "s1", "key_file": str(key), **settings}.items()]
    file = folder / "config.toml"
    file.write_text("\n".join([f'[service]\naddress = "{address}"\n[dkim]', *lines]))
    return load_config(file, {})


def test_nothing_is_signed_unless_asked_for() -> None:
    assert signer_of(Config()) is None
    assert tried_signer(Config()) == "ok, nothing is signed here"


@pytest.mark.parametrize(
    ("address", "domain", "signs"),
    [
        pytest.param("support@Example.jp", "", "example.jp", id="the domain of the address by itself"),
        pytest.param("support@example.jp", "example.jp", "example.jp", id="the same"),
        pytest.param("support@desk.example.jp", "example.jp", "example.jp", id="RFC 7489 §3.1.1: one above"),
        pytest.param("support@example.jp", "mail.Example.jp", "mail.example.jp", id="RFC 7489 §3.1.1: one below"),
    ],
)
def test_a_domain_that_is_aligned_signs(tmp_path: Path, key: Path, address: str, domain: str, signs: str) -> None:
    signer = signer_of(_config(tmp_path, key, address=address, domain=domain))
    assert signer is not None
    assert (signer.domain, signer.selector) == (signs, "s1")


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (
            {"domain": "example.com"},
            "dkim.domain: example.com does not sign for mail from example.jp. Write example.jp",
        ),
        ({"domain": "notexample.jp"}, "dkim.domain: notexample.jp does not sign for mail from example.jp"),
        ({"domain": "電子.jp"}, 'dkim.domain: "電子.jp" is not a name of the DNS. Write it in plain ASCII'),
        ({"selector": ""}, "dkim.key_file: there is no selector to the key. Set dkim.selector"),
        ({"selector": "a b"}, 'dkim.selector: "a b" is not a name of the DNS'),
        ({"key_file": ""}, "dkim.selector: nothing is signed without a key. Set dkim.key_file"),
        ({"key_file": "/no/such.pem"}, 'dkim.key_file: "/no/such.pem" cannot be read: No such file or directory'),
    ],
)
def test_settings_that_cannot_sign_are_told_with_line_and_remedy(
    tmp_path: Path, key: Path, settings: dict[str, str], fault: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        _config(tmp_path, key, **settings)
    assert re.search(rf"config\.toml:\d+: {re.escape(fault)}", str(caught.value))


def _damaged(pem: str) -> str:
    """One letter in the middle of the second prime: it can be read, and fits the other parts no longer."""
    lines = pem.splitlines(keepends=True)
    lines[17] = lines[17][:20] + ("A" if lines[17][20] != "A" else "B") + lines[17][21:]
    return "".join(lines)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (
            lambda pem: "no key",
            "there is no private key in it, or a part of it is missing. Make one with: openssl genp",
        ),
        (lambda pem: pem[:800], "there is no private key in it, or a part of it is missing"),
        (_damaged, "what it signs does not hold by its own public half. Make a new key"),
    ],
    ids=["another file", "half a file", "a damaged one"],
)
def test_a_key_that_does_not_sign_is_told_before_a_mail_leaves(
    tmp_path: Path, key: Path, spoil: Callable[[str], str], problem: str
) -> None:
    spoilt = tmp_path / "spoilt.pem"
    spoilt.write_text(spoil(key.read_text()))
    with pytest.raises(ConfigError, match=rf"config\.toml: dkim\.key_file: {spoilt}: {problem}"):
        signer_of(_config(tmp_path, spoilt))


def test_check_prints_the_record_to_publish_and_no_secret(tmp_path: Path, key: Path) -> None:
    words = tried_signer(_config(tmp_path, key))
    said, record = words.split("\n")
    assert said == "ok, a mail was signed and verified; publish this record:"
    assert re.fullmatch(r's1\._domainkey\.example\.jp\. IN TXT "v=DKIM1; k=rsa; p=[^"]{237}" "[^"]+"', record)
    assert key.read_text().splitlines()[1] not in words


async def test_the_courier_of_the_service_signs(tmp_path: Path, key: Path) -> None:
    (tmp_path / "config.toml").write_text(
        f'[store]\nurl = "sqlite:///{tmp_path / "responder.db"}"\n'
        f'[courier]\nnext_hop = "maildir:{tmp_path / "replies"}"\n'
        f'[dkim]\nselector = "s1"\nkey_file = "{key}"\n'
    )
    config = load_config(tmp_path / "config.toml", {})
    engine, signer, stop = ready_store(config), signer_of(config), asyncio.Event()
    assert signer is not None
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope("a@x.example", ("support@example.jp",)), b"Subject: x\r\n\r\n")], now=NOW)
        reply = Reply("<1@example.jp>", "", "a@x.example", b"From: <support@example.jp>\r\n\r\ntext\r\n")
        outbox.enqueue(connection, reply, inquiry_id=1, kind=DeliveryKind.ANSWER, once="1", now=NOW)
    wakeup = Wakeup()
    running = asyncio.create_task(run_courier(engine, config, signer.signed, wakeup, stop))
    async with asyncio.timeout(10):
        while not (left := list((tmp_path / "replies").glob("new/*"))):
            await asyncio.sleep(0.01)
    stop.set()
    await running
    wakeup.close()
    engine.dispose()
    # A Maildir has the system's line ends; what takes it from there puts the wire's back.
    assert signer.holds(left[0].read_bytes().replace(b"\n", b"\r\n"))
