"""The passphrase-protected file that holds an identity.

Text, so that it survives e-mail and print:

    colloquy-key/v1
    device HEX-FINGERPRINT
    argon2id MEMORY-BYTES PASSES SALT-HEX
    commitment HEX
    HEX-CIPHERTEXT

The lines before the ciphertext are authenticated with it.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

import nacl.bindings

from keys import aead, derive
from keys.errors import CannotOpen, DamagedKeyFile, WeakKeyFile, WrongPassphrase
from keys.identity import SEED_SIZE, Identity
from keys.labels import Label

MAGIC = "colloquy-key/v1"
MEMORY_FLOOR = 256 * 1024 * 1024
MEMORY_CEILING = 4 * 1024 * 1024 * 1024
PASSES_FLOOR = 3
PASSES_CEILING = 64
SALT_SIZE = 16
MAX_SIZE = 4096
_ONCE = bytes(aead.NONCE_SIZE)


@dataclass(frozen=True, slots=True)
class _Header:
    device: bytes
    memory: int
    passes: int
    salt: bytes

    def text(self) -> str:
        work = f"argon2id {self.memory} {self.passes} {self.salt.hex()}"
        return f"{MAGIC}\ndevice {self.device.hex()}\n{work}\n"


def protect(identity: Identity, passphrase: str) -> str:
    """Write an identity as a key file under a passphrase (Argon2id 256 MiB, 3 passes; about a second)."""
    header = _Header(identity.fingerprint, MEMORY_FLOOR, PASSES_FLOOR, secrets.token_bytes(SALT_SIZE))
    key = _stretch(header, passphrase)
    top = header.text() + f"commitment {derive.expand(key, Label.KEYFILE_COMMITMENT).hex()}\n"
    # The key is fresh with its salt and seals this one message.
    sealed = aead.seal(
        derive.expand(key, Label.KEYFILE), _ONCE, identity.signing_seed + identity.sealing_seed, top.encode()
    )
    return f"{top}{sealed.hex()}\n"


def unlock(text: str, passphrase: str) -> Identity:
    """Open a key file; raises WrongPassphrase, DamagedKeyFile or WeakKeyFile."""
    header, commitment, sealed = _parse(text)
    key = _stretch(header, passphrase)
    if not hmac.compare_digest(derive.expand(key, Label.KEYFILE_COMMITMENT), commitment):
        raise WrongPassphrase("the passphrase does not open this key file")
    top = header.text() + f"commitment {commitment.hex()}\n"
    try:
        seeds = aead.open_(derive.expand(key, Label.KEYFILE), _ONCE, sealed, top.encode())
    except CannotOpen:
        raise DamagedKeyFile("the key file was altered after it was written") from None
    identity = Identity(seeds[:SEED_SIZE], seeds[SEED_SIZE:])
    if identity.fingerprint != header.device:
        raise DamagedKeyFile("the key file names another device than it holds")
    return identity


def device_of(text: str) -> bytes:
    """The fingerprint of the device a key file says it holds, without opening it."""
    return _parse(text)[0].device


def _stretch(header: _Header, passphrase: str) -> bytes:
    return nacl.bindings.crypto_pwhash_alg(
        derive.KEY_SIZE,
        passphrase.encode(),
        header.salt,
        header.passes,
        header.memory,
        nacl.bindings.crypto_pwhash_ALG_ARGON2ID13,
    )


def _parse(text: str) -> tuple[_Header, bytes, bytes]:
    if len(text) > MAX_SIZE:
        raise DamagedKeyFile(f"expected a key file of at most {MAX_SIZE} characters, got {len(text)}")
    lines = text.split("\n")
    if len(lines) != 6 or lines[0] != MAGIC or lines[5]:
        raise DamagedKeyFile(f"expected a file that starts with {MAGIC} and has five lines")
    try:
        (device,) = _fields(lines[1], "device", 1)
        memory, passes, salt = _fields(lines[2], "argon2id", 3)
        (commitment,) = _fields(lines[3], "commitment", 1)
        header = _Header(bytes.fromhex(device), int(memory), int(passes), bytes.fromhex(salt))
        parsed = header, bytes.fromhex(commitment), bytes.fromhex(lines[4])
    except ValueError:
        raise DamagedKeyFile("the key file is truncated or was edited") from None
    _check_work(header)
    return parsed


def _fields(line: str, name: str, count: int) -> list[str]:
    found = line.split(" ")
    if found[0] != name or len(found) != count + 1:
        raise ValueError(name)
    return found[1:]


def _check_work(header: _Header) -> None:
    if header.memory < MEMORY_FLOOR or header.passes < PASSES_FLOOR:
        raise WeakKeyFile(
            f"expected at least {MEMORY_FLOOR} bytes and {PASSES_FLOOR} passes of Argon2id, "
            f"got {header.memory} and {header.passes}"
        )
    if header.memory > MEMORY_CEILING or header.passes > PASSES_CEILING or len(header.salt) != SALT_SIZE:
        raise DamagedKeyFile("the key file asks for more work than any key file of this program")
