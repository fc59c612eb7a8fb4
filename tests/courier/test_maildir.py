import asyncio
import mailbox
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from responder.courier.maildir import Maildir
from responder.mail.delivery import Deferred, Sent
from responder.store.outbox import Delivery


def _files(folder: Path, part: str) -> list[Path]:
    return sorted((folder / part).iterdir())


async def test_a_mail_is_saved_as_it_is_but_for_line_ends(tmp_path: Path, delivery: Delivery) -> None:
    outcome = await Maildir(tmp_path / "mail" / "out").attempt(delivery)
    (written,) = _files(tmp_path / "mail" / "out", "new")
    assert outcome == Sent(f"saved as {written.name}")
    assert written.read_bytes() == delivery.raw.replace(b"\r\n", b"\n")
    assert not _files(tmp_path / "mail" / "out", "tmp")


async def test_a_maildir_reader_finds_it(tmp_path: Path, delivery: Delivery) -> None:
    await Maildir(tmp_path / "out").attempt(delivery)
    (found,) = mailbox.Maildir(tmp_path / "out", create=False)
    assert found["Message-ID"] == delivery.message_id


async def test_the_same_mail_delivered_twice_is_one_mail(tmp_path: Path, delivery: Delivery) -> None:
    first = await Maildir(tmp_path).attempt(delivery)
    (written,) = _files(tmp_path, "new")
    number = written.stat().st_ino
    again = await Maildir(tmp_path).attempt(replace(delivery, attempts=2, lease=2))
    assert first == again
    assert [path.stat().st_ino for path in _files(tmp_path, "new")] == [number]


@pytest.mark.parametrize("flags", ["", ":2,", ":2,RS"], ids=["without flags", "not seen", "seen and replied to"])
async def test_a_mail_that_a_reader_moved_to_cur_is_not_delivered_again(
    tmp_path: Path, delivery: Delivery, flags: str
) -> None:
    await Maildir(tmp_path).attempt(delivery)
    (written,) = _files(tmp_path, "new")
    written.rename(tmp_path / "cur" / f"{written.name}{flags}")
    assert isinstance(await Maildir(tmp_path).attempt(delivery), Sent)
    assert not _files(tmp_path, "new")
    assert len(_files(tmp_path, "cur")) == 1


async def test_mails_with_other_message_ids_stand_beside_each_other(tmp_path: Path, delivery: Delivery) -> None:
    others = [replace(delivery, message_id=f"<{number}@faq.example.jp>") for number in range(20)]
    await asyncio.gather(*(Maildir(tmp_path).attempt(other) for other in others))
    assert len(_files(tmp_path, "new")) == 20


async def test_two_couriers_at_once_leave_one_whole_mail(tmp_path: Path, delivery: Delivery) -> None:
    big = replace(delivery, raw=delivery.raw + b"line\r\n" * 50_000)
    await asyncio.gather(*(Maildir(tmp_path).attempt(big) for _ in range(8)))
    (written,) = _files(tmp_path, "new")
    assert written.read_bytes() == big.raw.replace(b"\r\n", b"\n")
    assert not _files(tmp_path, "tmp")


@pytest.mark.parametrize("message_id", ["<../../etc/passwd@x>", "<a/b:c@x>", "<\udcff@x>", "<" + "x" * 900 + "@x>"])
async def test_a_message_id_never_becomes_a_path(tmp_path: Path, delivery: Delivery, message_id: str) -> None:
    assert isinstance(await Maildir(tmp_path).attempt(replace(delivery, message_id=message_id)), Sent)
    (written,) = _files(tmp_path, "new")
    assert written.name.replace(".", "").isalnum()


async def test_what_the_disk_refuses_is_deferred(tmp_path: Path, delivery: Delivery) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    outcome = await Maildir(tmp_path / "out").attempt(delivery)
    assert outcome == Deferred(f"{tmp_path / 'out'}: Not a directory")


async def test_a_write_that_fails_halfway_leaves_nothing_behind(tmp_path: Path, delivery: Delivery) -> None:
    big = replace(delivery, raw=b"line\r\n" * 50_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        outcome = await Maildir(tmp_path).attempt(big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert outcome == Deferred(f"{tmp_path}: File too large")
    assert not _files(tmp_path, "tmp")
    assert not _files(tmp_path, "new")
