"""The pages through jinja2, in Japanese or English."""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse

from responder.corpus import Entry
from responder.desk.desk import Desk

PAGES = Path(__file__).parent / "pages"
ASSETS = Path(__file__).parent / "assets"

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


SIGNS = {
    "ja": {"colon": "：", "dot": "・", "comma": "、", "gap": "　", "open": "（", "close": "）"},
    "en": {"colon": ": ", "dot": " · ", "comma": ", ", "gap": " · ", "open": " (", "close": ")"},
}
"""What stands between two things of a line."""


class Said(StrEnum):
    """What a page tells of what was just done, in the words of `said.html`; anything else in a query says nothing."""

    SAVED = "saved"
    UNDONE = "undone"
    TOO_LATE = "too-late"
    ON_ITS_WAY = "on-its-way"
    RESUMED_BEFORE = "resumed-before"
    RESUMED = "resumed"

    @classmethod
    def of(cls, text: str) -> "Said | None":
        """None where the text is none of them."""
        return cls(text) if text in cls._value2member_map_ else None


def rendered(
    request: Request, desk: Desk, name: str, language: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page of ours. `language` is ja or en."""
    known = {
        "desk": desk,
        "language": language,
        "zone": desk.zone,
        "path": request.url.path,
        "account": None,
        "csrf": "",
        "said": None,
        "sent": None,
        "query": request.query_params,
        "now": desk.clock(),
        "assets": assets_version(),
        "sheets": sheets(),
        "percent": _percent,
        "size": _size,
    }
    return HTMLResponse(_environment(language).get_template(name).render({**known, **values}), status_code=status)


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    english = translations()["english"] if language == "en" else {}
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # jinja2.ext.i18n adds it
        lambda text: english.get(text, text), lambda _, many, n: english.get(many, many), newstyle=True
    )
    environment.filters |= {"word": _word, "term": _term, "called": _called}
    environment.filters |= {"moment": _moment, "day": _day, "clock": _clock, "ago": _ago}
    environment.globals["signs"] = SIGNS[language]
    return environment


@cache
def translations() -> Mapping[str, Mapping[str, str]]:
    """`english`: of what the pages say in Japanese. `japanese`: of the words that the code has in English."""
    return {name: _merged(PAGES / name) for name in ("english", "japanese")}


def _merged(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        found |= tomllib.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def sheets() -> Sequence[str]:
    """The style sheets, the one of all pages first."""
    return sorted((path.name for path in ASSETS.glob("*.css")), key=lambda name: (name != "desk.css", name))


@cache
def assets_version() -> str:
    """Another one whenever a style or script is another: browsers may keep them for good."""
    digest = hashlib.sha256()
    for path in sorted(ASSETS.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _percent(share: float) -> str:
    """73%; what is less than the whole is never shown as it."""
    return f"{min(int(share * 100), 100)}%"


def _size(octets: int) -> str:
    """17 KB, 2.5 MB."""
    return f"{octets / 1_000_000:.1f} MB" if octets >= 1_000_000 else f"{max(round(octets / 1000), 1)} KB"


@pass_context
def _word(context: Context, text: str) -> str:
    """What the code has in English, for the reader; a word nobody has translated stays as it is."""
    return text if context["language"] == "en" else translations()["japanese"].get(text, text)


@pass_context
def _term(context: Context, name: str, of: str) -> str:
    """A word of the code that says little without what it is a word of, as "open" of a case."""
    return name.capitalize() if context["language"] == "en" else _word(context, f"{name} {of}")


@pass_context
def _called(context: Context, entry: Entry) -> str:
    """The title of an entry, in the reader's language where it has one in it."""
    return entry.english.title if context["language"] == "en" and entry.english else entry.title


@pass_context
def _day(context: Context, at: datetime) -> str:
    """2026-11-26 (Thu), where the staff live."""
    local = at.astimezone(context["zone"])
    return f"{local:%Y-%m-%d} ({_word(context, WEEKDAYS[local.weekday()])})"


@pass_context
def _clock(context: Context, at: datetime) -> str:
    """16:20, where the staff live."""
    return f"{at.astimezone(context['zone']):%H:%M}"


@pass_context
def _moment(context: Context, at: datetime) -> str:
    """2026-11-26 (Thu) 16:20, where the staff live."""
    return f"{_day(context, at)} {_clock(context, at)}"


@pass_context
def _ago(context: Context, at: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    passed = max((context["now"] - at).total_seconds(), 0)
    for unit, seconds in (("%(n)s d ago", 86_400), ("%(n)s h ago", 3_600), ("%(n)s min ago", 60)):
        if passed >= seconds:
            return _word(context, unit) % {"n": int(passed // seconds)}
    return _word(context, "just now")
