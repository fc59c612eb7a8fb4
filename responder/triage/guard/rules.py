"""The rules of automatic mail, in order: whether a machine may answer this mail at all (RFC 3834, RFC 5230)."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from responder.triage.guard import marks, senders, words
from responder.triage.guard.arrival import Arrival
from responder.triage.guard.suppression import Suppression


@dataclass(frozen=True, slots=True)
class Rule:
    """One question to a mail, and whose rule it is."""

    name: Suppression
    source: str
    holds: Callable[[Arrival], bool]


@dataclass(frozen=True, slots=True)
class Look:
    """What one rule said of one mail."""

    rule: Rule
    held: bool | None
    """None: it is switched off."""


# Silence first, then people: the first that holds decides.
RULES: tuple[Rule, ...] = (
    Rule(Suppression.NULL_SENDER, "RFC 3834 §2, RFC 5321 §6.1", senders.null_sender),
    Rule(Suppression.BOUNCE_ADDRESS, "RFC 3834 §3.3", senders.bounce_address),
    Rule(Suppression.AUTO_SUBMITTED, "RFC 3834 §2 and §5, RFC 5436 §2.7.1", marks.auto_submitted),
    Rule(Suppression.REPORT, "RFC 6522, RFC 3464 §2, RFC 8098, RFC 5965", marks.report),
    Rule(Suppression.OWN_ADDRESS, "RFC 5230 §4.5", senders.own_address),
    Rule(Suppression.OWN_MAIL, "X-Loop as in RT, Message-ID as in Zammad", senders.own_mail),
    Rule(Suppression.SYSTEM_SENDER, "RFC 3834 §2, RFC 5230 §4.6, Exim", senders.system_sender),
    Rule(Suppression.TOO_MANY_HOPS, "RFC 5321 §6.3", marks.too_many_hops),
    Rule(Suppression.TO_POSTMASTER, "RFC 5321 §4.5.1", senders.to_postmaster),
    Rule(Suppression.LIST_MAIL, "RFC 5230 §4.6, RFC 2369, RFC 2919", marks.list_mail),
    Rule(Suppression.BULK, "RFC 3834 §2, Pigeonhole", marks.bulk),
    Rule(Suppression.SUPPRESSION_ASKED, "MS-OXCMAIL 2.1.3.2.20", marks.suppression_asked),
    Rule(Suppression.RESPONDER_FIELD, "osTicket, FreeScout, RT, Zammad", marks.responder_field),
    Rule(Suppression.RETURN_ADDRESS, "RFC 3834 §2, RFC 5230 §4.6", senders.return_address),
    Rule(Suppression.ON_BEHALF, "RFC 5230 §4.5, RFC 5322 §3.6.2", senders.on_behalf),
    Rule(Suppression.DELIVERED_BEFORE, "Delivered-To as in qmail and Postfix", senders.delivered_before),
    Rule(Suppression.NOT_ADDRESSED, "RFC 3834 §2, RFC 5230 §4.5", senders.not_addressed),
    Rule(Suppression.AUTHOR_UNCLEAR, "RFC 3834 §4, RFC 5322 §3.6.2", senders.author_unclear),
    Rule(Suppression.OTHER_ORGANISATION, "RFC 3834 §6, RFC 7489 §3.1", senders.other_organisation),
    Rule(Suppression.UNAUTHENTIC, "RFC 8601, RFC 7489 §6.6", senders.unauthentic),
    Rule(Suppression.SPAM, "RFC 3834 §2, FreeScout", marks.spam),
    Rule(Suppression.MACHINE_NAME, "RFC 3834 §2, Zammad", senders.machine_name),
    Rule(Suppression.CALENDAR, "RFC 5546 §3.2.3, RFC 6047", marks.calendar),
    Rule(Suppression.ENCRYPTED, "RFC 8551 §3, RFC 3156", marks.encrypted),
    Rule(Suppression.MAIL_INSIDE, "RFC 2046 §5.2, RFC 6522 §4", marks.mail_inside),
    Rule(Suppression.OUR_REFERENCE, "our own letters", words.our_reference),
    Rule(Suppression.MACHINE_SUBJECT, "RFC 3834 §3.1.5: a person is asked", words.machine_subject),
    Rule(Suppression.MACHINE_TEXT, "RFC 3834 §3.1.5: a person is asked", words.machine_text),
)


def looks_at(mail: Arrival, off: Collection[Suppression] = ()) -> Iterator[Look]:
    """Rule by rule, up to the first that holds. What is fixed is looked at whatever `off` says."""
    for rule in RULES:
        if rule.name in off and not rule.name.fixed:
            yield Look(rule, None)
            continue
        held = rule.holds(mail)
        yield Look(rule, held)
        if held:
            return


def suppression_of(mail: Arrival, off: Collection[Suppression] = ()) -> Suppression | None:
    """The first rule that forbids an automatic mail, or None."""
    return held_in(looks_at(mail, off))


def held_in(looks: Iterable[Look]) -> Suppression | None:
    """The rule that held among these looks, if one did."""
    return next((look.rule.name for look in looks if look.held), None)
