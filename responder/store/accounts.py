"""Who may use the staff pages. Nobody is deleted, for the records name them: an account is disabled."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.schema import accounts, sessions


class Role(StrEnum):
    """What somebody may do; each may do what the ones before may. Compare by `may`: as text they sort otherwise."""

    AGENT = "agent"
    EDITOR = "editor"
    ADMINISTRATOR = "administrator"

    def may(self, needed: "Role") -> bool:
        """Whether this role includes the needed one."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody, without the password's hash."""

    id: int
    login: str
    name: str
    role: Role
    language: str
    """"ja" or "en"."""
    shortcuts: bool
    """Whether single keys are commands on the pages."""
    signature: str
    """The name under the letters; "" where none was chosen."""
    disabled_at: datetime | None
    subject: str | None
    """Issuer and subject of an OpenID provider, with a space between."""
    has_password: bool


def normal_login(login: str) -> str:
    """The one way a login is kept and compared: NFKC, lower case, no blanks around it."""
    return unicodedata.normalize("NFKC", login).strip().lower()


def fault_of_login(login: str) -> str | None:
    """What keeps a login from being one, or None: 1 to 100 printable characters without blanks once it is normal."""
    normal = normal_login(login)
    if not 1 <= len(normal) <= 100:
        return "a login has 1 to 100 characters"
    return None if normal.isprintable() and " " not in normal else "a login has no blanks and no control characters"


def add(
    conn: Connection,
    *,
    login: str,
    name: str,
    role: Role,
    now: datetime,
    password: str | None = None,
    subject: str | None = None,
) -> Account | None:
    """A new account; `password` is its hash. None where the login is taken, by a disabled account too."""
    login = normal_login(login)
    if by_login(conn, login) is not None:
        return None
    values = {"login": login, "name": name, "role": role.value, "password": password, "subject": subject}
    number = conn.execute(sa.insert(accounts).values(**values, made_at=now).returning(accounts.c.id)).scalar_one()
    return find(conn, number)


def find(conn: Connection, account_id: int) -> Account | None:
    """One account, disabled or not."""
    return _only(conn, accounts.c.id == account_id)


def by_login(conn: Connection, login: str) -> Account | None:
    """The account of a login, however it is typed; disabled or not."""
    return _only(conn, accounts.c.login == normal_login(login))


def by_subject(conn: Connection, subject: str) -> Account | None:
    """The account of an OpenID provider's user; disabled or not."""
    return _only(conn, accounts.c.subject == subject)


def listing(conn: Connection) -> list[Account]:
    """All accounts by login, disabled ones too."""
    return [account_of_row(row) for row in conn.execute(_accounts().order_by(accounts.c.login))]


def names(conn: Connection) -> dict[str, str]:
    """What people are called, by login, for lists of what they did."""
    return {row.login: row.name for row in conn.execute(sa.select(accounts.c.login, accounts.c.name))}


def are_there(conn: Connection) -> bool:
    """Whether anybody has an account, disabled or not."""
    return bool(conn.execute(sa.select(sa.exists().where(accounts.c.id.is_not(None)))).scalar_one())


def password_of(conn: Connection, account_id: int) -> str | None:
    """The hash of the password, for whoever verifies one; None where there is none, or the account is disabled."""
    statement = sa.select(accounts.c.password).where(accounts.c.id == account_id, accounts.c.disabled_at.is_(None))
    found: str | None = conn.execute(statement).scalar_one_or_none()
    return found


def set_password(conn: Connection, account_id: int, password: str) -> bool:
    """Keep the hash of a new password. Sessions go on: whoever changes it for safety ends them too."""
    return _change(conn, account_id, password=password)


def bind_subject(conn: Connection, account_id: int, subject: str) -> bool:
    """Let an OpenID provider's user in as this account from now on."""
    return _change(conn, account_id, subject=subject)


def rename(conn: Connection, account_id: int, name: str) -> bool:
    """Give somebody another name; records written before keep the login, which never changes."""
    return _change(conn, account_id, name=name)


def set_preferences(conn: Connection, account_id: int, *, language: str, shortcuts: bool, signature: str) -> bool:
    """What people choose for themselves."""
    return _change(conn, account_id, language=language, shortcuts=shortcuts, signature=signature)


def set_role(conn: Connection, account_id: int, role: Role) -> bool:
    """Change the role; False where there is no such account, or nobody would be left to administer."""
    if role is not Role.ADMINISTRATOR and not _others_administer(conn, account_id):
        return False
    return _change(conn, account_id, role=role.value)


def disable(conn: Connection, account_id: int, *, now: datetime) -> bool:
    """Shut somebody out at once; False where there is no such account, or nobody would be left to administer."""
    if not _others_administer(conn, account_id):
        return False
    conn.execute(sa.delete(sessions).where(sessions.c.account_id == account_id))
    return _change(conn, account_id, disabled_at=now)


def enable(conn: Connection, account_id: int) -> bool:
    """Let somebody in again, with the password of before; False where nobody was shut out."""
    statement = sa.update(accounts).where(accounts.c.id == account_id, accounts.c.disabled_at.is_not(None))
    return conn.execute(statement.values(disabled_at=None)).rowcount == 1


def _others_administer(conn: Connection, account_id: int) -> bool:
    """Whether the account may cease to be an administrator. The rows stay locked: two could each rely on the other."""
    able = sa.or_(accounts.c.password.is_not(None), accounts.c.subject.is_not(None))
    held = (accounts.c.role == Role.ADMINISTRATOR.value, accounts.c.disabled_at.is_(None))
    statement = sa.select(accounts.c.id, able).where(*held).order_by(accounts.c.id).with_for_update()
    administrators = {row[0]: bool(row[1]) for row in conn.execute(statement)}
    others = any(is_able for number, is_able in administrators.items() if number != account_id)
    return others or account_id not in administrators


def _change(conn: Connection, account_id: int, **values: Any) -> bool:
    return conn.execute(sa.update(accounts).where(accounts.c.id == account_id).values(**values)).rowcount == 1


_OWN = ("id", "login", "name", "role", "language", "shortcuts", "signature", "disabled_at", "subject")


def columns() -> list[sa.ColumnElement[Any]]:
    """What `account_of_row` makes an Account of, for statements of the store that join accounts."""
    return [*(accounts.c[name] for name in _OWN), accounts.c.password.is_not(None).label("has_password")]


def _accounts() -> sa.Select[Any]:
    return sa.select(*columns())


def account_of_row(row: sa.Row[*tuple[Any, ...]]) -> Account:
    """An Account of a row that holds `columns`."""
    values = row._mapping
    own = {name: values[name] for name in (*_OWN, "has_password")}
    return Account(**{**own, "role": Role(own["role"]), "has_password": bool(own["has_password"])})


def _only(conn: Connection, condition: sa.ColumnElement[bool]) -> Account | None:
    row = conn.execute(_accounts().where(condition)).first()
    return None if row is None else account_of_row(row)
