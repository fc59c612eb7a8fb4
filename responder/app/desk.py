"""The staff pages' side of the settings: what they work with, whether a worker runs in this process or not."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Engine

from responder.app.pieces import author_of, clock, letters_of
from responder.app.renewal import Current
from responder.config import Config
from responder.desk.desk import Desk
from responder.letters import Letters
from responder.triage.reading import Knowledge


def desk_of(engine: Engine, config: Config, current: Current | None) -> Desk:
    """What the pages work with. Raises OperatorError."""
    service = config.service
    wording = letters_of(config)

    def letters() -> Letters:
        return wording if current is None else current.briefing.letters

    def knowledge() -> Knowledge | None:
        return None if current is None else current.briefing.knowledge

    def refused() -> Sequence[str]:
        return () if current is None else current.refused

    return Desk(
        engine=engine,
        author=author_of(config),
        letters=letters,
        corpus=service.corpus,
        clock=clock,
        zone=ZoneInfo(service.timezone),
        url=config.desk.url or f"http://{config.desk.listen}",
        reply_within=service.reply_within_business_days,
        knowledge=knowledge,
        refused=refused,
    )
