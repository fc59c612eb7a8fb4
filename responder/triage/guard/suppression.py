"""The names of the rules, as operators and staff read them. Imports nothing, so that the settings may know them."""

from enum import StrEnum


class Suppression(StrEnum):
    """Why a machine must not answer."""

    NULL_SENDER = "null sender"
    BOUNCE_ADDRESS = "sent to the envelope sender of automatic mail"
    AUTO_SUBMITTED = "auto-submitted"
    REPORT = "delivery report"
    OWN_ADDRESS = "own address"
    OWN_MAIL = "own mail"
    SYSTEM_SENDER = "system sender"
    TOO_MANY_HOPS = "too many hops"
    TO_POSTMASTER = "mail to the postmaster"
    LIST_MAIL = "list mail"
    BULK = "bulk precedence"
    SUPPRESSION_ASKED = "automatic replies not wanted"
    RESPONDER_FIELD = "field of an automatic mail"
    RETURN_ADDRESS = "return address of a machine"
    ON_BEHALF = "own address for somebody else"
    DELIVERED_BEFORE = "delivered to us before"
    NOT_ADDRESSED = "not addressed to us"
    AUTHOR_UNCLEAR = "not exactly one author"
    OTHER_ORGANISATION = "sender and author of two organisations"
    UNAUTHENTIC = "authentication failed"
    SPAM = "marked as spam"
    MACHINE_NAME = "sender named like a machine"
    OUR_REFERENCE = "our reference number in it"
    MACHINE_SUBJECT = "subject of an automatic mail"
    MACHINE_TEXT = "text of an automatic mail"
    CALENDAR = "calendar mail"
    ENCRYPTED = "encrypted mail"
    MAIL_INSIDE = "another mail inside"

    @property
    def needs_person(self) -> bool:
        """Whether a person might have written it: then a person reads it, and still no machine answers."""
        return self not in _SILENT

    @property
    def fixed(self) -> bool:
        """Whether no operator may switch it off: without it two machines could write to each other for ever."""
        return self in _FIXED


_SILENT = {
    Suppression.NULL_SENDER,
    Suppression.BOUNCE_ADDRESS,
    Suppression.AUTO_SUBMITTED,
    Suppression.REPORT,
    Suppression.OWN_ADDRESS,
    Suppression.OWN_MAIL,
    Suppression.SYSTEM_SENDER,
    Suppression.TOO_MANY_HOPS,
}

# RFC 3834 §2 (null sender, Auto-Submitted), RFC 3464 §2 (no report on a report), RFC 5230 §4.5 (own address).
_FIXED = {
    Suppression.NULL_SENDER,
    Suppression.BOUNCE_ADDRESS,
    Suppression.AUTO_SUBMITTED,
    Suppression.REPORT,
    Suppression.OWN_ADDRESS,
    Suppression.OWN_MAIL,
    Suppression.ON_BEHALF,
}
