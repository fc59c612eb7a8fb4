"""config show and corpus check: before the service runs."""

from dataclasses import asdict
from zoneinfo import ZoneInfo

import typer

from responder.cli.opened import Json, settings
from responder.cli.output import as_json, rows, say, warn


def register(app: typer.Typer) -> None:
    """Hang the commands into the program."""
    app.add_typer(_config, name="config", help="The settings in force.")
    app.add_typer(_corpus, name="corpus", help="The entries of the FAQ.")


_config = typer.Typer(no_args_is_help=True)
_corpus = typer.Typer(no_args_is_help=True)


@_config.callback()
def _config_group() -> None:
    """The settings in force."""


@_corpus.callback()
def _corpus_group() -> None:
    """The entries of the FAQ."""


@_config.command("show")
def show_config(context: typer.Context, as_lines: Json = False) -> None:
    """Every setting with its value and where that came from; secrets are masked."""
    from responder.config import shown_config

    for section, key, value, origin in shown_config(settings(context)):
        if as_lines:
            say(as_json({"section": section, "key": key, "value": value, "origin": origin}))
        else:
            say(f"{f'{section}.{key}':44}{value:40}  {origin}")


@_corpus.command("list")
def list_entries(context: typer.Context, as_lines: Json = False) -> None:
    """Every entry with its mode, and how often it was wrong: on labelled mails by trial, and as people judged it."""
    from responder.app.pieces import judged_so_far, knowledge_of, taught_so_far
    from responder.triage.trial import NEVER

    config = settings(context)
    knowledge = knowledge_of(config, taught_so_far(config), judged_so_far(config))
    entries = []
    for entry in knowledge.corpus.entries:
        standing, judged = knowledge.standings.get(entry.id), knowledge.judged.get(entry.id, NEVER)
        entries.append(
            {
                "entry": entry.id,
                "mode": entry.mode.value,
                "by_itself": entry.mode.value == "automatic" and entry.id not in knowledge.thresholds.unproven,
                "answers": standing.answers if standing else 0,
                "wrong": standing.wrong if standing else 0,
                "judged": judged.answers,
                "judged_wrong": judged.wrong,
                "wrong_at_most": round(standing.wrong_at_most(config.triage.delta), 4) if standing else None,
                "title": entry.title,
            }
        )
    rows(
        entries, list(entries[0]), as_lines=as_lines, zone=ZoneInfo(config.service.timezone), empty="There is no entry."
    )


@_corpus.command("check")
def check_corpus(context: typer.Context, as_lines: Json = False) -> None:
    """Read every entry as an editor would: faults end with exit code 1, warnings do not."""
    from responder.corpus import load_corpus
    from responder.triage.proofread import warnings_of

    folder = settings(context).service.corpus
    corpus = load_corpus(folder)
    warnings = warnings_of(corpus, str(folder))
    for warning in warnings:
        if as_lines:
            say(as_json(asdict(warning)))
        else:
            warn(f"warning: {warning}")
    if not as_lines:
        say(f"{len(corpus.entries)} entries, {len(warnings)} warnings.")
