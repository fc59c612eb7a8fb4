"""What an operator would set up instead of ours: Postfix, Dovecot's LMTP, and a Sieve script that says `vacation`.

Mail comes in through Postfix, Dovecot keeps it and answers it, and the answer leaves through the same Postfix to a
next hop, as ours does. The answer is one text for everybody: nothing is recognised, and nothing goes to people.
"""

import os
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers import postfix
from benchmarks.peers.installed import found, last_words, said_by
from benchmarks.peers.processes import Server, UnavailableError, free_port, wait_for

_USER, _OWNER = "support@example.jp", 65534

_CONF = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = lmtp
listen = 127.0.0.1
ssl = no
service lmtp {{
  unix_listener {folder}/lmtp {{
    # Postfix, which is another user, connects to it.
    mode = 0666
  }}
}}

# Nobody logs in, but without it the service that knows the users does not start.
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home/%n allow_all_users=yes
}}
# Users below 500 are the system's, and are refused as owners of mail unless that is said.
first_valid_uid = 1
mail_location = maildir:~/mail

# Not by the sendmail command, which is the default: a process for each answer, and it would read the machine's Postfix.
submission_host = 127.0.0.1:{submission}
protocol lmtp {{
  mail_plugins = sieve
}}
plugin {{
  sieve = file:{folder}/answer.sieve
  # Where the script's user may write; the default is beside the script.
  sieve_user_log = {folder}/home/sieve.log
}}
"""

_SIEVE = """require ["vacation"];
vacation :days 7 :addresses ["support@example.jp"] :subject "お問い合わせの件" text:
{text}
.
;
"""

_TEXT = "\n".join(["お問い合わせいただきありがとうございます。", *["よくあるご質問をご覧ください。" * 3] * 12])
"""About as long as an answer of ours."""

_DELIVERING = {
    "virtual_mailbox_domains": "example.jp",
    "virtual_mailbox_maps": "inline:{{support@example.jp=support}}",
    "virtual_transport": "lmtp:unix:{folder}/dovecot/lmtp",
    "relayhost": "[127.0.0.1]:{next_hop}",
    # The second attempt comes after some seconds instead of five minutes, as ours is told to where the next hop is
    # away: how many mails are lost is measured, not how long anybody waits.
    "minimal_backoff_time": "2s",
    "maximal_backoff_time": "4s",
    "queue_run_delay": "2s",
}


_ONE_AT_A_TIME = {
    # Dovecot notes whom it has answered in a file of the user's, which a second delivery at the same moment replaces by
    # what it knows itself: with twenty at once, nine of ten authors are forgotten, and answered again.
    "lmtp_destination_concurrency_limit": "1",
}


@contextmanager
def vacation(
    next_hop: int, *, directly: bool = False, one_at_a_time: bool = False, authors: int = 0
) -> Iterator[Server]:
    """Postfix and Dovecot that answer mail to support@example.jp through the next hop on that port.

    `directly`: Dovecot hands its answers to the next hop itself, and no queue stands between. `authors`: so many had
    their answer in the last days. Raises UnavailableError.
    """
    with postfix.own_folder() as folder:
        port = free_port()
        more = {key: value.format(folder=folder, next_hop=next_hop) for key, value in _DELIVERING.items()}
        with (
            _dovecot(folder / "dovecot", next_hop if directly else port, authors) as pid,
            postfix.running(folder, port, {**more, **(_ONE_AT_A_TIME if one_at_a_time else {})}) as front,
        ):
            yield Server(front.port, (*front.pids, pid))


@contextmanager
def _dovecot(folder: Path, submission: int, authors: int) -> Iterator[int]:
    """A Dovecot with all that it has in `folder`: the process that leads its tree."""
    program, compiler = _programs()
    _lay(folder, submission, authors)
    _run(compiler, "-c", str(folder / "conf"), str(folder / "answer.sieve"))
    command = [program, "-c", str(folder / "conf"), "-F"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:  # noqa: S603 - nothing of a stranger's
        try:
            wait_for((folder / "lmtp").exists, lambda: f"Dovecot does not answer: {last_words(folder)}")
            yield process.pid
        finally:
            process.terminate()


def _programs() -> tuple[str, str]:
    dovecot, compiler = found("dovecot"), found("sievec")
    lmtp = any(Path(place, "lmtp").exists() for place in ("/usr/lib/dovecot", "/usr/libexec/dovecot"))
    if dovecot is None or compiler is None or not lmtp:
        raise UnavailableError(
            "Dovecot with LMTP and Sieve is not installed (apt-get install dovecot-lmtpd dovecot-sieve)"
        )
    if os.geteuid():
        raise UnavailableError("Dovecot is started by root only")
    return dovecot, compiler


def _lay(folder: Path, submission: int, authors: int) -> None:
    home = folder / "home" / _USER.partition("@")[0]
    home.mkdir(parents=True)
    (home / ".dovecot.lda-dupes").write_bytes(_answered(authors))
    # Mail must not belong to root; any other user will do.
    for path in (home.parent, home, home / ".dovecot.lda-dupes"):
        os.chown(path, _OWNER, _OWNER)
    (folder / "conf").write_text(_CONF.format(folder=folder, submission=submission, user=_OWNER, group=_OWNER))
    (folder / "answer.sieve").write_text(_SIEVE.format(text=_TEXT))


def _answered(authors: int) -> bytes:
    """Pigeonhole's note of whom it has answered: a version; then for each when it ends, lengths, a digest, the user."""
    user, ends = _USER.encode(), int(time.time()) + 6 * 86_400
    notes = (struct.pack("=III", ends, 16, len(user)) + os.urandom(16) + user for _ in range(authors))
    return struct.pack("=I", 2) + b"".join(notes)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - likewise
    if done.returncode:
        raise UnavailableError(f"{Path(command[0]).name}: {' '.join(done.stderr.split())}")


def version() -> str:
    """Of the Dovecot that is installed, or nothing."""
    return said_by("dovecot", "--version").partition(" ")[0]
