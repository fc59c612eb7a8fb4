"""The one place that knows SQLite from PostgreSQL."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from responder.errors import Fault, StoreError

MIGRATIONS = Path(__file__).parent / "migrations"

# Any number that is ours alone: it serialises the processes that upgrade one PostgreSQL at the same moment.
_UPGRADE_LOCK = 0x7265_7370_6F6E_6465
_LOCKS = {"settling": _UPGRADE_LOCK + 1, "logging in": _UPGRADE_LOCK + 2}

_BUSY_SECONDS = 30
_CHECKPOINT_MILLISECONDS = 100

# A process that stands still, or whose machine was cut off, in the middle of a transaction holds what others wait for;
# PostgreSQL itself would let it for hours.
_STANDSTILL = "idle_in_transaction_session_timeout=20s"


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://…`. Nothing is connected yet. Raises StoreError."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise _store_error("not a database URL", "Write sqlite:///path/to/file.db or postgresql://…") from error
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed)
        case "postgresql" | "postgres":
            return _postgresql(parsed)
        case other:
            raise _store_error(f"no support for {other}", "Write sqlite:///path/to/file.db or postgresql://…")


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise _store_error("SQLite without a file keeps nothing", "Name a file: sqlite:///state/responder.db")
    try:
        _make_private(Path(url.database))
    except OSError as error:
        raise _store_error(f"its file cannot be made ({error.strerror})", "Name a folder we may write to") from error
    connect_args = {"timeout": _BUSY_SECONDS, "isolation_level": None}
    engine = sa.create_engine(url, connect_args=connect_args)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(file: Path) -> None:
    # People's mail stands in it. SQLite gives its other files the mode of the first.
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    _switch_to_wal(connection)
    # WAL with synchronous=FULL flushes at every commit; NORMAL would lose the last mails at a power cut (Law 1). The
    # log is written back after 16 MB instead of 4: an index's pages change with every mail, and most of these changes
    # are never written then.
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=4000"):
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    # Several processes may open a new file at the same moment, and for this one switch SQLite does not wait its turn
    # as long as it was told to (seen once in some 1,400 openings under load).
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            if connection.execute("PRAGMA page_count").fetchone()[0] == 0:
                # Only a new file takes this on: what is erased is given back without a VACUUM, which stops everybody.
                connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another wrote in between, whatever the
    # busy timeout says; taking the write lock at the start waits its turn instead.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _postgresql(url: URL) -> Engine:
    try:
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,  # the database may have restarted since the connection was last used
            connect_args={"connect_timeout": 10, "options": f"-c timezone=UTC -c {_STANDSTILL}"},
        )
    except ModuleNotFoundError as error:
        raise _store_error(
            "the driver for PostgreSQL is not installed", "pip install 'faq-responder[postgres]'"
        ) from error


def is_there(url: str) -> bool:
    """Whether there may be something to read: to open SQLite's file would make it. For a URL that was checked."""
    parsed = make_url(url)
    return parsed.get_backend_name() != "sqlite" or bool(parsed.database and Path(parsed.database).exists())


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reading only: on SQLite it never waits for a writer, nor makes one wait."""
    with engine.connect().execution_options(reading=True) as connection:
        yield connection


@contextmanager
def erasing(engine: Engine) -> Iterator[Connection]:
    """A transaction whose end leaves nothing readable of what it let go of, in the file of SQLite itself."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            _set_secure_delete(connection, "ON")
        try:
            with connection.begin():
                yield connection
        finally:
            if engine.dialect.name == "sqlite":
                _set_secure_delete(connection, "OFF")


def _set_secure_delete(connection: Connection, value: str) -> None:
    # On the driver's own connection, for SQLAlchemy would begin a transaction; and not for all that is written: a mail
    # that is settled is written anew, and its old octets would be written once more.
    connection.connection.cursor().execute(f"PRAGMA secure_delete={value}")


