"""The text of a mail as it comes in after DATA: where it ends, and what of it is kept (RFC 5321 §4.5.2)."""

from responder.listener.wire import PIECE

LONGEST_LINE = 1 << 20
"""RFC 5321 §4.5.3.1.6 allows 1,000 octets, but real Japanese HTML mail has far longer lines; this one is no mail."""

BARE = "554 5.6.0 A CR or LF stands alone in this mail; every line has to end with both (RFC 5321 2.3.8)"
TOO_LONG = "554 5.6.0 A line of this mail is too long"
TOO_LARGE = "552 5.3.4 This mail is larger than the limit"

_END = b"\r\n.\r\n"


class Text:
    """Takes the stream in pieces of any size and keeps the mail, but never more of it than allowed.

    Once there is a refusal nothing is kept; the rest is only looked through for its end.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: list[bytes] = []
        self._last = bytearray()
        # The line end of the command DATA itself: the end, or a doubled dot, may stand in the very first line. It is
        # taken off again below.
        self._carried = b"\r\n"
        self._first = True
        self._before = b""
        self._line = 0
        self.size = 0
        """Octets that came, the dropped ones among them."""
        self.refusal: str | None = None

    @property
    def held(self) -> int:
        """Octets that are kept."""
        return len(self._pieces) * PIECE + len(self._last)

    def take(self) -> bytes:
        """What was kept; it is the caller's then, and no longer kept here."""
        mail = b"".join((*self._pieces, self._last))
        self._pieces, self._last = [], bytearray()
        return mail

    def refuse(self, reply: str) -> None:
        """Keep nothing; the first reason stays."""
        self.refusal = self.refusal or reply
        self._pieces, self._last = [], bytearray()

    def feed(self, piece: bytes) -> bytes | None:
        """Take the next piece; what follows the end, or None while there is no end."""
        self.size += len(piece)
        stream = self._carried + piece
        end = self._end_in(stream)
        if end >= 0:
            self._keep(stream[: end + 2])
            return stream[end + len(_END) :]
        # What may be the beginning of the end waits for the next piece, so that no pattern is ever cut in two.
        cut = len(stream) - next((n for n in (4, 3, 2, 1) if stream.endswith(_END[:n])), 0)
        self._keep(stream[:cut])
        self._carried = stream[cut:]
        return None

    def _end_in(self, stream: bytes) -> int:
        # CR CR LF . CR LF is no end. Servers do not agree on it, and where one ends and the other reads on, a second
        # mail can be smuggled in. The CR that stands alone has the mail refused anyway.
        end = stream.find(_END)
        while end >= 0 and (stream[end - 1 : end] if end else self._before) == b"\r":
            end = stream.find(_END, end + 1)
        return end

    def _keep(self, part: bytes) -> None:
        if not part:
            return
        self._before = part[-1:]
        if self.refusal is None:
            self._examine(part)
        if self.refusal is None:
            text = part.replace(b"\r\n.", b"\r\n")
            self._last += text[2:] if self._first else text
            self._first = False
            # Pieces of one size: a client that sends single octets must not cost an object for each, and one buffer
            # for each mail, growing beside the others, took a third more memory than was in them.
            while len(self._last) >= PIECE:
                self._pieces.append(bytes(self._last[:PIECE]))
                del self._last[:PIECE]
            if self.held > self._most:
                self.refuse(TOO_LARGE)

    def _examine(self, part: bytes) -> None:
        ends = part.count(b"\r\n")
        if part.count(b"\n") != ends or part.count(b"\r") != ends:
            self.refuse(BARE)
        # A line inside one part is no longer than the part, which is a read from the socket and far below the limit.
        first = part.find(b"\n")
        if self._line + (first if first >= 0 else len(part)) > LONGEST_LINE:
            self.refuse(TOO_LONG)
        self._line = len(part) - part.rfind(b"\n") - 1 if first >= 0 else self._line + len(part)
