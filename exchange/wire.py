"""What client and server agree on: paths, media types, limits, the JSON shapes beside the envelopes."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from keys.labels import frame

API = "/v1"
EVENTS_MEDIA = "application/vnd.colloquy.events+msgpack"
EVENT_MEDIA = "application/vnd.colloquy.event+msgpack"
BODIES_MEDIA = "application/vnd.colloquy.bodies+msgpack"
STATEMENT_MEDIA = "application/vnd.colloquy.statement+msgpack"
ACCESSES_MEDIA = "application/vnd.colloquy.accesses+msgpack"
BLOB_MEDIA = "application/octet-stream"
PROBLEM_MEDIA = "application/problem+json"

MAX_PAGE = 1000
MAX_POST = 640 * 1024
MAX_JSON = 64 * 1024
CLOCK_TOLERANCE_MS = 10 * 60 * 1000
SESSION_LIFETIME_MS = 60 * 60 * 1000
UPLOAD_OFFSET = "Upload-Offset"

Hex32 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Hex64 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}$(?!\n)")]
Newest = Annotated[int, msgspec.Meta(ge=-1, le=2**53 - 1)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JSON object of the API; unknown fields are refused."""


class Limits(Shape, frozen=True):
    """What the server accepts, in bytes."""

    envelope: Natural
    body: Natural
    file: Natural


class Service(Shape, frozen=True):
    """What the server says of itself to anyone; the register is empty before its founding, `log` is its log's key."""

    register: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$(?!\n)")]
    exercise: bool
    time: Natural
    version: str
    limits: Limits
    log: str = ""


class SessionRequest(Shape, frozen=True):
    """A device's signed statement that it asks for a session now."""

    device: Hex32
    time: Natural
    nonce: Hex32
    signature: Hex64


class Session(Shape, frozen=True):
    """A bearer token for the Authorization header and when it ends (milliseconds)."""

    token: str
    expires: Natural


class StreamInfo(Shape, frozen=True):
    """A stream that the asking device may read: the number of its newest event, and of its newest record of reading.

    The latter is -1 if there is none, and null for those who may not see who read what.
    """

    id: Hex32
    kind: Literal["register", "review"]
    seq: Natural
    accesses: Newest | None = None


class StreamList(Shape, frozen=True):
    """All streams that the asking device may read."""

    streams: tuple[StreamInfo, ...]


class Receipt(Shape, frozen=True):
    """The event is on disk; `repeated` says that it already was."""

    stream: Hex32
    seq: Natural
    hash: Hex32
    repeated: bool


class UploadRequest(Shape, frozen=True):
    """Size in bytes of the sealed file to be uploaded."""

    size: Annotated[int, msgspec.Meta(ge=1)]


class Upload(Shape, frozen=True):
    """An upload: how many bytes of it are safely stored."""

    id: str
    offset: Natural
    size: Natural


class UploadFinish(Shape, frozen=True):
    """SHA-256 of the whole sealed file."""

    digest: Hex32


class Stored(Shape, frozen=True):
    """A sealed file that is on disk under its digest."""

    digest: Hex32
    size: Natural


class Consistency(Shape, frozen=True):
    """The hashes that show that the log only grew."""

    hashes: Annotated[tuple[Hex32, ...], msgspec.Meta(max_length=64)]


class Inclusion(Shape, frozen=True):
    """Which leaf of the log a record is, and the hashes that lead from it to the root."""

    index: Natural
    hashes: Annotated[tuple[Hex32, ...], msgspec.Meta(max_length=64)]


class News(Shape, frozen=True):
    """Something is new in a stream; content-free."""

    stream: Hex32
    seq: Natural


class Problem(Shape, frozen=True):
    """An error after RFC 9457; `code` is for programs, expected and got for people, `time` is the server's."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    expected: str = ""
    got: str = ""
    time: Natural = 0


def session_statement(register: bytes, device: bytes, time: int, nonce: bytes) -> bytes:
    """The bytes a device signs (label SESSION) to ask the server of this register for a session."""
    return frame(register, device, time.to_bytes(8, "big"), nonce)
