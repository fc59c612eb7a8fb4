"""The key of our Message-IDs: made once, ours alone, or of a configured secret."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from responder.app.pieces import author_of
from responder.app.secret import message_id_key
from responder.config import load_config
from responder.errors import ConfigError


def _settings(tmp_path: Path, **service: str) -> Path:
    file = tmp_path / "config.toml"
    lines = (f'{name} = "{value}"' for name, value in {"state": str(tmp_path / "state"), **service}.items())
    file.write_text("\n".join(["[service]", *lines]))
    return file


def _key(tmp_path: Path, **service: str) -> bytes:
    return message_id_key(load_config(_settings(tmp_path, **service), {}))


def test_a_key_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    first = _key(tmp_path)
    file = tmp_path / "state" / "secret"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_bytes()) == 32
    assert (_key(tmp_path), len(first)) == (first, 64)
    assert [path.name for path in file.parent.iterdir()] == ["secret"]
    assert file.read_bytes() not in first


def test_processes_that_start_together_have_the_same_key(tmp_path: Path) -> None:
    config = load_config(_settings(tmp_path), {})
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: message_id_key(config), range(16)))) == 1


def test_a_configured_secret_makes_no_file_and_the_same_key_anywhere(tmp_path: Path) -> None:
    (tmp_path / "given").write_text("a secret of the operator\n")
    one = _key(tmp_path, secret_file=str(tmp_path / "given"))
    assert one == _key(tmp_path, secret_file=str(tmp_path / "given"), state=str(tmp_path / "elsewhere"))
    assert not (tmp_path / "state").exists()
    assert one != _key(tmp_path)


def test_a_secret_that_was_cut_short_is_named_and_not_made_anew(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "secret").write_bytes(b"short")
    with pytest.raises(ConfigError, match="cut short"):
        _key(tmp_path)
    assert (tmp_path / "state" / "secret").read_bytes() == b"short"


def test_a_state_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(ConfigError, match="no access"):
        _key(tmp_path)


def test_the_key_is_shown_nowhere(tmp_path: Path) -> None:
    author = author_of(load_config(_settings(tmp_path), {}))
    assert "key" not in repr(author)
