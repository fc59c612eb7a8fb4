"""Print what `make kills` found as a table: store, point, runs, mails lost, answered twice, answers repeated."""

import sys
from collections.abc import Iterable
from pathlib import Path


def table(lines: Iterable[str]) -> str:
    """One row for each store and point, from a line for each run."""
    found: dict[tuple[str, str], list[int]] = {}
    for line in lines:
        store, point, *counts = line.split("\t")
        row = found.setdefault((store, point), [0, 0, 0, 0])
        found[store, point] = [one + more for one, more in zip(row, [1, *map(int, counts)], strict=True)]
    rows = [f"| {store} | {point} | {' | '.join(map(str, row))} |" for (store, point), row in sorted(found.items())]
    head = ("| store | killed at | runs | lost | answered twice | repeated |", "|---|---|---|---|---|---|")
    return "\n".join([*head, *rows])


if __name__ == "__main__":
    sys.stdout.write(table(Path(sys.argv[1]).read_text().splitlines()) + "\n")
