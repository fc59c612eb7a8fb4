# ruff: noqa: S105, S106 - every password here is made up
from __future__ import annotations

import ssl
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from responder.courier.smtp import SmtpNextHop
from responder.mail.delivery import Deferred, Sent
from responder.store.outbox import Delivery

if TYPE_CHECKING:
    from tests.courier.conftest import NextHopServer, Start

SHORT = timedelta(milliseconds=200)


class TestTls:
    async def test_starttls_against_our_authority(
        self, start_server: Start, server_tls: ssl.SSLContext, certificate: Path, delivery: Delivery
    ) -> None:
        server = await start_server(tls_context=server_tls)
        assert isinstance((await server.attempt(delivery, tls="starttls", ca_file=certificate))[0], Sent)
        assert server.sessions[0].ssl is not None
        assert [word.split()[0] for word in server.arguments[:4]] == ["EHLO", "STARTTLS", "EHLO", "MAIL"]
        assert server.mails[0].mail_options == [f"SIZE={len(delivery.raw)}"]

    async def test_tls_from_the_first_octet(
        self, start_server: Start, server_tls: ssl.SSLContext, certificate: Path, delivery: Delivery
    ) -> None:
        server = await start_server(implicit_tls=server_tls)
        assert isinstance((await server.attempt(delivery, tls="tls", ca_file=certificate))[0], Sent)

    @pytest.mark.parametrize("tls", ["starttls", "tls"])
    async def test_a_certificate_of_nobody_known_defers(
        self, start_server: Start, server_tls: ssl.SSLContext, delivery: Delivery, tls: str
    ) -> None:
        server = await start_server(**{"tls_context" if tls == "starttls" else "implicit_tls": server_tls})
        (outcome,) = await server.attempt(delivery, tls=tls)
        assert isinstance(outcome, Deferred)
        assert "certificate verify failed" in outcome.reply
        assert not server.mails

    async def test_a_certificate_for_another_name_defers(
        self, start_server: Start, server_tls: ssl.SSLContext, certificate: Path, delivery: Delivery
    ) -> None:
        server = await start_server(tls_context=server_tls)
        (outcome,) = await server.attempt(delivery, tls="starttls", ca_file=certificate, host="localhost")
        assert isinstance(outcome, Deferred)
        assert "certificate verify failed" in outcome.reply
        assert not server.mails

    async def test_starttls_that_is_not_offered_defers(self, server: NextHopServer, delivery: Delivery) -> None:
        (outcome,) = await server.attempt(delivery, tls="starttls")
        assert outcome == Deferred("SMTP STARTTLS extension not supported by server.")

    @pytest.mark.parametrize("mood", ["454 4.7.0 not now", "501 5.5.4 no", "554 5.7.3 no", "drop"])
    async def test_starttls_that_is_refused_defers(
        self, start_server: Start, server_tls: ssl.SSLContext, delivery: Delivery, mood: str
    ) -> None:
        server = await start_server(tls_context=server_tls)
        server.moods["STARTTLS"] = [mood]
        assert isinstance((await server.attempt(delivery, tls="auto"))[0], Deferred)
        assert not server.mails

    async def test_tls_spoken_to_a_server_without_it_defers(self, server: NextHopServer, delivery: Delivery) -> None:
        (outcome,) = await server.attempt(delivery, tls="tls", timeout=SHORT)
        assert isinstance(outcome, Deferred)

    async def test_auto_encrypts_where_it_can_whatever_the_certificate(
        self, start_server: Start, server_tls: ssl.SSLContext, delivery: Delivery
    ) -> None:
        server = await start_server(tls_context=server_tls)
        assert isinstance((await server.attempt(delivery, tls="auto"))[0], Sent)
        assert server.sessions[0].ssl is not None

    async def test_auto_goes_in_clear_where_nothing_is_offered(self, server: NextHopServer, delivery: Delivery) -> None:
        assert isinstance((await server.attempt(delivery, tls="auto"))[0], Sent)

    async def test_auto_does_not_send_a_password_in_clear(self, server: NextHopServer, delivery: Delivery) -> None:
        assert isinstance((await server.attempt(delivery, tls="auto", username="faq", password="s3cret"))[0], Deferred)
        assert server.told("AUTH") == 0

    async def test_auto_does_not_send_a_password_to_a_stranger(
        self, start_server: Start, server_tls: ssl.SSLContext, certificate: Path, delivery: Delivery
    ) -> None:
        server = await start_server(tls_context=server_tls)
        login = {"tls": "auto", "username": "faq", "password": "s3cret"}
        assert isinstance((await server.attempt(delivery, **login))[0], Deferred)
        assert isinstance((await server.attempt(delivery, ca_file=certificate, **login))[0], Sent)
        assert server.logins == [("PLAIN", "faq", "s3cret")]

    async def test_none_does_not_even_where_it_is_offered(
        self, start_server: Start, server_tls: ssl.SSLContext, delivery: Delivery
    ) -> None:
        server = await start_server(tls_context=server_tls)
        assert isinstance((await server.attempt(delivery, tls="none"))[0], Sent)
        assert server.told("STARTTLS") == 0

    async def test_an_authority_that_cannot_be_read_defers(
        self, start_server: Start, server_tls: ssl.SSLContext, tmp_path: Path, delivery: Delivery
    ) -> None:
        server = await start_server(tls_context=server_tls)
        assert isinstance((await server.attempt(delivery, tls="starttls", ca_file=tmp_path / "gone.pem"))[0], Deferred)


