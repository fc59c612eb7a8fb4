"""The envelope of one accepted DATA."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """RFC 5321 §2.3.1: who a mail came from and for whom it was taken, whatever its header says."""

    mail_from: str
    """"" is the null reverse-path, `<>` on the wire."""
    rcpt_to: tuple[str, ...]

    @property
    def null(self) -> bool:
        """MAIL FROM is the null reverse-path, or the name that old programs kept for it."""
        return self.mail_from.strip("<> ").lower() in {"", "mailer-daemon"}
