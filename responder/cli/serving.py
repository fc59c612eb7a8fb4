"""serve, check and health: the running service."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from responder.cli.opened import settings
from responder.cli.output import fail, say
from responder.errors import OperatorError

if TYPE_CHECKING:
    from responder.config import Config


def register(app: typer.Typer) -> None:
    """Hang the commands into the program."""
    app.command("serve")(serve)
    app.command("check")(check)
    app.command("health")(health)


def serve(
    context: typer.Context,
    only: Annotated[
        str, typer.Option(help="Some of the agents, joined by commas: listener,worker,courier,desk.")
    ] = "listener,worker,courier,desk",
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that read and decide, beside the others.", min=0, max=64),
    ] = None,
) -> None:
    """Run the service until SIGTERM. SIGHUP reads corpus, templates and thresholds again."""
    from responder.app.processes import run, workers_of
    from responder.app.serving import AGENTS

    agents = tuple(name.strip() for name in only.split(",") if name.strip())
    if not agents or not set(agents) <= set(AGENTS):
        fail(f"--only takes some of {', '.join(AGENTS)}.")
    config = settings(context)
    run(config, context.obj, agents, workers=workers_of(config) if workers is None else workers)


def check(context: typer.Context) -> None:
    """Try settings, corpus, templates, database, signature and next hop. Exit code 0 when all of them hold, else 1."""
    config = settings(context)
    say("settings    ok")
    wrong = False
    for name, trial in _trials(config):
        try:
            say(f"{name:12}{trial()}")
        except OperatorError as error:
            wrong = True
            for fault in error.faults:
                say(f"{name:12}{fault}")
    if wrong:
        raise SystemExit(1)


def _trials(config: "Config") -> Iterator[tuple[str, Callable[[], str]]]:
    from responder.app import pieces

    def corpus() -> str:
        knowledge = pieces.knowledge_of(config, pieces.taught_so_far(config), pieces.judged_so_far(config))
        examples = knowledge.corpus.examples
        taught = sum(example.kind == "taught" for example in examples)
        counts = f"{len(knowledge.corpus.entries)} entries, {len(examples)} labelled mails ({taught} of them taught)"
        return f"ok, {counts}\n{'floor':12}{knowledge.basis}"

    def templates() -> str:
        pieces.letters_of(config)
        return "ok"

    def database() -> str:
        engine = pieces.ready_store(config)
        place = engine.url.render_as_string(hide_password=True)
        try:
            pieces.see_breaker_closed(engine)
        finally:
            engine.dispose()
        return f"ok, {place}"

    def encryption() -> str:
        from responder.app.encryption import encryption_of

        return f"ok, {config.listener.tls}" if encryption_of(config) else "ok, not offered to clients"

    yield "corpus", corpus
    yield "templates", templates
    yield "database", database
    yield "encryption", encryption
    yield "signature", lambda: pieces.tried_signer(config)
    yield "next hop", lambda: pieces.tried_next_hop(config)


def health(context: typer.Context) -> None:
    """Ask the running service whether it is well: exit code 0 or 1, for an orchestrator's probe."""
    import urllib.error
    import urllib.request

    listen = settings(context).desk.listen
    if listen is None:
        fail("desk.listen is off, so that there is nobody to ask.")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104 - recognised, not bound
    url = f"http://[{host}]:{listen.port}/readyz" if ":" in host else f"http://{host}:{listen.port}/readyz"
    # A proxy of the environment has no business between a probe and its own machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5):
            say("ok")
    except (urllib.error.URLError, OSError) as error:
        fail(f"{url}: {error}")
