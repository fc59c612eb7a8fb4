"""The rules of automatic mail as a table: mail in, rule out."""

import re
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.mail.envelope import Envelope
from responder.mail.message import Message, parse_message
from responder.triage.guard.arrival import Arrival
from responder.triage.guard.phrases import LINES, SUBJECTS, TEXTS, TEXTS_BEGIN_WITH
from responder.triage.guard.rules import RULES, looks_at, suppression_of
from responder.triage.guard.suppression import Suppression

OWN = frozenset({"support@example.jp", "keiyaku@example.jp"})
PERSON = "tanaka@contractor.example"


def _message(fields: Sequence[str], text: str, *, sender: str, subject: str) -> Message:
    usual = {"from": f"From: {sender}", "to": "To: support@example.jp", "subject": f"Subject: {subject}"}
    named = {field.partition(":")[0].lower() for field in fields}
    head = [*(line for name, line in usual.items() if name not in named), *fields]
    message = parse_message("\r\n".join([*head, "", text]).encode())
    assert isinstance(message, Message)
    return message


def _rule(
    *fields: str,
    text: str = "May we share a mailbox?",
    subject: str = "question",
    mail_from: str = PERSON,
    sender: str = PERSON,
    authserv_id: str = "",
    off: Sequence[Suppression] = (),
) -> Suppression | None:
    message = _message(fields, text, sender=sender, subject=subject)
    return suppression_of(Arrival(Envelope(mail_from, ("support@example.jp",)), message, OWN, authserv_id), off)


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
    message = _message([], "May we share a mailbox?", sender=PERSON, subject="question")
    assert suppression_of(Arrival(Envelope(PERSON, taken_for), message, own, bounces=bounces)) is rule


def test_a_person_who_asks_may_be_answered() -> None:
    assert _rule() is None


