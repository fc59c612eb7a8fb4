"""What staff see of a mail that was erased: that it was, and when, and nothing to press that would come to nothing."""

from datetime import UTC, datetime

import pytest

from responder.store import cases, casework, erasure
from responder.store.accounts import Role
from responder.store.inbox import Lane
from tests.answered import answered, settled
from tests.desk.conftest import Served

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def token(pages: Served) -> str:
    """Mail 1 stands in a closed case, 2 was kept in silence, 3 was answered; all of them were erased."""
    settled(pages.engine, Lane.ESCALATED, now=NOW)
    settled(pages.engine, Lane.SUPPRESSED, now=NOW)
    answered(pages.engine, "q04", now=NOW)
    with pages.engine.begin() as connection:
        cases.open_case(connection, 1, reason="unsure", now=NOW)
        casework.close(connection, 1, reason="called", who="sato", now=NOW)
        erasure.erase(connection, [1, 2, 3], examples=True, now=datetime(2027, 12, 29, 9, 0, tzinfo=UTC))
    return pages.account(role=Role.EDITOR)


def _page(pages: Served, token: str, path: str) -> str:
    reply = pages.client(token).get(path)
    assert reply.status_code == 200, path
    return reply.text


def test_a_case_says_when_it_was_erased_and_offers_nothing(pages: Served, token: str) -> None:
    page = _page(pages, token, "/cases/1")
    assert "保存期間の満了、またはご本人からの請求により、" in page
    assert "2027" in page
    assert "（消去済み）" in page
    assert "内容を消去済みのため、回答できません。" in page
    assert "内容を消去済みのため、学習には使用できません。" in page
    for action in ("reopen", "note", "teach", "answer"):
        assert f'action="/cases/1/{action}"' not in page


def test_in_english_too(pages: Served, token: str) -> None:
    english = pages.account("smith", language="en")
    page = _page(pages, english, "/cases/1")
    assert "Its content was erased on" in page
    assert "(erased)" in page


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_mail_says_so_and_has_nothing_to_save(pages: Served, token: str, number: int) -> None:
    page = _page(pages, token, f"/mails/{number}")
    assert "内容を消去しました。" in page
    assert "/raw" not in page
    for what in ("html", "readings", "raw", "attachments/0"):
        assert pages.client(token).get(f"/mails/{number}/{what}").status_code == 404


def test_lists_say_so_in_place_of_subject_and_sender(pages: Served, token: str) -> None:
    for path in ("/cases?view=closed", "/cases?q=R-000001", "/cases?view=answered", "/suppressed"):
        page = _page(pages, token, path)
        assert page.count("（消去済み）") >= 2, path
        assert "（件名なし）" not in page
        assert "（差出人不明）" not in page
    assert 'action="/suppressed/call-back"' not in _page(pages, token, "/suppressed")


def test_what_is_asked_of_it_nevertheless_is_refused_with_a_reason(pages: Served, token: str) -> None:
    for deed, fields in (("reopen", {}), ("note", {"text": "x"})):
        reply = pages.post(token, f"/cases/1/{deed}", **fields)
        assert (reply.status_code, "内容を消去済みのため、操作できません。" in reply.text) == (409, True)
    assert pages.post(token, "/suppressed/call-back", mail="2").status_code == 404
    assert pages.post(token, "/answers/judge", mail="3", verdict="wrong").status_code == 404
    assert pages.post(token, "/cases/1/teach", inquiry="1", answer="nobody").status_code == 404
