"""The rules of docs/spec, each against a server (and sometimes an insider) that breaks it; each must fail closed."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import psutil
import pytest
import structlog

from events import canonical
from events.envelope import SignedEvent
from events.kinds.desk_review import Message
from events.kinds.dialogue import Question
from events.kinds.keys import GrantedClear
from events.kinds.members import MemberAdmitted
from events.kinds.people import PersonRegistered, Profile
from events.kinds.response import Paper
from events.rule import FileInfo, Role, rule_of
from events.stream import PARTIES, REVIEWERS
from exchange import logs
from exchange.client.client import Client
from exchange.client.compose import Draft
from exchange.client.errors import ClientError, NoKey, NotFound, ServerLied
from exchange.client.membership import Membership
from exchange.client.transfer import Attachment
from keys import grants, keyfile
from keys.epoch import EpochKey
from keys.errors import BadSignature, CannotOpen, DamagedKeyFile, WeakKeyFile
from keys.identity import Identity
from keys.labels import Label
from keys.sealing import SEALED_CHUNK
from tests.support.live import Live
from tests.support.malicious import MaliciousServer
from tests.support.world import Said, World, digest

ORDER = 2**252 + 27742317777372353535851937790883648493
SECRET_WORDS = "Zwischenbericht über Schleusernetzwerke"


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with Live(tmp_path, World().to_dialogue()) as live:
        await live.push()
        yield live


@pytest.fixture
async def liar(live: Live) -> AsyncIterator[MaliciousServer]:
    async with MaliciousServer(live) as liar:
        yield liar


async def lied(client: Client, stream: bytes, *rules: int) -> ServerLied:
    with pytest.raises(ServerLied) as caught:
        await client.review(stream)
    assert caught.value.rule in rules, caught.value
    return caught.value


async def ask(client: Client, live: Live, text: str = "Why?") -> bytes:
    async def build(_state: object) -> Draft:
        return Draft(
            "request.made", rule_of("request.made").clear("clarification"), (), "en", Question("5", text), PARTIES
        )

    return (await client.send(live.world.review.id, ("ask", text), build, circle=PARTIES)).event


async def test_an_honest_server_is_believed_through_the_liar(live: Live, liar: MaliciousServer) -> None:
    client = await live.client("vda", liar.url)
    assert await client.review(live.world.review.id) == live.world.review


# -- 1, 2, 4: who is who


async def test_rule_01_the_server_cannot_add_a_recipient(live: Live, liar: MaliciousServer) -> None:
    """An event that the server signs itself brings nobody in, neither to the register nor to a review."""
    world = live.world
    world.actors["server"] = replace(world.actors["officer"], identity=Identity.generate())
    spy = world.actor("spy", Role.OFFICER)
    clear = PersonRegistered.Clear(spy.person, Role.OFFICER, "", spy.card, b"")
    liar.collude(Said("server", "person.registered", clear, Profile(name="spy")))
    client = await live.client("vda", liar.url)
    with pytest.raises(ServerLied) as caught:
        await client.register()
    assert caught.value.rule == 4


async def test_rule_01_keys_are_sealed_to_replayed_members_only(live: Live, liar: MaliciousServer) -> None:
    """Whatever the server answers, a rotation goes to exactly the devices of the replayed membership."""
    liar.change_answers(lambda path, value: {**value, "members": ["spy"]} if path.endswith("/service") else value)
    client = await live.client("officer", live.url)
    review = await client.review(live.world.review.id)
    draft = await Membership(client).rotate(review)
    for entry in draft.clear.rotations:
        assert set(entry.devices) == set(review.circles[entry.circle].devices)


async def test_rule_02_joining_takes_two_signatures(live: Live, liar: MaliciousServer) -> None:
    """Even with the officer's own signature: nobody is admitted whom their State did not nominate."""
    world = live.world
    world.enrol("late", Role.EXPERT, "VDA", "vda")
    await live.push()
    device = world.actors["late"].device
    entries, carried = world.granted(world.review, {PARTIES: [device]})
    clear = MemberAdmitted.Clear(device, entries, digest(carried))
    liar.collude(Said("officer", "member.admitted", clear, about=(world.last["member.nominated"].id,), carried=carried))
    await lied(await live.client("vda", liar.url), world.review.id, 1)