FIELDS = [
    (["Auto-Submitted: auto-replied"], Suppression.AUTO_SUBMITTED),
    (["Auto-Submitted: auto-generated"], Suppression.AUTO_SUBMITTED),
    (["Auto-Submitted: AUTO-NOTIFIED; owner-email=x"], Suppression.AUTO_SUBMITTED),
    (["Auto-Submitted: (no) auto-replied"], Suppression.AUTO_SUBMITTED),
    (["Auto-Submitted: x-vendor"], Suppression.AUTO_SUBMITTED),
    (["Auto-Submitted: no", "Auto-Submitted: auto-replied"], Suppression.AUTO_SUBMITTED),
    (["Auto-Submitted: no"], None),
    (["Auto-Submitted: No (a person wrote it); x=y"], None),
    (["Auto-Submitted: NO (a (b))"], None),
    (['Auto-Submitted: "no"'], None),
    (["Auto-Submitted: no,no"], None),
    (['Auto-Submitted: no; owner = "a b"'], None),
    (["Auto-Submitted: no (); auto-replied"], Suppression.AUTO_SUBMITTED),
    (["Auto-Submitted: no (:-( ; auto-replied"], Suppression.AUTO_SUBMITTED),
    (["Auto-Submitted: (a (b)) auto-replied"], Suppression.AUTO_SUBMITTED),
    (['Auto-Submitted: "auto-generated"'], Suppression.AUTO_SUBMITTED),
    (["Auto-Submitted:"], Suppression.RESPONDER_FIELD),
    (["Auto-Submitted: ()"], Suppression.RESPONDER_FIELD),
    (["Auto-Submitted: ***"], Suppression.RESPONDER_FIELD),
    (["Auto-Submitted: いいえ"], Suppression.RESPONDER_FIELD),
    (["Auto-Submitted: no thanks"], Suppression.RESPONDER_FIELD),
    (["Auto-Submitted : auto-generated"], Suppression.AUTO_SUBMITTED),
    (["X-First: 1", "Auto-Submitted \t: auto-generated"], Suppression.AUTO_SUBMITTED),
    (["List-Id : <members.example.jp>"], Suppression.LIST_MAIL),
    (["Precedence\t: bulk"], Suppression.BULK),
    (["Precedence: bulk (x)"], Suppression.BULK),
    (['Precedence: "bulk"'], Suppression.BULK),
    (["X-Auto-Response-Suppress: DR; OOF; AutoReply"], Suppression.SUPPRESSION_ASKED),
    (["X-Auto-Response-Suppress: DR OOF AutoReply"], Suppression.SUPPRESSION_ASKED),
    (['X-Auto-Response-Suppress: "All"'], Suppression.SUPPRESSION_ASKED),
    (["X-Loop: mysupport@example.jp"], Suppression.RESPONDER_FIELD),
    (["X-Loop: support@example.jp.contractor.example"], Suppression.RESPONDER_FIELD),
    (["X-Loop: a@b.example, support+x@example.jp"], Suppression.OWN_MAIL),
    (["Content-Type: multipart/report; boundary=x"], Suppression.REPORT),
    (["Content-Type: Multipart/Report; report-type=delivery-status; boundary=x"], Suppression.REPORT),
    (["Content-Type: message/disposition-notification"], Suppression.REPORT),
    (["Content-Type: message/feedback-report"], Suppression.REPORT),
    (["X-Failed-Recipients: tanaka@contractor.example"], Suppression.REPORT),
    (["X-Loop: support@example.jp"], Suppression.OWN_MAIL),
    (["X-Loop: <Keiyaku@Example.JP>"], Suppression.OWN_MAIL),
    (["Message-ID: <answer.42.0.0123456789abcdef.0123456789abcdef0123@example.jp>"], Suppression.OWN_MAIL),
    (["Message-ID: <person.42.1.0123456789abcdef.0123456789abcdef0123@example.jp>"], Suppression.OWN_MAIL),
    (["Message-ID: <answer.42.0.0123456789abcdef.0123456789abcdef0123@contractor.example>"], None),
    (["Message-ID: <20261124.colleague@example.jp>"], None),
    (["Received: from a by b"] * 101, Suppression.TOO_MANY_HOPS),
    (["Received: from a by b"] * 100, None),
    (["List-Id: <members.example.jp>"], Suppression.LIST_MAIL),
    (["List-Unsubscribe: <mailto:leave@example.jp>"], Suppression.LIST_MAIL),
    (["Mailing-List: contact owner"], Suppression.LIST_MAIL),
    (["X-ML-Name: members"], Suppression.LIST_MAIL),
    (["Precedence: bulk"], Suppression.BULK),
    (["Precedence: Junk"], Suppression.BULK),
    (["X-Precedence: auto_reply"], Suppression.BULK),
    (["Precedence: first-class"], None),
    (["X-Auto-Response-Suppress: All"], Suppression.SUPPRESSION_ASKED),
    (["X-Auto-Response-Suppress: DR, OOF, AutoReply"], Suppression.SUPPRESSION_ASKED),
    (["X-Auto-Response-Suppress: DR, NDR, RN, NRN"], None),
    (["X-Autoreply: yes"], Suppression.RESPONDER_FIELD),
    (["X-Autorespond: x"], Suppression.RESPONDER_FIELD),
    (["X-Autoresponse: x"], Suppression.RESPONDER_FIELD),
    (["X-AutoReply-From: a@b.example"], Suppression.RESPONDER_FIELD),
    (["X-Mail-Autoreply: x"], Suppression.RESPONDER_FIELD),
    (["X-Autogenerated: Reply"], Suppression.RESPONDER_FIELD),
    (["X-Loop: helpdesk@contractor.example"], Suppression.RESPONDER_FIELD),
    (["X-FC-Machinegenerated: true"], Suppression.RESPONDER_FIELD),
    (["X-RT-Loop-Prevention: rt"], Suppression.RESPONDER_FIELD),
    (["X-MS-Exchange-Inbox-Rules-Loop: a@b.example"], Suppression.RESPONDER_FIELD),
    (["Feedback-ID: 1:2:3:ses"], Suppression.RESPONDER_FIELD),
    (["Delivered-To: autoresponder"], Suppression.RESPONDER_FIELD),
    (["X-Mailer: vacation 1.2"], Suppression.RESPONDER_FIELD),
    (["X-Mailer: Becky! ver. 2.75"], None),
    (["Content-Description: Delivery report"], Suppression.RESPONDER_FIELD),
    (["Delivered-To: support@example.jp"], None),
    (["Delivered-To: support@example.jp", "Delivered-To: <Support@Example.jp>"], Suppression.DELIVERED_BEFORE),
    (["Delivered-To: support@example.jp", "Delivered-To: keiyaku@example.jp"], None),
    (["To: members@contractor.example"], Suppression.NOT_ADDRESSED),
    (["To: undisclosed-recipients:;"], Suppression.NOT_ADDRESSED),
    (["To: somebody@contractor.example", "Cc: KEIYAKU@example.jp"], None),
    (["To: somebody@contractor.example", "Bcc: support@example.jp"], None),
    (["To: somebody@contractor.example", "Resent-To: support@example.jp"], None),
    (["From: tanaka@contractor.example, sato@contractor.example"], Suppression.AUTHOR_UNCLEAR),
    (["From: tanaka@contractor.example", "From: sato@contractor.example"], Suppression.AUTHOR_UNCLEAR),
    (["From: Sales: tanaka@contractor.example;"], Suppression.AUTHOR_UNCLEAR),
    (["From: <>"], Suppression.AUTHOR_UNCLEAR),
    (["From: nobody at all"], Suppression.AUTHOR_UNCLEAR),
    (["X-Spam-Flag: YES"], Suppression.SPAM),
    (["X-Spam-Status: Yes, score=9"], Suppression.SPAM),
    (["X-Spam-Flag: NO"], None),
    (["X-Spam-Status: No, score=-1"], None),
    (['Content-Type: text/calendar; method=REPLY; charset="utf-8"'], Suppression.CALENDAR),
    (["Content-Type: application/pkcs7-mime; smime-type=enveloped-data"], Suppression.ENCRYPTED),
    (['Content-Type: multipart/encrypted; boundary="x"'], Suppression.ENCRYPTED),
    (["Content-Type: message/rfc822"], Suppression.MAIL_INSIDE),
]


