"""The process that reads strangers' mails for the pages."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from responder.mail.message import Unreadable
from responder.reader import Question, Reader, ReaderUnavailable
from responder.reader.asking import Told


class SharedReader:
    """One reading process for all requests of a desk, which take turns in a thread of its own.

    A mail made for it may take half a minute, and the threads that ask the store must not wait behind it.
    """

    def __init__(self) -> None:
        self._reader = Reader()
        self._turns = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader")

    async def ask(self, question: Question[Told], raw: bytes, place: int = 0) -> Told | Unreadable:
        """What a mail says to one question, or why it could not be asked."""
        ask = self._reader.ask
        try:
            return await asyncio.get_running_loop().run_in_executor(self._turns, lambda: ask(question, raw, place))
        except ReaderUnavailable as error:
            return Unreadable(str(error))

    def close(self) -> None:
        """End the process; whoever waits for it hears that it was closed."""
        self._reader.close()
