"""Rules of the guard, as somebody writes which of them are off."""

from difflib import get_close_matches
from typing import Annotated

from pydantic import PlainValidator

from responder.config.values import quoted, unfit
from responder.triage.guard.suppression import Suppression


def _rules(value: object) -> tuple[Suppression, ...]:
    # A variable of the environment is one text, so a comma divides there.
    several = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
    if not isinstance(several, list):
        raise unfit(f"{quoted(value)} is not a list", 'Write ["list mail", "marked as spam"]')
    return tuple(_rule(one) for one in several)


def _rule(name: object) -> Suppression:
    free = [rule.value for rule in Suppression if not rule.fixed]
    if not isinstance(name, str) or name not in set(Suppression):
        near = get_close_matches(str(name), free, n=1)
        remedy = f'Did you mean "{near[0]}"?' if near else "`responder explain` names the rules"
        raise unfit(f"there is no rule {quoted(name)}", remedy)
    rule = Suppression(name)
    if rule.fixed:
        remedy = "Leave it out: without it two machines could write to each other for ever (RFC 3834)"
        raise unfit(f"the rule {quoted(name)} cannot be switched off", remedy)
    return rule


Rules = Annotated[tuple[Suppression, ...], PlainValidator(_rules)]
