"""Sessions: a device signs that it asks for one now; tokens live in memory, hashed, for an hour."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from events.errors import NotAMember
from events.register import Person
from exchange import wire
from exchange.server.problems import ClockOff, NotSignedIn, SignInRefused
from exchange.server.states import States
from keys.errors import BadSignature
from keys.labels import Label

MAX_SESSIONS = 100_000
REFUSED = "this device may not sign in here, or its statement does not hold"


class Sessions:
    """Who is signed in."""

    def __init__(self, states: States, clock: Callable[[], int]) -> None:
        self._states = states
        self._clock = clock
        self._tokens: dict[bytes, tuple[bytes, int]] = {}
        self._nonces: dict[str, int] = {}

    def open(self, asked: wire.SessionRequest) -> wire.Session:
        """Start a session; raises ClockOff or SignInRefused, the latter for every other reason alike."""
        now, device = self._clock(), bytes.fromhex(asked.device)
        ClockOff.check("statement", now, asked.time)
        self._check(asked, device)
        self._prune(now)
        if asked.nonce in self._nonces or len(self._tokens) >= MAX_SESSIONS:
            raise SignInRefused(REFUSED)
        self._nonces[asked.nonce] = now + 2 * wire.CLOCK_TOLERANCE_MS
        token, expires = secrets.token_urlsafe(32), now + wire.SESSION_LIFETIME_MS
        self._tokens[_hashed(token)] = (device, expires)
        return wire.Session(token, expires)

    def person(self, authorization: str) -> Person:
        """The active person a token belongs to; raises NotSignedIn."""
        scheme, _, token = authorization.partition(" ")
        device, expires = self._tokens.get(_hashed(token), (b"", 0))
        if scheme != "Bearer" or expires < self._clock():
            raise NotSignedIn("sign in first: there is no such session, or it ended")
        try:
            return self._states.register.active(device)
        except NotAMember:
            raise NotSignedIn("sign in first: there is no such session, or it ended") from None

    def _check(self, asked: wire.SessionRequest, device: bytes) -> None:
        key = self._states.key_of(device)
        statement = wire.session_statement(self._states.register_id, device, asked.time, bytes.fromhex(asked.nonce))
        try:
            if key is None:
                raise SignInRefused(REFUSED)
            key.verify(Label.SESSION, statement, bytes.fromhex(asked.signature))
            self._states.register.active(device)
        except (BadSignature, NotAMember):
            raise SignInRefused(REFUSED) from None

    def _prune(self, now: int) -> None:
        if len(self._nonces) > 1000:
            self._nonces = {nonce: until for nonce, until in self._nonces.items() if until > now}
            self._tokens = {token: held for token, held in self._tokens.items() if held[1] > now}


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
