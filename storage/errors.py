"""What can go wrong with storage.

StorageError
├── Conflict             another row took this place in the stream
├── StorageFull          no room on disk; nothing was half-written
├── StorageUnavailable   the engine does not answer
├── Damaged              what was read is not what was written
├── BlobMissing          no such sealed file
├── TooLarge             more bytes than allowed or announced
├── TooManyUploads       too many uploads under way for one owner
├── UploadGone           no such upload (or another's: the answer is the same)
├── UploadBusy           another connection is writing to the upload
├── OffsetMismatch       the upload is at another offset
└── DigestMismatch       the bytes have another digest than announced
"""

from __future__ import annotations


class StorageError(Exception):
    """The root of everything this package raises."""


class Conflict(StorageError):
    """Another row took this place in the stream."""


class StorageFull(StorageError):
    """No room on disk; nothing was half-written."""


class StorageUnavailable(StorageError):
    """The engine does not answer."""


class Damaged(StorageError):
    """What was read is not what was written."""


class BlobMissing(StorageError):
    """No such sealed file."""


class TooManyUploads(StorageError):
    """Too many uploads under way for one owner."""


class UploadGone(StorageError):
    """No such upload."""


class UploadBusy(StorageError):
    """Another connection is writing to the upload."""


class _Compared(StorageError):
    """Something expected and something else got."""

    def __init__(self, expected: object, got: object) -> None:
        self.expected = str(expected)
        self.got = str(got)
        super().__init__(f"expected {self.expected}, got {self.got}")


class TooLarge(_Compared):
    """More bytes than allowed or announced."""


class OffsetMismatch(_Compared):
    """The upload is at another offset."""


class DigestMismatch(_Compared):
    """The bytes have another digest than announced."""