def give_back(engine: Engine, *, go_on: Callable[[], bool] = lambda: True) -> None:
    """Let the system have the room of what was erased, a little at a time, while `go_on` says so; PostgreSQL sees to
    that by itself."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        driver = connection.connection.cursor()
        while go_on() and driver.execute("PRAGMA freelist_count").fetchone()[0] and _shrinks(driver):
            pass
        # What the log still holds of it goes with the next mails that are written over it; now, where nobody reads. To
        # wait for whoever does would keep everybody from writing meanwhile: an hour later they have read.
        driver.execute(f"PRAGMA busy_timeout={_CHECKPOINT_MILLISECONDS}")
        try:
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            driver.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")


def _shrinks(driver: Any) -> bool:
    before = driver.execute("PRAGMA page_count").fetchone()[0]
    driver.execute("PRAGMA incremental_vacuum(500)").fetchall()
    return bool(driver.execute("PRAGMA page_count").fetchone()[0] < before)


def of_the_store(error: BaseException) -> bool:
    """Whether the database is away, locked or full: then no row is to blame, and trying each alone would not help."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


def words_of(error: Exception) -> str:
    """What a database said, in one line for the log, without the statement and its values: they may be of a mail."""
    # The first line of the driver: what follows it, and what SQLAlchemy says, quotes both.
    unsaid = type(error).__name__ if isinstance(error, SQLAlchemyError) else error
    return str(getattr(error, "orig", None) or unsaid).partition("\n")[0][:300]


def one_at_a_time(conn: Connection, at: Literal["settling", "logging in"] = "settling") -> None:
    """Wait until nobody else is at it, and keep others from it until the transaction ends.

    What was sent before decides what may be sent now, and under READ COMMITTED two workers would both see nothing. On
    SQLite a transaction that writes is alone anyway.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCKS[at])))


def inserting(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say what happens where the row is there already: both databases say it in the same words."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def upsert(
    conn: Connection,
    table: sa.Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    changed: Mapping[str, Any] | None = None,
    where: sa.ColumnElement[bool] | None = None,
) -> None:
    """Insert a row, or change the one that has the key: to `values`, or to `changed`, and only where `where` holds."""
    statement = inserting(conn.dialect.name, table).values(**key, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed or values, where=where))


def upgrade(engine: Engine) -> None:
    """Bring the schema to this version; several processes may do so at once. Raises StoreError."""
    from alembic import command

    with _faults_of_the_store(engine), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
        config = _alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def schema_state(engine: Engine) -> tuple[str | None, str]:
    """The revision of the database (None: empty) and the revision of this program. Raises StoreError.

    Read by hand: importing alembic takes longer than most commands run.
    """
    with _faults_of_the_store(engine), reading(engine) as connection:
        known = sa.inspect(connection).has_table("alembic_version")
        statement = sa.text("SELECT version_num FROM alembic_version")
        current = connection.execute(statement).scalar_one_or_none() if known else None
    return current, schema_head()


def schema_head() -> str:
    """The revision of this program's schema."""
    return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def make_ready(engine: Engine) -> None:
    """Upgrade a store that is empty or older than this program; refuse one that is newer. Raises StoreError."""
    current, ours = schema_state(engine)
    if current is not None and current > ours:
        problem = f"{_place(engine)} was made by a newer version (schema {current}, this program has {ours})"
        raise _store_error(problem, "Install that version, or restore a backup from before the upgrade")
    if current != ours:
        upgrade(engine)


def _alembic_config() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _faults_of_the_store(engine: Engine) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        remedy = "See that the server runs, that the URL is right, and that we may write there"
        raise _store_error(f"{_place(engine)} cannot be opened: {_words(error)}", remedy) from error
    except SQLAlchemyError as error:
        raise _store_error(f"{_place(engine)}: {_words(error)}", "Run `responder check`") from error


def _place(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _words(error: SQLAlchemyError) -> str:
    return " ".join(str(getattr(error, "orig", error)).split())[:300]


def _store_error(problem: str, remedy: str) -> StoreError:
    return StoreError([Fault("database", "store.url", problem, remedy)])
