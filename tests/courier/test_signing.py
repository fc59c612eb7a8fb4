"""DKIM: what leaves is signed as RFC 6376 says, is otherwise what it was, and an unfit key is told at once."""

from __future__ import annotations

import base64
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.courier.maildir import Maildir
from responder.courier.signing import Signer, UnusableKey, read_key, zone_line
from responder.mail.message import Message, parse_message
from responder.mail.reply import Mailbox, build_reply

if TYPE_CHECKING:
    from tests.courier.conftest import NextHopServer, Store

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
MAKE = {
    "RSA, PKCS#8": "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
    "RSA, PKCS#1": "genrsa -traditional 2048",
    "Ed25519, PKCS#8": "genpkey -algorithm ed25519",
}


def _openssl(arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments.split()], input=given, capture_output=True, check=True).stdout


@cache
def _key(kind: str) -> bytes:
    return _openssl(MAKE[kind])


def _signer(kind: str = "Ed25519, PKCS#8") -> Signer:
    return Signer("example.jp", "answers2026", read_key(_key(kind)))


def _mail(*, subject: str = "自動返信: 電子契約", body: str = "お答えします。\n", automatic: bool = True) -> bytes:
    parent = parse_message(b"Message-ID: <parent@example.jp>\r\n\r\n")
    assert isinstance(parent, Message)
    return build_reply(
        subject=subject,
        body=body,
        author=Mailbox("faq@example.jp", "窓口"),
        recipient="taro@customer.example.jp",
        message_id="<a1@example.jp>",
        date=NOW,
        answers=parent,
        automatic=automatic,
    ).raw


def _tags(mail: bytes) -> dict[str, str]:
    value = re.sub(rb"\r\n[ \t]", b" ", mail).partition(b"\r\n")[0].removeprefix(b"DKIM-Signature:")
    return {
        tag.strip(): re.sub(r"\s", "", content)
        for tag, _, content in (part.partition("=") for part in value.decode().split(";"))
    }


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("automatic", [True, False], ids=["automatic", "by a person"])
class TestASignature:
    def test_rfc_6376_3_it_holds_by_the_published_record(self, kind: str, automatic: bool) -> None:
        signer = _signer(kind)
        assert signer.holds(signer.signed(_mail(automatic=automatic)))

    def test_it_stands_before_a_mail_that_is_otherwise_what_it_was(self, kind: str, automatic: bool) -> None:
        raw = _mail(automatic=automatic)
        signature = _signer(kind).signed(raw).removesuffix(raw)
        assert re.fullmatch(rb"DKIM-Signature: [!-~ ]+\r\n(?:[ \t][!-~ ]+\r\n)*", signature)
        assert max(map(len, signature.split(b"\r\n"))) <= 78

    def test_rfc_6376_3_5_it_says_what_was_signed_and_how(self, kind: str, automatic: bool) -> None:
        tags = _tags(_signer(kind).signed(_mail(automatic=automatic)))
        assert (tags["c"], tags["d"], tags["s"]) == ("relaxed/relaxed", "example.jp", "answers2026")
        assert tags["a"] == ("ed25519-sha256" if kind.startswith("Ed") else "rsa-sha256")
        # RFC 6376 §8.2: with l= anybody may add to the body.
        assert "l" not in tags
        # RFC 6376 §8.15: From once more than it stands there. dkimpy's own verifier adds one by itself, others do not.
        assert tags["h"].split(":") == [
            *("from", "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted"),
            *("mime-version", "content-type", "content-transfer-encoding", "content-language"),
        ]

    def test_an_attempt_later_sends_the_same_octets(
        self, kind: str, automatic: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = _signer(kind).signed(_mail(automatic=automatic))
        monkeypatch.setattr("time.time", lambda: NOW.timestamp() + 86_400)
        assert _signer(kind).signed(_mail(automatic=automatic)) == first


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"From: ", b"From: <v@x.example>\r\nFrom: ", id="RFC 6376 §8.15: a second From above"),
        pytest.param(b"\r\n\r\n", b"\r\nFrom: <v@x.example>\r\n\r\n", id="RFC 6376 §8.15: a second From below"),
        pytest.param(b"To: taro@", b"To: jiro@", id="another recipient"),
        pytest.param(b"Subject: =", b"Subject: x =", id="another subject"),
        pytest.param(b"2026 09:00", b"2026 10:00", id="another date"),
        pytest.param(b"<a1@", b"<a2@", id="another id"),
        pytest.param(b"In-Reply-To: <p", b"In-Reply-To: <q", id="another parent"),
        pytest.param(b"References: <p", b"References: <q", id="another thread"),
        pytest.param(b"Auto-Submitted: auto-replied\r\n", b"", id="not automatic any more"),
        pytest.param(b"text/plain", b"text/html", id="another content type"),
        pytest.param(b"MIME-Version: 1.0\r\n", b"", id="no MIME version"),
        pytest.param(b"base64\r\n", b"8bit\r\n", id="another encoding"),
        pytest.param(b"base64\r\n", b"base64\r\nContent-Language: en\r\n", id="a language that it lacked"),
        pytest.param(b"44GX", b"44GY", id="another text"),
    ],
)
def test_a_change_on_the_way_is_seen(old: bytes, new: bytes) -> None:
    signer = _signer()
    signed = signer.signed(_mail())
    assert signed.count(old) >= 1
    assert signer.holds(signed)
    assert not signer.holds(signed.replace(old, new, 1))


