"""Postfix on its own: configuration, queue and log in a folder that is deleted afterwards.

Whatever is not set below is as Postfix has it by default, so that it is measured as operators run it.
"""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers.installed import found, last_words, said_by
from benchmarks.peers.processes import Server, UnavailableError, answers, free_port, wait_for

_MAIN = """
# The level of the oldest Postfix with all that stands here; without one it logs what it would do otherwise.
compatibility_level = 3.6
config_directory = {folder}/etc
queue_directory = {folder}/queue
data_directory = {folder}/data

# Its own logger into its own file: syslog is the machine's, and containers have none. It only writes below a folder
# that is named.
maillog_file = {folder}/log
maillog_file_prefixes = {folder}

inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.jp
mynetworks = 127.0.0.0/8
# No name is looked up: there is no DNS on loopback, and waiting for one would be measured.
smtpd_peername_lookup = no
disable_dns_lookups = yes
# Nothing is delivered on this machine, and no alias file of its is read.
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
"""

# Each service as in the master.cf that comes with Postfix, but outside the chroot, which would have to be filled first.
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup  unix n - n - 0 cleanup
qmgr     unix n - n 300 1 qmgr
tlsmgr   unix - - n 1000? 1 tlsmgr
rewrite  unix - - n - - trivial-rewrite
bounce   unix - - n - 0 bounce
defer    unix - - n - 0 bounce
trace    unix - - n - 0 bounce
verify   unix - - n - 1 verify
flush    unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp     unix - - n - - smtp
relay    unix - - n - - smtp
showq    unix n - n - - showq
error    unix - - n - - error
retry    unix - - n - - error
discard  unix - - n - - discard
virtual  unix - n n - - virtual
lmtp     unix - - n - - lmtp
anvil    unix - - n - 1 anvil
scache   unix - - n - 1 scache
postlog  unix-dgram n - n - 1 postlogd
"""

_HOLDING = {
    # Every mail is put aside once it is on disk: accepting is measured, and no delivery beside it.
    "smtpd_client_restrictions": "static:HOLD",
    # As long as the queue manager takes nothing on, cleanup waits for a second at each mail, to give it a chance. It
    # never takes on what is held.
    "in_flow_delay": "0",
}


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for all that a server has, which other users may walk through, as its processes are."""
    with tempfile.TemporaryDirectory(prefix="responder-peer-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def holding() -> Iterator[Server]:
    """A Postfix that takes mail to example.jp into its queue and leaves it there. Raises UnavailableError."""
    more = {**_HOLDING, "relay_domains": "example.jp", "relay_recipient_maps": ""}
    with own_folder() as folder, running(folder, free_port(), more) as made:
        yield made


@contextmanager
def running(folder: Path, port: int, more: Mapping[str, str]) -> Iterator[Server]:
    """A Postfix with all that it has in `folder`, listening on `port`; `more` are lines of its main.cf."""
    if (program := found("postfix")) is None:
        raise UnavailableError("Postfix is not installed (apt-get install postfix)")
    if os.geteuid():
        raise UnavailableError("Postfix is started by root only")
    _lay(folder, port, more)
    try:
        # It goes into the background by itself, and its master leads the tree of its processes.
        _postfix(program, folder, "start")
        wait_for(lambda: answers(port), lambda: f"Postfix does not answer: {last_words(folder)}")
        yield Server(port, (int((folder / "queue/pid/master.pid").read_text()),))
    finally:
        # It waits for the master; a child may still write into the folder for a moment.
        _postfix(program, folder, "stop", check=False)


def _lay(folder: Path, port: int, more: Mapping[str, str]) -> None:
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir()
    owner = pwd.getpwnam("postfix")
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    lines = "".join(f"{name} = {value}\n" for name, value in more.items())
    (folder / "etc/main.cf").write_text(_MAIN.format(folder=folder) + lines)
    (folder / "etc/master.cf").write_text(_MASTER.format(port=port))


def _postfix(program: str, folder: Path, verb: str, *, check: bool = True) -> None:
    command = [program, "-c", str(folder / "etc"), verb]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - nothing of a stranger's
    if check and done.returncode:
        raise UnavailableError(f"Postfix does not start: {' '.join(done.stderr.split())}: {last_words(folder)}")


def version() -> str:
    """Of the Postfix that is installed, or nothing."""
    return said_by("postconf", "-dh", "mail_version")
