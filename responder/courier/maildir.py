"""A folder as the next hop: for trying things out, and where another program takes mail from a Maildir."""

import asyncio
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from responder.mail.delivery import Deferred, Outcome, Sent, reply_line
from responder.store.outbox import Delivery


@dataclass(frozen=True, slots=True)
class Maildir:
    """A Maildir, made when the first mail comes if it is not there."""

    folder: Path

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Sent once the mail is on disk under its final name; whatever the disk says against it defers it."""
        name = _file_name(delivery.message_id)
        try:
            await asyncio.to_thread(_deliver, self.folder, name, delivery.raw)
        except OSError as error:
            return Deferred(reply_line(f"{self.folder}: {error.strerror or type(error).__name__}"))
        return Sent(f"saved as {name}")

    async def probe(self) -> str | None:
        """Make the folder and write into it; what is wrong, or None."""
        try:
            await asyncio.to_thread(_try_out, self.folder)
        except OSError as error:
            return f"it cannot be written to: {error.strerror or type(error).__name__}"
        return None

    async def close(self) -> None:
        """Nothing is held open between two mails."""


def _file_name(message_id: str) -> str:
    # The name is the Message-ID's own, so that the same mail delivered twice cannot become two mails.
    return f"{hashlib.sha256(message_id.encode('utf-8', 'surrogateescape')).hexdigest()[:40]}.responder"


def _deliver(folder: Path, name: str, raw: bytes) -> None:
    _make(folder)
    # A reader moves mail from new/ to cur/, never back: looked for in this order it cannot slip past us.
    if not (folder / "new" / name).exists() and not _is_read(folder / "cur", name):
        _write(folder, name, raw)
    # Also for a mail that was there: an earlier attempt may have been killed between the rename and this.
    _flush(folder / "new")


def _make(folder: Path) -> None:
    parts = [folder / part for part in ("tmp", "new", "cur")]
    if all(part.is_dir() for part in parts):
        return
    for part in parts:
        part.mkdir(parents=True, exist_ok=True)
    _flush(folder)


def _try_out(folder: Path) -> None:
    _make(folder)
    with tempfile.TemporaryFile(dir=folder / "tmp"):
        return


def _is_read(cur: Path, name: str) -> bool:
    # A reader may add its flags: ":2,S" and the like.
    return (cur / name).exists() or any(cur.glob(f"{name}:*"))


def _write(folder: Path, name: str, raw: bytes) -> None:
    handle, written = tempfile.mkstemp(prefix=f"{name}.", dir=folder / "tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw.replace(b"\r\n", b"\n"))
            file.flush()
            os.fsync(file.fileno())
        Path(written).replace(folder / "new" / name)
    except BaseException:
        Path(written).unlink(missing_ok=True)
        raise


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
