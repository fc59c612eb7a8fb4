"""The listener's certificate: what is wrong with it is said at the start."""

import shutil
from pathlib import Path

import pytest

from responder.app.encryption import encryption_of
from responder.config import load_config
from responder.errors import ConfigError
from tests.listener.test_starttls import certificate

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls")
    for name in ("one", "two"):
        certificate(made, name)
    (made / "both.pem").write_bytes((made / "one.pem").read_bytes() + (made / "one.key").read_bytes())
    (made / "text.pem").write_text("no certificate\n")
    return made


def _settings(folder: Path, tls: str, certificate: str, key: str = "") -> dict[str, str]:
    return {
        "RESPONDER_LISTENER__TLS": tls,
        "RESPONDER_LISTENER__TLS_CERTIFICATE": str(folder / certificate),
        "RESPONDER_LISTENER__TLS_KEY": str(folder / key) if key else "",
    }


@pytest.mark.parametrize(("certificate", "key"), [("one.pem", "one.key"), ("both.pem", "")])
@pytest.mark.parametrize(("tls", "required"), [("offer", False), ("require", True)])
def test_a_certificate_with_its_key_is_shown(
    folder: Path, certificate: str, key: str, tls: str, required: bool
) -> None:
    encryption = encryption_of(load_config(environ=_settings(folder, tls, certificate, key)))
    assert encryption is not None
    assert encryption.required is required


def test_none_is_none_whatever_the_files(folder: Path) -> None:
    assert encryption_of(load_config(environ=_settings(folder, "none", "text.pem"))) is None


@pytest.mark.parametrize(
    ("certificate", "key", "wrong", "problem"),
    [
        ("one.pem", "two.key", "tls_key", "this is not the key of the certificate"),
        ("one.pem", "", "tls_certificate", "certificate and key cannot be used"),
        ("text.pem", "one.key", "tls_key", "certificate and key cannot be used"),
        ("one.pem", "text.pem", "tls_key", "certificate and key cannot be used"),
    ],
)
def test_files_that_do_not_fit_are_named_with_key_and_remedy(
    folder: Path, certificate: str, key: str, wrong: str, problem: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        encryption_of(load_config(environ=_settings(folder, "offer", certificate, key)))
    [fault] = raised.value.faults
    assert (fault.file, fault.key, fault.problem) == ("environment", f"listener.{wrong}", problem)
    assert fault.remedy
