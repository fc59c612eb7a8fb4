"""What hangs on a mail, to be saved: told of in a list, and handed out as octets that nobody opened."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from email import policy
from email.message import Message as Part

from responder.mail.body import (
    Attachment,
    children_of,
    content_of,
    given_name,
    is_attached,
    leaves_of,
    raw_value,
    transfer_encoding,
    untransferred,
)
from responder.mail.charset import decoded_field
from responder.mail.filenames import filename_of
from responder.mail.message import Unreadable, part_or_reason

# Nothing is folded anew: whoever forwards a mail as evidence wants it as it was.
_AS_IT_WAS = policy.compat32.clone(linesep="\r\n", max_line_length=None, mangle_from_=False)


@dataclass(frozen=True, slots=True)
class File:
    """One of them."""

    name: str
    """As `filename_of` gives it."""
    octets: bytes


def named(part: Part, attachments: Sequence[Attachment]) -> tuple[Attachment, ...]:
    """Those that `reading_of` found in this part, each with a name to save it under."""
    leaves = enumerate(_hung(part))
    pairs = zip(attachments, leaves, strict=True)
    return tuple(replace(known, name=_name(leaf, known.name, index)) for known, (index, leaf) in pairs)


def file_in(raw: bytes, index: int) -> File | Unreadable:
    """The attachment of this place in a view's list, counted from 0. A packed one is not unpacked."""
    part = part_or_reason(raw)
    if isinstance(part, Unreadable):
        return part
    hung = _hung(part)
    if not 0 <= index < len(hung):
        return Unreadable("it has no such attachment")
    leaf = hung[index]
    return File(_name(leaf, given_name(leaf), index), _octets(leaf))


def _hung(part: Part) -> list[Part]:
    return [leaf for leaf in leaves_of(part) if is_attached(leaf)]


def _name(part: Part, given: str, index: int) -> str:
    is_mail = part.get_content_type() == "message/rfc822"
    if is_mail and not given:
        # Mail programs give an attached mail no name, and people know it by its subject.
        subjects = (decoded_field(raw_value(child, "subject")) for child in children_of(part))
        subject = next(subjects, "").replace("/", "_").replace("\\", "_")
        given = f"{subject}.eml" if subject else ""
    return filename_of(given, f"attachment-{index + 1}.{'eml' if is_mail else 'bin'}")


def _octets(part: Part) -> bytes:
    children = children_of(part) if part.is_multipart() else []
    if not children:
        return content_of(part)
    if not part.get_content_type().startswith("message/"):
        return part.as_bytes(policy=_AS_IT_WAS)
    whole = b"\r\n".join(child.as_bytes(policy=_AS_IT_WAS) for child in children)
    # RFC 2046 §5.2.1 forbids it, and some mailers attach mails in base64 all the same.
    return untransferred(whole, transfer_encoding(part)) if not children[0].keys() else whole
