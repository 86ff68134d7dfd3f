"""Access on record: a reader signs what they are about to read, before the first byte leaves the server (R31, G 5).

statement   =  canonical [1, stream, reader, time, nonce, [[event, object, start], ...]]  ‖  signature (64 bytes)
completion  =  canonical [1, SHA-256 of the statement, time, bytes sent]
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeVar

import msgspec

from events import canonical
from events.envelope import MAX_OBJECTS, Count, Hash
from events.errors import Malformed
from keys.errors import BadSignature
from keys.labels import Label, frame
from keys.recipient import SIGNATURE_SIZE, Recipient

MAX_WANTS = 200
MAX_STATEMENT = 16 * 1024
MAX_COMPLETION = 128
NONCE_SIZE = 16
T = TypeVar("T")


class Want(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One thing to be read: what travels with an event (object 0) or its n-th file, from a byte on."""

    event: Hash
    object: Annotated[int, msgspec.Meta(ge=0, lt=MAX_OBJECTS)]
    start: Count


class Statement(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a device says it is about to read from a stream, and when (milliseconds)."""

    v: Literal[1]
    stream: Hash
    reader: Hash
    time: Count
    nonce: Annotated[bytes, msgspec.Meta(min_length=NONCE_SIZE, max_length=NONCE_SIZE)]
    wants: Annotated[tuple[Want, ...], msgspec.Meta(min_length=1, max_length=MAX_WANTS)]

    def encode(self) -> bytes:
        """The canonical bytes that are signed."""
        return canonical.encode(msgspec.to_builtins(self, builtin_types=(bytes,)))


@dataclass(frozen=True, slots=True)
class Access:
    """A statement whose signature held; `id` is the SHA-256 of its signed bytes."""

    id: bytes
    statement: Statement


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """Exact bytes with a well-formed statement; nothing about it is proved."""

    record: bytes = field(repr=False)
    _statement: Statement = field(repr=False)

    @classmethod
    def parse(cls, record: bytes) -> SignedStatement:
        """Read a statement's bytes; raises Malformed."""
        if not SIGNATURE_SIZE < len(record) <= MAX_STATEMENT:
            raise Malformed(f"expected a statement of at most {MAX_STATEMENT} bytes, got {len(record)}")
        statement = _read(record[:-SIGNATURE_SIZE], Statement)
        if len(set(statement.wants)) != len(statement.wants):
            raise Malformed("expected each thing to be wanted once, got one twice")
        return cls(record, statement)

    @property
    def claimed_reader(self) -> bytes:
        """The fingerprint of the device that the statement says it is from."""
        return self._statement.reader

    @property
    def id(self) -> bytes:
        """SHA-256 of the signed statement."""
        return hashlib.sha256(self.record).digest()

    def verify(self, reader: Recipient) -> Access:
        """Check the signature with the reader's public key; raises BadSignature."""
        if reader.fingerprint != self._statement.reader:
            raise BadSignature("the statement names another device than this key")
        reader.verify(Label.ACCESS, self.record[:-SIGNATURE_SIZE], self.record[-SIGNATURE_SIZE:])
        return Access(self.id, self._statement)


class Completion(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the server says it sent for a statement: how many bytes, and when it was done (milliseconds)."""

    v: Literal[1]
    statement: Hash
    time: Count
    sent: Count

    def encode(self) -> bytes:
        """The record's bytes."""
        return canonical.encode(msgspec.to_builtins(self, builtin_types=(bytes,)))

    @classmethod
    def parse(cls, record: bytes) -> Completion:
        """Read a completion's bytes; raises Malformed."""
        if len(record) > MAX_COMPLETION:
            raise Malformed(f"expected a completion of at most {MAX_COMPLETION} bytes, got {len(record)}")
        return _read(record, Completion)


def access_stream(stream: bytes) -> bytes:
    """The stream beside a stream that holds the records of reading it."""
    return hashlib.sha256(Label.ACCESS_STREAM.value + frame(stream)).digest()


def _read(data: bytes, shape: type[T]) -> T:
    try:
        return msgspec.convert(canonical.decode(data, MAX_STATEMENT), shape, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise Malformed(f"expected an access record, got: {error}") from None
