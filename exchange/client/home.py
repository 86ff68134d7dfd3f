"""A person's home directory: key file, pinned register, confirmed fingerprints, journal and cache."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import msgspec
from filelock import FileLock, Timeout

from exchange.client.errors import HomeBusy, HomeError
from keys import keyfile
from keys.errors import DamagedKeyFile
from keys.identity import Identity

KEY_FILE = "identity.key"
SETTINGS = "home.json"
CONFIRMED = "confirmed.json"
CACHE = "cache.sqlite"
JOURNAL = "journal"
SPOOL = "spool"
LOCK_SECONDS = 2.0


class HomeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the server is and which register is the right one (hexadecimal, empty until it is known)."""

    server: str = ""
    register: str = ""
    label: str = ""


class Home:
    """A home directory, locked for this process while it is entered."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / ".lock", timeout=LOCK_SECONDS, mode=0o600)

    @classmethod
    def create(cls, path: Path, identity: Identity, passphrase: str, settings: HomeSettings) -> Home:
        """Make a home around a new identity; raises HomeError if one is there already."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (path / KEY_FILE).exists():
            raise HomeError(f"{path} already holds a key file; nothing was changed")
        home = cls(path)
        for name in (JOURNAL, SPOOL):
            (path / name).mkdir(mode=0o700, exist_ok=True)
        write_private(path / SETTINGS, msgspec.json.encode(settings))
        write_private(path / KEY_FILE, keyfile.protect(identity, passphrase).encode())
        return home

    def __enter__(self) -> Home:
        if not (self.path / KEY_FILE).exists():
            raise HomeError(f"{self.path} holds no key file; make one with: colloquy init")
        try:
            self._lock.acquire()
        except Timeout:
            raise HomeBusy(f"another colloquy command is using {self.path}; nothing was changed") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    @property
    def settings(self) -> HomeSettings:
        """The settings as they are on disk; raises HomeError if they cannot be read."""
        try:
            return msgspec.json.decode((self.path / SETTINGS).read_bytes(), type=HomeSettings)
        except (OSError, msgspec.DecodeError) as error:
            raise HomeError(f"the settings in {self.path / SETTINGS} cannot be read: {error}") from None

    def configure(self, settings: HomeSettings) -> None:
        """Replace the settings."""
        write_private(self.path / SETTINGS, msgspec.json.encode(settings))

    def fingerprint(self) -> bytes:
        """The device's fingerprint, without opening the key file."""
        return keyfile.device_of(self._key_text())

    def unlock(self, passphrase: str) -> Identity:
        """Open the key file (about a second); raises KeyFileError."""
        return keyfile.unlock(self._key_text(), passphrase)

    def confirmed(self) -> dict[str, str]:
        """Fingerprints (hexadecimal) this person has compared with their owners, and when."""
        try:
            return msgspec.json.decode((self.path / CONFIRMED).read_bytes(), type=dict[str, str])
        except FileNotFoundError:
            return {}
        except msgspec.DecodeError as error:
            raise HomeError(f"{self.path / CONFIRMED} cannot be read: {error}") from None

    def confirm(self, fingerprint: bytes, when: str) -> None:
        """Remember a fingerprint as compared with its owner."""
        write_private(self.path / CONFIRMED, msgspec.json.encode({**self.confirmed(), fingerprint.hex(): when}))

    def _key_text(self) -> str:
        try:
            return (self.path / KEY_FILE).read_text("ascii")
        except UnicodeDecodeError:
            raise DamagedKeyFile("the key file is damaged: it is no text") from None
        except OSError as error:
            raise HomeError(f"the key file cannot be read: {error.strerror}") from None


def write_private(path: Path, data: bytes) -> None:
    """Replace a file as a whole, readable by its owner only, flushed to disk."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