def _source(rule: Suppression | None) -> str:
    return next((one.source for one in RULES if one.name is rule), "no rule")


@pytest.mark.parametrize(
    ("recipients", "own", "rule"),
    [
        (("postmaster@example.jp",), OWN, Suppression.TO_POSTMASTER),
        (("support@example.jp", "Postmaster@example.jp"), OWN, Suppression.TO_POSTMASTER),
        (("postmaster@example.jp",), frozenset({"postmaster@example.jp"}), None),
        (("postmasters@example.jp",), OWN, None),
    ],
    ids=["to the postmaster", "to us as well", "where that is the support address", "to somebody else"],
)
def test_a_mail_to_the_postmaster_is_for_a_person_rfc_5321_4_5_1(
    recipients: tuple[str, ...], own: frozenset[str], rule: Suppression | None
) -> None:
    to = ["To: postmaster@example.jp, support@example.jp"]
    message = _message(to, "May we share a mailbox?", sender=PERSON, subject="question")
    assert suppression_of(Arrival(Envelope(PERSON, recipients), message, own)) is rule
    assert rule is None or rule.needs_person


@pytest.mark.parametrize(
    ("fields", "rule"),
    [pytest.param(*row, id=f"{_source(row[1])} - {'; '.join(row[0][:2])[:70]} x{len(row[0])}") for row in FIELDS],
)
def test_a_field_of_the_header_calls_its_rule(fields: list[str], rule: Suppression | None) -> None:
    assert _rule(*fields) is rule


@pytest.mark.parametrize(
    ("address", "in_from", "in_mail_from"),
    [
        ("MAILER-DAEMON@contractor.example", Suppression.SYSTEM_SENDER, Suppression.RETURN_ADDRESS),
        ("postmaster@contractor.example", Suppression.SYSTEM_SENDER, Suppression.RETURN_ADDRESS),
        ("no-reply@contractor.example", Suppression.SYSTEM_SENDER, Suppression.RETURN_ADDRESS),
        ("noreply-42@contractor.example", Suppression.SYSTEM_SENDER, Suppression.RETURN_ADDRESS),
        ("do_not_reply@contractor.example", Suppression.SYSTEM_SENDER, Suppression.RETURN_ADDRESS),
        ("owner-members@contractor.example", Suppression.RETURN_ADDRESS, Suppression.RETURN_ADDRESS),
        ("members-request@contractor.example", Suppression.RETURN_ADDRESS, Suppression.RETURN_ADDRESS),
        ("root@contractor.example", Suppression.RETURN_ADDRESS, Suppression.RETURN_ADDRESS),
        ("bounces+tanaka=x.example@contractor.example", Suppression.RETURN_ADDRESS, Suppression.RETURN_ADDRESS),
        ("info-noreply@contractor.example", Suppression.MACHINE_NAME, Suppression.MACHINE_NAME),
        ("auto-reply@contractor.example", Suppression.MACHINE_NAME, Suppression.MACHINE_NAME),
        ("notifications@contractor.example", Suppression.MACHINE_NAME, Suppression.MACHINE_NAME),
        ("alert01@contractor.example", Suppression.MACHINE_NAME, Suppression.MACHINE_NAME),
        ("system@contractor.example", Suppression.MACHINE_NAME, Suppression.MACHINE_NAME),
        ("www-data@contractor.example", Suppression.MACHINE_NAME, Suppression.MACHINE_NAME),
        ("cronin@contractor.example", None, None),
        ("roots@contractor.example", None, None),
        ("bouncer@contractor.example", None, None),
        ("mailerson@contractor.example", None, None),
        ("do-not-reply@contractor.example", Suppression.SYSTEM_SENDER, Suppression.RETURN_ADDRESS),
        ("donotreply.3@contractor.example", Suppression.SYSTEM_SENDER, Suppression.RETURN_ADDRESS),
        ("double-bounce@contractor.example", Suppression.SYSTEM_SENDER, Suppression.RETURN_ADDRESS),
        ("Support@Example.JP", Suppression.OWN_ADDRESS, Suppression.ON_BEHALF),
        ("support+x@example.jp", Suppression.OWN_ADDRESS, Suppression.ON_BEHALF),
        ("Keiyaku+a+b@example.jp", Suppression.OWN_ADDRESS, Suppression.ON_BEHALF),
    ],
)
def test_a_sender_that_is_no_person_is_known_in_the_envelope_and_in_from(
    address: str, in_from: Suppression | None, in_mail_from: Suppression | None
) -> None:
    assert _rule(sender=address) is in_from
    assert _rule(mail_from=address) is in_mail_from