async def test_rule_04_keys_come_from_the_pinned_register(live: Live, liar: MaliciousServer) -> None:
    """A register of the server's own making is not the one whose id was told by another way."""
    other = World()
    liar.show(live.world.register.id, [envelope for envelope, _ in other.records[other.register.id]])
    client = await live.client("vda", liar.url)
    with pytest.raises(ServerLied) as caught:
        await client.register()
    assert caught.value.rule == 5


async def test_rule_04_an_event_of_an_unknown_device_is_not_believed(live: Live, liar: MaliciousServer) -> None:
    world = live.world
    world.actors["stranger"] = replace(world.actors["nrl-x"], identity=Identity.generate())
    liar.collude(world.question("stranger"))
    await lied(await live.client("vda", liar.url), world.review.id, 4)


# -- 3, 13, 14, 16: keys


async def test_rule_03_an_injected_epoch_key_is_refused(live: Live, liar: MaliciousServer) -> None:
    """An insider rotates, and seals to one member another key than the one committed to."""
    world = live.world
    victim = world.actors["vda"].device
    said = world.rotation("officer", "keys.rotated", {PARTIES: list(world.review.circles[PARTIES].devices)})
    entry = said.clear.rotations[0]
    injected = EpochKey(world.keys[world.review.id, PARTIES][-1].scope, entry.epoch, secrets.token_bytes(32))
    at = entry.devices.index(victim) * 1168
    carried = (
        said.carried[:at] + grants.grant(injected, world.actors["vda"].identity.recipient) + said.carried[at + 1168 :]
    )
    clear = msgspec.structs.replace(said.clear, carried=digest(carried))
    liar.collude(replace(said, clear=clear, carried=carried))
    client = await live.client("vda", liar.url)
    review = await client.review(world.review.id)
    assert review.circles[PARTIES].epoch == entry.epoch
    with pytest.raises(ServerLied) as caught:
        await client.keyring.current(review, PARTIES)
    assert caught.value.rule == 3
    with pytest.raises(ServerLied):
        await ask(client, live)
    assert not [r for r in liar.requests if r[0] == "POST" and r[1].endswith("/events")]


async def test_rule_03_the_server_cannot_swap_a_grant(live: Live, liar: MaliciousServer) -> None:
    world = live.world
    grant = world.review.circles[PARTIES].devices[world.actors["vda"].device]
    honest = {seq: body for seq, (_, body) in enumerate(world.records[world.review.id])}[grant.seq]
    liar.give_body(world.review.id, grant.seq, honest[:-1] + bytes([honest[-1] ^ 1]))
    client = await live.client("vda", liar.url)
    review = await client.review(world.review.id)
    with pytest.raises(ServerLied) as caught:
        await client.keyring.current(review, PARTIES)
    assert caught.value.rule == 11


async def test_rule_13_every_key_is_committed_to(live: Live, liar: MaliciousServer) -> None:
    """“Invisible salamanders”: a ciphertext whose key is not the one committed to opens for nobody."""
    world = live.world
    said = world.question()
    signed, body = world.compose(said)
    ref = msgspec.structs.replace(signed._header.objects[0], commitment=secrets.token_bytes(32))
    header = msgspec.structs.replace(signed._header, objects=(ref,))
    forged = SignedEvent.assemble(header, world.actors["nrl-x"].identity.sign(Label.EVENT, header.encode()))
    shown = [envelope for envelope, _ in world.records[world.review.id]]
    liar.show(world.review.id, [*shown, forged.envelope])
    liar.give_body(world.review.id, header.seq, body)
    client = await live.client("vda", liar.url)
    review = await client.review(world.review.id)
    with pytest.raises(CannotOpen):
        await client.open(review, client.entry(review, forged.id))


async def test_rule_14_a_paper_cannot_be_moved_to_another_place(live: Live, liar: MaliciousServer) -> None:
    """An insider signs an event around the sealed object of another circle, epoch or object: it opens nowhere else."""
    world = live.world
    signed, _ = world.compose(Said("nrl-x", "reviewers.noted", sealed=Message("t", "for reviewers only")))
    moved = signed._header.objects[0]
    liar.collude(replace(world.question(), force={"objects": (moved,)}))
    client = await live.client("nrl", liar.url)
    review = await client.review(world.review.id)
    entry = client.entries(world.review.id)[-1]
    with pytest.raises(CannotOpen):
        await client.object_key(review, entry, 0)