def test_rfc_6376_3_4_what_servers_do_to_blanks_is_not() -> None:
    signer = _signer()
    # Another folding of a field, more blanks in it, and empty lines below.
    moved = signer.signed(_mail()).replace(b"To: taro", b"TO:  \r\n\ttaro") + b"\r\n\r\n"
    assert signer.holds(moved)


@given(subject=st.text(max_size=250), body=st.text(max_size=2000))
def test_every_mail_of_ours_can_be_signed(subject: str, body: str) -> None:
    signer = _signer()
    raw = _mail(subject=subject, body=body)
    assert signer.holds(signer.signed(raw))


class TestARecord:
    @pytest.mark.parametrize("kind", MAKE)
    def test_rfc_6376_3_6_1_it_is_the_public_half(self, kind: str) -> None:
        octets = _openssl("pkey -pubout -outform DER", _key(kind))
        if kind.startswith("Ed"):
            octets = octets[-32:]  # RFC 8463 §4: bare, without what says its kind
        shown = base64.b64encode(octets).decode()
        assert _signer(kind).key.record == f"v=DKIM1; k={kind.partition(',')[0].lower()}; p={shown}"

    def test_rfc_1035_3_3_its_strings_have_255_octets_at_most(self) -> None:
        signer = _signer("RSA, PKCS#8")
        name, strings = zone_line(signer).split(" IN TXT ")
        assert name == "answers2026._domainkey.example.jp."
        parts = re.findall(r'"([^"]*)"', strings)
        assert "".join(parts) == signer.key.record
        assert [len(part) <= 255 for part in parts] == [True, True]

    def test_another_record_does_not_speak_for_the_mail(self) -> None:
        ours, other = _signer("RSA, PKCS#8"), _signer("RSA, PKCS#1")
        assert not other.holds(ours.signed(_mail()))
        assert not replace(ours, domain="example.com").holds(ours.signed(_mail()))


