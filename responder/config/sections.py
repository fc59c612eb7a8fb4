"""The settings, section by section, with their defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import time, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from responder.config.hours import Hours, OfficeHours, YearDay, YearDays
from responder.config.places import HostPort, Issuer, Listen, ListenAnywhere, MaildirHop, NextHop, PageUrl, StoreUrl
from responder.config.rules import Rules
from responder.config.values import (
    Address,
    Addresses,
    Command,
    DnsName,
    Duration,
    DurationOrNone,
    EnvelopeSender,
    Floor,
    Folder,
    Line,
    Memory,
    Name,
    Networks,
    PasswordFile,
    ReadableFile,
    Size,
    TimeZone,
    Workers,
)

_Share = Annotated[float, Field(ge=0, le=1)]
_Chance = Annotated[float, Field(ge=0.001, le=0.5)]
_Count = Annotated[int, Field(ge=1)]
_Days = Annotated[int, Field(ge=0, le=36_500)]
_NO_SECRET = SecretStr("")
_SMTP, _LMTP, _DESK = (HostPort("127.0.0.1", port) for port in (2525, 8024, 8080))
_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_OFFICE_HOURS = Hours(time(9), time(17, 30))
_NEW_YEAR = tuple(YearDay(*day) for day in ((12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)))
_REPLIES = MaildirHop(Path("state/replies"))


@dataclass(frozen=True, slots=True)
class Service:
    """Who answers, in which language, and where its files are."""

    name: Name = "電子契約サポート窓口"
    english_name: Name = "Electronic Contract Support Desk"
    address: Address = "support@example.jp"
    also_known_as: Addresses = ()
    language: Literal["ja", "en"] = "ja"
    timezone: TimeZone = "Asia/Tokyo"
    reply_within_business_days: Annotated[int, Field(ge=0, le=30)] = 3
    corpus: Folder = Path("faq_corpus")
    templates: Folder = Path("templates")
    state: Folder = Path("state")
    secret_file: PasswordFile = None
    log: Literal["auto", "json", "console"] = "auto"


@dataclass(frozen=True, slots=True)
class Listener:
    """Where mail is taken in; None is off."""

    smtp: Listen = _SMTP
    lmtp: ListenAnywhere = _LMTP
    networks: Networks = _LOOPBACK
    tls: Literal["none", "offer", "require"] = "none"
    tls_certificate: ReadableFile = None
    tls_key: ReadableFile = None
    max_message_bytes: Size = 25 << 20
    memory: Memory = 256 << 20
    connections: Annotated[int, Field(ge=1, le=10_000)] = 200
    connections_per_client: Annotated[int, Field(ge=1, le=10_000)] = 50
    recipients: Annotated[int, Field(ge=100, le=10_000)] = 100
    mails: Annotated[int, Field(ge=1)] = 1000
    commands: Annotated[int, Field(ge=10)] = 10_000
    errors: Annotated[int, Field(ge=1)] = 20
    timeout: Duration = timedelta(minutes=5)
    data_timeout: Duration = timedelta(minutes=15)
    session_timeout: Duration = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Store:
    """The database; `url` holds the password of `password_file`, if there is one."""

    url: StoreUrl = field(default="sqlite:///state/responder.db", repr=False)
    password_file: PasswordFile = None


@dataclass(frozen=True, slots=True)
class Triage:
    """When an answer is sure enough, and how much is answered."""

    alpha: _Chance = 0.01
    delta: _Chance = 0.05
    entry_alpha: _Chance = 0.25
    floor: Floor = None
    margin: _Share = 0.05
    batch: Annotated[int, Field(ge=1, le=1000)] = 20
    lease: Duration = timedelta(minutes=1)
    relearn: Duration = timedelta(minutes=1)
    workers: Workers = None


@dataclass(frozen=True, slots=True)
class Guard:
    """What a machine must not answer, and how much it may send; `authserv_id` "" trusts no server's word."""

    off: Rules = ()
    authserv_id: Line = ""
    automatic_per_sender_per_hour: _Count = 20
    automatic_per_sender_per_day: _Count = 40
    automatic_per_organisation_per_hour: _Count = 100
    same_answer_after: Duration = timedelta(days=7)
    acknowledge_again_after: Duration = timedelta(hours=1)
    mute_after_bounce: Duration = timedelta(days=60)
    breaker_per_hour: _Count = 200
    breaker_falls_back: bool = False


