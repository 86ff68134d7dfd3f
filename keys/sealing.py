"""Object keys and their content: derived from the epoch key, committed to, sealed in chunks.

A sealed object is the sequence of its chunks. The plaintext is the length (8 bytes, big-endian), the data and
zero bytes up to the padded size; it is cut into chunks of 64 KiB, each sealed with XChaCha20-Poly1305 under a
nonce of 15 zero bytes, the chunk's number (8 bytes) and 1 for the last chunk or 0 (after STREAM, Hoang et al. 2015).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from keys import aead, derive
from keys.epoch import EpochKey
from keys.errors import CannotOpen
from keys.labels import Label, frame

CHUNK = 64 * 1024
SEALED_CHUNK = CHUNK + aead.TAG_SIZE
LENGTH_SIZE = 8
SMALLEST = 1024
SALT_SIZE = 32


def new_salt() -> bytes:
    """32 random bytes: the reason why no two objects ever share a key (rule 16)."""
    return secrets.token_bytes(SALT_SIZE)


def padded_size(size: int) -> int:
    """Size of the padded plaintext in bytes: Padmé (Nikitin et al. 2019), at least 1 KiB (rule 19)."""
    total = max(size + LENGTH_SIZE, SMALLEST)
    exponent = total.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    mask = (1 << low_bits) - 1
    return (total + mask) & ~mask


def sealed_size(size: int) -> int:
    """Size of the sealed object in bytes for `size` bytes of data."""
    padded = padded_size(size)
    return padded + aead.TAG_SIZE * chunk_count(padded)


def chunk_count(padded: int) -> int:
    """How many chunks a padded plaintext of this size has."""
    return -(-padded // CHUNK)


def sealed_chunk_count(size: int) -> int:
    """How many chunks a sealed object of this size has; raises CannotOpen if no object has this size."""
    count = -(-size // SEALED_CHUNK)
    if size - count * aead.TAG_SIZE < SMALLEST:
        raise CannotOpen
    return count


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """The key of one version of one object; `context` says where it belongs and is authenticated throughout."""

    context: bytes
    secret: bytes = field(repr=False)
    commitment: bytes = field(init=False)
    _content: bytes = field(init=False, repr=False)
    _aad: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != derive.KEY_SIZE:
            raise CannotOpen
        aad = hashlib.sha256(Label.OBJECT_CONTEXT.value + self.context).digest()
        object.__setattr__(self, "_aad", aad)
        object.__setattr__(self, "commitment", derive.expand(self.secret, Label.OBJECT_COMMITMENT, aad))
        object.__setattr__(self, "_content", derive.expand(self.secret, Label.OBJECT_CONTENT, aad))

    @classmethod
    def derive(cls, epoch_key: EpochKey, context: bytes, salt: bytes) -> ObjectKey:
        """Derive from the epoch key: nothing is wrapped, so nothing can be lost."""
        bound = bind(epoch_key.scope, epoch_key.epoch, context)
        return cls(bound, derive.extract_and_expand(epoch_key.secret, Label.OBJECT, bound, salt=salt))

    def expect(self, commitment: bytes) -> ObjectKey:
        """Return this key if it is the one committed to; raises CannotOpen (rule 13)."""
        if not hmac.compare_digest(self.commitment, commitment):
            raise CannotOpen
        return self

    def mark(self, reader: bytes) -> bytes:
        """32 bytes that name a reader of this object (by fingerprint) to those who hold its key, and to nobody else."""
        return derive.expand(self.secret, Label.MARK, self._aad + frame(reader))

    def seal_chunk(self, number: int, padded: bytes, *, last: bool) -> bytes:
        """Seal one chunk of a padded plaintext; `last` if the object ends with it."""
        return aead.seal(self._content, _nonce(number, last=last), padded, self._aad)

    def open_chunk(self, number: int, sealed: bytes, *, last: bool) -> bytes:
        """Open one sealed chunk; raises CannotOpen for another number, another end, another object (rule 9)."""
        return aead.open_(self._content, _nonce(number, last=last), sealed, self._aad)

    def seal(self, data: bytes) -> bytes:
        """Seal a small object whole."""
        pieces = _cut(pad(data), CHUNK)
        return b"".join(self.seal_chunk(i, piece, last=i == len(pieces) - 1) for i, piece in enumerate(pieces))

    def open(self, sealed: bytes) -> bytes:
        """Open a small object whole; raises CannotOpen."""
        sealed_chunk_count(len(sealed))
        pieces = _cut(sealed, SEALED_CHUNK)
        opened = (self.open_chunk(i, piece, last=i == len(pieces) - 1) for i, piece in enumerate(pieces))
        return unpad(b"".join(opened))


@dataclass(frozen=True, slots=True)
class SlotKey:
    """The key of a place made ready for somebody who holds no epoch key: it seals nothing itself.

    What is put into the slot gets a key of its own from a fresh salt, so that trying twice with different
    words never uses a key twice (rule 16).
    """

    context: bytes
    secret: bytes = field(repr=False)
    commitment: bytes = field(init=False)

    def __post_init__(self) -> None:
        if len(self.secret) != derive.KEY_SIZE:
            raise CannotOpen
        object.__setattr__(self, "commitment", derive.expand(self.secret, Label.SLOT_COMMITMENT, self.context))

    @classmethod
    def derive(cls, epoch_key: EpochKey, context: bytes, salt: bytes) -> SlotKey:
        """Derive from the epoch key, as whoever holds that key can too."""
        bound = bind(epoch_key.scope, epoch_key.epoch, context)
        return cls(bound, derive.extract_and_expand(epoch_key.secret, Label.SLOT, bound, salt=salt))

    def expect(self, commitment: bytes) -> SlotKey:
        """Return this key if it is the one committed to; raises CannotOpen."""
        if not hmac.compare_digest(self.commitment, commitment):
            raise CannotOpen
        return self

    def object(self, salt: bytes) -> ObjectKey:
        """The key of what is put into the slot with this salt."""
        return ObjectKey(self.context, derive.extract_and_expand(self.secret, Label.OBJECT, self.context, salt=salt))


def bind(scope: bytes, epoch: int, context: bytes) -> bytes:
    """Circle, epoch and object as the unambiguous bytes that an object's key is bound to (rule 14)."""
    return frame(scope, epoch.to_bytes(4, "big"), context)


def pad(data: bytes) -> bytes:
    """Prefix the length and append zero bytes up to the padded size."""
    return (len(data).to_bytes(LENGTH_SIZE, "big") + data).ljust(padded_size(len(data)), b"\x00")


def unpad(padded: bytes) -> bytes:
    """Undo `pad`; raises CannotOpen unless the padding is exactly what `pad` writes."""
    size = int.from_bytes(padded[:LENGTH_SIZE], "big")
    end = LENGTH_SIZE + size
    if end > len(padded) or padded_size(size) != len(padded) or any(padded[end:]):
        raise CannotOpen
    return padded[LENGTH_SIZE:end]


def _cut(data: bytes, length: int) -> list[bytes]:
    return [data[i : i + length] for i in range(0, len(data), length)]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(aead.NONCE_SIZE - 1, "big") + (b"\x01" if last else b"\x00")
