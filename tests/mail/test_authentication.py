"""Whose word on a sender counts, and what it says (RFC 8601)."""

import pytest

from responder.mail.authentication import Authentication, authentication_of
from responder.mail.message import Message, parse_message

OURS = "mx.example.jp"


def _message(*values: str) -> Message:
    head = [f"Authentication-Results: {value}" for value in values]
    message = parse_message("\r\n".join(["From: tanaka@contractor.example", *head, "", "text"]).encode())
    assert isinstance(message, Message)
    return message


def _of(*values: str, server: str = OURS) -> Authentication | None:
    return authentication_of(_message(*values), server)


PASS = f"{OURS}; spf=pass smtp.mailfrom=contractor.example; dkim=pass header.d=contractor.example; dmarc=pass"


def test_all_fields_of_our_server_on_top_are_read() -> None:
    found = _of(f"{OURS}; spf=pass smtp.mailfrom=a.example", f"{OURS}; dkim=FAIL (bad); dkim=pass; dmarc=none")
    assert found == Authentication("pass", ("fail", "pass"), "none")


@pytest.mark.parametrize(
    ("values", "server"),
    [
        ([], OURS),
        ([PASS], ""),
        (["mx.attacker.example; dmarc=pass"], OURS),
        (["mx.attacker.example; dmarc=pass", PASS], OURS),
        (["mx.example.jp.attacker.example; dmarc=pass"], OURS),
        (["no field at all"], OURS),
        (["; spf=pass"], OURS),
        ([f"{OURS}; " + "(" * 3000], OURS),
        ([f"{OURS}; spf=pass; " + "x=y; " * 2000], OURS),
    ],
    ids=[
        "no field",
        "nobody is trusted",
        "another server's",
        "ours below another's (RFC 8601 §5: it may be forged)",
        "a name that begins like ours",
        "words",
        "no name",
        "comments without an end",
        "longer than any server writes",
    ],
)
def test_what_is_not_said_by_our_server_on_top_is_not_known(values: list[str], server: str) -> None:
    assert _of(*values, server=server) is None


def test_the_name_of_a_server_is_read_whatever_its_case() -> None:
    assert _of("MX.Example.JP; dmarc=pass") == _of("mx.example.jp; dmarc=pass", server="Mx.example.JP")


@pytest.mark.parametrize(
    ("said", "failed"),
    [
        (f"{OURS}; dmarc=fail; spf=pass; dkim=pass", True),
        (f"{OURS}; spf=fail; dkim=fail", True),
        (f"{OURS}; spf=softfail; dkim=none", True),
        (f"{OURS}; spf=fail; dkim=pass", False),
        (f"{OURS}; spf=fail; dkim=fail; dkim=pass", False),
        (f"{OURS}; dmarc=pass; spf=fail; dkim=fail", False),
        (f"{OURS}; spf=none; dkim=none; dmarc=none", False),
        (f"{OURS}; spf=temperror", False),
        (f"{OURS}; none", False),
    ],
    ids=[
        "DMARC failed",
        "both failed",
        "one half failed and there is no signature",
        "a forwarder broke SPF",
        "one of two signatures holds",
        "DMARC passed by what is not shown",
        "a sender without any of it",
        "it could not be tried",
        "nothing was tried",
    ],
)
def test_a_sender_failed_where_one_thing_failed_and_nothing_passed(said: str, failed: bool) -> None:
    found = _of(said)
    assert found is not None
    assert found.failed is failed