def test_where_nobody_signed_mail_from_alone_tells_a_machine() -> None:
    assert _rule("From: MAILER-DAEMON", mail_from="mailer-daemon@contractor.example") is Suppression.SYSTEM_SENDER
    assert _rule("From: nobody at all", mail_from="bounces+x@contractor.example") is Suppression.RETURN_ADDRESS


def test_rfc_5233_a_tag_of_our_own_mailbox_is_another_of_it_and_its_bare_name_need_not_be_ours() -> None:
    message = _message([], "May we share a mailbox?", sender="team+b@example.jp", subject="question")
    mail = Arrival(Envelope("team@example.jp", ("support@example.jp",)), message, OWN | {"team+a@example.jp"})
    assert suppression_of(mail) is Suppression.ON_BEHALF


@pytest.mark.parametrize(
    "name",
    [
        *("product-owner", "shop-owner", "estimate-request", "contract-request", "owner-tanaka", "staff-request"),
        *("root", "nobody", "daemon", "cron", "listserv", "majordomo", "mailman", "bounce-osaka", "bounces"),
        *("noreplyama", "no-replyama", "donotreplyko"),
    ],
)
@pytest.mark.parametrize("field", ["X-Nothing: here", "List-Id: <staff.contractor.example>"])
def test_rfc_5230_s4_6_a_name_that_a_department_may_have_goes_to_a_person(name: str, field: str) -> None:
    address = f"{name}@contractor.example"
    rules = [_rule(field, sender=address, mail_from=one) for one in (address, PERSON)]
    assert all(rule is not None and rule.needs_person for rule in rules)


@pytest.mark.parametrize(
    ("author", "mail_from", "reply_to", "rule"),
    [
        ("support@example.jp", "support@example.jp", "Tanaka <tanaka@contractor.example>", Suppression.ON_BEHALF),
        ("support@example.jp", PERSON, "a@b.example, tanaka@contractor.example", Suppression.ON_BEHALF),
        ("support@example.jp", "support@example.jp", '"a, b" <product-owner@c.example>', Suppression.ON_BEHALF),
        ("support@example.jp", "support@example.jp", "keiyaku+x@example.jp", Suppression.OWN_ADDRESS),
        ("support@example.jp", "support@example.jp", "no-reply@contractor.example", Suppression.OWN_ADDRESS),
        ("support@example.jp", "support@example.jp", "nobody that can be written to", Suppression.OWN_ADDRESS),
        ("no-reply@forms.example", "no-reply@forms.example", PERSON, Suppression.RETURN_ADDRESS),
        ("no-reply@forms.example", PERSON, PERSON, Suppression.RETURN_ADDRESS),
        ("no-reply@forms.example", PERSON, "support@example.jp", Suppression.SYSTEM_SENDER),
        ("no-reply@forms.example", PERSON, "no-reply@forms.example", Suppression.SYSTEM_SENDER),
        (PERSON, "support@example.jp", "support@example.jp", Suppression.ON_BEHALF),
        (f"{PERSON}, sato@contractor.example", "support@example.jp", "", Suppression.ON_BEHALF),
    ],
)
def test_rfc_5322_s3_6_2_a_form_that_says_in_reply_to_who_filled_it_in_goes_to_a_person(
    author: str, mail_from: str, reply_to: str, rule: Suppression
) -> None:
    assert _rule(f"Reply-To: {reply_to}", sender=author, mail_from=mail_from) is rule
    assert _rule("Auto-Submitted: auto-generated", f"Reply-To: {reply_to}", sender=author) is Suppression.AUTO_SUBMITTED


@pytest.mark.parametrize("path", ["<>", "<MAILER-DAEMON>", "<tanaka@contractor.example>"])
def test_rfc_5321_s4_4_a_return_path_in_a_mail_with_an_envelope_says_nothing(path: str) -> None:
    assert _rule(f"Return-Path: {path}") is None


