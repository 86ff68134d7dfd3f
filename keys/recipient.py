"""The public halves of one device: whom a signature is from, and to whom something is sealed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import nacl.bindings
import nacl.exceptions
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from keys.errors import BadSignature, InvalidKey
from keys.labels import Label, frame

SIGNING_SIZE = 32
MLKEM_SIZE = 1184
SEALING_SIZE = MLKEM_SIZE + 32
SIGNATURE_SIZE = 64
SEAL_OVERHEAD = 1088 + 32 + 16
SEALED_KEY_SIZE = 32 + SEAL_OVERHEAD
X25519_PRIME = 2**255 - 19

SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True, slots=True)
class Recipient:
    """The two public halves of a device: Ed25519 (32 bytes) and X-Wing (1,216 bytes).

    Raises InvalidKey for anything but a valid point in its one canonical form.
    """

    signing: bytes
    sealing: bytes = field(repr=False)
    fingerprint: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_signing(self.signing)
        _check_sealing(self.sealing)
        digest = hashlib.sha256(Label.FINGERPRINT.value + frame(self.signing, self.sealing))
        object.__setattr__(self, "fingerprint", digest.digest())

    def verify(self, label: Label, message: bytes, signature: bytes) -> None:
        """Check a signature over a labelled message; raises BadSignature."""
        check_signature(self.signing, label.value + message, signature)

    def seal(self, label: Label, plaintext: bytes, context: bytes) -> bytes:
        """Seal a small secret to this device (RFC 9180 base mode, X-Wing); the context is authenticated."""
        key = hpke.MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.sealing[:MLKEM_SIZE]),
            X25519PublicKey.from_public_bytes(self.sealing[MLKEM_SIZE:]),
        )
        return SUITE.encrypt(plaintext, key, info=label.value + context)


def readable(fingerprint: bytes) -> str:
    """Write a fingerprint as eight groups of five digits, to be read out over the telephone.

    Forty digits carry 132 bits; digits read the same in all six languages.
    """
    number = int.from_bytes(fingerprint, "big") % 10**40
    digits = f"{number:040d}"
    return " ".join(digits[i : i + 5] for i in range(0, 40, 5))


def check_signature(key: bytes, signed: bytes, signature: bytes) -> None:
    """Check an Ed25519 signature over the exact bytes that were signed; raises BadSignature.

    libsodium alone decides everywhere (rule 22): it refuses small-order keys and other edge cases
    that different implementations judge differently.
    """
    if len(signature) != SIGNATURE_SIZE:
        raise BadSignature(f"expected a signature of {SIGNATURE_SIZE} bytes, got {len(signature)}")
    try:
        nacl.bindings.crypto_sign_open(signature + signed, key)
    except nacl.exceptions.BadSignatureError:
        raise BadSignature("the signature does not hold") from None


def check_signing(key: bytes) -> None:
    """Check an Ed25519 public key; raises InvalidKey for anything but a point of the main subgroup."""
    if len(key) != SIGNING_SIZE:
        raise InvalidKey(f"expected a signing key of {SIGNING_SIZE} bytes, got {len(key)}")
    if not nacl.bindings.crypto_core_ed25519_is_valid_point(key):
        raise InvalidKey("the signing key is no valid point of the main subgroup")


def _check_sealing(key: bytes) -> None:
    if len(key) != SEALING_SIZE:
        raise InvalidKey(f"expected a sealing key of {SEALING_SIZE} bytes, got {len(key)}")
    # RFC 7748 lets two encodings stand for one point: one person, one fingerprint.
    if int.from_bytes(key[MLKEM_SIZE:], "little") >= X25519_PRIME:
        raise InvalidKey("the X25519 half of the sealing key is not in canonical form")
    # FIPS 203, 7.2: every 12-bit coefficient is below q; the library parses but does not check.
    packed = int.from_bytes(key[:1152], "little")
    if any((packed >> (12 * i)) & 0xFFF >= 3329 for i in range(768)):
        raise InvalidKey("the ML-KEM half of the sealing key is not in canonical form")
