"""What the hands of a courier share: one transaction for what they want of the store at once, and who has what."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy.engine import Connection, Engine

from responder.store.engine import of_the_store

Done = TypeVar("Done")
Change = Callable[[Connection], Any]
_Wanted = Sequence[tuple[Change, "asyncio.Future[Any]"]]


class Together:
    """Runs the changes that wait, all in one transaction: one flush of the disk serves them all."""

    def __init__(self, engine: Engine) -> None:
        self.in_hand: set[int] = set()
        """Mails that one of the hands has: no other is given them, whatever a clock says of their leases."""
        self._engine = engine
        self._waiting: list[tuple[Change, asyncio.Future[Any]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, change: Callable[[Connection], Done]) -> Done:
        """What `change` gives, once it is committed. Raises what it raised, or what kept the store from committing.

        Where one of several breaks the transaction each gets one of its own, so that `change` may run twice: it must
        touch nothing but the store. It is no part of the caller's task, and goes on where that is cancelled.
        """
        done: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._work_off())
        return await done

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

    async def _write(self, wanted: _Wanted) -> None:
        try:
            given = await asyncio.to_thread(self._committed, [change for change, _ in wanted])
        except Exception as error:  # noqa: BLE001 - whoever wanted it is told, whatever it was
            if len(wanted) > 1 and not of_the_store(error):
                for one in wanted:
                    await self._write([one])
                return
            for _, done in wanted:
                if not done.cancelled():
                    done.set_exception(error)
        else:
            for (_, done), each in zip(wanted, given, strict=True):
                if not done.cancelled():
                    done.set_result(each)

    def _committed(self, changes: Sequence[Change]) -> list[Any]:
        with self._engine.begin() as connection:
            return [change(connection) for change in changes]
