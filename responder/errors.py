"""Operator's faults. A mail's fate is never an exception; a wrong file is (docs/why.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in one file: where it stands, what is wrong, and what to do about it."""

    file: str
    key: str
    problem: str
    remedy: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = f"{self.key}: " if self.key else ""
        return f"{place}: {key}{self.problem}. {self.remedy}"


class OperatorError(Exception):
    """Base of the faults an operator can mend; `faults` holds every one that was found, not the first only."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class ConfigError(OperatorError):
    """config.toml or the environment holds something that cannot be."""


class CorpusError(OperatorError):
    """An entry of faq_corpus/ cannot be read or contradicts itself."""


class TemplateError(OperatorError):
    """A letter in templates/ cannot be rendered."""


class StoreError(OperatorError):
    """The database cannot be reached, or holds a schema of another version."""


def shown(path: Path) -> str:
    """A path as an operator types it: relative to the working directory where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
