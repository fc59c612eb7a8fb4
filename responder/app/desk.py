"""The staff pages' side of the settings: what they work with, whether a worker runs in this process or not."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Engine

from responder import maillog
from responder.app.pieces import author_of, clock, corpus_of, letters_of, pages_url
from responder.app.renewal import Current
from responder.config import Config
from responder.corpus import Corpus
from responder.desk import roster
from responder.desk.desk import Desk
from responder.desk.due import Calendar
from responder.desk.identity import Registration
from responder.desk.notices import Orders
from responder.errors import ConfigError, Fault
from responder.letters import Letters
from responder.store import labels
from responder.store.engine import reading
from responder.triage.reading import Knowledge

if TYPE_CHECKING:
    from responder.desk.provider import Provider

log = maillog.log("app")


def desk_of(engine: Engine, config: Config, current: Current | None) -> Desk:
    """What the pages work with. Raises OperatorError."""
    service = config.service
    # Read at the start alone: what is changed on disk later comes by way of the worker, once it is known to be right.
    wording = letters_of(config) if current is None else current.briefing.letters

    def letters() -> Letters:
        return wording if current is None else current.briefing.letters

    def knowledge() -> Knowledge | None:
        return None if current is None else current.briefing.knowledge

    def refused() -> Sequence[str]:
        return () if current is None else current.refused

    def read_corpus() -> Corpus:
        with reading(engine) as connection:
            taught = labels.listing(connection)
        return corpus_of(config, taught)

    return Desk(
        engine=engine,
        author=author_of(config),
        letters=letters,
        corpus=service.corpus,
        clock=clock,
        url=pages_url(config),
        reply_within=service.reply_within_business_days,
        calendar=calendar_of(config),
        knowledge=knowledge,
        refused=refused,
        read_corpus=read_corpus,
        delta=config.triage.delta,
        provider=_provider(config),
    )


def _provider(config: Config) -> "Provider | None":
    oidc = config.oidc
    if not oidc.issuer:
        return None
    try:
        from responder.desk.provider import Provider
    except ModuleNotFoundError as error:
        problem, remedy = "what asks a provider is not installed", "pip install 'faq-responder[oidc]'"
        raise ConfigError([Fault("config.toml", "oidc.issuer", problem, remedy)]) from error
    secret = oidc.client_secret_file.secret.get_secret_value() if oidc.client_secret_file else ""
    settled = {name: getattr(oidc, name) for name in ("make_accounts", "trust_email", "roles_claim")}
    registration = Registration(
        oidc.issuer, oidc.client_id, secret, editors=oidc.editors, administrators=oidc.administrators, **settled
    )
    return Provider(registration)


def invite_first(engine: Engine, config: Config) -> None:
    """Where nobody has an account yet, log the link that makes the first administrator, once, within 24 hours.

    There is no default password. Links of earlier starts are void.
    """
    with engine.begin() as connection:
        token = roster.invite_first(connection, now=clock())
    if token is not None:
        log.warning("nobody has an account yet", first_administrator=f"{pages_url(config)}/welcome/{token}")


def orders_of(config: Config) -> Orders:
    """Whom of the staff to tell of cases by mail."""
    notify = config.notify
    return Orders(notify.to, notify.on_escalation, notify.before_due, notify.at_most_every)


def calendar_of(config: Config) -> Calendar:
    """When the office works."""
    hours = config.desk.business_hours
    closed = frozenset((one.month, one.day) for one in config.desk.closed)
    return Calendar(ZoneInfo(config.service.timezone), hours.opens, hours.closes, closed)
