"""evaluate: how well labelled mails are answered, and which to read."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder.cli.opened import Json, settings
from responder.cli.output import as_json, fail, printable, say
from responder.errors import CorpusError, Fault

if TYPE_CHECKING:
    from responder.config import Config
    from responder.corpus import Example
    from responder.triage.evaluation import Figures, Judged
    from responder.triage.reading import Knowledge

Labelled = Annotated[list[Path], typer.Argument(help="Files of labelled mails (.jsonl), or one folder of .eml files.")]


def register(app: typer.Typer) -> None:
    """Hang the command into the program."""
    app.command("evaluate")(evaluate)


def evaluate(
    context: typer.Context,
    labelled: Labelled,
    labels: Annotated[
        Path | None, typer.Option(help='For a folder: {"file": "a.eml", "expected": ["q01"]}, one a line.')
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Write the risk-coverage curve there, as SVG.")] = None,
    compare: Annotated[
        Path | None, typer.Option(help="Another corpus folder: which mails change their outcome.")
    ] = None,
    as_lines: Json = False,
) -> None:
    """Decide labelled mails and say how many were answered, how many wrongly, and which are worth reading."""
    from responder.app.pieces import judged_so_far, knowledge_of, taught_so_far
    from responder.triage.evaluation import figures, risk_coverage
    from responder.triage.picture import risk_coverage_svg

    config = settings(context)
    knowledge = knowledge_of(config, taught_so_far(config), judged_so_far(config))
    mails = list(_mails(labelled, labels, frozenset(entry.id for entry in knowledge.corpus.entries)))
    if not mails:
        fail("There is no labelled mail in there.")
    judged = _judged(mails, knowledge)
    other = _judged(mails, _other_knowledge(config, compare)) if compare is not None else None
    if picture is not None:
        floor = knowledge.thresholds.floor
        total = figures(judged)
        now = _now(total, 1.0 if floor is None else floor)
        picture.write_text(risk_coverage_svg(risk_coverage(judged), now=now, title=f"{total.mails} labelled mails"))
    report = _report(judged, knowledge, other)
    say(as_json(report)) if as_lines else _print(report)


def _now(total: "Figures", floor: float) -> Any:
    from responder.triage.evaluation import Point

    return Point(floor, total.coverage, total.wrong_rate)


def _mails(
    paths: Sequence[Path], labels: Path | None, known: frozenset[str]
) -> Iterator[tuple["Example", bytes | None]]:
    """Each labelled mail, with its bytes where it is a file of its own."""
    from responder.corpus import read_examples

    faults: list[Fault] = []
    if labels is not None:
        if len(paths) != 1 or not paths[0].is_dir():
            fail("--labels goes with one folder of .eml files.")
        names = [json.loads(line).get("file", "") for line in labels.read_text("utf-8").splitlines() if line.strip()]
        examples = read_examples(labels, known, faults)
        if faults:
            raise CorpusError(faults)
        for name, example in zip(names, examples, strict=True):
            yield replace(example, name=name), (paths[0] / name).read_bytes()
        return
    for path in paths:
        if path.is_dir():
            fail(f"{path} is a folder: name a file with its labels, --labels FILE.")
        for example in read_examples(path, known, faults):
            yield example, None
    if faults:
        raise CorpusError(faults)


def _other_knowledge(config: "Config", folder: Path) -> "Knowledge":
    from responder.app.pieces import judged_so_far, knowledge_of, taught_so_far

    service = replace(config.service, corpus=folder, state=config.service.state / "compared")
    return knowledge_of(replace(config, service=service), taught_so_far(config), judged_so_far(config))


def _judged(mails: Iterable[tuple["Example", bytes | None]], knowledge: "Knowledge") -> list["Judged"]:
    from rich.console import Console
    from rich.progress import track

    from responder.triage.evaluation import judge, judge_file

    shown = track(list(mails), "Deciding", console=Console(stderr=True), transient=True)
    return [judge(example, knowledge) if raw is None else judge_file(example, raw, knowledge) for example, raw in shown]


def _report(judged: Sequence["Judged"], knowledge: "Knowledge", other: Sequence["Judged"] | None) -> dict[str, Any]:
    from responder.triage.evaluation import by_entry, by_kind, confusions, figures, risk_coverage

    points = risk_coverage(judged)
    return {
        "all": _figures(figures(judged)),
        "kinds": {kind: _figures(found) for kind, found in by_kind(judged).items()},
        "entries": {entry: _figures(found) for entry, found in by_entry(judged).items()},
        "floor": knowledge.thresholds.floor,
        "basis": knowledge.basis,
        "risk_coverage": [asdict(point) for point in points[:: max(len(points) // 50, 1)]],
        "worth_reading": [_reading(one) for one in confusions(judged)],
        "changed": []
        if other is None
        else [_change(a, b) for a, b in zip(judged, other, strict=True) if _outcome(a) != _outcome(b)],
    }


def _figures(found: "Figures") -> dict[str, Any]:
    low, high = found.wrong_interval()
    return {
        **asdict(found),
        "coverage": round(found.coverage, 4),
        "wrong_rate": round(found.wrong_rate, 4),
        "wrong_interval": [round(low, 4), round(high, 4)],
    }


def _reading(one: "Judged") -> dict[str, Any]:
    return {
        "mail": one.example.name or one.example.subject,
        "kind": one.example.kind,
        "answered": one.answered,
        "expected": list(one.example.expected),
        "found": list(one.best),
        "confidence": one.confidence,
        "text": " ".join(one.example.body.split())[:100],
    }


def _outcome(one: "Judged") -> tuple[bool, tuple[str, ...]]:
    return one.answered, one.best if one.answered else ()


def _change(before: "Judged", after: "Judged") -> dict[str, Any]:
    return {
        "mail": before.example.name or before.example.subject,
        "expected": list(before.example.expected),
        "before": list(_outcome(before)[1]),
        "after": list(_outcome(after)[1]),
    }


def _print(report: dict[str, Any]) -> None:
    say(f"{'':14} mails  answerable  covered  coverage  wrong  wrong rate (95 %)")
    rows = {"all": report["all"], **report["kinds"], **report["entries"]}
    for name, row in rows.items():
        low, high = row["wrong_interval"]
        say(
            f"{name or '-':14} {row['mails']:5}  {row['answerable']:10}  {row['covered']:7}  {row['coverage']:8.3f}"
            f"  {row['wrong']:5}  {row['wrong_rate']:.4f} ({low:.4f}-{high:.4f})"
        )
    say(f"\nfloor: {report['basis']}\n\nfloor   coverage  wrong rate")
    for point in report["risk_coverage"]:
        say(f"{point['floor']:.4f}  {point['coverage']:8.3f}  {point['wrong_rate']:.4f}")
    say("\nworth reading:")
    for one in report["worth_reading"]:
        word = "ANSWERED" if one["answered"] else "held    "
        found, expected = ",".join(one["found"]) or "-", ",".join(one["expected"]) or "a person"
        say(f"{word} {one['confidence']:.2f} {found:8} expected {expected:10} {one['mail']}: {printable(one['text'])}")
    for one in report["changed"]:
        say(
            f"changed: {one['mail']}: {','.join(one['before']) or 'a person'} -> {','.join(one['after']) or 'a person'}"
        )