def test_a_number_of_seven_digits_is_ours_as_well() -> None:
    assert _rule(text="受付番号 R-1000000 の件です。") is Suppression.OUR_REFERENCE
    assert _rule(text="品番 R-1000000000000 の件です。") is None


@pytest.mark.parametrize("text", ["(" * 200_000, "()" * 100_000, "a " * 100_000, "=" * 200_000, 'a="' * 60_000])
@pytest.mark.parametrize("name", ["Auto-Submitted", "Precedence", "X-Auto-Response-Suppress", "X-Loop"])
def test_the_time_of_the_mark_rules_does_not_grow_with_the_square(name: str, text: str) -> None:
    times = []
    for size in (len(text) // 4, len(text)):
        mail = Arrival(Envelope(PERSON, ()), _message([f"{name}: {text[:size]}"], "", sender=PERSON, subject=""), OWN)
        began = time.process_time()
        suppression_of(mail)
        times.append(time.process_time() - began)
    # Four times the text; a square would be sixteen times.
    assert times[1] < 12 * times[0] + 0.05


@pytest.mark.parametrize(
    "sender", ["", "<>", "MAILER-DAEMON"], ids=["empty", "as aiosmtpd gives it", "as kept on file"]
)
def test_the_null_reverse_path_is_never_answered(sender: str) -> None:
    assert _rule(mail_from=sender) is Suppression.NULL_SENDER


@pytest.mark.parametrize(
    ("mail_from", "author", "rule"),
    [
        ("tanaka@mail.himawari.co.jp", "tanaka@himawari.co.jp", None),
        ("prvs=0123456789=tanaka@himawari.co.jp", "tanaka@himawari.co.jp", None),
        ("tanaka@tanpopo.co.jp", "tanaka@himawari.co.jp", Suppression.OTHER_ORGANISATION),
        ("victim@elsewhere.example", PERSON, Suppression.OTHER_ORGANISATION),
        ("SRS0=abcd=xy=contractor.example=tanaka@forwarder.example", PERSON, Suppression.OTHER_ORGANISATION),
        ("bounces+123-support=example.jp@sendgrid.example", PERSON, Suppression.RETURN_ADDRESS),
    ],
    ids=[
        "RFC 7489 §3.1 a subdomain",
        "a return address that is signed (BATV)",
        "RFC 3834 §6 two companies of one registry",
        "RFC 3834 §6 a forged From or MAIL FROM",
        "a forwarder that rewrites MAIL FROM (SRS)",
        "a mailing provider",
    ],
)
def test_who_would_get_the_answer_is_who_signed(mail_from: str, author: str, rule: Suppression | None) -> None:
    assert _rule(mail_from=mail_from, sender=author) is rule


@pytest.mark.parametrize(
    ("field", "server", "rule"),
    [
        ("mx.example.jp; dmarc=fail", "mx.example.jp", Suppression.UNAUTHENTIC),
        ("mx.example.jp; spf=fail; dkim=fail", "mx.example.jp", Suppression.UNAUTHENTIC),
        ("mx.example.jp; dmarc=pass; spf=fail", "mx.example.jp", None),
        ("mx.example.jp; dmarc=fail", "", None),
        ("mx.other.example; dmarc=fail", "mx.example.jp", None),
        ("not a field", "mx.example.jp", None),
    ],
)
def test_rfc_8601_the_word_of_our_own_border_counts_and_nobody_elses(
    field: str, server: str, rule: Suppression | None
) -> None:
    assert _rule(f"Authentication-Results: {field}", authserv_id=server) is rule


def test_parts_of_a_mail_call_their_rules() -> None:
    parts = 'Content-Type: multipart/mixed; boundary="x"'
    for kind, rule in (
        ("text/calendar; method=REPLY", Suppression.CALENDAR),
        ("application/pkcs7-mime", Suppression.ENCRYPTED),
        ("message/delivery-status", Suppression.MAIL_INSIDE),
        ("message/rfc822", Suppression.MAIL_INSIDE),
        ("text/rfc822-headers", Suppression.MAIL_INSIDE),
        ("application/pkcs7-signature", None),
        ("application/pdf", None),
    ):
        text = f"--x\r\n\r\nIs this right?\r\n--x\r\nContent-Type: {kind}\r\n\r\nSubject: a\r\n\r\n--x--"
        assert _rule(parts, text=text) is rule, kind


@pytest.mark.parametrize(
    "subject",
    [
        "自動返信: お問い合わせありがとうございます",
        "【自動応答】不在のお知らせ",
        "[自動返信]お問い合わせを受け付けました",
        "不在のお知らせ",
        "夏季休業のお知らせ",
        "配信不能",
        "メール配信エラー",
        "エラーメール",
        "宛先不明",
        "送信できませんでした",
        "受信確認",
        "開封済み: ご契約の件",
        "Automatic reply: contract",
        "Auto: contract",
        "Autoreply",
        "Out of Office: contract",
        "I am out of the office",
        "Réponse automatique : contrat",
        "Abwesenheitsnotiz: Vertrag",
        "Automatische Antwort: Vertrag",
        "Respuesta automática: contrato",
        "自动回复: 合同",
        "부재중 자동 회신",
        "Undelivered Mail Returned to Sender",
        "Undeliverable: contract",
        "Delivery Status Notification (Failure)",
        "Mail delivery failed: returning message to sender",
        "failure notice",
        "Returned mail: see transcript for details",
        "Mail System Error - Returned Mail",
        "Warning: message delayed 24 hours",
        "Non-Delivery: contract",
        "[AUTO GENERATED] your contract",
        "Risposta automatica: contract",
        "[Ticket created] contract",
        "Estoy de vacaciones",
        "Otomatik Yanıt: sözleşme",
        "Read: contract",
    ],
)
def test_rfc_3834_s3_1_5_a_subject_of_machines_asks_a_person(subject: str) -> None:
    assert _rule(subject=subject) is Suppression.MACHINE_SUBJECT
    assert _rule(subject=subject.upper()) is Suppression.MACHINE_SUBJECT
    assert Suppression.MACHINE_SUBJECT.needs_person


@pytest.mark.parametrize(
    "text",
    [
        "This is the mail system at host mx.contractor.example.",
        "Hi. This is the qmail-send program at contractor.example.",
        "The following message to <a@contractor.example> was undeliverable.",
        "Your message did not reach some or all of the intended recipients.",
        "Delivery to the following recipient failed permanently:",
        "Delivery to the following recipients\nhas been delayed.",
        "A message that you sent could not be delivered to one or more of its recipients.",
        "<a@contractor.example>: host mx said: 550 5.1.1 User unknown",
        "----- The following addresses had permanent fatal errors -----",
        "Each of the following recipients was rejected by a remote mail server.",
        "Reporting-MTA: dns; mx.contractor.example",
        "Sorry.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <a@b.example>\nReceived: from x",
        "送信できませんでした。",
        "次の宛先へのメッセージはエラーのため送信できませんでした。",
        "下記のメールは配信できませんでした。宛先不明です。",
        "お送りいただいたメールは宛先に届けられませんでした。",
        "メールアドレスが見つかりませんでした。ご確認ください。",
        "The user tanaka@contractor.example does not exist.",
        "I am currently out of the office until Monday.",
        "I am on vacation and will be back on 3 December.",
        "This is an automated message, please do not reply.",
        "これは自動返信メールです。",
        "このメールは自動送信されています。",
        "ただいま出張のため不在にしております。",
        "11月20日から27日まで休暇をいただいております。お急ぎの場合は代表電話まで。",
        "本メールは送信専用アドレスから\n配信しております。",
        "お問い合わせを受け付けました。担当者よりご連絡いたします。",
        "Ich bin bis Montag nicht im Büro.",
        "Je suis actuellement absent du bureau.",
        "Ich bin wieder im Büro am Montag.",
        "Estaré fuera hasta el lunes.",
        "Sono fuori sede fino al 3 dicembre.",
        "I'll be back on Monday.",
        "Your e-mail has been received and is being reviewed.",
        "ただいま休業中です。翌営業日以降に順次ご返信いたします。",
        "担当者より折り返しご連絡いたします。",
        "このたび一身上の都合により退職いたしました。",
        "このアドレスは現在使用しておりません。",
        "宛先のアドレスはディレクトリのリストにありません。",
        "현재 휴가 중입니다.",
        "我正在休假。",
        "İzinliyim.",
    ],
)
def test_rfc_3834_s3_1_5_a_text_of_machines_asks_a_person(text: str) -> None:
    assert _rule(text=text) is Suppression.MACHINE_TEXT
    assert _rule(text=text.replace("\n", "\r\n")) is Suppression.MACHINE_TEXT
    assert _rule(text=text.upper()) is Suppression.MACHINE_TEXT
    assert Suppression.MACHINE_TEXT.needs_person


def test_the_phrases_are_written_as_they_are_looked_for() -> None:
    # Subject and text are made lower case before, so that a capital in a phrase would never be found.
    bare = [re.sub(r"\\.", "", phrase) for phrase in (*SUBJECTS, *TEXTS, *LINES)]
    assert [phrase for phrase in bare if phrase != phrase.lower()] == []


@pytest.mark.parametrize("phrase", TEXTS)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_phrase_begins_with_what_texts_are_searched_for_first(phrase: str, data: st.DataObject) -> None:
    said = data.draw(st.from_regex(phrase, fullmatch=True))
    assert re.match(f"[{TEXTS_BEGIN_WITH}]", said), f"TEXTS_BEGIN_WITH lacks {said[:1]!r}"


@pytest.mark.parametrize("text", ["受付番号：R-000042", "Reference: Ｒ－００００４２", "(R-000042)"])
def test_a_number_that_our_letters_give_out_asks_a_person(text: str) -> None:
    assert _rule(text=text) is Suppression.OUR_REFERENCE
    assert _rule(subject=f"Re: {text}") is Suppression.OUR_REFERENCE


PEOPLE = {
    "business mail with 自動": ("契約の自動更新について", "自動更新の契約書も電子契約にできますか。", PERSON),
    "a machine's answer spoken of": ("お尋ね", "通知が自動でフォルダに振り分けられます。設定は必要ですか。", PERSON),
    "an absent signatory": ("支店長不在時", "担当者が不在の場合、別の者が同意してもよいですか。", PERSON),
    "a mail that did not come": ("メールが届かない", "確認依頼メールが届きません。迷惑メールにもありません。", PERSON),
    "an opened mail": ("開封後の操作", "書類を開封したかどうか、担当者の側で分かりますか。", PERSON),
    "papers sent back": ("届出書のご返送", "返送先をご教示ください。", PERSON),
    "a subject like a mailing list's": ("[keiyaku:0123] 署名者のアドレス", "共有のアドレスでもよいですか。", PERSON),
    "a change of people": ("担当者変更", "前任が退職するため、メールアドレスの変更届を出したいです。", PERSON),
    "English about delivery": ("Delivery date", "Will the contract be delivered by mail or do we get a PDF?", PERSON),
    "English about notifications": ("Notification settings", "Can the notification go to two people?", PERSON),
    "a part number like a reference": ("見積", "品番 CR-000042 と R-00004 の契約書の件です。", PERSON),
    "info@": ("お尋ね", "共有のアドレスでもよいですか。", "info@contractor.example"),
    "support@ of theirs": ("お尋ね", "共有のアドレスでもよいですか。", "support@contractor.example"),
    "keiri@": ("お尋ね", "共有のアドレスでもよいですか。", "keiri@contractor.co.jp"),
    "free mail": ("お尋ね", "共有のアドレスでもよいですか。", "taro.yamada.1980@gmail.com"),
    "docomo, two dots": ("お尋ね", "共有のアドレスでもよいですか。", "a..b.@docomo.ne.jp"),
    "au": ("お尋ね", "共有のアドレスでもよいですか。", "x_y-z@ezweb.ne.jp"),
    "a president who is away": ("社長不在中の契約について", "社長の入院中でも契約できますか。", PERSON),
    "a colleague who has left": ("担当の件", "契約担当者が先月退職いたしました。後任の登録は必要ですか。", PERSON),
    "a mail that came": ("契約書", "確認を依頼するメールを受信いたしました。PDFで保存できますか。", PERSON),
    "automatic mail as a subject matter": ("規程", "自動配信メールの偽装対策を教えてください。", PERSON),
    "softbank": ("お尋ね", "共有のアドレスでもよいですか。", "hanako@i.softbank.jp"),
    "a shop that asks again": ("Re: 配送についてのお尋ね", "配送先の変更届は必要ですか。", "order@contractor.example"),
    "a name that begins like no-reply": ("お尋ね", "共有のアドレスでもよいですか。", "noriply@contractor.example"),
    "a part number of thirteen digits": ("見積", "品番 R-1000000000000 の契約書の件です。", PERSON),
    "a town": ("お尋ね", "共有のアドレスでもよいですか。", "keiyaku@city.yokohama.lg.jp"),
}  # fmt: skip


@pytest.mark.parametrize("name", PEOPLE)
def test_what_people_write_may_be_answered(name: str) -> None:
    subject, text, sender = PEOPLE[name]
    assert _rule(subject=subject, text=text, sender=sender, mail_from=sender) is None


CALLED = ("product-owner", "estimate-request", "owner-tanaka", "root", "nobody", "bounce-osaka", "noreplyama")
FORWARDED = "以下の返信が来ましたが、どうすればよいですか。\n\n> Automatic reply: I am out of the office."


@pytest.mark.parametrize(
    "given",
    [
        {"subject": "Fwd: 自動応答：不在のお知らせ", "text": FORWARDED},
        {
            "subject": "Fw: Undelivered Mail Returned to Sender",
            "text": "これは何ですか。\n\n<a@b.example>: 550 5.1.1 x",
        },
        {"mail_from": "no-reply@forms.example", "text": "ホームページのフォームから失礼します。"},
        {"mail_from": "www-data@contractor.example", "text": "フォームより"},
        {"mail_from": "members-bounces@lists.example", "text": "皆様にお尋ねします。"},
        {"sender": "system@contractor.example", "mail_from": "system@contractor.example"},
        {"sender": "alert@contractor.example", "mail_from": "alert@contractor.example"},
        *({"sender": f"{name}@contractor.example", "mail_from": f"{name}@contractor.example"} for name in CALLED),
        {"mail_from": "postmaster@contractor.example"},
        {"mail_from": "mailer-daemon@contractor.example"},
        {"mail_from": "support@example.jp"},
        {"text": "受付番号 R-1000000 の件で追加のお尋ねです。"},
        {"text": "受付番号 R-000042 の件で追加のお尋ねです。"},
    ],
    ids=[
        "an out-of-office note that was forwarded",
        "a bounce that was forwarded",
        "a form on a web page with a no-reply envelope",
        "a form on a web page with the server's envelope",
        "a person's mail through a list",
        "a department called system",
        "a mailbox called alert",
        *(f"somebody called {name}" for name in CALLED),
        "a person beside the postmaster's envelope",
        "a person beside a daemon's envelope",
        "a form on our own web page that names a person in From",
        "somebody who names his case of seven digits",
        "somebody who names his case",
    ],
)
def test_a_person_is_never_silenced(given: dict[str, str]) -> None:
    rule = _rule(**given)  # type: ignore[arg-type]  # one keyword at a time
    assert rule is not None
    assert rule.needs_person


def test_the_first_rule_that_holds_is_named_and_the_rest_is_not_looked_at() -> None:
    assert _rule("Auto-Submitted: auto-replied", "List-Id: <x.example>", mail_from="") is Suppression.NULL_SENDER
    assert _rule("List-Id: <x.example>", "Auto-Submitted: auto-replied") is Suppression.AUTO_SUBMITTED
    mail = Arrival(Envelope(PERSON, ()), _message(["Auto-Submitted: auto-replied"], "", sender=PERSON, subject=""), OWN)
    assert [(look.rule.name, look.held) for look in looks_at(mail)] == [
        (Suppression.NULL_SENDER, False),
        (Suppression.BOUNCE_ADDRESS, False),
        (Suppression.AUTO_SUBMITTED, True),
    ]


@pytest.mark.parametrize("rule", [rule for rule in Suppression if not rule.fixed], ids=lambda rule: rule.value)
def test_a_rule_that_is_off_is_not_looked_at(rule: Suppression) -> None:
    mail = Arrival(Envelope(PERSON, ()), _message([], "text", sender=PERSON, subject=""), OWN)
    assert [look.rule.name for look in looks_at(mail, {rule}) if look.held is None] == [rule]


@pytest.mark.parametrize("rule", [rule for rule in Suppression if rule.fixed], ids=lambda rule: rule.value)
def test_rfc_3834_what_keeps_machines_apart_cannot_be_off(rule: Suppression) -> None:
    mail = Arrival(Envelope(PERSON, ()), _message([], "text", sender=PERSON, subject=""), OWN)
    assert all(look.held is False for look in looks_at(mail, {rule}))


def test_what_we_wrote_for_somebody_goes_to_a_person_even_where_its_rule_is_off() -> None:
    rule = Suppression.ON_BEHALF
    assert _rule(mail_from="support@example.jp", off=[rule]) is rule
    assert (rule.fixed, rule.needs_person) == (True, True)


def test_list_mail_is_answered_where_its_rule_is_off() -> None:
    assert _rule("List-Id: <x.example>", off=[Suppression.LIST_MAIL]) is None


def test_every_rule_stands_in_the_table_once_and_silence_comes_before_a_person() -> None:
    rules = [rule.name for rule in RULES]
    assert sorted(rules) == sorted(Suppression)
    assert [rule.needs_person for rule in rules] == sorted(rule.needs_person for rule in rules)
    assert all(rule.source for rule in RULES)


@pytest.mark.parametrize(
    "piece",
    [
        "message ",
        "a ",
        "ー",
        "<a@b.example>: x ",
        "休暇中 ",
        "your mail is ",
        "mail a b c d e f g ",
        "\n",
        "error x y ",
    ],
)
def test_the_time_of_the_word_rules_does_not_grow_with_the_square(piece: str) -> None:
    times = []
    for size in (4_000, 16_000):
        mail = Arrival(
            Envelope(PERSON, ()), _message([], piece * (size // len(piece)), sender=PERSON, subject=piece * 20), OWN
        )
        began = time.process_time()
        suppression_of(mail)
        times.append(time.process_time() - began)
    # Four times the text; a square would be sixteen times.
    assert times[1] < 12 * times[0] + 0.05