async def test_rule_14_a_body_of_another_event_is_not_shown(live: Live, liar: MaliciousServer) -> None:
    world = live.world
    first, second = world.do(world.question()), world.do(world.question())
    await live.push()
    records = world.records[world.review.id]
    liar.give_body(world.review.id, first.header.seq, records[second.header.seq][1])
    client = await live.client("vda", liar.url)
    review = await client.review(world.review.id)
    with pytest.raises(ServerLied) as caught:
        await client.open(review, client.entry(review, first.id))
    assert caught.value.rule == 11
    with pytest.raises(ServerLied):
        await client.prefetch(review.id, [first.header.seq])


async def test_rule_16_the_same_words_never_look_the_same(live: Live) -> None:
    """Not even when a conflict makes the client compose again: fresh id, salt, key and ciphertext each time."""
    client = await live.client("nrl-x")
    events = [await ask(client, live, text) for text in ("Why?", "Why? ")]
    review = await client.review(live.world.review.id)
    refs = [client.entry(review, event).header.objects[0] for event in events]
    for name in ("id", "salt", "digest", "commitment"):
        assert len({getattr(ref, name) for ref in refs}) == 2
    assert refs[0].size == refs[1].size


# -- 5, 8, 10, 11, 12, 22: the history


async def test_rule_05_a_review_is_named_by_its_genesis(live: Live, liar: MaliciousServer) -> None:
    world, first = live.world, live.world.review
    world.review = None
    world.do(world.opening(year=2027))
    second = world.review
    liar.show(second.id, [envelope for envelope, _ in world.records[first.id]])
    client = await live.client("vda", liar.url)
    await lied(client, second.id, 5)
    liar.show(second.id, [world.records[second.id][0][0], world.records[first.id][1][0]])
    await lied(await live.client("vda", liar.url), second.id, 5)


async def test_rule_08_no_other_version_or_suite_is_spoken(live: Live, liar: MaliciousServer) -> None:
    for field in ("v", "suite"):
        value = canonical.decode(live.world.records[live.world.review.id][0][0][:-64], 65_535)
        value[field] = 2
        data = canonical.encode(value)
        envelope = data + live.world.actors["officer"].identity.sign(Label.EVENT, data)
        liar.change(live.world.review.id, lambda shown, envelope=envelope: [envelope, *shown[1:]])
        await lied(await live.client("vda", liar.url), live.world.review.id, 20)


FIELDS = {
    "circle": "reviewers",
    "lang": "ar",
    "time": 1_770_000_000_001,
    "kind": "information.provided",
    "epoch": 7,
    "about": (),
    "clear": {"form": "information"},
    "seen": [1, bytes(32)],
}


@pytest.mark.parametrize("name", FIELDS)
async def test_rule_10_no_field_of_a_header_can_be_changed(live: Live, liar: MaliciousServer, name: str) -> None:
    world = live.world
    world.do(world.question())
    envelope = world.records[world.review.id][-1][0]
    value = canonical.decode(envelope[:-64], 65_535)
    changed = canonical.encode({**value, name: FIELDS[name]}) + envelope[-64:]
    if changed == envelope:
        return
    liar.change(world.review.id, lambda shown: [*shown[:-1], changed])
    await lied(await live.client("vda", liar.url), world.review.id, 10)


async def test_rule_10_titles_and_names_are_sealed(live: Live) -> None:
    """Nothing that anybody wrote is in an envelope, in a file of the server or in its answers to outsiders."""
    world = live.world
    info = FileInfo("Schleusernetzwerke.pdf", SECRET_WORDS, "application/pdf", 3)
    world.do(
        Said("vda", "information.provided", sealed=Paper(SECRET_WORDS, SECRET_WORDS, files=(info,)), files=(b"abc",))
    )
    await live.push()
    for path in (live.root / "server").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for word in (SECRET_WORDS, "Schleusernetzwerke", "clarification request"):
                assert word.encode() not in data
                assert word.encode("utf-16-le") not in data


