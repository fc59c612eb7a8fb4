"""jinja2 in bounds: a template reaches its values and nothing else, and cannot grow beyond a letter."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import wraps
from typing import Any

from jinja2 import DictLoader, StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

MOST_CHARACTERS = 100_000
_MOST_TURNS = 1000


class Bounded(SandboxedEnvironment):
    """jinja2's sandbox, in which a few characters of a template cannot make a text of many before anybody counts it.

    The sandbox itself bounds `range` only, and at 100,000: `'a' * 10**10` takes the memory of the machine, which jinja2
    does while it compiles already. What is forbidden here raises SecurityError, with the line of the template.
    """

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, sources: Mapping[str, str]) -> None:
        super().__init__(
            loader=DictLoader(sources),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # a letter is text/plain: an escaped ampersand would be shown as such
        )
        # With a namespace a loop can double a text at every turn.
        for name in ("lipsum", "namespace"):
            del self.globals[name]
        self.globals["range"] = _few
        # A width within a text is out of sight: what formats is left out, and what takes a number is asked for it.
        del self.filters["format"]
        self.filters = {name: _measured(called) for name, called in self.filters.items()}
        self.filters |= {"japanese_date": japanese_date, "japanese_moment": japanese_moment}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """What is intercepted above; jinja2 calls it at the rendering, and folds no constants of these operators."""
        match operator, left, right:
            case "*", int() | float(), int() | float():
                pass
            case "*", _, _ if _size(left) * _size(right) <= MOST_CHARACTERS:
                pass
            case "%", int() | float(), _:
                pass
            case _:
                raise SecurityError(
                    f"{operator} is not to be had here, or makes more than {MOST_CHARACTERS} characters"
                )
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Every call of a function or method in a template."""
        if getattr(called, "__name__", "") in ("format", "format_map"):
            raise SecurityError("format is not to be had here: join the parts with ~")
        _measure(*args, *kwargs.values())
        return super().call(context, called, *args, **kwargs)


def japanese_date(day: date) -> str:
    """2026-11-24 as 2026年11月24日."""
    return f"{day.year}年{day.month}月{day.day}日"


def japanese_moment(at: datetime) -> str:
    """2026-11-24 17:30 as 2026年11月24日（火）17:30, on the clock that it comes with."""
    return f"{japanese_date(at)}（{'月火水木金土日'[at.weekday()]}）{at:%H:%M}"


def _few(*bounds: int) -> range:
    turns = range(*bounds)
    if len(turns) > _MOST_TURNS:
        raise SecurityError(f"a range of more than {_MOST_TURNS}")
    return turns


def _size(value: Any) -> float:
    return abs(value) if isinstance(value, int | float) else len(value)


def _measure(*arguments: Any) -> None:
    if any(isinstance(argument, int) and abs(argument) > MOST_CHARACTERS for argument in arguments):
        raise SecurityError(f"a number above {MOST_CHARACTERS} is no measure of a letter")


def _measured(called: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(called)  # it copies what jinja2 notes on a filter, too
    def measured(*args: Any, **kwargs: Any) -> Any:
        _measure(*args, *kwargs.values())
        return called(*args, **kwargs)

    return measured
