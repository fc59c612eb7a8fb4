"""A text as people fold it: what its sender wrote, and what stands below or between it from earlier mails."""

import re
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Passage:
    """Some lines that belong together."""

    text: str
    quoted: bool

    @property
    def lines(self) -> int:
        """How many."""
        return self.text.count("\n") + 1


_MARKED = re.compile(r"\A[ \t\u3000]{0,8}(?:[>＞]|\(引用\)|（引用）)")
_HEAD = re.compile(
    r"\A[ \t>]{0,8}(?:-{3,40}[ \t]{0,8}(?:original message|forwarded message|元のメッセージ|転送メッセージ|転送された)"
    r"|begin forwarded message:|on .{1,300}\bwrote:[ \t]*\Z)",
    re.IGNORECASE,
)
_DATED = re.compile(r"\A[ \t>]{0,8}\d{4}[年/-]\d{1,2}[月/-]\d{1,2}.{0,400}[:：][ \t]*\Z")
# Whoever only lists what happened on a day quotes nobody.
_STAMP = re.compile(r"\d{1,2}:\d{2}|@")
_FIELD = re.compile(
    r"\A[ \t*]{0,8}(?:from|to|cc|date|sent|subject|差出人|宛先|送信者|送信日時|日付|日時|件名)[ \t*]{0,8}[:：]",
    re.IGNORECASE,
)
_LEAST_FIELDS = 3
"""As many lines like `差出人: …` below each other are how Outlook begins what it quotes."""
_FORWARDED = re.compile(r"\A\s{0,8}(?:fwd?|転送)\s?[:：]", re.IGNORECASE)


def passages_of(subject: str, text: str) -> tuple[Passage, ...]:
    """All that is said, in order. Where all is quoted, or the subject says "forwarded", nothing counts as quoted."""
    lines = text.split("\n")
    quoted = _quoted(lines)
    own = any(line.strip() for line, mark in zip(lines, quoted, strict=True) if not mark)
    if not own or _FORWARDED.match(subject):
        return (Passage(text, quoted=False),)
    pairs = zip(lines, quoted, strict=True)
    runs = [("\n".join(line for line, _ in run), mark) for mark, run in groupby(pairs, key=lambda pair: pair[1])]
    return tuple(Passage(run.strip("\n"), mark) for run, mark in runs if run.strip())


def _quoted(lines: list[str]) -> list[bool]:
    marks = [_MARKED.match(line) is not None for line in lines]
    for index in range(len(lines)):
        if marks[index] or not _begins(lines, index):
            continue
        # Whoever answers between the lines has ">" before those of the other; otherwise all below is the other's.
        below = next((place for place in range(index + 1, len(lines)) if lines[place].strip()), len(lines))
        if below < len(lines) and marks[below]:
            marks[index:below] = [True] * (below - index)
        else:
            marks[index:] = [True] * (len(lines) - index)
            break
    return _with_blanks_between(lines, marks)


def _begins(lines: list[str], index: int) -> bool:
    line = lines[index]
    if _HEAD.match(line) or (_DATED.match(line) and _STAMP.search(line)):
        return True
    below = lines[index : index + _LEAST_FIELDS]
    return len(below) == _LEAST_FIELDS and all(_FIELD.match(line) for line in below)


def _with_blanks_between(lines: list[str], marks: list[bool]) -> list[bool]:
    """An empty line belongs to what stands around it."""
    filled, waiting = list(marks), None
    for index, line in enumerate(lines):
        if marks[index]:
            if waiting is not None:
                filled[waiting:index] = [True] * (index - waiting)
            waiting = index
        elif line.strip():
            waiting = None
    return filled
