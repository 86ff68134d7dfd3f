"""What can go wrong with keys.

KeysError
├── CannotOpen        whatever the reason: the one answer of every failed opening (rule 7)
├── BadSignature      a signature does not hold
├── InvalidKey        a public or secret half is not usable
└── KeyFileError
├── WrongPassphrase   the passphrase does not open the key file
├── DamagedKeyFile    the key file is not what was written
└── WeakKeyFile       the key file asks for less work than the floor (rule 24)
"""

from __future__ import annotations


class KeysError(Exception):
    """The root of everything this package raises."""


class CannotOpen(KeysError):
    """A sealed thing did not open; deliberately without a reason, so that it can serve as no oracle."""

    def __init__(self) -> None:
        super().__init__("cannot open")


class BadSignature(KeysError):
    """A signature does not hold for these bytes and this key."""


class InvalidKey(KeysError):
    """A key half has the wrong size, is no valid point, or is not in its canonical form."""


class KeyFileError(KeysError):
    """A key file cannot be used."""


class WrongPassphrase(KeyFileError):
    """The passphrase does not open this key file."""


class DamagedKeyFile(KeyFileError):
    """The key file is truncated, edited or not a key file."""


class WeakKeyFile(KeyFileError):
    """The key file asks for less work than this program accepts."""