@pytest.mark.parametrize(
    "change",
    [
        lambda shown: [*shown[:20], *shown[21:]],
        lambda shown: [*shown[:20], shown[21], shown[20], *shown[22:]],
        lambda shown: [*shown[:20], shown[20], *shown[20:]],
        lambda shown: shown[1:],
        lambda shown: [shown[0], *shown],
    ],
    ids=["dropped", "reordered", "repeated", "beheaded", "genesis twice"],
)
async def test_rule_11_dropped_reordered_and_repeated_events_are_found(live, liar, change) -> None:  # type: ignore[no-untyped-def]
    liar.change(live.world.review.id, change)
    await lied(await live.client("vda", liar.url), live.world.review.id, 5, 12)


async def test_rule_11_a_receipt_for_another_event_is_no_receipt(live: Live, liar: MaliciousServer) -> None:
    liar.change_answers(lambda path, v: {**v, "hash": "00" * 32} if path.endswith("/events") else v)
    with pytest.raises(ServerLied) as caught:
        await ask(await live.client("nrl-x", liar.url), live)
    assert caught.value.rule == 11


async def test_rule_12_another_history_than_before_is_found(live: Live, liar: MaliciousServer) -> None:
    """The server forgets the last event and goes on without it: whoever saw it knows."""
    world = live.world
    before, records = world.review, list(world.records[world.review.id])
    world.do(world.question())
    await live.push()
    client = await live.client("vda", liar.url)
    await client.review(world.review.id)
    world.review, world.records[world.review.id] = before, records
    world.do(world.question("tsr-x"))
    world.do(world.question("tsr-x"))
    liar.change(world.review.id, lambda shown: shown)
    await lied(client, world.review.id, 12)
    again = await live.client("vda", liar.url, client.home)
    await lied(again, world.review.id, 12)


async def test_rule_12_a_register_that_changed_its_past_is_found(live: Live, liar: MaliciousServer) -> None:
    world = live.world
    client = await live.client("vda", liar.url)
    await client.register()
    last = world.records[world.register.id]
    liar.show(world.register.id, [envelope for envelope, _ in last[:-1]] + [last[-2][0], last[-1][0]])
    again = await live.client("vda", liar.url, client.home)
    with pytest.raises(ServerLied):
        await again.register()


async def test_rule_22_edge_signatures_are_refused_everywhere(live: Live, liar: MaliciousServer) -> None:
    """The same equation with s + L: other libraries differ about it, and would see another history."""
    world = live.world
    world.do(world.question())
    envelope = world.records[world.review.id][-1][0]
    s = int.from_bytes(envelope[-32:], "little") + ORDER
    forged = envelope[:-32] + s.to_bytes(32, "little")
    liar.change(world.review.id, lambda shown: [*shown[:-1], forged])
    await lied(await live.client("vda", liar.url), world.review.id, 10)
    status, problem = await live.post(SignedEvent.parse(forged), world.records[world.review.id][-1][1])
    assert (status, problem.code) == (403, "bad-signature")


# -- 7, 9, 19: opening


@pytest.fixture
def paper(live: Live, tmp_path: Path) -> Path:
    path = tmp_path / "annex.bin"
    path.write_bytes(secrets.token_bytes(300_000))
    return path


async def inform(client: Client, live: Live, path: Path) -> bytes:
    info = FileInfo(path.name, "Annex", "application/octet-stream", path.stat().st_size)

    async def build(_state: object) -> Draft:
        clear = rule_of("information.provided").clear()
        return Draft("information.provided", clear, (), "en", Paper("t", files=(info,)), PARTIES)

    sent = await client.send(
        live.world.review.id, ("inform",), build, circle=PARTIES, attachments=[Attachment.of(path)]
    )
    return sent.event


TAMPER = {
    "swapped chunks": lambda d: d[SEALED_CHUNK : 2 * SEALED_CHUNK] + d[:SEALED_CHUNK] + d[2 * SEALED_CHUNK :],
    "a chunk twice": lambda d: d[:SEALED_CHUNK] * 2 + d[2 * SEALED_CHUNK :],
    "a flipped bit": lambda d: d[:100] + bytes([d[100] ^ 1]) + d[101:],
    "cut": lambda d: d[:-1],
    "longer": lambda d: d + b"x",
    "a chunk less": lambda d: d[:-SEALED_CHUNK],
    "nothing": lambda _d: b"",
}


