"""What may be a password, and that its hash tells nothing and knows it again."""

import asyncio
import threading

import pytest
from argon2 import PasswordHasher

from responder.desk import passwords
from responder.desk.passwords import Weakness, weakness_of

GOOD = "correct horse battery"


@pytest.mark.parametrize(
    ("password", "login", "weakness"),
    [
        (GOOD, "sato", None),
        ("a" * 11, "sato", Weakness.SHORT),
        ("㍻" * 6, "sato", None),
        ("がぎぐげご" * 2, "sato", Weakness.SHORT),
        ("a" * 500, "sato", None),
        ("a" * 501, "sato", Weakness.LONG),
        ("my name is Sato!", "sato", Weakness.LOGIN),
        ("my name is ＳＡＴＯ!", "sato", Weakness.LOGIN),
        ("sato and the others", "sato@example.jp", Weakness.LOGIN),
        ("a horse has four legs", "al", None),
    ],
    ids=[
        "a phrase",
        "eleven characters",
        "characters are counted in their normal form",
        "a letter with its mark is one character",
        "five hundred characters",
        "more than that",
        "the login in another case",
        "the login in full width",
        "the name before the @",
        "a login of two letters counts for nothing",
    ],
)
def test_a_password_is_long_and_does_not_hold_the_login(password: str, login: str, weakness: Weakness | None) -> None:
    assert weakness_of(password, login) == weakness


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        (GOOD, True),
        ("ｃｏｒｒｅｃｔ　ｈｏｒｓｅ　ｂａｔｔｅｒｙ", True),
        (GOOD + " ", False),
        ("", False),
        ("\ud800" * 12, False),
    ],
    ids=["the same", "in full width", "a blank more", "none", "half a character"],
)
def test_a_hash_knows_its_password_however_the_keyboard_writes_it(typed: str, right: bool) -> None:
    assert passwords.is_right(typed, passwords.hash_of(GOOD)) is right


def test_without_a_hash_no_password_is_right_not_even_that_of_the_stand_in() -> None:
    assert not passwords.is_right("nobody has this password", None)
    assert not passwords.is_right(GOOD, "not a hash")


def test_a_hash_of_weaker_parameters_is_outdated() -> None:
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192).hash(GOOD))
    assert not passwords.is_outdated(passwords.hash_of(GOOD))


async def test_hashing_keeps_to_threads_of_its_own() -> None:
    names = await asyncio.gather(*(passwords.in_a_thread(lambda: threading.current_thread().name) for _ in range(8)))
    assert {name.rpartition("_")[0] for name in names} == {"password"}
    assert len(set(names)) <= 2