@dataclass(frozen=True, slots=True)
class Courier:
    """Where replies go; `password` is that of `password_file`, if there is one, and "" means none."""

    next_hop: NextHop = _REPLIES
    tls: Literal["auto", "starttls", "none"] = "auto"
    ca_file: ReadableFile = None
    username: Line = ""
    password: SecretStr = _NO_SECRET
    password_file: PasswordFile = None
    auth: Literal["auto", "plain", "login", "xoauth2"] = "auto"
    token_command: Command = field(default=(), repr=False)
    connections: Annotated[int, Field(ge=1, le=50)] = 4
    timeout: Duration = timedelta(seconds=60)
    final_timeout: Duration = timedelta(minutes=10)
    envelope_sender: EnvelopeSender = ""
    retry_first: Duration = timedelta(minutes=1)
    retry_most: Duration = timedelta(hours=1)
    expire_after: Duration = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Dkim:
    """Who signs what leaves; without a key nobody. "" as the domain is that of service.address."""

    domain: DnsName = ""
    selector: DnsName = ""
    key_file: ReadableFile = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the staff pages are; None is off, and "" as their address is where they listen."""

    listen: Listen = _DESK
    url: PageUrl = ""
    proxies: Networks = _LOOPBACK
    business_hours: OfficeHours = _OFFICE_HOURS
    closed: YearDays = _NEW_YEAR


@dataclass(frozen=True, slots=True)
class Notify:
    """Whom of the staff we write to about cases; nobody is off, and None as `before_due` warns of nothing."""

    to: Addresses = ()
    on_escalation: bool = True
    before_due: DurationOrNone = timedelta(hours=4)
    at_most_every: Duration = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days what mails say is kept, by lane; 0 is for ever."""

    answered_days: _Days = 0
    escalated_days: _Days = 0
    suppressed_days: _Days = 0


@dataclass(frozen=True, slots=True)
class Oidc:
    """The OpenID provider that staff may log in by; without an issuer there is none."""

    issuer: Issuer = ""
    client_id: Line = ""
    client_secret_file: PasswordFile = None
    make_accounts: bool = False
    trust_email: bool = False
    roles_claim: Line = ""
    editors: Line = ""
    administrators: Line = ""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings; `origins` says of each that somebody wrote ("courier.tls") where it stands."""

    service: Service = field(default_factory=Service)
    listener: Listener = field(default_factory=Listener)
    store: Store = field(default_factory=Store)
    triage: Triage = field(default_factory=Triage)
    guard: Guard = field(default_factory=Guard)
    courier: Courier = field(default_factory=Courier)
    dkim: Dkim = field(default_factory=Dkim)
    desk: Desk = field(default_factory=Desk)
    notify: Notify = field(default_factory=Notify)
    retention: Retention = field(default_factory=Retention)
    oidc: Oidc = field(default_factory=Oidc)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


SECTIONS: Mapping[str, type] = {
    "service": Service,
    "listener": Listener,
    "store": Store,
    "triage": Triage,
    "guard": Guard,
    "courier": Courier,
    "dkim": Dkim,
    "desk": Desk,
    "notify": Notify,
    "retention": Retention,
    "oidc": Oidc,
}

KEYS: tuple[str, ...] = tuple(f"{section}.{key.name}" for section, model in SECTIONS.items() for key in fields(model))
"""Dotted, in the order of the file."""