class TestKeys:
    def test_a_bare_seed_and_windows_line_ends_are_read(self) -> None:
        seed = base64.b64encode(_openssl("pkey -outform DER", _key("Ed25519, PKCS#8"))[-32:])
        assert read_key(seed + b"\r\n") == read_key(_key("Ed25519, PKCS#8"))
        assert read_key(_key("RSA, PKCS#1").replace(b"\n", b"\r\n")) == read_key(_key("RSA, PKCS#1"))

    @pytest.mark.parametrize(
        ("make", "words"),
        [
            pytest.param(lambda: b"", "neither an RSA nor an Ed25519", id="an empty file"),
            pytest.param(lambda: b"\xff\xfe\0", "no private key in it", id="no text"),
            pytest.param(lambda: b"hello, world", "no private key in it", id="another text"),
            pytest.param(lambda: _openssl("genrsa 1024"), "1024 bits, and 2048 are the least", id="1024 bits"),
            pytest.param(
                lambda: _openssl("pkey -pubout", _key("RSA, PKCS#8")), "a public key", id="the public half of a pair"
            ),
            pytest.param(
                lambda: _openssl("pkey -aes128 -passout pass:x", _key("RSA, PKCS#8")), "encrypted", id="a password"
            ),
            pytest.param(
                lambda: _openssl("rsa -traditional -aes128 -passout pass:x", _key("RSA, PKCS#8")),
                "encrypted",
                id="a password, in the old form",
            ),
            pytest.param(
                lambda: _openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
                "neither an RSA nor an Ed25519",
                id="an elliptic curve that DKIM does not know",
            ),
            pytest.param(lambda: _key("RSA, PKCS#8")[:900], "a part of it is missing", id="half a file"),
            pytest.param(
                lambda: re.sub(rb"\n[^\n]{64}\n", b"\n", _key("RSA, PKCS#1"), count=1),
                "neither an RSA nor an Ed25519",
                id="a line that is missing",
            ),
        ],
    )
    def test_one_that_cannot_sign_is_told_without_quoting_it(self, make: Any, words: str) -> None:
        text = make()
        with pytest.raises(UnusableKey, match=words) as caught:
            read_key(text)
        assert not any(line in str(caught.value).encode() for line in text.split() if len(line) > 20)

    def test_it_is_not_shown_by_accident(self) -> None:
        signer = _signer("RSA, PKCS#8")
        assert "PRIVATE" not in repr(signer)
        assert base64.b64encode(signer.key.secret)[:40].decode() not in repr(signer)

    @given(st.binary(max_size=400))
    def test_any_octets_are_a_key_or_unusable(self, octets: bytes) -> None:
        for text in (
            octets,
            b"-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(octets) + b"\n-----END PRIVATE KEY-----",
        ):
            try:
                read_key(text)
            except UnusableKey:
                continue


def _content(mail: Any) -> bytes:
    content: bytes = mail.content
    return content


class TestLeaving:
    async def test_the_courier_signs_what_leaves_and_not_what_is_stored(
        self, store: Store, server: NextHopServer, next_hop: Any
    ) -> None:
        number = store.queue()
        server.moods["DOT"] = ["451 4.3.0 later"]
        signer = _signer()
        await store.deliver(next_hop, sign=signer.signed)
        await store.deliver(next_hop, now=NOW + timedelta(hours=1), sign=signer.signed)
        assert store.row(number).state == "sent"
        first, again = (_content(mail) for mail in server.mails)
        assert first == again
        assert signer.holds(first)
        assert b"DKIM-Signature" not in store.raw(number)
        assert server.mails[0].mail_options == [f"SIZE={len(first)}"]

    async def test_a_key_that_was_changed_meanwhile_signs_what_waited(
        self, store: Store, server: NextHopServer, next_hop: Any
    ) -> None:
        store.queue()
        server.moods["RCPT"] = ["450 4.2.0 greylisted"]
        await store.deliver(next_hop, sign=_signer("RSA, PKCS#1").signed)
        newer = _signer("RSA, PKCS#8")
        await store.deliver(next_hop, now=NOW + timedelta(hours=1), sign=newer.signed)
        assert newer.holds(_content(server.mails[0]))

    async def test_a_mail_that_cannot_be_signed_waits(self, store: Store, tmp_path: Path, logged: list[Any]) -> None:
        def broken(raw: bytes) -> bytes:
            raise UnusableKey("gone")

        number = store.queue()
        await store.deliver(Maildir(tmp_path / "replies"), sign=broken)
        assert (store.row(number).state, store.row(number).reply) == ("queued", "a fault of the courier: UnusableKey")
        assert not (tmp_path / "replies").exists()
