"""Envelopes: the clear, signed header of an event, and the types that say what has been proved about it.

    envelope  =  header (canonical msgpack map)  ‖  Ed25519 signature (64 bytes)

`SignedEvent` promises nothing but a well-formed header; `Event` is made only by `SignedEvent.verify`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from events import canonical
from events.errors import Malformed
from keys.errors import BadSignature
from keys.labels import Label, frame
from keys.recipient import SIGNATURE_SIZE, Recipient

VERSION: Literal[1] = 1
SUITE: Literal[1] = 1
MAX_ENVELOPE = 65_535
MAX_BODY = 512 * 1024
MAX_SEALED_BODY = MAX_BODY
MAX_FILE = 64 * 1024**3
MAX_OBJECTS = 33
MAX_ABOUT = 64
MAX_INT = 2**53 - 1

Hash = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
ObjectId = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT)]
CircleName = Annotated[str, msgspec.Meta(max_length=40, pattern=r"^([a-z]+(:[A-Z]{3})?)?$(?!\n)")]
KindName = Annotated[str, msgspec.Meta(max_length=60, pattern=r"^[a-z-]+\.[a-z-]+$(?!\n)")]
Language = Annotated[str, msgspec.Meta(max_length=16, pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$(?!\n)")]

ZERO = bytes(32)


class ObjectRef(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One version of one sealed object: where it is bound, and what its ciphertext is.

    The key commitment and the digest together commit to the plaintext too: under a committed key one
    ciphertext opens to one plaintext only.
    """

    id: ObjectId
    version: Annotated[int, msgspec.Meta(ge=1, le=MAX_INT)]
    salt: Hash
    digest: Hash
    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_FILE)]
    commitment: Hash

    def context(self) -> bytes:
        """What the object's key is bound to beside stream, circle and epoch."""
        return object_context(self.id, self.version)


class Seen(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Size and root of the last checkpoint of the log that the author verified."""

    size: Count
    root: Hash


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the server and the auditors need, and nothing else; every field is signed (rule 10)."""

    stream: Annotated[bytes, msgspec.Meta(max_length=32)]
    seq: Count
    prev: Hash
    author: Hash
    kind: KindName
    time: Count
    circle: CircleName
    epoch: Count
    about: Annotated[tuple[Hash, ...], msgspec.Meta(max_length=MAX_ABOUT)]
    lang: Language
    objects: Annotated[tuple[ObjectRef, ...], msgspec.Meta(max_length=MAX_OBJECTS)]
    clear: dict[str, Any]
    seen: Seen | None
    v: Literal[1] = VERSION
    suite: Literal[1] = SUITE

    def encode(self) -> bytes:
        """The canonical bytes that are signed; raises Malformed if they exceed an envelope."""
        data = canonical.encode(msgspec.to_builtins(self, builtin_types=(bytes,)))
        if len(data) + SIGNATURE_SIZE > MAX_ENVELOPE:
            raise Malformed(f"expected an envelope of at most {MAX_ENVELOPE} bytes, got {len(data)}")
        return data

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """Read canonical bytes; raises Malformed for every other encoding, and for unknown or missing fields."""
        if len(data) > MAX_ENVELOPE - SIGNATURE_SIZE:
            raise Malformed(f"expected a header of at most {MAX_ENVELOPE - SIGNATURE_SIZE} bytes, got {len(data)}")
        try:
            header = _DECODER.decode(data)
            again = _ENCODER.encode(header) if canonical.is_plain(header.clear) else b""
        except (msgspec.DecodeError, RecursionError, ValueError, OverflowError) as error:
            raise Malformed(f"expected an event's header, got: {error}") from None
        # What encodes to the very same bytes was in the one canonical form, with every field there.
        if again != data:
            raise Malformed("expected the canonical form of a header, got another encoding")
        if len(header.stream) not in (0, 32):
            raise Malformed(f"expected a stream of 0 or 32 bytes, got {len(header.stream)}")
        return header


_DECODER = msgspec.msgpack.Decoder(Header)
_ENCODER = msgspec.msgpack.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Event:
    """A header whose signature held; `id` is the SHA-256 of the envelope's bytes."""

    id: bytes
    header: Header

    @property
    def stream(self) -> bytes:
        """The stream this event belongs to; a genesis names its stream by its own hash (rule 5)."""
        return self.header.stream or self.id


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """Exact bytes with a well-formed header; nothing about it is proved."""

    envelope: bytes = field(repr=False)
    _header: Header = field(repr=False)

    @classmethod
    def parse(cls, envelope: bytes) -> SignedEvent:
        """Read an envelope's bytes; raises Malformed."""
        if not SIGNATURE_SIZE < len(envelope) <= MAX_ENVELOPE:
            raise Malformed(
                f"expected an envelope of {SIGNATURE_SIZE + 1} to {MAX_ENVELOPE} bytes, got {len(envelope)}"
            )
        return cls(envelope, Header.decode(envelope[:-SIGNATURE_SIZE]))

    @classmethod
    def assemble(cls, header: Header, signature: bytes) -> SignedEvent:
        """Put a header and a signature over its bytes together."""
        return cls(header.encode() + signature, header)

    @property
    def claimed_author(self) -> bytes:
        """The fingerprint of the device that the event says it is from."""
        return self._header.author

    @property
    def claimed_place(self) -> tuple[bytes, int]:
        """Stream (empty for a genesis) and number that the event says it has."""
        return self._header.stream, self._header.seq

    @property
    def claimed_genesis(self) -> tuple[str, dict[str, Any]]:
        """Kind and clear payload: where a genesis says its author's keys are."""
        return self._header.kind, self._header.clear

    @property
    def id(self) -> bytes:
        """SHA-256 of the envelope."""
        return hashlib.sha256(self.envelope).digest()

    def verify(self, author: Recipient) -> Event:
        """Check the signature with the author's public key; raises BadSignature."""
        if author.fingerprint != self._header.author:
            raise BadSignature("the event names another device than this key")
        author.verify(Label.EVENT, self.envelope[:-SIGNATURE_SIZE], self.envelope[-SIGNATURE_SIZE:])
        return Event(self.id, self._header)


def scope(stream: bytes, circle: str) -> bytes:
    """Stream and circle as the unambiguous bytes that epoch keys are bound to (rule 14)."""
    return frame(stream, circle.encode())


def object_context(object_id: bytes, version: int) -> bytes:
    """Object and version as the unambiguous bytes that object keys are bound to (rule 14)."""
    return frame(object_id, version.to_bytes(8, "big"))
