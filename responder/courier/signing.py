"""DKIM (RFC 6376): one field before a finished mail, and everything behind it left as it was."""

import base64
import binascii
import re
from dataclasses import dataclass, field

import dkim
from dkim.crypto import UnparsableKeyError, parse_private_key
from nacl.signing import SigningKey

# From is named once more than it stands there: a second one, put in by somebody else, breaks the signature (RFC 6376
# §8.15). A field that a mail of ours lacks is signed as missing, so that nobody can add it either.
SIGNED = (
    *("From", "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Language"),
)

_LEAST_BITS = 2048
"""RFC 8301 §3.2: signers should use 2048 at least; large providers do not take less than 1024 at all."""

_PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----\s(.*?)-----END \1-----", re.DOTALL)
# RFC 8410 §7: PKCS#8 around the 32 octets of an Ed25519 seed is these and then the seed.
_ED25519_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
_SEED_OCTETS = 32
_INTEGER, _BIT_STRING, _SEQUENCE = 0x02, 0x03, 0x30
# RFC 8017 §A.1: rsaEncryption, with its NULL.
_RSA_ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")
_LONGEST_STRING = 255


class UnusableKey(ValueError):  # noqa: N818 - it names what the key is, as `MalformedReply` does for a reply
    """What a key file holds cannot sign; the words say why, and quote nothing of it."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key and the half of it that the world may see."""

    algorithm: str
    secret: bytes = field(repr=False)
    """As dkimpy takes it: PEM for RSA, base64 of the seed for Ed25519."""
    record: str
    """The TXT record to publish (RFC 6376 §3.6.1, RFC 8463 §4)."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who vouches for our mails. The same mail gives the same octets, whenever it is signed."""

    domain: str
    selector: str
    key: Key

    @property
    def place(self) -> str:
        """The name at which `key.record` must stand in the DNS."""
        return f"{self.selector}._domainkey.{self.domain}"

    def signed(self, raw: bytes) -> bytes:
        """The mail with its signature before it. Raises DKIMException where it cannot be signed."""
        made = _Undated(raw, signature_algorithm=self.key.algorithm.encode()).sign(
            self.selector.encode(),
            self.domain.encode(),
            self.key.secret,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name.encode() for name in SIGNED],
        )
        return bytes(made) + raw

    def holds(self, mail: bytes) -> bool:
        """Whether the first signature of the mail is good by our own record. No DNS is asked."""
        ours, record = f"{self.place}.".encode(), self.key.record.encode()
        return bool(dkim.verify(mail, dnsfunc=lambda name, timeout: record if name == ours else None))

    def works(self) -> bool:
        """Whether a mail that is signed now holds: the parts of a damaged key do not belong together."""
        try:
            return self.holds(self.signed(_SPECIMEN))
        except (dkim.DKIMException, ArithmeticError, AssertionError, ValueError):
            return False


_SPECIMEN = b"From: <responder@example.jp>\r\nSubject: specimen\r\n\r\nA mail to be signed.\r\n"


class _Undated(dkim.DKIM):  # type: ignore[misc]  # dkimpy has no types
    """Without t=, which dkimpy takes from the clock: each attempt at a mail would send other octets."""

    def gen_header(self, fields: list[tuple[bytes, bytes]], *args: object, **kwargs: object) -> bytes:
        undated = [(tag, value) for tag, value in fields if tag != b"t"]
        made: bytes = super().gen_header(undated, *args, **kwargs)
        return made


def read_key(text: bytes) -> Key:
    """RSA (PKCS#1 or PKCS#8) or Ed25519 (PKCS#8) in PEM, or the bare base64 of an Ed25519 seed. Raises UnusableKey."""
    found = _PEM.search(text.replace(b"\r\n", b"\n"))
    if found is None:
        return _ed25519(_octets(text))
    octets = _octets(found[2]) if b":" not in found[2] else b""
    if b"ENCRYPTED" in found[1] or not octets:
        raise UnusableKey("the key is encrypted, and there is nobody to ask for its password")
    if b"PUBLIC" in found[1] or b"CERTIFICATE" in found[1]:
        raise UnusableKey("there is a public key in it, and a private one signs")
    return _ed25519(octets.removeprefix(_ED25519_PKCS8)) if octets.startswith(_ED25519_PKCS8) else _rsa(octets)


def _octets(text: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise UnusableKey("there is no private key in it, or a part of it is missing") from None


def _ed25519(seed: bytes) -> Key:
    if len(seed) != _SEED_OCTETS:
        raise UnusableKey("it is neither an RSA nor an Ed25519 private key")
    public = bytes(SigningKey(seed).verify_key)
    return Key("ed25519-sha256", base64.b64encode(seed), f"v=DKIM1; k=ed25519; p={_text(public)}")


def _rsa(octets: bytes) -> Key:
    try:
        parts = parse_private_key(octets)
        modulus, exponent = int(parts["modulus"]), int(parts["publicExponent"])
    except (UnparsableKeyError, LookupError, TypeError, ValueError):
        raise UnusableKey("it is neither an RSA nor an Ed25519 private key, or a part of it is missing") from None
    if modulus.bit_length() < _LEAST_BITS:
        raise UnusableKey(f"the key has {modulus.bit_length()} bits, and {_LEAST_BITS} are the least")
    secret = b"-----BEGIN RSA PRIVATE KEY-----\n" + base64.b64encode(octets) + b"\n-----END RSA PRIVATE KEY-----\n"
    return Key("rsa-sha256", secret, f"v=DKIM1; k=rsa; p={_text(_public_info(modulus, exponent))}")


def _public_info(modulus: int, exponent: int) -> bytes:
    """DER of SubjectPublicKeyInfo (RFC 5280 §4.1)."""
    # An integer has one bit more than its number, for the sign.
    numbers = (_der(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big")) for number in (modulus, exponent))
    # A bit string says first how many bits of its last octet are unused.
    bits = _der(_BIT_STRING, b"\0" + _der(_SEQUENCE, b"".join(numbers)))
    return _der(_SEQUENCE, _RSA_ALGORITHM + bits)


def _der(tag: int, content: bytes) -> bytes:
    # dkimpy 1.1.8 breaks on the length of anything longer than 126 octets, which every RSA key is.
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8 or 1, "big")
    shown = length if len(content) < 0x80 else bytes([0x80 | len(length)]) + length
    return bytes([tag]) + shown + content


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def zone_line(signer: Signer) -> str:
    """The record as a line of a zone file; a string of it has 255 octets at most (RFC 1035 §3.3)."""
    record = signer.key.record
    strings = (record[start : start + _LONGEST_STRING] for start in range(0, len(record), _LONGEST_STRING))
    return f"{signer.place}. IN TXT " + " ".join(f'"{part}"' for part in strings)
