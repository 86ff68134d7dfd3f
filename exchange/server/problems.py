"""One table of what can go wrong: exception, HTTP status, code, title (RFC 9457)."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from aiohttp import web

from events.errors import (
    REFUSALS,
    BadNote,
    Conflict,
    Malformed,
    NotAMember,
    NotProved,
    Refused,
    WrongParty,
    WrongRole,
)
from exchange import wire
from keys.errors import BadSignature, InvalidKey
from storage import errors as storage

TYPE = "https://colloquy.invalid/problems/"


class ServerProblem(Exception):
    """The root of the server's own refusals."""

    def __init__(self, detail: str, expected: str = "", got: str = "") -> None:
        self.expected = expected
        self.got = got
        super().__init__(detail)


class NotSignedIn(ServerProblem):
    """No session, or one that ended."""


class SignInRefused(ServerProblem):
    """The statement for a session does not hold; one answer for every reason."""


class ClockOff(ServerProblem):
    """A claimed time is too far from the server's clock."""

    @classmethod
    def check(cls, what: str, now: int, claimed: int) -> None:
        """Compare the time (milliseconds) that something claims with the server's; raises ClockOff."""
        apart = abs(now - claimed)
        if apart > wire.CLOCK_TOLERANCE_MS:
            message = f"the {what}'s time and the server's differ by {apart // 60_000} minutes"
            raise cls(message, str(now), str(claimed))


class NotFound(ServerProblem):
    """Not there, or not for this reader: the answer is the same."""


class FileMissing(ServerProblem):
    """An event names a file that was not uploaded."""


class BadRequest(ServerProblem):
    """The request is not understood."""


class AlreadyFounded(ServerProblem):
    """This server has a register already, or may not found this one."""


class TooLarge(ServerProblem):
    """The request is larger than allowed."""


@dataclass(frozen=True, slots=True)
class Row:
    """How one class of errors is answered."""

    status: int
    code: str
    title: str


# The first class that fits counts, so the special come before the general.
PROBLEMS: dict[type[Exception], Row] = {
    NotSignedIn: Row(401, "not-signed-in", "Sign in first"),
    SignInRefused: Row(403, "sign-in-refused", "The sign-in does not hold"),
    ClockOff: Row(422, "clock-off", "The clocks differ too much"),
    NotFound: Row(404, "not-found", "Not found"),
    FileMissing: Row(422, "file-missing", "A file was not uploaded"),
    BadRequest: Row(400, "bad-request", "The request is not understood"),
    AlreadyFounded: Row(409, "already-founded", "A register exists already"),
    TooLarge: Row(413, "too-large", "Too large"),
    BadSignature: Row(403, "bad-signature", "The signature does not hold"),
    InvalidKey: Row(422, "invalid-key", "A key is invalid"),
    Malformed: Row(400, "malformed", "Malformed"),
    BadNote: Row(400, "malformed", "Malformed"),
    NotProved: Row(400, "not-proved", "There is no such proof"),
    Conflict: Row(409, "conflict", "Another event came first"),
    NotAMember: Row(403, "not-a-member", "Not a member"),
    WrongRole: Row(403, "wrong-role", "The role does not allow it"),
    WrongParty: Row(403, "wrong-party", "The State's part does not allow it"),
    storage.Conflict: Row(409, "conflict", "Another event came first"),
    storage.StorageFull: Row(507, "storage-full", "The server's disk is full"),
    storage.Damaged: Row(500, "damaged", "What was stored is damaged"),
    storage.BlobMissing: Row(404, "not-found", "Not found"),
    storage.TooLarge: Row(413, "too-large", "Too large"),
    storage.TooManyUploads: Row(429, "too-many-uploads", "Too many uploads under way"),
    storage.UploadGone: Row(404, "upload-gone", "There is no such upload"),
    storage.UploadBusy: Row(409, "upload-busy", "Another connection is sending this file"),
    storage.OffsetMismatch: Row(409, "offset-mismatch", "The upload is at another offset"),
    storage.DigestMismatch: Row(422, "digest-mismatch", "The file has another digest"),
    storage.StorageUnavailable: Row(503, "unavailable", "The storage does not answer"),
}
for _code, _refusal in REFUSALS.items():
    PROBLEMS.setdefault(_refusal, Row(422, _code, _refusal.__doc__.rstrip(".") if _refusal.__doc__ else _code))


def row_of(error: Exception) -> Row | None:
    """The row of an error, or None if it is not foreseen."""
    return next((row for kind, row in PROBLEMS.items() if isinstance(error, kind)), None)


def answer(error: Exception, row: Row, now: int) -> web.Response:
    """The response for a foreseen error."""
    expected, got = (error.expected, error.got) if isinstance(error, (Refused, ServerProblem)) else ("", "")
    if isinstance(error, (storage.OffsetMismatch, storage.DigestMismatch, storage.TooLarge)):
        expected, got = error.expected, error.got
    return _response(wire.Problem(TYPE + row.code, row.title, row.status, str(error), row.code, expected, got, now))


def unforeseen(now: int) -> web.Response:
    """The response for an unforeseen error: nothing of it leaves the server."""
    text = "the server failed; nothing was half-written. Try again, and tell the operator if it goes on"
    return _response(wire.Problem(TYPE + "internal", "The server failed", 500, text, "internal", time=now))


def plain(status: int, now: int) -> web.Response:
    """The response for an error of HTTP itself."""
    row = {404: ("not-found", "Not found"), 405: ("bad-request", "No such method"), 413: ("too-large", "Too large")}
    code, title = row.get(status, ("bad-request", "The request is not understood"))
    return _response(wire.Problem(TYPE + code, title, status, title.lower(), code, time=now))


def _response(problem: wire.Problem) -> web.Response:
    return web.Response(status=problem.status, body=msgspec.json.encode(problem), content_type=wire.PROBLEM_MEDIA)
