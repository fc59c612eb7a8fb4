"""Passwords: what may be one, and its hash (argon2id), computed in threads of their own."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST = 12
MOST = 500

_HASHER = PasswordHasher()

# A hash takes 64 MiB and a good part of a second of a processor. The threads that the agents call the store through
# must never be busy with logins of strangers, or the listener's clients would wait for them.
_HANDS = ThreadPoolExecutor(2, thread_name_prefix="password")

_Result = TypeVar("_Result")


class Weakness(StrEnum):
    """Why a password is refused."""

    SHORT = "it has fewer than 12 characters"
    LONG = "it has more than 500 characters"
    LOGIN = "it contains the login"


def weakness_of(password: str, login: str) -> Weakness | None:
    """What is wrong with a new password; None if it will do."""
    normal = _normal(password)
    if len(normal) < LEAST:
        return Weakness.SHORT
    if len(normal) > MOST:
        return Weakness.LONG
    folded = normal.casefold()
    return Weakness.LOGIN if any(name in folded for name in _names_in(login.casefold())) else None


def _names_in(login: str) -> list[str]:
    # The part before the @ is the name; one or two letters occur in every password.
    return [name for name in {login, login.partition("@")[0]} if len(name) > 2]


def hash_of(password: str) -> str:
    """The hash to keep, with its salt and its parameters; takes some hundred milliseconds."""
    return _HASHER.hash(_octets(password))


def is_right(password: str, known: str | None) -> bool:
    """Whether it is the password of this hash; without one it takes as long, so that time tells nobody who is known."""
    stand_in = _stand_in()
    try:
        return _HASHER.verify(known or stand_in, _octets(password)) and known is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(known: str) -> bool:
    """Whether a hash was made with parameters of before, and wants to be made again while the password is at hand."""
    return _HASHER.check_needs_rehash(known)


async def in_a_thread(work: Callable[[], _Result]) -> _Result:
    """Run what hashes or verifies without keeping the loop, or the store's threads, from their work."""
    return await asyncio.get_running_loop().run_in_executor(_HANDS, work)


def _normal(password: str) -> str:
    # Keyboards and systems write the same character differently; what is typed must not depend on them.
    return unicodedata.normalize("NFKC", password)


def _octets(password: str) -> bytes:
    # Half of a surrogate pair is no text, but neither is it a reason to break.
    return _normal(password).encode(errors="surrogatepass")


@cache
def _stand_in() -> str:
    return _HASHER.hash("nobody has this password")
