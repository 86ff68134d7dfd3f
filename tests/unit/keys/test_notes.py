"""Keys of logs and witnesses: what Go's note package signed with the same seed, and keys that are none."""

from __future__ import annotations

import base64

import pytest

from keys.errors import BadSignature, InvalidKey
from keys.notes import NoteKey, NoteVerifier

# golang.org/x/mod, sumdb/note/note_test.go.
SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PUBLIC = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
TEXT = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNED = base64.b64decode(
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)[4:]


def test_it_signs_what_others_sign() -> None:
    key = NoteKey(SEED)
    assert key.verifier.public == PUBLIC
    assert key.sign(TEXT) == SIGNED
    NoteVerifier(PUBLIC).verify(TEXT, SIGNED)


def test_another_text_another_key_another_length_do_not_hold() -> None:
    verifier = NoteVerifier(PUBLIC)
    for message, signature, by in (
        (TEXT + b"\n", SIGNED, verifier),
        (TEXT, SIGNED[:-1], verifier),
        (TEXT, SIGNED + b"\x00", verifier),
        (TEXT, bytes(64), verifier),
        (TEXT, SIGNED, NoteKey.generate().verifier),
    ):
        with pytest.raises(BadSignature):
            by.verify(message, signature)


def test_the_secret_does_not_show() -> None:
    key = NoteKey.generate()
    assert repr(key.seed) not in repr(key)
    assert key.seed.hex() not in repr(key)
    assert NoteKey.generate() != key


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(33), bytes(32), b"\x01" + bytes(31)])
def test_keys_that_are_none_are_refused(public: bytes) -> None:
    with pytest.raises(InvalidKey):
        NoteVerifier(public)
    with pytest.raises(InvalidKey):
        NoteKey(bytes(31))
