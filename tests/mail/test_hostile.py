"""Mail that was made to break its readers, case by case."""

import pytest

from responder.mail.message import Message, Unreadable, parse_message
from tests.hostile import HOSTILE, Hostile


@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_mail_is_read_without_harm_or_refused_with_its_reason(case: Hostile) -> None:
    message = parse_message(case.raw)
    if case.unreadable:
        assert isinstance(message, Unreadable)
        assert case.unreadable in message.reason
        return
    assert isinstance(message, Message)
    assert message.text.strip().startswith(case.text)
    assert message.subject == case.subject
    assert tuple(attachment.name for attachment in message.attachments) == case.attachments
    assert "INNER" not in message.text
