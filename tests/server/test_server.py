"""The server over real HTTP: what it takes, what it refuses and how it says so, who may fetch what."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import msgspec
import pytest
from openapi_spec_validator import validate

from events import canonical
from events.envelope import MAX_ENVELOPE, SignedEvent
from events.kinds.dialogue import Reply
from events.kinds.response import Response
from events.rule import FileInfo
from exchange import wire
from exchange.client.errors import ClockFarOff, Offline, ServerRefused
from exchange.server import openapi
from exchange.server.routes import ROUTES
from keys.labels import Label
from tests.support.live import Live
from tests.support.world import Said, World

# -- what is refused, and how


async def refused(live: Live, said: Said, status: int, code: str) -> wire.Problem:
    before = live.world.review
    got, problem = await live.say(said)
    assert problem is not None
    assert (got, problem.status, problem.code) == (status, status, code)
    remote = await live.remote("officer")
    assert len(await remote.events(before.id, before.seq)) == 0
    return problem


async def test_refusals_say_expected_and_got(live: Live) -> None:
    world = live.world
    question = world.question()
    problem = await refused(live, replace(question, author="vda"), 403, "wrong-party")
    assert problem.expected == "reviewing"
    assert problem.got == "under-review"
    await refused(live, replace(question, author="oth"), 403, "not-a-member")
    await refused(
        live, Said("nrl-x", "request.answered", sealed=Reply("x"), about=(world.review.head,)), 403, "wrong-role"
    )
    await refused(live, world.agreement("vda", "summary.agreed"), 422, "wrong-phase")
    await refused(live, replace(question, force={"epoch": 9}), 422, "stale-key")
    await refused(live, replace(question, force={"seq": 3}), 409, "conflict")
    await refused(live, replace(question, force={"prev": bytes(32)}), 409, "conflict")
    await refused(live, replace(question, force={"circle": "reviewers"}), 422, "wrong-circle")
    await refused(live, replace(question, force={"about": (secrets.token_bytes(32),)}), 422, "wrong-reference")
    await refused(live, replace(question, force={"clear": {"form": "gossip"}}), 400, "malformed")
    await refused(live, replace(question, force={"time": world.review.time - 1}), 422, "bad-time")
    asked = world.do(question)
    await live.push()
    world.do(Said("vda", "request.answered", sealed=Reply("because"), about=(asked.id,)))
    await live.push()
    await refused(live, Said("vda", "request.answered", sealed=Reply("again"), about=(asked.id,)), 422, "already-done")


async def test_a_kind_nobody_knows(live: Live) -> None:
    signed, body = live.world.compose(live.world.question())
    header = msgspec.structs.replace(signed._header, kind="request.whispered")
    identity = live.world.actors["nrl-x"].identity
    forged = SignedEvent.assemble(header, identity.sign(Label.EVENT, header.encode()))
    status, problem = await live.post(forged, body)
    assert (status, problem.code) == (422, "unknown-kind")


async def test_somebody_elses_signature(live: Live) -> None:
    signed, body = live.world.compose(live.world.question())
    forged = SignedEvent(signed.envelope[:-64] + bytes(64), signed._header)
    status, problem = await live.post(forged, body)
    assert (status, problem.code) == (403, "bad-signature")
    stranger = replace(live.world.actors["nrl-x"], identity=World().actors["nrl-x"].identity)
    live.world.actors["stranger"] = stranger
    status, problem = await live.say(live.world.question("stranger"))
    assert (status, problem.code) == (403, "not-a-member")


async def test_an_event_for_another_review(live: Live) -> None:
    signed, body = live.world.compose(live.world.question())
    status, problem = await live.post(signed, body, stream=live.world.register.id)
    assert (status, problem.code) == (400, "malformed")
    status, problem = await live.post(signed, body, stream=b"")
    assert status == 400
    await refused_elsewhere(live)


async def refused_elsewhere(live: Live) -> None:
    status, problem = await live.say(replace(live.world.question(), force={"stream": secrets.token_bytes(32)}))
    assert (status, problem.code) == (404, "not-found")


async def test_bodies_that_are_not_the_ones_signed(live: Live) -> None:
    signed, body = live.world.compose(live.world.question())
    for other in (None, b"", body[:-1], body + b"x", bytes(len(body))):
        status, problem = await live.post(signed, other)
        assert (status, problem.code) == (400, "malformed")
    assert (await live.post(signed, body))[0] == 201


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        canonical.encode([]),
        canonical.encode([b"x" * 100, None]),
        canonical.encode([bytes(MAX_ENVELOPE + 1), None]),
        canonical.encode(["text", None]),
        canonical.encode({"envelope": b""}),
        b"\x92\xc4\x01x\xc0\xc0",
    ],
)
async def test_malformed_bytes(live: Live, data: bytes) -> None:
    async with live.http() as http:
        for path in (f"/v1/streams/{live.world.review.id.hex()}/events", "/v1/streams"):
            async with http.post(path, data=data) as answer:
                problem = msgspec.json.decode(await answer.read(), type=wire.Problem)
                assert (answer.status, problem.code) == (400, "malformed")
                assert answer.content_type == "application/problem+json"


async def test_too_long_is_refused_before_it_is_read(live: Live) -> None:
    async with live.http() as http:
        async with http.post("/v1/streams", data=bytes(wire.MAX_POST + 1)) as answer:
            assert answer.status == 413

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(64):
                yield bytes(64 * 1024)

        try:
            async with http.post("/v1/streams", data=endless()) as answer:
                assert answer.status == 413
        except aiohttp.ClientConnectionError:
            pass  # the server hung up on what it would not read


async def test_unknown_paths_and_methods_are_problems_too(live: Live) -> None:
    async with live.http() as http:
        for method, path in (("GET", "/v1/nothing"), ("DELETE", "/v1/service"), ("GET", "/v1/streams/zz/events")):
            async with http.request(method, path) as answer:
                problem = msgspec.json.decode(await answer.read(), type=wire.Problem)
                assert answer.status == problem.status
                assert answer.status in (404, 405)


# -- once


async def test_the_same_event_again_is_the_same_event(live: Live) -> None:
    signed, body = live.world.compose(live.world.question())
    assert (await live.post(signed, body))[0] == 201
    assert (await live.post(signed, body))[0] == 200
    remote = await live.remote("officer")
    assert len(await remote.events(live.world.review.id, live.world.review.seq)) == 1


async def test_of_two_at_once_one_comes_first(live: Live) -> None:
    drafts = [live.world.compose(live.world.question(who)) for who in ("nrl-x", "tsr-x", "nrl", "tsr")]
    done = await asyncio.gather(*(live.post(signed, body) for signed, body in drafts))
    assert sorted(status for status, _ in done) == [201, 409, 409, 409]


async def test_the_same_event_at_once_is_stored_once(live: Live) -> None:
    signed, body = live.world.compose(live.world.question())
    done = await asyncio.gather(*(live.post(signed, body) for _ in range(8)))
    assert sorted(status for status, _ in done) == [200] * 7 + [201]


async def test_what_was_acknowledged_is_there_after_a_restart(live: Live) -> None:
    world = live.world
    world.do(world.question())
    await live.push()
    before = await (await live.remote("nrl")).events(world.review.id, -1)
    await live.stop()
    await live.start()
    after = await (await live.remote("nrl")).events(world.review.id, -1)
    assert before == after == [envelope for envelope, _ in world.records[world.review.id]]
    world.do(world.question())
    await live.push()


# -- clocks


@pytest.mark.parametrize("minutes", [-30, 30])
async def test_a_clock_far_off_is_refused(live: Live, minutes: int) -> None:
    live.set_clock(live.world.time + minutes * 60_000)
    status, problem = await live.say(live.world.question())
    assert (status, problem.code) == (422, "clock-off")
    assert problem.time == live.world.time // 1000 * 1000 + minutes * 60_000
    remote = await live.remote("nrl")
    with pytest.raises(ClockFarOff, match="30 minutes"):
        await remote.streams()


# -- signing in


async def asked(live: Live, who: str, **changes: object) -> wire.SessionRequest:
    actor, now, nonce = live.world.actors[who], live.world.time, secrets.token_bytes(32)
    register = changes.pop("register", live.world.register.id)
    label = changes.pop("label", Label.SESSION)
    statement = wire.session_statement(register, actor.device, now, nonce)
    request = wire.SessionRequest(actor.device.hex(), now, nonce.hex(), actor.identity.sign(label, statement).hex())
    return msgspec.structs.replace(request, **changes)


async def sign_in(live: Live, request: wire.SessionRequest) -> int:
    async with live.http() as http, http.post("/v1/sessions", data=msgspec.json.encode(request)) as answer:
        return answer.status


async def test_signing_in_once(live: Live) -> None:
    request = await asked(live, "vda")
    assert await sign_in(live, request) == 200
    assert await sign_in(live, request) == 403


async def test_statements_that_do_not_hold(live: Live) -> None:
    for request in (
        await asked(live, "vda", register=secrets.token_bytes(32)),
        await asked(live, "vda", label=Label.EVENT),
        await asked(live, "vda", device=live.world.actors["nrl"].device.hex()),
        await asked(live, "vda", signature="00" * 64),
        await asked(live, "vda", nonce="11" * 32),
        await asked(live, "vda", time=live.world.time + 1),
        await asked(live, "vda", device="22" * 32),
    ):
        assert await sign_in(live, request) == 403


async def test_nothing_is_fetched_without_a_session(live: Live) -> None:
    async with live.http() as http:
        for route in ROUTES:
            if not route.signed_in:
                continue
            path = route.template.format(stream="0" * 64, upload="0" * 32, seq=1, index=1)
            for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}):
                async with http.request(route.method, path, headers=headers) as answer:
                    problem = msgspec.json.decode(await answer.read(), type=wire.Problem)
                    assert (answer.status, problem.code) == (401, "not-signed-in")


async def test_whoever_left_is_out_at_once(live: Live) -> None:
    from tests.support.world import _left

    remote = await live.remote("nrl-x")
    await remote.streams()
    listening = asyncio.create_task(anext(remote.news()))
    await asyncio.sleep(0.3)
    live.world.do(live.world.removal("nrl", "nrl-x"))
    live.world.do(_left(live.world))
    await live.push()
    with pytest.raises((ServerRefused, Offline)):
        await remote.streams()
    assert not listening.done()
    listening.cancel()


# -- who may fetch what


async def test_who_sees_a_review_at_all(live: Live) -> None:
    stream = live.world.review.id
    for who in ("vda", "vda-x", "nrl", "tsr-x", "officer", "officer2", "oversight"):
        remote = await live.remote(who)
        assert stream.hex() in [info.id for info in await remote.streams()]
        assert await remote.events(stream, -1)
    for who in ("oth", "oth-x", "translator", "archivist"):
        remote = await live.remote(who)
        assert [info.kind for info in await remote.streams()] == ["register"]
        with pytest.raises(ServerRefused) as caught:
            await remote.events(stream, -1)
        assert caught.value.problem.code == "not-found"


async def test_sealed_bodies_go_to_their_circle_only(live: Live) -> None:
    world = live.world
    from events.kinds.desk_review import Message

    note = world.do(Said("nrl-x", "reviewers.noted", sealed=Message("t", "x")))
    await live.push()
    for who in ("nrl", "tsr-x", "officer"):
        assert await (await live.remote(who)).bodies(world.review.id, [note.id])
    for who in ("vda", "vda-x", "oversight", "officer2", "oth"):
        with pytest.raises(ServerRefused) as caught:
            await (await live.remote(who)).bodies(world.review.id, [note.id])
        assert caught.value.problem.code == "not-found"


async def test_a_translator_fetches_what_was_assigned_and_no_more(live: Live) -> None:
    world = live.world
    source = world.last["response.submitted"]
    said, _ = world.assignment("officer", source, number=1)
    assigned = world.do(said)
    await live.push()
    remote, stream = await live.remote("translator"), world.review.id
    assert await remote.bodies(stream, [assigned.id])
    assert (
        b"".join([b async for b in remote.file(stream, source.id, 1, 0)])
        == world.blobs[source.header.objects[1].digest]
    )
    for event in (source, world.last["desk-review.submitted"]):
        with pytest.raises(ServerRefused):
            await remote.bodies(stream, [event.id])


# -- uploads


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


async def test_an_upload_is_resumed_after_a_break_and_a_restart(live: Live) -> None:
    remote, data = await live.remote("vda"), secrets.token_bytes(3_000_000)

    async def breaking() -> AsyncIterator[bytes]:
        yield data[:1_200_000]
        raise ConnectionResetError

    upload = await remote.begin_upload(len(data))
    with pytest.raises((Offline, ConnectionError)):
        await remote.write(upload.id, 0, breaking(), len(data))
    await asyncio.sleep(0.2)
    had = (await remote.upload(upload.id)).offset
    assert 0 < had <= 1_200_000
    await live.stop()
    await live.start()
    remote = await live.remote("vda")
    assert (await remote.upload(upload.id)).offset == had
    await remote.write(upload.id, had, pieces(data[had:]), len(data) - had)
    stored = await remote.finish_upload(upload.id, hashlib.sha256(data).digest())
    assert stored == wire.Stored(hashlib.sha256(data).hexdigest(), len(data))
    assert await remote.finish_upload(upload.id, hashlib.sha256(data).digest()) == stored


@pytest.mark.parametrize(
    ("given", "digest_of", "code"),
    [
        (b"x" * 99, b"x" * 100, "offset-mismatch"),
        (b"x" * 101, b"x" * 101, "too-large"),
        (b"y" * 100, b"x" * 100, "digest-mismatch"),
    ],
)
async def test_uploads_that_are_not_what_was_announced(live: Live, given: bytes, digest_of: bytes, code: str) -> None:
    remote = await live.remote("vda")
    upload = await remote.begin_upload(100)

    async def send() -> None:
        await remote.write(upload.id, 0, pieces(given), len(given))
        await remote.finish_upload(upload.id, hashlib.sha256(digest_of).digest())

    with pytest.raises(ServerRefused) as caught:
        await send()
    assert caught.value.problem.code == code
    assert caught.value.problem.expected
    if code == "digest-mismatch":
        with pytest.raises(ServerRefused):
            await remote.upload(upload.id)


async def test_an_upload_is_its_owners(live: Live) -> None:
    upload = await (await live.remote("vda")).begin_upload(100)
    other = await live.remote("nrl")
    for call in (
        other.upload(upload.id),
        other.write(upload.id, 0, pieces(b"x"), 1),
        other.finish_upload(upload.id, bytes(32)),
    ):
        with pytest.raises(ServerRefused) as caught:
            await call
        assert caught.value.problem.code == "upload-gone"


async def test_a_wrong_offset_says_where_it_is(live: Live) -> None:
    remote = await live.remote("vda")
    upload = await remote.begin_upload(100)
    await remote.write(upload.id, 0, pieces(b"x" * 40), 40)
    with pytest.raises(ServerRefused) as caught:
        await remote.write(upload.id, 0, pieces(b"x"), 1)
    assert (caught.value.problem.code, caught.value.problem.expected) == ("offset-mismatch", "40")


async def test_a_file_too_large_is_refused_when_announced(live: Live) -> None:
    with pytest.raises(ServerRefused) as caught:
        await (await live.remote("vda")).begin_upload(64 * 2**30)
    assert caught.value.problem.code == "too-large"


async def test_an_event_whose_file_is_not_there(live: Live) -> None:
    info = FileInfo("f", "t", "text/plain", 5)
    said = Said("vda", "information.provided", sealed=Response(title="t", files=(info,)), files=(b"never sent",))
    status, problem = await live.say(said)
    assert (status, problem.code) == (422, "file-missing")


# -- news, health, description


async def test_news_name_a_stream_and_nothing_else(live: Live) -> None:
    world = live.world
    remote, outsider = await live.remote("vda"), await live.remote("oth")
    heard = asyncio.create_task(anext(remote.news()))
    deaf = asyncio.create_task(anext(outsider.news()))
    await asyncio.sleep(0.3)
    world.do(world.question())
    await live.push()
    assert await asyncio.wait_for(heard, 5) == wire.News(world.review.id.hex(), world.review.seq)
    assert not deaf.done()
    deaf.cancel()


async def test_health(live: Live) -> None:
    async with live.http() as http:
        for path in ("/healthz", "/readyz"):
            async with http.get(path) as answer:
                assert answer.status == 200
        (live.root / "server" / "files" / "tmp").rmdir()
        async with http.get("/readyz") as answer:
            assert answer.status == 503
        async with http.get("/healthz") as answer:
            assert answer.status == 200


async def test_the_description_is_valid_and_served(live: Live) -> None:
    validate(openapi.document())
    async with live.http() as http, http.get("/v1/openapi.json") as answer:
        assert (await answer.json())["openapi"] == "3.1.0"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


# -- what an operator sees (rule 23)


async def test_two_servers_do_not_share_a_directory(live: Live) -> None:
    from storage.errors import StorageUnavailable

    other = Live(live.root, live.world)
    with pytest.raises(StorageUnavailable, match="another server"):
        await other.start()
