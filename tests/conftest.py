"""The databases the tests run on: SQLite, and a PostgreSQL started from the installed binaries."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine, make_url

from responder.store.engine import open_engine, upgrade

ROOT = Path(__file__).parent.parent

# How long an example takes says more of the machine's other work than of ours.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


_WITHOUT_MODEL = ("test_growth.py", "listener", "courier", "mail")
"""What can go on while the shipped model is learned for the others."""


_learning: list[subprocess.Popen[bytes]] = []


def pytest_sessionstart(session: pytest.Session) -> None:
    """Have the shipped model learned while tests that need none run: it takes the better part of a minute, once."""
    config = session.config
    whole = getattr(config.option, "numprocesses", None) and not config.option.keyword
    if whole and not hasattr(config, "workerinput"):
        learn = "from tests.knowledge import shipped_classifier; shipped_classifier()"
        nowhere = subprocess.DEVNULL
        _learning.append(subprocess.Popen([sys.executable, "-c", learn], cwd=ROOT, stdout=nowhere, stderr=nowhere))


def pytest_sessionfinish() -> None:
    """End the learning, if it is still at it: nobody waits for it any more."""
    for process in _learning:
        process.kill()
        process.wait()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those without a model first, and then whole services: begun last they would leave the other cores idle."""
    items.sort(key=lambda item: (not set(item.path.parts) & set(_WITHOUT_MODEL), len(item.path.parts)))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _binaries() -> Path | None:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).parent if found else None


def _unprivileged() -> tuple[int | None, int | None]:
    """User and group to run as: PostgreSQL refuses to be root, which is what a build machine often is."""
    if os.geteuid() != 0:
        return None, None
    account = pwd.getpwnam("postgres" if any(p.pw_name == "postgres" for p in pwd.getpwall()) else "nobody")
    return account.pw_uid, account.pw_gid


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server of our own, gone with the test run."""
    if _binaries() is None:
        if os.environ.get("RESPONDER_TEST_POSTGRES") == "required":
            pytest.fail("PostgreSQL's initdb is not installed")
        pytest.skip("PostgreSQL's initdb is not installed")
    with postgres_server("fsync=off") as url:
        yield url


@contextmanager
def postgres_server(*settings: str) -> Iterator[str]:
    """The URL of a server on a unix socket only, started from the installed binaries."""
    binaries = _binaries()
    assert binaries is not None, "PostgreSQL's initdb is not installed"
    with tempfile.TemporaryDirectory(prefix="responder-pg-", ignore_cleanup_errors=True) as name:
        folder, (user, group) = Path(name), _unprivileged()
        if user is not None and group is not None:
            os.chown(folder, user, group)

        def run(program: str, *words: str) -> None:
            words = (str(binaries / program), "-D", str(folder / "data"), *words)
            subprocess.run(words, check=True, capture_output=True, cwd=folder, user=user, group=group)

        run("initdb", "-U", "responder", "-A", "trust", "--no-sync", "-E", "UTF8")
        asked = " ".join(f"-c {setting}" for setting in ("listen_addresses=", "max_connections=50", *settings))
        options = f"-k {folder} {asked}"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield f"postgresql://responder@/postgres?host={folder}"
        run("pg_ctl", "-w", "-m", "immediate", "stop")


def postgres_database(server: str, template: str = "template1") -> str:
    # A database of its own for every test, so that none sees another's rows.
    name = f"t{os.urandom(6).hex()}"
    engine = open_engine(server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database on each of the two engines."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store' / 'responder.db'}"
    return postgres_database(request.getfixturevalue("postgres"))


def _upgraded(url: str) -> str:
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite store with its schema, to be copied: to upgrade one for each test would take longer than they do."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    _upgraded(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def empty_database(postgres: str) -> str:
    """The name of a database of PostgreSQL with its schema, to be copied likewise."""
    return str(make_url(_upgraded(postgres_database(postgres))).database)


@pytest.fixture(params=["sqlite", "postgresql"])
def made_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with its schema and no rows, on each of the two engines."""
    if request.param == "sqlite":
        path = tmp_path / "store" / "responder.db"
        path.parent.mkdir()
        shutil.copy(request.getfixturevalue("empty_store"), path)
        return f"sqlite:///{path}"
    server = request.getfixturevalue("postgres")
    return postgres_database(server, request.getfixturevalue("empty_database"))


@pytest.fixture
def engine(made_url: str) -> Iterator[Engine]:
    """A store with its schema, on each of the two engines."""
    opened = open_engine(made_url)
    yield opened
    opened.dispose()
