"""What somebody wrote, in the file and in the environment, before anyone asks whether it fits."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from responder.config.sections import KEYS, SECTIONS
from responder.errors import Fault, shown

PREFIX = "RESPONDER_"
FILE_VARIABLE = "RESPONDER_CONFIG"
ENVIRONMENT = "environment"

VARIABLES: Mapping[str, str] = {f"{PREFIX}{key.replace('.', '__')}".upper(): key for key in KEYS}

# Kubernetes sets the first ones in every pod beside a Service named "responder"; the last are our tests' own.
_NOT_OURS = re.compile(
    r"RESPONDER_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?|TEST_\w+)"
)

_HEADING = re.compile(r"\s*\[\[?\s*[\"']?([\w-]+)[\"']?\s*\]")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?(?:\s*\.\s*[\"']?([\w-]+)[\"']?)?\s*=")
_LINE_OF_ERROR = re.compile(r"\(at line (\d+), ")


@dataclass(frozen=True, slots=True)
class Written:
    """One setting as it was written. `name` is the key as it stands there, `key` its dotted form."""

    key: str
    value: object
    file: str
    name: str
    line: int | None = None

    @property
    def from_environment(self) -> bool:
        """Whether the value is text that stands for something else."""
        return self.file == ENVIRONMENT

    def fault(self, problem: str, remedy: str) -> Fault:
        """The mistake in it."""
        return Fault(self.file, self.name, problem, remedy, self.line)


def written_in_file(path: Path) -> tuple[list[Written], list[Fault]]:
    """What the file sets. Where it cannot be read as TOML, that is its only fault."""
    try:
        text = path.read_bytes().decode("utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        return [], [Fault(shown(path), "", f"it cannot be read: {error.strerror}", "Name a file we may read")]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return [], [Fault(shown(path), "", "it is not UTF-8", "Save it as UTF-8", line)]
    except tomllib.TOMLDecodeError as error:
        return [], [_syntax_fault(path, error)]
    return _of_document(document, shown(path), _lines_of(text))


def _syntax_fault(path: Path, error: tomllib.TOMLDecodeError) -> Fault:
    found = _LINE_OF_ERROR.search(str(error))
    problem = f"this is not TOML: {str(error)[: found.start() if found else None].strip()}"
    remedy = 'Write [section] and key = value, with text in "quotes"'
    return Fault(shown(path), "", problem, remedy, int(found[1]) if found else None)


def _lines_of(text: str) -> dict[str, int]:
    # The parser gives no lines away. A text of several lines may fool this, at the price of a wrong number.
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if heading := _HEADING.match(line):
            section = heading[1]
            lines.setdefault(section, number)
        elif key := _KEY.match(line):
            lines.setdefault(".".join(part for part in (section, key[1], key[2]) if part), number)
    return lines


def _of_document(
    document: Mapping[str, object], file: str, lines: Mapping[str, int]
) -> tuple[list[Written], list[Fault]]:
    written, faults = [], []
    for section, content in document.items():
        if section not in SECTIONS:
            faults.append(Fault(file, section, *_unknown_section(section, content), lines.get(section)))
        elif not isinstance(content, dict):
            faults.append(Fault(file, section, "this is a section", f"Write [{section}]", lines.get(section)))
        else:
            for name, value in content.items():
                one = Written(f"{section}.{name}", value, file, f"{section}.{name}", lines.get(f"{section}.{name}"))
                if one.key in KEYS:
                    written.append(one)
                else:
                    faults.append(one.fault(*_unknown_key(section, name)))
    return written, faults


def _unknown_section(name: str, content: object) -> tuple[str, str]:
    if isinstance(content, dict):
        sections = ", ".join(f"[{section}]" for section in SECTIONS)
        return "there is no such section", _nearest(name, SECTIONS) or f"There are {sections}"
    remedy = _where_else(name) or _nearest(name, (key.partition(".")[2] for key in KEYS))
    return "no key stands outside of a section", remedy or "Write it under the section it belongs to"


def _unknown_key(section: str, name: str) -> tuple[str, str]:
    known = [key.partition(".")[2] for key in KEYS if key.startswith(f"{section}.")]
    remedy = _where_else(name) or _nearest(name, known) or f"[{section}] has {', '.join(known)}"
    return "there is no such key", remedy


def _where_else(name: str) -> str | None:
    sections = [f"[{key.partition('.')[0]}]" for key in KEYS if key.partition(".")[2] == name]
    return f"It belongs to {' or '.join(sections)}" if sections else None


def _nearest(name: str, known: Iterable[str]) -> str | None:
    found = get_close_matches(name, list(known), n=1)
    return f"Did you mean {found[0]}?" if found else None


def written_in_environment(environ: Mapping[str, str]) -> tuple[list[Written], list[Fault]]:
    """What the variables RESPONDER_SECTION__KEY set; a misspelt one is a fault, for it would do nothing."""
    written, faults = [], []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == FILE_VARIABLE or _NOT_OURS.fullmatch(name):
            continue
        if name in VARIABLES:
            written.append(Written(VARIABLES[name], environ[name], ENVIRONMENT, name))
        else:
            remedy = _nearest(name, (*VARIABLES, FILE_VARIABLE)) or f"Write {PREFIX}SECTION__KEY, or unset it"
            faults.append(Fault(ENVIRONMENT, name, "there is no such setting", remedy))
    return written, faults
