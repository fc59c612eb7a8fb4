"""What a setting can be besides a plain number or word: how it is written, and what it becomes."""

import ipaddress
import json
import re
import shlex
import unicodedata
import zoneinfo
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import PlainValidator, SecretStr
from pydantic_core import PydanticCustomError

from responder.mail.address import valid_address, valid_name

MOST_WORKERS = 64

LONGEST_DURATION = timedelta(days=366)

# The longest unit first, so that a value is shown in the largest one that divides it.
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_BYTES = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10}
_SIZE = re.compile(r"([1-9][0-9]{0,11})(|KiB|MiB|GiB)")
_LEAST_SIZE, _MOST_SIZE, _MOST_MEMORY = 64 << 10, 1 << 30, 64 << 30


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file whose first line is a secret, read when the settings are."""

    path: Path
    secret: SecretStr

    def __str__(self) -> str:
        return str(self.path)


def unfit(problem: str, remedy: str) -> PydanticCustomError:
    """The fault of a value, in the two sentences an operator is shown."""
    return PydanticCustomError("unfit", "{problem}", {"problem": problem, "remedy": remedy})


def quoted(value: object) -> str:
    """A value as it stands in config.toml, cut where it is long."""
    # A variable of the environment may hold bytes that are no UTF-8: Python makes lone surrogates of them.
    text = json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 80 else f"{text[:77]}…"


def as_line(value: object) -> str:
    """Text without line ends and other control characters: it may go into a header or a log."""
    if not isinstance(value, str):
        raise unfit(f"{quoted(value)} is not text", "Put it in quotes")
    # Not isprintable(): that refuses the ideographic space, which Japanese names are written with.
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in value):
        raise unfit(f"{quoted(value)} has a control character", "Write it on one line, without tabs")
    return value


def _name(value: object) -> str:
    name = as_line(value).strip()
    if not name:
        raise unfit("the name is empty", "Write what contractors shall read as the sender")
    return name


def _duration(value: object) -> timedelta:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise unfit(f"{quoted(value)} is not a duration", 'Write a number and its unit: "30s", "5m", "2h" or "2d"')
    seconds = int(found[1]) * _SECONDS[found[2]]
    if seconds > LONGEST_DURATION.total_seconds():
        raise unfit(f"{quoted(value)} is too long", f'Write at most "{duration_text(LONGEST_DURATION)}"')
    return timedelta(seconds=seconds)


def _duration_or_none(value: object) -> timedelta | None:
    return None if value == "" else _duration(value)


def duration_text(length: timedelta) -> str:
    """The duration as it is written in config.toml, in the largest unit that divides it."""
    seconds = int(length.total_seconds())
    return next(f"{seconds // size}{unit}" for unit, size in _SECONDS.items() if seconds % size == 0)


def _size(value: object) -> int:
    remedy = 'Write bytes from 64KiB (RFC 5321 §4.5.3.1.7) to 1GiB: 26214400, "25MiB"'
    return _bytes(value, _MOST_SIZE, remedy)


def _memory(value: object) -> int:
    return _bytes(value, _MOST_MEMORY, 'Write bytes from 64KiB to 64GiB: "256MiB"')


def _bytes(value: object, most: int, remedy: str) -> int:
    found = _SIZE.fullmatch(str(value)) if isinstance(value, int | str) else None
    if found is None:
        raise unfit(f"{quoted(value)} is not a size", remedy)
    size = int(found[1]) * _BYTES.get(found[2], 1)
    if not _LEAST_SIZE <= size <= most:
        raise unfit(f"{quoted(value)} is too {'small' if size < _LEAST_SIZE else 'large'}", remedy)
    return size


def size_text(size: int) -> str:
    """The size as it is written in config.toml."""
    return next((f"{size // unit}{name}" for name, unit in _BYTES.items() if size % unit == 0), str(size))


def _workers(value: object) -> int | None:
    """A number, or None for "": then the processors say how many."""
    text = value.strip() if isinstance(value, str) else value
    if text == "":
        return None
    digits = str(text) if isinstance(text, int | str) and not isinstance(text, bool) else ""
    if not (digits.isascii() and digits.isdigit() and int(digits) <= MOST_WORKERS):
        remedy = 'Write a number, or "" to have the processors say'
        raise unfit(f"{quoted(value)} is not from 0 to {MOST_WORKERS}", remedy)
    return int(digits)


def _floor(value: object) -> float | None:
    """A share, or None for "": then the labelled mails say which."""
    text = value.strip() if isinstance(value, str) else value
    if text == "":
        return None
    try:
        share = float(text) if isinstance(text, int | float | str) and not isinstance(text, bool) else -1.0
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise unfit(f"{quoted(value)} is not from 0 to 1", 'Write a number like 0.9, or "" to have it chosen')
    return share


def _path(value: object) -> Path:
    text = as_line(value)
    if not text:
        raise unfit("the path is empty", "Name a file or folder")
    return Path(text)


def _address(value: object) -> str:
    address = as_line(value)
    if not valid_address(address):
        raise unfit(f"{quoted(address)} is not a mail address", "Write one in plain ASCII: support@example.jp")
    return address


def _address_or_none(value: object) -> str:
    return "" if value == "" else _address(value)


def listed(value: object, remedy: str) -> list[object]:
    """The members of a list, whatever they are."""
    # A variable of the environment is one text, so a comma divides there.
    several = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
    if not isinstance(several, list):
        raise unfit(f"{quoted(value)} is not a list", remedy)
    return several


def _addresses(value: object) -> tuple[str, ...]:
    several = listed(value, 'Write ["one@example.jp", "two@example.jp"]')
    wrong = [quoted(one) for one in several if not (isinstance(one, str) and valid_address(one))]
    if wrong:
        raise unfit(f"not a mail address: {', '.join(wrong)}", "Write them in plain ASCII: support@example.jp")
    return tuple(map(str, several))


def _networks(value: object) -> tuple[Network, ...]:
    example = 'Write ["127.0.0.0/8", "::1/128"]'
    several = listed(value, example)
    names = [one for one in several if isinstance(one, str)]
    if len(names) < len(several):
        raise unfit(f"{quoted(value)} is not a list", example)
    if not several:
        raise unfit("the list is empty, and nobody could come", f'{example}, or ["0.0.0.0/0", "::/0"] for everyone')
    return tuple(map(_network, names))


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        wrong = "has bits set after its prefix" if "host bits" in str(error) else "is not a network"
        raise unfit(f"{quoted(text)} {wrong}", "Write it like 192.0.2.0/24 or 2001:db8::/32") from None


def _dns_name(value: object) -> str:
    name = as_line(value).lower()
    if name and not valid_name(name):
        raise unfit(f"{quoted(value)} is not a name of the DNS", "Write it in plain ASCII, like example.jp")
    return name


def _time_zone(value: object) -> str:
    name = as_line(value)
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise unfit(f"there is no time zone {quoted(name)}", "Write a name of the IANA list, like Asia/Tokyo") from None
    return name


def _readable(value: object) -> Path | None:
    text = as_line(value)
    if not text:
        return None
    try:
        Path(text).open("rb").close()
    except OSError as error:
        raise unfit(f"{quoted(text)} cannot be read: {error.strerror}", "Name a file we may read, or none") from None
    return Path(text)


def _secret_file(value: object) -> SecretFile | None:
    path = _readable(value)
    if path is None:
        return None
    try:
        secret = path.read_text("utf-8").partition("\n")[0]
    except UnicodeDecodeError:
        secret = ""
    if not secret:
        raise unfit(f"{quoted(value)} has no text on its first line", "Write the secret there, in UTF-8")
    return SecretFile(path, SecretStr(secret))


def _command(value: object) -> tuple[str, ...]:
    # Not quoted in a fault: its arguments may hold a secret.
    if not isinstance(value, str):
        raise unfit("this is not text", "Write the command line in one pair of quotes")
    try:
        return tuple(shlex.split(value))
    except ValueError as error:
        raise unfit(f"this is not a command line: {error}".rstrip("."), "Write it as you would in a shell") from None


Duration = Annotated[timedelta, PlainValidator(_duration)]
DurationOrNone = Annotated[timedelta | None, PlainValidator(_duration_or_none)]
Floor = Annotated[float | None, PlainValidator(_floor)]
Workers = Annotated[int | None, PlainValidator(_workers)]
Size = Annotated[int, PlainValidator(_size)]
Memory = Annotated[int, PlainValidator(_memory)]
Networks = Annotated[tuple[Network, ...], PlainValidator(_networks)]
Line = Annotated[str, PlainValidator(as_line)]
Name = Annotated[str, PlainValidator(_name)]
Folder = Annotated[Path, PlainValidator(_path)]
Address = Annotated[str, PlainValidator(_address)]
EnvelopeSender = Annotated[str, PlainValidator(_address_or_none)]
Addresses = Annotated[tuple[str, ...], PlainValidator(_addresses)]
DnsName = Annotated[str, PlainValidator(_dns_name)]
TimeZone = Annotated[str, PlainValidator(_time_zone)]
ReadableFile = Annotated[Path | None, PlainValidator(_readable)]
PasswordFile = Annotated[SecretFile | None, PlainValidator(_secret_file)]
Command = Annotated[tuple[str, ...], PlainValidator(_command)]
