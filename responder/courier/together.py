"""What the hands of a courier share: one transaction for what they want of the store at once, and who has what."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.engine import Connection, Engine

from responder.store.engine import of_the_store
from responder.store.outbox import Delivery

Done = TypeVar("Done")
Claim = Callable[[Connection, int], Sequence[Delivery]]
"""Gives so many mails at most."""


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """What one hand asks for."""

    change: Callable[[Connection], Any]
    claim: Claim | None
    done: asyncio.Future[tuple[Any, Delivery | None]]


class Together:
    """Runs the changes that wait, all in one transaction: one flush of the disk serves them all, and one claim."""

    def __init__(self, engine: Engine) -> None:
        self.in_hand: set[int] = set()
        """Mails that one of the hands has: no other is given them, whatever a clock says of their leases."""
        self._engine = engine
        self._waiting: list[_Wanted] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, change: Callable[[Connection], Done]) -> Done:
        """What `change` gives, once it is committed. Raises what it raised, or what kept the store from committing.

        Where one of several breaks the transaction each gets one of its own, so that `change` may run twice: it must
        touch nothing but the store. It is no part of the caller's task, and goes on where that is cancelled.
        """
        done, _ = await self._wait(change, None)
        return done

    async def write_and_claim(self, change: Callable[[Connection], Done], claim: Claim) -> tuple[Done, Delivery | None]:
        """The same, and then a mail for this hand, if one is left: the first hand's `claim` serves all that wait."""
        return await self._wait(change, claim)

    async def _wait(self, change: Callable[[Connection], Done], claim: Claim | None) -> tuple[Done, Delivery | None]:
        wanted = _Wanted(change, claim, asyncio.get_running_loop().create_future())
        self._waiting.append(wanted)
        if self._writing is None:
            self._writing = asyncio.create_task(self._work_off())
        return await wanted.done

    async def close(self) -> None:
        """Wait until nothing is being written any more."""
        if self._writing is not None:
            await self._writing

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                wanted, self._waiting = self._waiting, []
                await self._write(wanted)
        finally:
            self._writing = None

    async def _write(self, wanted: Sequence[_Wanted]) -> None:
        try:
            given = await asyncio.to_thread(self._committed, wanted)
        except Exception as error:  # noqa: BLE001 - whoever wanted it is told, whatever it was
            if len(wanted) > 1 and not of_the_store(error):
                for one in wanted:
                    await self._write([one])
                return
            for one in wanted:
                if not one.done.cancelled():
                    one.done.set_exception(error)
        else:
            for one, each in zip(wanted, given, strict=True):
                if not one.done.cancelled():
                    one.done.set_result(each)

    def _committed(self, wanted: Sequence[_Wanted]) -> list[tuple[Any, Delivery | None]]:
        with self._engine.begin() as connection:
            done = [one.change(connection) for one in wanted]
            claims = [one.claim for one in wanted if one.claim is not None]
            claimed = iter(claims[0](connection, len(claims)) if claims else ())
            return [
                (each, next(claimed, None) if one.claim is not None else None)
                for one, each in zip(wanted, done, strict=True)
            ]