@pytest.mark.parametrize("how", TAMPER)
async def test_rule_09_order_count_and_end_of_a_file_are_authenticated(live, liar, paper, tmp_path, how) -> None:  # type: ignore[no-untyped-def]
    event = await inform(await live.client("vda"), live, paper)
    liar.change_files(TAMPER[how])
    client = await live.client("nrl", liar.url)
    review = await client.review(live.world.review.id)
    target = tmp_path / "opened.bin"
    with pytest.raises((CannotOpen, ClientError)):
        await client.fetch(review, client.entry(review, event), 1, target)
    assert not target.exists()
    assert not list(tmp_path.glob(".*.part"))
    liar.change_files(lambda data: data)
    await client.fetch(review, client.entry(review, event), 1, target)
    assert target.read_bytes() == paper.read_bytes()


async def test_rule_07_a_failed_opening_says_one_thing_and_tells_nobody(live, liar, paper, tmp_path) -> None:  # type: ignore[no-untyped-def]
    event = await inform(await live.client("vda"), live, paper)
    client = await live.client("nrl", liar.url)
    review = await client.review(live.world.review.id)
    await client.open(review, client.entry(review, event))
    said = set()
    for how in ("swapped chunks", "a chunk twice", "a flipped bit"):
        liar.change_files(TAMPER[how])
        liar.requests.clear()
        with pytest.raises(CannotOpen) as caught:
            await client.fetch(review, client.entry(review, event), 1, tmp_path / "opened.bin")
        said.add(str(caught.value))
        assert [(method, url.rsplit("/", 1)[1]) for method, url, _, _ in liar.requests] == [("POST", "files")]
    assert said == {"cannot open"}


async def test_rule_19_lengths_are_padded(live: Live) -> None:
    client = await live.client("nrl-x")
    events = [await ask(client, live, "x" * size) for size in (1, 50, 700)]
    review = await client.review(live.world.review.id)
    assert len({client.entry(review, event).header.objects[0].size for event in events}) == 1


# -- 6, 15, 24: one's own keys


async def test_rule_06_a_key_file_cannot_pass_for_somebody_elses(tmp_path: Path) -> None:
    """The device named in the file is compared with the one its seeds make."""
    mine, other = Identity.generate(), Identity.generate()
    text = keyfile.protect(mine, "passphrase")
    with pytest.raises(DamagedKeyFile):
        keyfile.unlock(text.replace(mine.fingerprint.hex(), other.fingerprint.hex()), "passphrase")


async def test_rule_15_what_a_client_signs_for_the_server_is_no_event(live: Live, liar: MaliciousServer) -> None:
    """A server that could choose the statement still gets no signature over an event."""
    client = await live.client("vda", liar.url)
    await client.remote.streams()
    sessions = [json.loads(data) for _, url, _, data in liar.requests if url == "/v1/sessions"]
    assert sessions
    signature = bytes.fromhex(sessions[0]["signature"])
    envelope = live.world.compose(live.world.question("vda"))[0].envelope
    for message in (envelope[:-64], b"", bytes.fromhex(sessions[0]["nonce"])):
        with pytest.raises(BadSignature):
            live.world.actors["vda"].identity.recipient.verify(Label.EVENT, message, signature)


def test_rule_24_a_weakened_key_file_is_refused() -> None:
    text = keyfile.protect(Identity.generate(), "passphrase")
    with pytest.raises(WeakKeyFile):
        keyfile.unlock(text.replace(f"{256 * 2**20} 3", "8192 1"), "passphrase")


# -- 17, 18: membership and keys together


async def test_rule_17_a_removal_without_new_keys_is_not_believed(live: Live, liar: MaliciousServer) -> None:
    world = live.world
    whole = world.removal("nrl", "nrl-x")
    clear = msgspec.structs.replace(whole.clear, rotations=whole.clear.rotations[:1])
    liar.collude(replace(whole, clear=clear, carried=whole.carried[: 1168 * len(clear.rotations[0].devices)]))
    await lied(await live.client("vda", liar.url), world.review.id, 1)


@pytest.mark.parametrize("who", ["oversight", "oth", "vda"])
async def test_rule_18_a_key_for_somebody_who_is_not_entitled_is_fatal(live, liar, who) -> None:  # type: ignore[no-untyped-def]
    world = live.world
    entries, carried = world.granted(world.review, {REVIEWERS: [world.actors[who].device]})
    liar.collude(Said("officer", "keys.granted", GrantedClear(entries, digest(carried)), carried=carried))
    await lied(await live.client("nrl", liar.url), world.review.id, 1)


