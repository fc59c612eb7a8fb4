"""What an operator would set up instead: Postfix, and Postfix with Dovecot's LMTP and a Sieve vacation.

Private instances on loopback, in a folder that is gone afterwards; nothing of the machine's own configuration is read
or changed. Both need root, as they give up its rights by themselves.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DAEMONS = Path("/usr/lib/postfix/sbin")

# What Postfix consists of. Nothing is confined to a folder of its own ("n" in the fifth column), as that would have to
# be filled with copies of the machine's files first.
_MASTER = """\
127.0.0.1:{port} inet n - n - 100 smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
lmtp      unix - - n - - lmtp
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {daemons}
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.jp
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
disable_dns_lookups = yes
# All of a benchmark comes from one address.
smtpd_client_connection_count_limit = 0
smtpd_client_event_limit_exceptions = 127.0.0.0/8
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
"""

_DOVECOT = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = lmtp
ssl = no
default_internal_user = {user}
default_login_user = {user}
mail_location = maildir:{folder}/mail/%u
mail_uid = {user}
mail_gid = {user}
first_valid_uid = 1
hostname = mx.example.jp
postmaster_address = postmaster@example.jp
submission_host = 127.0.0.1:{port}
# Nobody logs in, but it does not start without one.
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={user} gid={user} home={folder}/mail/%u
}}
service lmtp {{
  process_min_avail = 4
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
protocol lmtp {{
  mail_plugins = sieve
}}
plugin {{
  sieve = file:{folder}/vacation.sieve
}}
"""

# As long as one of our answers.
_VACATION = 'require ["vacation"];\nvacation :days 1 :addresses ["support@example.jp"] "{text}";\n'


def missing(*programs: str) -> str:
    """What keeps these from being measured, in words; "" where nothing does."""
    absent = [name for name in programs if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    return "" if os.geteuid() == 0 else "it has to be started by root"


def free_port() -> int:
    """A port that nobody listens at just now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


@contextmanager
def postfix(settings: str = "default_transport = discard:\n", port: int = 0) -> Iterator[int]:
    """A Postfix with its queue on the disk, by default one that throws away what it has queued; its port."""
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="postfix-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # its processes have rights of their own
        (folder / "etc").mkdir()
        main = _MAIN.format(folder=folder, daemons=_DAEMONS) + settings
        (folder / "etc" / "main.cf").write_text(main)
        (folder / "etc" / "master.cf").write_text(_MASTER.format(port=port))
        (folder / "queue").mkdir()
        (folder / "data").mkdir()
        shutil.chown(folder / "data", "postfix")
        _postfix(folder, "start")
        try:
            _until_open(port, folder / "log")
            yield port
        finally:
            _postfix(folder, "stop")


def _postfix(folder: Path, word: str) -> None:
    done = subprocess.run(["postfix", "-c", str(folder / "etc"), word], capture_output=True, text=True)  # noqa: S603, S607 - the machine's own program
    if done.returncode:
        raise SystemExit(f"postfix {word}: {done.stderr}")


@contextmanager
def vacation(sink: int) -> Iterator[int]:
    """Postfix, which hands mail to Dovecot, whose Sieve script answers by Postfix, which sends it to `sink`."""
    port, lmtp = free_port(), free_port()
    settings = (
        "virtual_mailbox_domains = example.jp\n"
        f"virtual_transport = lmtp:inet:127.0.0.1:{lmtp}\n"
        f"relayhost = [127.0.0.1]:{sink}\n"
        # One mail for one reply, as fast as they come.
        "lmtp_destination_concurrency_limit = 20\nsmtp_destination_concurrency_limit = 20\n"
    )
    with tempfile.TemporaryDirectory(prefix="dovecot-") as name, postfix(settings, port):
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("run", "state", "mail"):
            (folder / part).mkdir()
        shutil.chown(folder / "mail", "dovecot")
        text = "Thank you for your mail. " * 40
        (folder / "vacation.sieve").write_text(_VACATION.format(text=text))
        # Compiled where its readers may not write.
        subprocess.run(["sievec", str(folder / "vacation.sieve")], check=True, capture_output=True)  # noqa: S603, S607 - likewise
        for file in folder.glob("vacation.*"):
            file.chmod(0o644)
        configuration = folder / "dovecot.conf"
        configuration.write_text(_DOVECOT.format(folder=folder, user="dovecot", port=port, lmtp=lmtp))
        with subprocess.Popen(["dovecot", "-F", "-c", str(configuration)], stderr=subprocess.PIPE) as process:  # noqa: S603, S607 - likewise
            try:
                _until_open(lmtp, folder / "dovecot.log")
                yield port
            finally:
                process.terminate()


def _until_open(port: int, log: Path) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nobody listens: {log.read_text() if log.exists() else ''}")
