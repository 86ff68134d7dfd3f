"""Domain-separation labels: every signature, derivation and sealing has its own (rule 15)."""

from __future__ import annotations

from enum import Enum, unique


@unique
class Label(bytes, Enum):
    """One use of a key; no two uses share a label, so nothing made for one is valid for another."""

    FINGERPRINT = b"colloquy/v1/fingerprint\x00"
    EVENT = b"colloquy/v1/event\x00"
    CARD = b"colloquy/v1/card\x00"
    SESSION = b"colloquy/v1/session\x00"
    EPOCH_COMMITMENT = b"colloquy/v1/epoch-commitment\x00"
    EPOCH_LINK = b"colloquy/v1/epoch-link\x00"
    EPOCH_GRANT = b"colloquy/v1/epoch-grant\x00"
    OBJECT = b"colloquy/v1/object\x00"
    OBJECT_COMMITMENT = b"colloquy/v1/object-commitment\x00"
    OBJECT_CONTENT = b"colloquy/v1/object-content\x00"
    OBJECT_CONTEXT = b"colloquy/v1/object-context\x00"
    SLOT = b"colloquy/v1/slot\x00"
    SLOT_COMMITMENT = b"colloquy/v1/slot-commitment\x00"
    DISCLOSURE = b"colloquy/v1/disclosure\x00"
    LETTER = b"colloquy/v1/letter\x00"
    KEYFILE = b"colloquy/v1/keyfile\x00"
    KEYFILE_COMMITMENT = b"colloquy/v1/keyfile-commitment\x00"
    LOCAL = b"colloquy/v1/local\x00"
    MARK = b"colloquy/v1/mark\x00"
    ACCESS = b"colloquy/v1/access\x00"
    ACCESS_STREAM = b"colloquy/v1/access-stream\x00"


def frame(*parts: bytes) -> bytes:
    """Join parts unambiguously: each is preceded by its length as four bytes, big-endian."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
