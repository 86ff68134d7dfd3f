"""The server as a client sees it: typed calls over HTTP, retried when the line breaks, believed in nothing."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import aiohttp
import msgspec
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from events import canonical
from events.access import NONCE_SIZE, Statement, Want
from events.envelope import MAX_ENVELOPE
from events.errors import BadNote, Malformed
from events.merkle import HASH_SIZE, parents
from events.tiles import HEIGHT, Tile, read_bundle
from exchange import wire
from exchange.client.errors import ClockFarOff, Offline, ServerLied, ServerRefused
from keys.identity import Identity
from keys.labels import Label

T = TypeVar("T")
ATTEMPTS = 5
PAGE = 1000
BLOCK = 1024 * 1024
MAX_ANSWER = 96 * 1024 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10, sock_connect=10, sock_read=60)


class Remote:
    """A connection to one server, signed in as one device when it has to be."""

    def __init__(self, url: str, identity: Identity, clock: Callable[[], int]) -> None:
        self._url = url.rstrip("/") + wire.API
        self._identity = identity
        self._clock = clock
        self._http: aiohttp.ClientSession | None = None
        self._session: wire.Session | None = None

    async def __aenter__(self) -> Remote:
        self._http = aiohttp.ClientSession(timeout=TIMEOUT, auto_decompress=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def service(self) -> wire.Service:
        """What the server says of itself."""
        return await self._json("GET", "/service", wire.Service, signed=False)

    async def streams(self) -> tuple[wire.StreamInfo, ...]:
        """The streams the server lets this device read."""
        return (await self._json("GET", "/streams", wire.StreamList)).streams

    async def events(self, stream: bytes, after: int) -> list[bytes]:
        """One page of envelopes after a number, in order."""
        path = f"/streams/{stream.hex()}/events?after={after}&limit={PAGE}"
        listed = await self._retried(lambda: self._packed("GET", path, None))
        if not isinstance(listed, list) or not all(isinstance(item, bytes) for item in listed):
            raise ServerLied(20, "the server's list of events is none")
        if any(len(item) > MAX_ENVELOPE for item in listed) or len(listed) > wire.MAX_PAGE:
            raise ServerLied(20, "the server's list of events is longer than any list may be")
        return listed

    async def bodies(self, stream: bytes, events: Sequence[bytes]) -> list[bytes | None]:
        """What travels with events, in their order, against a signed statement that one reads it."""
        wants = [Want(event, 0, 0) for event in events]
        path = f"/streams/{stream.hex()}/bodies"
        listed = await self._retried(lambda: self._packed("POST", path, self._statement(stream, wants)))
        if not isinstance(listed, list) or len(listed) != len(wants):
            raise ServerLied(20, "the server's list of bodies is none")
        if not all(isinstance(body, (bytes, type(None))) for body in listed):
            raise ServerLied(20, "the server's list of bodies is none")
        return listed

    async def accesses(self, stream: bytes, after: int) -> list[tuple[int, bytes]]:
        """One page of the records of reading after a number: the type of each, and its bytes."""
        path = f"/streams/{stream.hex()}/access?after={after}&limit={PAGE}"
        listed = await self._retried(lambda: self._packed("GET", path, None))
        try:
            pairs = msgspec.convert(listed, list[tuple[int, bytes]], builtin_types=(bytes,))
        except msgspec.ValidationError:
            raise ServerLied(20, "the server's list of readings is none") from None
        if len(pairs) > wire.MAX_PAGE:
            raise ServerLied(20, "the server's list of readings is longer than any list may be")
        return pairs

    async def checkpoint(self) -> bytes:
        """The newest checkpoint of the log, as bytes of a note."""
        return await self._retried(lambda: self._raw("GET", "/log/checkpoint", None, {}, signed=False))

    async def witnessed(self) -> bytes | None:
        """The newest checkpoint that a quorum of witnesses cosigned; None if there is none yet."""
        try:
            return await self._retried(lambda: self._raw("GET", "/log/witnessed", None, {}, signed=False))
        except ServerRefused as error:
            if error.problem.code == "not-found":
                return None
            raise

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """The hashes said to show that the log only grew."""
        path = f"/log/consistency?old={old}&new={new}"
        return _hashes((await self._json("GET", path, wire.Consistency, signed=False)).hashes)

    async def inclusion(self, stream: bytes, seq: int, size: int, part: str = "events") -> wire.Inclusion:
        """The proof said to lead from an event, or a record of reading (`part` is access), to the log's root."""
        return await self._json("GET", f"/streams/{stream.hex()}/{part}/{seq}/inclusion?size={size}", wire.Inclusion)

    async def complete_root(self, size: int) -> bytes:
        """The root said to be over the first `size` leaves, a power of two, from one tile of the log."""
        level, above = divmod(size.bit_length() - 1, HEIGHT)
        path = f"/log/{Tile(level, 0, 1 << above).path()}"
        data = await self._retried(lambda: self._raw("GET", path, None, {}, signed=False))
        row = [data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE)]
        if len(data) != HASH_SIZE << above:
            raise ServerLied(20, "the server's tile of the log is none")
        while len(row) > 1:
            row = parents(row)
        return row[0]

    async def entries(self, tile: Tile) -> list[bytes]:
        """One bundle of the log's entries."""
        data = await self._retried(lambda: self._raw("GET", f"/log/{tile.path()}", None, {}, signed=False))
        try:
            return read_bundle(data, tile.width)
        except BadNote as error:
            raise ServerLied(20, f"the server's bundle of log entries is none: {error}") from None

    async def send(self, stream: bytes, envelope: bytes, body: bytes | None) -> wire.Receipt:
        """Hand in an event; sending the very same bytes again is harmless."""
        path = f"/streams/{stream.hex()}/events" if stream else "/streams"
        data = canonical.encode([envelope, body])
        return await self._json("POST", path, wire.Receipt, data=data, media=wire.EVENT_MEDIA, signed=False)

    async def begin_upload(self, size: int) -> wire.Upload:
        """Announce a sealed file."""
        return await self._json("POST", "/uploads", wire.Upload, data=msgspec.json.encode(wire.UploadRequest(size)))

    async def upload(self, upload: str) -> wire.Upload:
        """How far an upload came."""
        return await self._json("GET", f"/uploads/{upload}", wire.Upload)

    async def write(self, upload: str, offset: int, blocks: AsyncIterator[bytes], size: int) -> wire.Upload:
        """Send `size` bytes of a sealed file from an offset; not retried here, the caller asks how far it came."""
        headers = {wire.UPLOAD_OFFSET: str(offset), "Content-Length": str(size)}
        return await self._json(
            "PATCH", f"/uploads/{upload}", wire.Upload, data=blocks, media=wire.BLOB_MEDIA, headers=headers, once=True
        )

    async def finish_upload(self, upload: str, digest: bytes) -> wire.Stored:
        """Say that a sealed file is complete."""
        data = msgspec.json.encode(wire.UploadFinish(digest.hex()))
        return await self._json("POST", f"/uploads/{upload}", wire.Stored, data=data)

    async def file(self, stream: bytes, event: bytes, index: int, start: int) -> AsyncIterator[bytes]:
        """The bytes of a sealed file from an offset on, against a signed statement that one reads it."""
        path, statement = f"/streams/{stream.hex()}/files", self._statement(stream, [Want(event, index, start)])
        headers = {**await self._authority(), "Content-Type": wire.STATEMENT_MEDIA}
        try:
            async with self._client.post(self._url + path, data=statement, headers=headers) as answer:
                await _check(answer)
                async for block in answer.content.iter_chunked(BLOCK):
                    yield block
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Offline(f"the line broke while receiving ({type(error).__name__})") from None

    def _statement(self, stream: bytes, wants: Sequence[Want]) -> bytes:
        """A new statement for each attempt: each is one reading."""
        nonce = secrets.token_bytes(NONCE_SIZE)
        statement = Statement(1, stream, self._identity.fingerprint, self._clock(), nonce, tuple(wants)).encode()
        return statement + self._identity.sign(Label.ACCESS, statement)

    async def news(self) -> AsyncIterator[wire.News]:
        """What becomes new in the streams one may read, until the connection ends."""
        headers = {**await self._authority(), "Accept": "text/event-stream"}
        try:
            async with self._client.get(self._url + "/news", headers=headers) as answer:
                await _check(answer)
                async for line in answer.content:
                    if line.startswith(b"data:"):
                        yield msgspec.json.decode(line[5:], type=wire.News)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Offline(f"the line broke while listening ({type(error).__name__})") from None

    @property
    def _client(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise RuntimeError("the connection was not entered")
        return self._http

    async def _authority(self) -> dict[str, str]:
        """The Authorization header of a session, asking for a new one where needed."""
        if self._session is None or self._session.expires < self._clock() + 60_000:
            self._session = await self._sign_in()
        return {"Authorization": f"Bearer {self._session.token}"}

    async def _sign_in(self) -> wire.Session:
        service = await self.service()
        now, nonce, device = self._clock(), secrets.token_bytes(32), self._identity.fingerprint
        if abs(now - service.time) > wire.CLOCK_TOLERANCE_MS:
            raise ClockFarOff(
                f"this machine's clock and the server's differ by {abs(now - service.time) // 60_000} minutes; "
                "nothing was sent. Set the clock and repeat the command."
            )
        statement = wire.session_statement(bytes.fromhex(service.register), device, now, nonce)
        signature = self._identity.sign(Label.SESSION, statement)
        request = wire.SessionRequest(device.hex(), now, nonce.hex(), signature.hex())
        return await self._json("POST", "/sessions", wire.Session, data=msgspec.json.encode(request), signed=False)

    async def _json(
        self,
        method: str,
        path: str,
        shape: type[T],
        *,
        data: bytes | AsyncIterator[bytes] | None = None,
        media: str = "application/json",
        headers: dict[str, str] | None = None,
        signed: bool = True,
        once: bool = False,
    ) -> T:
        async def call() -> T:
            raw = await self._raw(method, path, data, {"Content-Type": media, **(headers or {})}, signed=signed)
            try:
                return msgspec.json.decode(raw, type=shape)
            except msgspec.DecodeError:
                raise ServerLied(20, f"the server's answer is no {shape.__name__}") from None

        return await (call() if once else self._retried(call))

    async def _packed(self, method: str, path: str, data: bytes | None) -> Any:
        raw = await self._raw(method, path, data, {"Content-Type": "application/json"}, signed=True)
        try:
            return canonical.decode(raw, MAX_ANSWER)
        except Malformed as error:
            raise ServerLied(20, f"the server's answer does not parse: {error}") from None

    async def _raw(
        self,
        method: str,
        path: str,
        data: bytes | AsyncIterator[bytes] | None,
        headers: dict[str, str],
        *,
        signed: bool,
    ) -> bytes:
        authority = await self._authority() if signed else {}
        try:
            async with self._client.request(
                method, self._url + path, data=data, headers={**headers, **authority}
            ) as answer:
                if answer.status == 401 and signed:
                    # Sessions live in the server's memory: after its restart one signs in anew.
                    self._session = None
                    raise Offline("the session ended")
                await _check(answer)
                return await _bounded(answer)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Offline(f"the server at {self._url} does not answer ({type(error).__name__})") from None

    async def _retried(self, call: Callable[[], Awaitable[T]]) -> T:
        """Try again when the line breaks; every call made through here is harmless to repeat."""
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(Offline),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            reraise=True,
        ):
            with attempt:
                return await call()
        raise AssertionError("unreachable")


def _hashes(texts: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


async def _bounded(answer: aiohttp.ClientResponse, limit: int = MAX_ANSWER) -> bytes:
    parts, size = [], 0
    async for block in answer.content.iter_any():
        size += len(block)
        if size > limit:
            raise ServerLied(20, f"the server's answer is longer than {limit} bytes")
        parts.append(block)
    return b"".join(parts)


async def _check(answer: aiohttp.ClientResponse) -> None:
    """Raise ServerRefused for a problem, Offline for a failure that passes."""
    if answer.status < 400:
        return
    raw = await _bounded(answer, wire.MAX_JSON)
    try:
        problem = msgspec.json.decode(raw, type=wire.Problem)
    except msgspec.DecodeError:
        problem = wire.Problem("about:blank", "the server failed", answer.status, f"status {answer.status}", "unknown")
    if problem.code == "clock-off":
        raise ClockFarOff(f"{problem.detail}; nothing was sent. Set the clock and repeat the command.")
    if answer.status == 503:
        await asyncio.sleep(0.1)
        raise Offline(problem.detail)
    raise ServerRefused(problem)
