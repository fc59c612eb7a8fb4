"""The settings: what is written, what holds, and what an operator is told."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from responder.config import Config, HostPort, MaildirHop, SmtpHop, UnixSocket, load_config, shown_config
from responder.config.places import masked_url, with_password
from responder.config.sections import KEYS
from responder.config.values import Duration, Size, duration_text, size_text
from responder.errors import ConfigError, Fault

ROOT = Path(__file__).parent.parent


def loaded(tmp_path: Path, text: str = "", environ: Mapping[str, str] | None = None) -> Config:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    return load_config(path, environ or {})


def faults_of(tmp_path: Path, text: str = "", environ: Mapping[str, str] | None = None) -> tuple[Fault, ...]:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text, environ)
    return caught.value.faults


def shown_values(config: Config) -> dict[str, tuple[str, str]]:
    return {f"{section}.{key}": (value, origin) for section, key, value, origin in shown_config(config)}


# The file that is delivered


def test_config_toml_names_every_setting_with_its_true_default(tmp_path: Path) -> None:
    delivered = (ROOT / "config.toml").read_text("utf-8")
    effective = re.sub(r"^# (\w+ = )", r"\1", delivered, flags=re.MULTILINE)
    document = tomllib.loads(effective)
    assert [f"{section}.{key}" for section, keys in document.items() for key in keys] == list(KEYS)
    assert loaded(tmp_path, effective) == Config()


def test_config_toml_as_it_is_delivered_changes_nothing() -> None:
    assert load_config(ROOT / "config.toml", {}) == Config()


def test_every_setting_of_config_toml_is_explained_above_it() -> None:
    lines = (ROOT / "config.toml").read_text("utf-8").splitlines()
    settings = [number for number, line in enumerate(lines) if re.match(r"# \w+ = ", line)]
    assert len(settings) == len(KEYS)
    assert all(lines[number - 1].startswith("# ") for number in settings)


# Where settings come from


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config(None, {}) == Config()


def test_config_toml_of_the_working_directory_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.toml").write_text("[triage]\nbatch = 7\n")
    monkeypatch.chdir(tmp_path)
    config = load_config(None, {})
    assert config.triage.batch == 7
    assert shown_values(config)["triage.batch"] == ("7", "config.toml")


def test_the_environment_can_name_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.toml").write_text("[triage]\nbatch = 8\n")
    assert load_config(None, {"RESPONDER_CONFIG": "other.toml"}).triage.batch == 8


def test_a_named_file_that_is_missing_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"gone\.toml: it cannot be read: No such file or directory"):
        load_config(Path("gone.toml"), {})


def test_a_variable_goes_before_the_file_and_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    text = '[listener]\nsmtp = "127.0.0.1:1"\ntimeout = "9m"\n[desk]\nlisten = "127.0.0.1:2"\n'
    config = loaded(tmp_path, text, {"RESPONDER_LISTENER__SMTP": "0.0.0.0:2525", "RESPONDER_DESK__LISTEN": ""})
    assert config.listener.smtp == HostPort("0.0.0.0", 2525)  # noqa: S104 - a value, nothing listens
    assert config.listener.timeout == timedelta(minutes=9)
    assert config.desk.listen is None
    assert shown_values(config)["listener.smtp"] == ("0.0.0.0:2525", "environment")
    assert shown_values(config)["listener.lmtp"] == ("127.0.0.1:8024", "default")


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("RESPONDER_TRIAGE__FLOOR", "0.5", "floor", 0.5),
        ("RESPONDER_TRIAGE__BATCH", "12", "batch", 12),
        ("RESPONDER_TRIAGE__WORKERS", "3", "workers", 3),
        ("RESPONDER_TRIAGE__WORKERS", "", "workers", None),
        ("RESPONDER_TRIAGE__LEASE", "3h", "lease", timedelta(hours=3)),
    ],
)
def test_a_variable_is_text_that_becomes_what_the_key_is(
    variable: str, text: str, key: str, value: object, tmp_path: Path
) -> None:
    assert getattr(loaded(tmp_path, "", {variable: text}).triage, key) == value


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("a@example.jp, b@example.jp,", ("a@example.jp", "b@example.jp")),
        ("a@example.jp", ("a@example.jp",)),
        ("", ()),
    ],
)
def test_addresses_in_a_variable_are_divided_by_commas(text: str, addresses: tuple[str, ...], tmp_path: Path) -> None:
    config = loaded(tmp_path, "", {"RESPONDER_SERVICE__ALSO_KNOWN_AS": text})
    assert config.service.also_known_as == addresses


def test_networks_are_written_one_by_one_or_divided_by_commas_and_shown_so(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[listener]\nnetworks = ["192.0.2.7", "2001:db8::/32"]\n')
    assert shown_values(config)["listener.networks"][0] == "192.0.2.7/32, 2001:db8::/32"
    config = loaded(tmp_path, "", {"RESPONDER_LISTENER__NETWORKS": "0.0.0.0/0, ::/0,"})
    assert config.listener.networks == (ip_network("0.0.0.0/0"), ip_network("::/0"))


@pytest.mark.parametrize(
    "variable",
    [
        "PATH",
        "RESPONDER_PORT",
        "RESPONDER_SERVICE_HOST",
        "RESPONDER_PORT_8080_TCP_ADDR",
        "RESPONDER_TEST_POSTGRES",
    ],
)
def test_variables_of_others_are_left_alone(variable: str, tmp_path: Path) -> None:
    assert loaded(tmp_path, "", {variable: "tcp://10.0.0.1:8080"}) == Config()


# What a value becomes


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("127.0.0.1:8024", HostPort("127.0.0.1", 8024)),
        ("[::1]:8024", HostPort("::1", 8024)),
        ("localhost:0", HostPort("localhost", 0)),
        ("unix:/run/responder/lmtp", UnixSocket(Path("/run/responder/lmtp"))),
        ("", None),
    ],
)
def test_a_place_to_listen_is_parsed_and_shown_as_it_was_written(
    written: str, place: HostPort | UnixSocket | None, tmp_path: Path
) -> None:
    config = loaded(tmp_path, f'[listener]\nlmtp = "{written}"\n')
    assert config.listener.lmtp == place
    assert shown_values(config)["listener.lmtp"][0] == written


@pytest.mark.parametrize(
    ("next_hop", "tls", "hop"),
    [
        ("maildir:/srv/replies", "auto", MaildirHop(Path("/srv/replies"))),
        ("maildir:state/replies", "auto", MaildirHop(Path("state/replies"))),
        ("smtp://relay.example.jp:587", "auto", SmtpHop("relay.example.jp", 587, "auto")),
        ("smtp://relay.example.jp:587", "starttls", SmtpHop("relay.example.jp", 587, "starttls")),
        ("smtp://[::1]:25", "none", SmtpHop("::1", 25, "none")),
        ("smtps://relay.example.jp:465", "auto", SmtpHop("relay.example.jp", 465, "tls")),
    ],
)
def test_the_next_hop_knows_its_encryption(next_hop: str, tls: str, hop: MaildirHop | SmtpHop, tmp_path: Path) -> None:
    config = loaded(tmp_path, f'[courier]\nnext_hop = "{next_hop}"\ntls = "{tls}"\n')
    assert config.courier.next_hop == hop
    assert shown_values(config)["courier.next_hop"][0] == next_hop


def test_the_hours_of_the_office_are_shown_as_they_were_written(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[desk]\nbusiness_hours = "10:00-19:15"', {"RESPONDER_DESK__CLOSED": "02-29, 08-15"})
    shown = shown_values(config)
    assert shown["desk.business_hours"] == ("10:00-19:15", str(tmp_path / "config.toml"))
    assert shown["desk.closed"] == ("02-29, 08-15", "environment")
    assert [(day.month, day.day) for day in config.desk.closed] == [(2, 29), (8, 15)]


def test_warnings_before_the_due_time_can_be_turned_off(tmp_path: Path) -> None:
    assert loaded(tmp_path, '[notify]\nbefore_due = ""').notify.before_due is None


def test_a_token_command_is_divided_like_a_shell_does(tmp_path: Path) -> None:
    text = "[courier]\nauth = 'xoauth2'\nusername = 'me'\ntoken_command = \"token --of 'a b'\"\n"
    assert loaded(tmp_path, text).courier.token_command == ("token", "--of", "a b")


def test_a_name_may_hold_the_ideographic_space(tmp_path: Path) -> None:
    assert loaded(tmp_path, '[service]\nname = "契約　窓口"\n').service.name == "契約　窓口"


@given(st.integers(1, 366 * 86_400).map(lambda seconds: timedelta(seconds=seconds)))
def test_a_duration_is_read_as_it_is_shown(length: timedelta) -> None:
    assert TypeAdapter(Duration).validate_python(duration_text(length)) == length


@given(st.integers(64 << 10, 1 << 30) | st.integers(1, 1024).map(lambda mebibytes: mebibytes << 20))
def test_a_size_is_read_as_it_is_shown(size: int) -> None:
    adapter = TypeAdapter(Size)
    assert adapter.validate_python(size_text(size)) == adapter.validate_python(size) == size


# Mistakes

_EVERYTHING_WRONG = """\
floor = 1
[service]
name = 5
adress = "support@example.jp"
timezone = "Asia/Tokio"
[listner]
[triage]
automatic_per_sender_per_hour = 0
batch = true
[courier]
retry_first = "2h"
retry_most = "1h"
"""


def test_every_mistake_of_file_and_environment_is_reported_at_once(tmp_path: Path) -> None:
    environ = {"RESPONDER_TRIAGE__LEASE": "soon", "RESPONDER_DESK_LISTEN": "127.0.0.1:1"}
    found = [
        (fault.line, fault.key, fault.problem, fault.remedy)
        for fault in faults_of(tmp_path, _EVERYTHING_WRONG, environ)
    ]
    assert found == [
        (1, "floor", "no key stands outside of a section", "It belongs to [triage]"),
        (3, "service.name", "5 is not text", "Put it in quotes"),
        (4, "service.adress", "there is no such key", "Did you mean address?"),
        (
            5,
            "service.timezone",
            'there is no time zone "Asia/Tokio"',
            "Write a name of the IANA list, like Asia/Tokyo",
        ),
        (6, "listner", "there is no such section", "Did you mean listener?"),
        (
            8,
            "triage.automatic_per_sender_per_hour",
            "there is no such key",
            "It belongs to [guard]",
        ),
        (9, "triage.batch", "true is not a whole number", f"The default is {Config().triage.batch}"),
        (
            11,
            "courier.retry_first",
            "2h is more than retry_most, 1h",
            "Make retry_first shorter or retry_most longer",
        ),
        (None, "RESPONDER_DESK_LISTEN", "there is no such setting", "Did you mean RESPONDER_DESK__LISTEN?"),
        (
            None,
            "RESPONDER_TRIAGE__LEASE",
            '"soon" is not a duration',
            'Write a number and its unit: "30s", "5m", "2h" or "2d"',
        ),
    ]


def test_a_mistake_names_its_file_or_the_environment(tmp_path: Path) -> None:
    in_file, in_environment = faults_of(tmp_path, "[desk]\nlisten = 1\n", {"RESPONDER_DESK__LISTEN": "1"})
    assert str(in_file).startswith(f"{tmp_path / 'config.toml'}:2: desk.listen: ")
    assert str(in_environment).startswith("environment: RESPONDER_DESK__LISTEN: ")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("[desk]\nlisten = \n", 2, "this is not TOML: Invalid value"),
        ('[desk]\nlisten = ""\nlisten = ""\n', 3, "this is not TOML: Cannot overwrite a value"),
        ("desk = 1\n", 1, "this is a section"),
        ("\n[[desk]]\n", 2, "this is a section"),
        ('desk.lsten = ""\n', 1, "there is no such key"),
        ('[desk]\n"lsten" = ""\n', 2, "there is no such key"),
    ],
)
def test_the_line_of_a_mistake_in_the_form_is_named(text: str, line: int, problem: str, tmp_path: Path) -> None:
    [fault] = faults_of(tmp_path, text)
    assert (fault.line, fault.problem) == (line, problem)


def test_a_file_in_another_encoding_is_a_fault_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes('[service]\nname = "窓口"\n'.encode("cp932"))
    with pytest.raises(ConfigError, match=r"config\.toml:2: it is not UTF-8"):
        load_config(path, {})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("service.name", '"  "'),
        ("service.name", r'"a\nBcc: b@example.jp"'),
        ("service.address", '"窓口@example.jp"'),
        ("service.address", '"support"'),
        ("courier.envelope_sender", '"bounces"'),
        ("courier.envelope_sender", "5"),
        ("service.also_known_as", '["a@example.jp", "b"]'),
        ("service.also_known_as", "5"),
        ("service.language", '"fr"'),
        ("service.timezone", '"Asia"'),
        ("service.timezone", '"../Tokyo"'),
        ("service.reply_within_business_days", "31"),
        ("service.corpus", '""'),
        ("service.log", '"loud"'),
        ("listener.smtp", '"127.0.0.1"'),
        ("listener.smtp", '":2525"'),
        ("listener.smtp", '"127.0.0.1:65536"'),
        ("listener.smtp", '"unix:/run/smtp"'),
        ("listener.lmtp", '"unix:"'),
        ("listener.lmtp", f'"unix:/{"x" * 107}"'),
        ("listener.max_message_bytes", "65535"),
        ("listener.max_message_bytes", '"2GiB"'),
        ("listener.max_message_bytes", '"25MB"'),
        ("listener.max_message_bytes", "true"),
        ("listener.memory", '"65GiB"'),
        ("listener.networks", "[]"),
        ("listener.networks", '["127.0.0.1/8"]'),
        ("listener.networks", '["everyone"]'),
        ("listener.networks", "[127]"),
        ("listener.networks", "true"),
        ("listener.tls", '"always"'),
        ("listener.tls_certificate", '"/nowhere/mx.pem"'),
        ("listener.connections", "0"),
        ("listener.connections_per_client", "10001"),
        ("listener.recipients", "99"),
        ("listener.mails", "0"),
        ("listener.commands", "9"),
        ("listener.errors", "0"),
        ("listener.data_timeout", '"never"'),
        ("listener.session_timeout", "60"),
        ("listener.timeout", "5"),
        ("listener.timeout", '"0s"'),
        ("listener.timeout", '"367d"'),
        ("listener.timeout", '"5 m"'),
        ("store.url", '"mysql://host/db"'),
        ("store.url", '"responder.db"'),
        ("store.password_file", '"/nowhere/password"'),
        ("triage.floor", "nan"),
        ("triage.floor", "-0.1"),
        ("triage.floor", '"high"'),
        ("guard.off", '["list mial"]'),
        ("guard.off", "[5]"),
        ("guard.automatic_per_sender_per_hour", "0"),
        ("guard.breaker_falls_back", "1"),
        ("guard.same_answer_after", "7"),
        ("triage.batch", "1001"),
        ("triage.workers", "65"),
        ("triage.workers", '"-1"'),
        ("triage.workers", "true"),
        ("triage.batch", "5.0"),
        ("courier.next_hop", '"relay.example.jp:25"'),
        ("courier.next_hop", '"smtp://relay.example.jp"'),
        ("courier.next_hop", '"smtp://relay.example.jp:0"'),
        ("courier.next_hop", '"maildir:"'),
        ("courier.next_hop", '"maildir://srv"'),
        ("courier.tls", '"ssl"'),
        ("courier.ca_file", '"/nowhere/ca.pem"'),
        ("courier.token_command", '"token \'open"'),
        ("courier.connections", "51"),
        ("desk.business_hours", '"9-17"'),
        ("desk.business_hours", '"17:30-09:00"'),
        ("desk.business_hours", '"09:00-24:00"'),
        ("desk.business_hours", "9"),
        ("desk.closed", '["12-32"]'),
        ("desk.closed", '["2-3"]'),
        ("desk.closed", "[1229]"),
        ("desk.closed", str([f"{month:02}-{day:02}" for month in range(1, 6) for day in range(1, 22)])),
        ("notify.to", '["窓口"]'),
        ("notify.before_due", '"0h"'),
        ("notify.at_most_every", '""'),
        ("oidc.issuer", '"login.example.jp"'),
        ("oidc.issuer", '"http://login.example.jp"'),
        ("oidc.issuer", '"https://login.example.jp?tenant=1"'),
        ("oidc.client_secret_file", '"/nowhere/secret"'),
        ("oidc.make_accounts", '"yes"'),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_a_remedy(key: str, value: str, tmp_path: Path) -> None:
    section, name = key.split(".")
    [fault] = faults_of(tmp_path, f"[{section}]\n{name} = {value}\n")
    assert (fault.key, fault.line) == (key, 2)
    assert fault.problem
    assert fault.remedy
    assert not re.search("Input should|Value error", str(fault))


def _of_courier(**settings: str) -> str:
    return "\n".join(["[courier]", *(f'{key} = "{value}"' for key, value in settings.items())])


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (_of_courier(retry_first="2h"), ["courier.retry_first"]),
        (_of_courier(retry_most="3d"), ["courier.retry_most"]),
        (_of_courier(expire_after="30m"), ["courier.expire_after"]),
        (_of_courier(auth="xoauth2"), ["courier.auth", "courier.auth"]),
        (_of_courier(auth="xoauth2", username="me"), ["courier.auth"]),
        ('[courier]\npassword = "secret"', ["courier.password"]),
        ('[courier]\ntoken_command = "token"', ["courier.token_command"]),
        (_of_courier(next_hop="smtps://relay:465", tls="none"), ["courier.tls"]),
        ('[desk]\nlisten = "127.0.0.1:2525"', ["desk.listen"]),
        (_of_courier(final_timeout="59s"), ["courier.final_timeout"]),
        (_of_courier(envelope_sender="Support@example.jp"), ["courier.envelope_sender"]),
        (
            '[service]\nalso_known_as = ["bounces@example.jp"]\n' + _of_courier(envelope_sender="bounces@example.jp"),
            ["courier.envelope_sender"],
        ),
        ('[notify]\nto = ["Support+all@example.jp"]', ["notify.to"]),
        ('[notify]\nto = ["b@example.jp"]\n' + _of_courier(envelope_sender="b@example.jp"), ["notify.to"]),
        ('[listener]\nsmtp = "127.0.0.1:8080"', ["listener.smtp"]),
        ('[listener]\ntls = "offer"', ["listener.tls"]),
        ('[listener]\ntls_key = "/dev/null"', ["listener.tls_key"]),
        ("[retention]\nanswered_days = 6", ["retention.answered_days"]),
        ('[oidc]\nissuer = "https://login.example.jp"', ["oidc.issuer"]),
        ('[oidc]\nclient_id = "desk"\ntrust_email = true', ["oidc.client_id", "oidc.trust_email"]),
        (
            '[oidc]\nissuer = "http://127.0.0.1:8000/realm"\nclient_id = "desk"\neditors = "faq"',
            ["oidc.editors"],
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused_where_somebody_wrote_them(
    text: str, keys: list[str], tmp_path: Path
) -> None:
    assert [fault.key for fault in faults_of(tmp_path, text)] == keys


def test_a_value_that_does_not_fit_contradicts_nothing(tmp_path: Path) -> None:
    [fault] = faults_of(tmp_path, _of_courier(retry_first="long", retry_most="30s"))
    assert fault.problem == '"long" is not a duration'


def test_agents_that_are_off_or_take_any_port_do_not_collide(tmp_path: Path) -> None:
    loaded(tmp_path, '[listener]\nsmtp = ""\nlmtp = ""\n')
    loaded(tmp_path, '[listener]\nsmtp = "127.0.0.1:0"\nlmtp = "127.0.0.1:0"\n')


# Secrets


def test_no_secret_is_shown(tmp_path: Path) -> None:
    text = """
        store.url = "postgresql://me:hush1@host/db?password=hush2&x=1"
        courier.username = "me"
        courier.password = "hush3"
        courier.token_command = "token --secret hush4"
    """
    config = loaded(tmp_path, text)
    values = shown_values(config)
    assert values["store.url"][0] == "postgresql://me:********@host/db?password=********&x=1"
    assert values["courier.password"][0] == "********"
    assert values["courier.token_command"][0] == "token ********"
    assert "hush" not in repr(values)
    assert "hush" not in repr(config)
    assert config.courier.password.get_secret_value() == "hush3"


@pytest.mark.parametrize(
    "text",
    [
        '[store]\nurl = "mysql://me:hush@host/db"',
        '[courier]\nnext_hop = "smtp://me:hush@relay:587"',
        '[courier]\npassword = ["hush"]',
        '[courier]\ntoken_command = "token \'hush"',
        '[courier]\ntoken_command = ["token", "hush"]',
    ],
)
def test_no_secret_stands_in_a_fault(text: str, tmp_path: Path) -> None:
    assert not [fault for fault in faults_of(tmp_path, text) if "hush" in str(fault)]


def test_a_password_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_bytes("p@ss/wörd \r\nsecond line\n".encode())
    text = f'[store]\nurl = "postgresql://me@host/db"\npassword_file = "{secret}"\n'
    config = loaded(tmp_path, text + _of_courier(username="me", password_file=str(secret)))
    assert config.courier.password.get_secret_value() == "p@ss/wörd "
    assert config.store.url == "postgresql://me:p%40ss%2Fw%C3%B6rd%20@host/db"
    values = shown_values(config)
    assert values["store.url"][0] == "postgresql://me:********@host/db"
    assert values["courier.password"] == ("********", str(tmp_path / "config.toml"))
    assert values["courier.password_file"][0] == str(secret)


@pytest.mark.parametrize("content", [b"", b"\nsecond\n", b"\x93\xfa\n"])
def test_a_password_file_without_a_first_line_of_text_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(content)
    [fault] = faults_of(tmp_path, _of_courier(username="me", password_file=str(tmp_path / "password")))
    assert fault.key == "courier.password_file"


@pytest.mark.parametrize(
    ("section", "more", "key"),
    [
        ("courier", 'username = "me"\npassword = "x"', "courier.password"),
        ("store", 'url = "postgresql://me:x@host/db"', "store.password_file"),
        ("store", 'url = "postgresql://me@host/db?password=x"', "store.password_file"),
        ("store", 'url = "postgresql://host/db"', "store.password_file"),
        ("store", 'url = "sqlite:///x.db"', "store.password_file"),
    ],
)
def test_a_password_file_with_nothing_to_be_the_password_of_is_refused(
    section: str, more: str, key: str, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("secret\n")
    [fault] = faults_of(tmp_path, f'[{section}]\npassword_file = "{tmp_path / "password"}"\n{more}\n')
    assert fault.key == key


@given(st.text(min_size=1).filter(lambda text: text.isprintable() and not re.search(r"[\ud800-\udfff]", text)))
def test_the_store_reads_back_the_password_that_was_put_into_its_url(password: str) -> None:
    from sqlalchemy.engine import make_url

    url = with_password("postgresql://me@host:5432/db?host=/run", password)
    assert url is not None
    assert make_url(url).password == password
    assert masked_url(url) == "postgresql://me:********@host:5432/db?host=/run"


# The cost


def test_reading_settings_loads_neither_database_nor_model() -> None:
    heavy = "{'sqlalchemy', 'sklearn', 'jinja2', 'asyncio', 'structlog'}"
    program = f"import sys, responder.config; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
