"""Send one mail to a running responder, with nothing but the standard library.

python examples/send.py examples/shared-mailbox.eml
python examples/send.py "契約書の金額が間違っている場合はどうすればよいですか"
"""

import argparse
import re
import smtplib
import sys
from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from pathlib import Path

ASKER = "tanaka@contractor.example"


def main(words: Sequence[str]) -> int:
    """Exit code 0 when the mail was taken, 1 when it was not."""
    arguments = _arguments(words)
    try:
        raw = _raw(arguments.mail, arguments.sender or ASKER, arguments.to)
        sender = _envelope_sender(raw) if arguments.sender is None else arguments.sender
        with smtplib.SMTP(arguments.host, arguments.port, timeout=30) as client:
            client.sendmail(sender, [arguments.to], raw)
    except (OSError, smtplib.SMTPException) as error:
        sys.stderr.write(f"Not sent: {error}\n")
        return 1
    sys.stdout.write(f"Taken by {arguments.host}:{arguments.port}; an answer goes to <{sender}>.\n")
    return 0


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Send one mail to a running responder.")
    parser.add_argument("mail", help="a file that ends with .eml, or the text of a question")
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=2525, help="default: %(default)s")
    parser.add_argument("--to", default="support@example.jp", help="default: %(default)s")
    parser.add_argument("--from", dest="sender", help=f"default: what the file says; for a text {ASKER}")
    return parser.parse_args(words)


def _raw(mail: str, sender: str, to: str) -> bytes:
    """The mail in the file, or the text made into one; with the line ends of SMTP, which a mail on file may lack."""
    if mail.endswith(".eml"):
        return re.sub(rb"\r?\n", b"\r\n", Path(mail).read_bytes())
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, "お問い合わせ"
    message["Date"], message["Message-ID"] = formatdate(localtime=True), make_msgid(domain="contractor.example")
    message.set_content(mail)
    return message.as_bytes(policy=SMTP)


def _envelope_sender(raw: bytes) -> str:
    """Return-Path is the MAIL FROM that a mail on file once had; without one, its author wrote it just now."""
    message = message_from_bytes(raw)
    return parseaddr(str(message["Return-Path"] or message["From"]))[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
