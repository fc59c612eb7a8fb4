"""Single sign-on with a real OpenID provider on loopback: who gets in, as whom, and what is not believed."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey
from playwright.sync_api import Browser, expect

from responder.desk import roster
from responder.desk.identity import Departure, Registration
from responder.desk.provider import Provider
from responder.desk.routing import cookie_of
from responder.store import accounts, audit
from responder.store.accounts import Account, Role
from responder.store.audit import Actor
from responder.store.engine import open_engine, reading, upgrade
from tests.desk.conftest import NO_TLS, Served, desk_on, served
from tests.desk.issuer import CLIENT, SECRET, Issuer, issuing

BY = Actor("root", "cli")


@pytest.fixture(scope="module")
def running_issuer() -> Iterator[Issuer]:
    """One provider for all tests of the module."""
    with issuing() as made:
        yield made


@pytest.fixture
def issuer(running_issuer: Issuer) -> Issuer:
    """The provider as it is when it behaves."""
    running_issuer.behave()
    return running_issuer


@contextmanager
def _desk(folder: Path, issuer: Issuer, **settings: Any) -> Iterator[Served]:
    engine = open_engine(f"sqlite:///{folder / 'desk.db'}")
    upgrade(engine)
    provider = Provider(Registration(issuer.url, CLIENT, SECRET, **settings))
    with served(desk_on(engine, provider=provider)) as made:
        yield made
    engine.dispose()


@pytest.fixture
def desk(tmp_path: Path, issuer: Issuer) -> Iterator[Served]:
    """A desk with this provider, where only those get in who have an account."""
    with _desk(tmp_path, issuer) as made:
        yield made


@pytest.fixture(scope="module")
def unmoved(tmp_path_factory: pytest.TempPathFactory, running_issuer: Issuer) -> Iterator[Served]:
    """A desk for tests after which nothing is another way than before: one account, and nobody gets in."""
    with _desk(tmp_path_factory.mktemp("unmoved"), running_issuer) as made:
        _add(made)
        yield made


def _add(desk: Served, login: str = "sato@example.jp", role: Role = Role.AGENT) -> Account:
    with desk.engine.begin() as connection:
        made = roster.add(connection, login=login, name="佐藤", role=role, by=BY, now=desk.desk.clock())
    assert made is not None
    return made


def _come_back(desk: Served, path: str = "/login/oidc") -> httpx.Response:
    """Out to the provider and back, as a browser goes; the answer to the way back."""
    client = desk.client()
    away = client.get(path)
    assert away.status_code == 303, away.text
    back = httpx.get(away.headers["location"], verify=NO_TLS).headers["location"]
    return client.get(back)


def _account(desk: Served, login: str = "sato@example.jp") -> Account | None:
    with reading(desk.engine) as connection:
        return accounts.by_login(connection, login)


def _is_in(desk: Served, reply: httpx.Response) -> bool:
    token = reply.cookies.get(cookie_of(desk.desk))
    return token is not None and desk.client(token).get("/account").status_code == 200


def test_a_verified_address_that_is_a_login_gets_in_and_is_bound(desk: Served, issuer: Issuer) -> None:
    _add(desk)
    reply = _come_back(desk, "/login/oidc?next=/account")
    assert reply.status_code == 200
    assert 'content="0; url=/account"' in reply.text
    assert _is_in(desk, reply)
    account = _account(desk)
    assert account is not None
    assert account.subject == f"{issuer.url} 42"
    with reading(desk.engine) as connection:
        assert [event.action for event in audit.export(connection)] == ["account.add", "account.bind", "login"]


def test_who_is_bound_gets_in_by_the_subject_whatever_the_address(desk: Served, issuer: Issuer) -> None:
    _add(desk)
    _come_back(desk)
    issuer.claims |= {"email": "married@example.jp", "email_verified": False}
    assert _is_in(desk, _come_back(desk))


def test_an_address_that_somebody_else_has_now_opens_nothing(desk: Served, issuer: Issuer) -> None:
    _add(desk)
    _come_back(desk)
    issuer.claims["sub"] = "43"
    reply = _come_back(desk)
    assert reply.status_code == 403
    assert not _is_in(desk, reply)


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": "nobody@example.jp"},
        {"email": "ｓato@example.jp"},
        {"email": None},
    ],
    ids=["not verified", "verified in a text", "no such login", "full width", "no address"],
)
def test_who_is_not_known_is_refused(unmoved: Served, issuer: Issuer, claims: dict[str, Any]) -> None:
    issuer.claims |= claims
    reply = _come_back(unmoved)
    assert (reply.status_code, _is_in(unmoved, reply)) == (403, False)
    assert "この窓口のアカウントが登録されていません" in reply.text
    with reading(unmoved.engine) as connection:
        assert [one.login for one in accounts.listing(connection)] == ["sato@example.jp"]


def test_a_disabled_account_is_refused(desk: Served) -> None:
    account = _add(desk)
    with desk.engine.begin() as connection:
        roster.disable(connection, account, by=BY, now=desk.desk.clock())
    assert _come_back(desk).status_code == 403


def test_where_it_is_settled_so_whoever_is_new_becomes_an_agent(tmp_path: Path, issuer: Issuer) -> None:
    with _desk(tmp_path, issuer, make_accounts=True) as desk:
        assert _is_in(desk, _come_back(desk))
        account = _account(desk)
        assert account is not None
        assert (account.role, account.name, account.has_password) == (Role.AGENT, "佐藤", False)
        issuer.claims |= {"sub": "43", "email": "x@example.jp", "email_verified": False}
        assert not _is_in(desk, _come_back(desk))


def test_a_claim_settles_the_role_at_each_login(tmp_path: Path, issuer: Issuer) -> None:
    settings = {"roles_claim": "groups", "editors": "faq", "administrators": "desk-admins", "trust_email": True}
    with _desk(tmp_path, issuer, **settings) as desk:
        _add(desk, "boss@example.jp", Role.ADMINISTRATOR)
        with desk.engine.begin() as connection:
            accounts.set_password(connection, 1, "a hash")
        _add(desk)
        del issuer.claims["email_verified"]
        for groups, role in (
            (["faq", "x"], Role.EDITOR),
            (["desk-admins", "faq"], Role.ADMINISTRATOR),
            ("faq", Role.EDITOR),
            ([{"faq": 1}, 7], Role.AGENT),
            (None, Role.AGENT),
        ):
            issuer.claims["groups"] = groups
            assert _is_in(desk, _come_back(desk))
            account = _account(desk)
            assert account is not None
            assert account.role is role, groups


_STRANGER = RSAKey.generate_key(2048, {"kid": "1"})


@pytest.mark.parametrize(
    "lie",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"aud": "another client"}},
        {"claims": {"aud": [CLIENT, "another"]}},
        {"claims": {"iss": "https://evil.example"}},
        {"claims": {"exp": 1}},
        {"claims": {"sub": ""}},
        {"claims": {"sub": None}},
        {"signed_by": _STRANGER},
        {"signed_by": OctKey.import_key(SECRET + SECRET, {"kid": "1"}), "algorithm": "HS256"},
        {"token": {"id_token": None}},
        {"token": {"id_token": "a.b.c"}},
        {"token": {"id_token": 7}},
        {"token": {"error": "x", "id_token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiJ9."}},
    ],
    ids=lambda lie: str(lie)[:60],
)
def test_an_id_token_that_does_not_hold_lets_nobody_in(unmoved: Served, issuer: Issuer, lie: dict[str, Any]) -> None:
    for name, value in lie.items():
        setattr(issuer, name, issuer.claims | value if name == "claims" else value)
    reply = _come_back(unmoved)
    assert (reply.status_code, _is_in(unmoved, reply)) == (502, False)


@pytest.mark.parametrize("number", ["2", "1"], ids=["another number", "the same number"])
def test_keys_that_the_provider_has_changed_are_fetched_again(desk: Served, issuer: Issuer, number: str) -> None:
    _add(desk)
    assert _is_in(desk, _come_back(desk))
    assert _is_in(desk, _come_back(desk))
    assert issuer.asked == ["metadata", "token", "keys", "token"]
    before, issuer.key = issuer.key, RSAKey.generate_key(2048, {"kid": number})
    assert _is_in(desk, _come_back(desk))
    issuer.key = before


def test_what_comes_back_to_another_browser_or_twice_opens_nothing(desk: Served) -> None:
    _add(desk)
    client = desk.client()
    back = httpx.get(client.get("/login/oidc").headers["location"], verify=NO_TLS).headers["location"]
    assert desk.client().get(back).status_code == 400
    other = desk.client()
    other.get("/login/oidc")
    assert other.get(back).status_code == 400
    assert client.get(back.replace("&iss=", "&iss=https://evil.example/")).status_code == 401
    assert client.get(f"/login/oidc/back?error=access_denied&state={back.split('state=')[1]}").status_code == 401
    done = client.get(back)
    assert _is_in(desk, done)
    assert client.get(back).status_code == 400


_NESTED = base64.urlsafe_b64encode(b"[" * 100_000).decode()


@pytest.mark.parametrize("cookie", ["", "x", "e30=", "W10=", "eyJzdGF0ZSI6IDF9", "é", _NESTED])
def test_a_cookie_that_is_none_of_ours_is_no_departure(cookie: str) -> None:
    assert Departure.unsealed(cookie) is None
    made = Departure.to("/cases?q=1")
    assert Departure.unsealed(made.sealed()) == made


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "ftp://x"}, {"jwks_uri": None}, {"token_endpoint": 7}],
    ids=["another issuer", "an odd endpoint", "no keys", "no text"],
)
def test_metadata_that_do_not_hold_are_not_believed(desk: Served, issuer: Issuer, metadata: dict[str, Any]) -> None:
    issuer.metadata = metadata
    assert desk.client().get("/login/oidc").status_code == 502


def test_a_provider_that_is_away_is_told_of_and_passwords_go_on(tmp_path: Path) -> None:
    with _desk(tmp_path, Issuer("http://127.0.0.1:1")) as desk:
        reply = desk.client().get("/login/oidc")
        assert reply.status_code == 502
        assert 'name="password"' in reply.text


def test_without_a_provider_there_is_no_such_page(pages: Served) -> None:
    assert pages.client().get("/login/oidc").status_code == 404
    assert pages.client().get("/login/oidc/back?code=x&state=y").status_code == 404
    assert "oidc" not in pages.client().get("/login").text


def test_a_browser_goes_out_and_comes_back_to_the_page_it_wanted(desk: Served, browser: Browser) -> None:
    _add(desk)
    page = desk.enter(browser).new_page()
    page.goto("/account")
    page.get_by_role("link", name="シングルサインオンでログイン").click()
    expect(page.locator("h1")).to_have_text("アカウントの設定")
    expect(page.locator("main")).to_contain_text("パスワードは設定されていません")
