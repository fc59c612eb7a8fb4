"""The rules of automatic mail as a table: field in, rule out."""

import pytest

from responder.mail.envelope import Envelope
from responder.mail.message import Message, parse_message
from responder.triage.guard import RULES, Suppression, suppression_of

OWN = frozenset({"support@example.jp"})
PERSON = "tanaka@contractor.example"


def _message(*fields: str, sender: str = PERSON) -> Message:
    head = [f"From: {sender}", "To: support@example.jp", "Subject: question", *fields]
    message = parse_message("\r\n".join([*head, "", "May we share a mailbox?"]).encode())
    assert isinstance(message, Message)
    return message


def _rule(*fields: str, mail_from: str = PERSON, sender: str = PERSON) -> Suppression | None:
    return suppression_of(Envelope(mail_from, ("support@example.jp",)), _message(*fields, sender=sender), OWN)


@pytest.mark.parametrize(
    ("taken_for", "rule"),
    [
        (("bounces@example.jp",), Suppression.BOUNCE_ADDRESS),
        (("Bounces@Example.JP",), Suppression.BOUNCE_ADDRESS),
        (("bounces@example.jp", "support@example.jp"), None),
        (("support@example.jp",), None),
        ((), None),
    ],
    ids=["to it alone", "in another case", "to us as well", "to us", "to nobody known"],
)
def test_rfc_3834_3_3_what_comes_to_the_envelope_sender_of_automatic_mail_is_not_answered(
    taken_for: tuple[str, ...], rule: Suppression | None
) -> None:
    own, bounces = OWN | {"bounces@example.jp"}, frozenset({"bounces@example.jp"})
    assert suppression_of(Envelope(PERSON, taken_for), _message(), own, bounces) is rule


def test_a_person_who_asks_may_be_answered() -> None:
    assert _rule() is None


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        (["Auto-Submitted: auto-replied"], Suppression.AUTO_SUBMITTED),
        (["Auto-Submitted: auto-generated"], Suppression.AUTO_SUBMITTED),
        (["Auto-Submitted: AUTO-NOTIFIED; owner-email=x"], Suppression.AUTO_SUBMITTED),
        (["Auto-Submitted: (no) auto-replied"], Suppression.AUTO_SUBMITTED),
        (["Auto-Submitted: x-vendor"], Suppression.AUTO_SUBMITTED),
        (["Auto-Submitted: no", "Auto-Submitted: auto-replied"], Suppression.AUTO_SUBMITTED),
        (["Auto-Submitted: no"], None),
        (["Auto-Submitted: No (a person wrote it); x=y"], None),
        (["Content-Type: multipart/report; boundary=x"], Suppression.REPORT),
        (["Content-Type: Multipart/Report; report-type=delivery-status; boundary=x"], Suppression.REPORT),
        (["Content-Type: message/disposition-notification"], Suppression.REPORT),
        (["X-Failed-Recipients: tanaka@contractor.example"], Suppression.REPORT),
        (["List-Id: <members.example.jp>"], Suppression.LIST_MAIL),
        (["List-Unsubscribe: <mailto:leave@example.jp>"], Suppression.LIST_MAIL),
        (["Mailing-List: contact owner"], Suppression.LIST_MAIL),
        (["Precedence: bulk"], Suppression.BULK),
        (["Precedence: Junk"], Suppression.BULK),
        (["X-Precedence: auto_reply"], Suppression.BULK),
        (["Precedence: first-class"], None),
        (["X-Auto-Response-Suppress: All"], Suppression.SUPPRESSION_ASKED),
        (["X-Auto-Response-Suppress: DR, OOF, AutoReply"], Suppression.SUPPRESSION_ASKED),
        (["X-Auto-Response-Suppress: DR, NDR, RN, NRN"], None),
        (["Return-Path: <>"], Suppression.NULL_SENDER),
        (["Return-Path: <MAILER-DAEMON>"], Suppression.NULL_SENDER),
        (["Return-Path: <tanaka@contractor.example>"], None),
    ],
    ids=lambda value: "; ".join(value) if isinstance(value, list) else None,
)
def test_a_field_of_the_header_calls_its_rule(fields: list[str], rule: Suppression | None) -> None:
    assert _rule(*fields) is rule


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("MAILER-DAEMON@mx.example", Suppression.SYSTEM_SENDER),
        ("postmaster@contractor.example", Suppression.SYSTEM_SENDER),
        ("no-reply@contractor.example", Suppression.SYSTEM_SENDER),
        ("noreply-42@contractor.example", Suppression.SYSTEM_SENDER),
        ("do_not_reply@contractor.example", Suppression.SYSTEM_SENDER),
        ("owner-members@contractor.example", Suppression.SYSTEM_SENDER),
        ("members-request@contractor.example", Suppression.SYSTEM_SENDER),
        ("bounces+tanaka=contractor.example@mx.example", Suppression.SYSTEM_SENDER),
        ("cronin@contractor.example", None),
        ("roots@contractor.example", None),
        ("bouncer@contractor.example", None),
        ("Support@Example.JP", Suppression.OWN_ADDRESS),
    ],
)
def test_a_sender_that_is_no_person_is_known_in_the_envelope_and_in_from(
    address: str, rule: Suppression | None
) -> None:
    assert _rule(mail_from=address) is rule
    assert _rule(sender=address) is rule


@pytest.mark.parametrize("sender", ["", "<>"], ids=["empty", "as aiosmtpd gives it"])
def test_the_null_reverse_path_is_never_answered(sender: str) -> None:
    assert _rule(mail_from=sender) is Suppression.NULL_SENDER


def test_the_first_rule_that_holds_is_named() -> None:
    assert _rule("Auto-Submitted: auto-replied", "List-Id: <x.example>", mail_from="") is Suppression.NULL_SENDER
    assert _rule("List-Id: <x.example>", "Auto-Submitted: auto-replied") is Suppression.AUTO_SUBMITTED


def test_every_rule_stands_in_the_table_once_and_silence_comes_before_a_person() -> None:
    rules = [rule for rule, _ in RULES]
    assert sorted(rules) == sorted(Suppression)
    assert [rule.needs_person for rule in rules] == sorted(rule.needs_person for rule in rules)