# -- 20: bounded


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 100_000,
        canonical.encode([bytes(70_000)]),
        canonical.encode([b"short"]),
        canonical.encode(["text"]),
        canonical.encode([b"x" * 100] * 2000),
        canonical.encode({"a": 1}),
    ],
    ids=lambda raw: raw[:6].hex(),
)
async def test_rule_20_nonsense_is_refused_quickly(live: Live, liar: MaliciousServer, raw: bytes) -> None:
    client = await live.client("vda", liar.url)
    await client.register()
    liar.raw[f"/v1/streams/{live.world.review.id.hex()}/events"] = raw
    began = time.monotonic()
    await lied(client, live.world.review.id, 20)
    assert time.monotonic() - began < 5


async def test_rule_20_an_endless_answer_is_cut_off(live: Live, liar: MaliciousServer) -> None:
    client = await live.client("vda", liar.url)
    await client.register()
    liar.raw[f"/v1/streams/{live.world.review.id.hex()}/events"] = bytes(200 * 2**20)
    before = psutil.Process().memory_info().rss
    await lied(client, live.world.review.id, 20)
    assert psutil.Process().memory_info().rss - before < 400 * 2**20


@pytest.mark.parametrize("path", ["/v1/service", "/v1/streams", "/v1/sessions"])
@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"streams": 5}', b"\xff"])
async def test_rule_20_answers_of_other_shapes_are_refused(live, liar, path, raw) -> None:  # type: ignore[no-untyped-def]
    liar.raw[path] = raw
    client = await live.client("vda", liar.url)
    with pytest.raises((ServerLied, ClientError)):
        await client.remote.streams()


# -- 23: nothing secret beside the papers


async def test_rule_23_no_secret_in_urls_logs_and_errors(live, liar, paper, capsys, tmp_path) -> None:  # type: ignore[no-untyped-def]
    structlog.reset_defaults()
    logs.configure("json", "debug")
    try:
        await live.stop()
        await live.start()
        client = await live.client("vda", liar.url)
        event = await inform(client, live, paper)
        await ask(await live.client("nrl-x", liar.url), live, SECRET_WORDS)
        review = await client.review(live.world.review.id)
        await client.fetch(review, client.entry(review, event), 1, tmp_path / "opened")
        with pytest.raises(Exception):
            await client.remote.bodies(review.id, [bytes(32)])
    finally:
        await live.stop()
        structlog.reset_defaults()
        logs.configure("console", "error")
    logged = capsys.readouterr().out
    assert '"route": "POST /v1/uploads"' in logged
    tokens = {headers["Authorization"].split()[1] for _, _, headers, _ in liar.requests if "Authorization" in headers}
    assert tokens
    identities = [actor.identity for actor in live.world.actors.values()]
    secrets_ = [*tokens, SECRET_WORDS, paper.name, *(i.signing_seed.hex() for i in identities)]
    for text in (logged, *(url for _, url, _, _ in liar.requests)):
        for secret in (*secrets_, *(i.fingerprint.hex() for i in identities)):
            assert secret not in text
    assert live.world.review.id.hex() not in logged


# -- and the rest


async def test_a_member_who_writes_nonsense_under_seal_harms_nobody(live: Live, liar: MaliciousServer) -> None:
    """What an insider seals is hostile too: it must be the fields of its kind, or it does not open."""

    class Odd(msgspec.Struct):
        anything: int = 1

    liar.collude(replace(live.world.question(), sealed=Odd()))
    client = await live.client("vda", liar.url)
    review = await client.review(live.world.review.id)
    with pytest.raises(CannotOpen):
        await client.open(review, client.entries(review.id)[-1])


async def test_those_without_the_key_get_no_further_than_the_envelope(live: Live) -> None:
    world = live.world
    note = world.do(Said("nrl-x", "reviewers.noted", sealed=Message("t", "x")))
    await live.push()
    for who in ("vda", "vda-x", "oversight", "officer2"):
        client = await live.client(who)
        review = await client.review(world.review.id)
        with pytest.raises((NoKey, NotFound)):
            await client.open(review, client.entry(review, note.id))


def test_every_rule_that_applies_has_a_test() -> None:
    here = {int(name.split("_")[2]) for name in globals() if name.startswith("test_rule_")}
    assert here >= {*range(1, 21), 22, 23, 24}
