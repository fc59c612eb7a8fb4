"""The conversation of a mail, looked up: what its clues name is read, and `triage.thread` decides."""

from sqlalchemy.engine import Connection

from responder.mail.address import normalised
from responder.store import inbox, outbox
from responder.store.inbox import Origin
from responder.store.outbox import DeliveryKind
from responder.triage.thread import Clues, Conversation, Known, conversation_of, own_ids

# A database's numbers have 64 bits, and a subject may hold any.
_HIGHEST = 2**63 - 1


def conversation(conn: Connection, clues: Clues, key: bytes) -> Conversation | None:
    """The conversation that a mail with these clues goes on with; None: it is new."""
    keyed = own_ids(key, clues)
    ours = outbox.of_message_ids(conn, clues.ids)
    sent = {one.message_id: one.inquiry_id for one in ours}
    received = inbox.of_message_ids(conn, [*clues.ids, *([clues.own_id] if clues.own_id else [])])
    numbers = {own.inquiry for own in keyed.values()} | set(clues.numbers) | set(sent.values()) | set(received.values())
    origins = inbox.origins(conn, [number for number in numbers if number <= _HIGHEST])
    known = Known(
        sent,
        {number: origin.digest for number, origin in origins.items()},
        {number: _contractors(origin) for number, origin in origins.items()},
        told=outbox.written_about(conn, clues.numbers),
        received=received,
        notices=frozenset(one.message_id for one in ours if one.kind is DeliveryKind.NOTICE)
        | {cited for cited, own in keyed.items() if own.kind == DeliveryKind.NOTICE.value},
    )
    return conversation_of(clues, keyed, known)


def _contractors(origin: Origin) -> frozenset[str]:
    return frozenset(normalised(address) for address in (origin.mail_from, origin.from_address) if address)
