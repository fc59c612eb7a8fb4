"""user: who may use the staff pages."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder.cli.opened import Json, Opened, Who, now, opened
from responder.cli.output import as_json, fail, report, rows, say

if TYPE_CHECKING:
    from responder.store.accounts import Account, Role
    from responder.store.audit import Actor

Login = Annotated[str, typer.Argument(help="The name to log in with, in any case.")]
RoleName = Annotated[str, typer.Option("--role", help="agent, editor (the FAQ too) or administrator (accounts too).")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="A file whose first line is the password; - is standard input. Else a link is made.")
]

_USERS = ("login", "name", "role", "has_password", "disabled_at")

user_app = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands into the program."""
    app.add_typer(user_app, name="user", help="Who may use the staff pages.")


@user_app.command("list")
def list_users(context: typer.Context, as_lines: Json = False) -> None:
    """All accounts, disabled ones too."""
    from responder.store import accounts
    from responder.store.engine import reading

    place = opened(context)
    with reading(place.engine) as connection:
        found = [asdict(account) for account in accounts.listing(connection)]
    rows(found, _USERS, as_lines=as_lines, zone=place.zone, empty="Nobody has an account yet: responder user add LOGIN")


@user_app.command("add")
def add(
    context: typer.Context,
    login: Login,
    who: Who,
    name: Annotated[str, typer.Option(help="The name that colleagues see; else the login.")] = "",
    role: RoleName = "agent",
    password_file: PasswordFile = None,
    as_lines: Json = False,
) -> None:
    """Make an account. Without a password a link is printed by which one is chosen, once, within three days."""
    from responder.desk import roster
    from responder.store.accounts import fault_of_login, normal_login

    place = opened(context)
    fault = fault_of_login(login)
    if fault is not None:
        fail(f"{login!r} cannot be a login: {fault}.")
    hashed = None if password_file is None else _hashed(password_file, normal_login(login))
    by = _actor(who)
    wanted: dict[str, Any] = {"login": login, "name": name.strip() or login, "role": _role(role), "password": hashed}
    with place.engine.begin() as connection:
        account = roster.add(connection, **wanted, by=by, now=now())
        if account is None:
            fail(f"There is an account {normal_login(login)} already.")
        link = None if hashed is not None else roster.invite(connection, account, by=by, now=now())
    _tell_account(place, account, link, as_lines=as_lines)


@user_app.command("passwd")
def passwd(
    context: typer.Context, login: Login, who: Who, password_file: PasswordFile = None, as_lines: Json = False
) -> None:
    """Set a password, which ends the sessions of before; or print a link by which the person chooses one."""
    from responder.desk import roster

    place = opened(context)
    account, by, link = _account(place, login), _actor(who), None
    hashed = None if password_file is None else _hashed(password_file, account.login)
    with place.engine.begin() as connection:
        if hashed is None:
            link = roster.invite(connection, account, by=by, now=now())
        else:
            roster.set_password(connection, account, hashed, by=by, now=now())
    _tell_account(place, account, link, as_lines=as_lines)


@user_app.command("role")
def change_role(
    context: typer.Context,
    login: Login,
    role: Annotated[str, typer.Argument(help="agent, editor or administrator.")],
    who: Who,
    as_lines: Json = False,
) -> None:
    """Change what somebody may do, from the next page on."""
    from responder.desk import roster

    place = opened(context)
    account, wanted = _account(place, login), _role(role)
    with place.engine.begin() as connection:
        done = roster.set_role(connection, account, wanted, by=_actor(who), now=now())
    values = {"login": account.login, "role": wanted.value}
    report(done, values, _needed(account), as_lines=as_lines)


@user_app.command("disable")
def disable(context: typer.Context, login: Login, who: Who, as_lines: Json = False) -> None:
    """Shut somebody out at once. Nobody is deleted, for the records name them."""
    from responder.desk import roster

    place = opened(context)
    account = _account(place, login)
    with place.engine.begin() as connection:
        done = roster.disable(connection, account, by=_actor(who), now=now())
    report(done, {"login": account.login, "disabled": True}, _needed(account), as_lines=as_lines)


@user_app.command("enable")
def enable(context: typer.Context, login: Login, who: Who, as_lines: Json = False) -> None:
    """Let somebody in again, with the password of before."""
    from responder.desk import roster

    place = opened(context)
    account = _account(place, login)
    with place.engine.begin() as connection:
        done = roster.enable(connection, account, by=_actor(who), now=now())
    report(done, {"login": account.login, "disabled": False}, f"{account.login} is not disabled.", as_lines=as_lines)


@user_app.command("logout")
def logout(context: typer.Context, login: Login, who: Who, as_lines: Json = False) -> None:
    """End all sessions of somebody, at once."""
    from responder.desk import roster

    place = opened(context)
    account = _account(place, login)
    with place.engine.begin() as connection:
        ended = roster.log_out(connection, account, by=_actor(who), now=now())
    report(True, {"login": account.login, "sessions ended": ended}, "", as_lines=as_lines)


def _actor(who: str) -> "Actor":
    from responder.store.audit import Actor

    return Actor(who, "cli")


def _account(place: Opened, login: str) -> "Account":
    from responder.store import accounts
    from responder.store.engine import reading

    with reading(place.engine) as connection:
        return accounts.by_login(connection, login) or fail(f"There is no account {login}.")


def _role(name: str) -> "Role":
    from responder.store.accounts import Role

    if name not in list(Role):
        fail(f"There is no role {name}. There are {', '.join(Role)}.")
    return Role(name)


def _hashed(file: Path, login: str) -> str:
    from responder.desk import passwords

    try:
        text = sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}.")
    password = (text.splitlines() or [""])[0]
    weakness = passwords.weakness_of(password, login)
    if weakness is not None:
        fail(f"This password will not do: {weakness}.")
    return passwords.hash_of(password)


def _needed(account: "Account") -> str:
    return f"{account.login} is the last administrator who can log in: make another one first."


def _tell_account(place: Opened, account: "Account", link: str | None, *, as_lines: bool) -> None:
    from responder.app.pieces import pages_url

    values = {"login": account.login, "role": account.role.value}
    if link is not None:
        values["link"] = f"{pages_url(place.config)}/welcome/{link}"
    if as_lines:
        say(as_json(values))
    elif link is None:
        say(f"login: {account.login}  role: {account.role}  the password is set.")
    else:
        say(f"login: {account.login}  role: {account.role}  to choose a password, once, within three days:")
        say(values["link"])