class TestLogin:
    @pytest.mark.parametrize(("auth", "mechanism"), [("auto", "PLAIN"), ("plain", "PLAIN"), ("login", "LOGIN")])
    async def test_a_password(self, server: NextHopServer, delivery: Delivery, auth: str, mechanism: str) -> None:
        assert isinstance((await server.attempt(delivery, username="faq", password="s3cret", auth=auth))[0], Sent)
        assert server.logins == [(mechanism, "faq", "s3cret")]

    async def test_one_login_serves_all_mails_of_a_connection(self, server: NextHopServer, delivery: Delivery) -> None:
        await server.attempt(*[delivery] * 3, username="faq", password="s3cret")
        assert len(server.logins) == 1

    @pytest.mark.parametrize("auth", ["auto", "plain", "login"])
    async def test_a_wrong_password_defers(self, server: NextHopServer, delivery: Delivery, auth: str) -> None:
        server.accepts = lambda mechanism, user, secret: False
        outcomes = await server.attempt(delivery, username="faq", password="wrong", auth=auth)
        assert outcomes == [Deferred("535 5.7.8 the next hop refused our credentials")]
        await server.until(lambda: server.open == 0)

    @pytest.mark.parametrize("mood", ["454 4.7.0 later", "504 5.5.4 unknown", "535 no, {secret}!", "drop"])
    async def test_nothing_secret_is_repeated_whatever_the_server_says(
        self, server: NextHopServer, delivery: Delivery, mood: str
    ) -> None:
        secret = "s3cret-of-ours"
        server.moods["AUTH"] = [mood.format(secret=secret)]
        (outcome,) = await server.attempt(delivery, username="faq", password=secret, auth="plain")
        assert isinstance(outcome, Deferred)
        assert secret not in outcome.reply
        assert secret not in repr(server.smarthost(username="faq", password=secret))

    async def test_a_server_without_auth_defers(self, start_server: Start, delivery: Delivery) -> None:
        server = await start_server(auth_exclude_mechanism=["PLAIN", "LOGIN", "XOAUTH2"])
        assert isinstance((await server.attempt(delivery, username="faq", password="s3cret"))[0], Deferred)


def _tokens(folder: Path) -> tuple[str, ...]:
    """A command that prints a new token at every call."""
    script = (
        "with open('calls', 'a+') as calls:\n"
        "    calls.write('x')\n"
        "    print(f'token-{calls.tell()}')\n"
        "print('expires in an hour')\n"
    )
    (folder / "token.py").write_text(script)
    return ("/bin/sh", "-c", f"cd '{folder}' && exec '{sys.executable}' -S token.py")


class TestAccessTokens:
    @pytest.mark.parametrize("auth", ["auto", "xoauth2"])
    async def test_one_is_fetched_once_for_all_connections(
        self, server: NextHopServer, delivery: Delivery, tmp_path: Path, auth: str
    ) -> None:
        login = {"username": "faq", "auth": auth, "token_command": _tokens(tmp_path)}
        next_hop = SmtpNextHop(server.smarthost(idle=SHORT, **login))
        assert isinstance(await next_hop.attempt(delivery), Sent)
        await server.until(lambda: server.open == 0)
        assert isinstance(await next_hop.attempt(delivery), Sent)
        await next_hop.close()
        assert server.logins == [("XOAUTH2", "faq", "token-1")] * 2

    async def test_one_that_has_run_out_is_replaced(
        self, server: NextHopServer, delivery: Delivery, tmp_path: Path
    ) -> None:
        next_hop = SmtpNextHop(server.smarthost(username="faq", token_command=_tokens(tmp_path), idle=SHORT))
        assert isinstance(await next_hop.attempt(delivery), Sent)
        await server.until(lambda: server.open == 0)
        server.accepts = lambda mechanism, user, secret: secret != "token-1"
        assert isinstance(await next_hop.attempt(delivery), Sent)
        await next_hop.close()
        assert [secret for _, _, secret in server.logins] == ["token-1", "token-1", "token-2"]

    async def test_a_new_one_that_is_refused_defers_and_is_not_kept(
        self, server: NextHopServer, delivery: Delivery, tmp_path: Path
    ) -> None:
        server.accepts = lambda mechanism, user, secret: False
        outcomes = await server.attempt(delivery, delivery, username="faq", token_command=_tokens(tmp_path))
        assert outcomes == [Deferred("535 5.7.8 the next hop refused our credentials")] * 2
        assert [secret for _, _, secret in server.logins] == ["token-1", "token-2"]

    @pytest.mark.parametrize(
        "command",
        [
            pytest.param(("/bin/sh", "-c", "echo half-a-token; echo s3cret >&2; exit 3"), id="it fails"),
            pytest.param(("/bin/true",), id="it prints nothing"),
            pytest.param(("/no/such/command",), id="it is not there"),
        ],
    )
    async def test_a_command_that_gives_none_defers(
        self, server: NextHopServer, delivery: Delivery, command: tuple[str, ...]
    ) -> None:
        (outcome,) = await server.attempt(delivery, username="faq", token_command=command)
        assert isinstance(outcome, Deferred)
        assert "half-a-token" not in outcome.reply
        assert "s3cret" not in outcome.reply
        assert server.told("AUTH") == 0
