"""A server that lies about its log, or whose log lies: it holds the log's key, and is found out all the same (rule 12).

Each test says who finds it: here it is always the client. What the auditor and the witnesses find is in tests/audit and
tests/witness.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from events import merkle
from events.checkpoint import Head, cosign, log_key, witness_key
from events.envelope import Seen
from events.forks import Evidence
from events.kinds.desk_review import Message
from events.merkle import EMPTY_ROOT, Frontier
from events.notes import KeyType, Note, Vkey
from events.policy import Policy
from exchange.client import forks
from exchange.client.client import Client
from exchange.client.errors import ServerLied, Unwitnessed
from exchange.client.history import MAX_AGE_S
from exchange.client.home import Home
from exchange.notekeys import HeldKey
from exchange.server import notary
from exchange.server.notary import Notary
from exchange.server.service import LOG_KEY
from keys.notes import NoteKey
from tests.hostile.test_rules import ask
from tests.support.live import Live
from tests.support.malicious import MaliciousServer
from tests.support.world import Said, World

WITNESS = NoteKey.generate()
CHECKPOINT, WITNESSED = "/v1/log/checkpoint", "/v1/log/witnessed"


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with Live(tmp_path, World().to_dialogue()) as live:
        await live.push()
        await announce(live)
        yield live


@pytest.fixture
async def liar(live: Live) -> AsyncIterator[MaliciousServer]:
    async with MaliciousServer(live) as liar:
        yield liar


async def announce(live: Live, quorum: str = "none") -> Policy:
    key = (await (await live.remote("officer")).service()).log
    witness = witness_key("w.example", WITNESS).text()
    text = f"log {key}\nwitness w {witness}\nquorum {quorum}\n"
    live.world.do(live.world.announcement(text))
    await live.push()
    return Policy.parse(text)


def forged(live: Live, size: int, root: bytes | None = None, origin: str = "") -> Note:
    """A checkpoint that the operator signs with the log's own key."""
    key = HeldKey.load(live.root / "server" / LOG_KEY).secret
    name = origin or Policy.parse(live.world.register.log).logs[0].key.name
    return Head(name, size, root or bytes(range(32))).signed(key)


async def lied(client: Client, live: Live, words: str) -> None:
    with pytest.raises(ServerLied, match=words) as caught:
        await client.review(live.world.review.id)
    assert caught.value.rule == 12


async def test_an_honest_log_is_verified_and_what_was_seen_of_it_stands_in_what_one_writes(live: Live) -> None:
    client = await live.client("nrl-x")
    event = await ask(client, live)
    review = await client.review(live.world.review.id)
    seen = client.entry(review, event).header.seen
    assert seen is not None
    assert seen.size > 10
    other = await live.client("vda")
    await other.review(live.world.review.id)
    standing = other.replay.log.standing
    assert standing.checkpoint.head.size > seen.size
    event = await ask(await live.client("tsr-x"), live, "And why else?")
    await other.review(live.world.review.id)


async def test_an_event_that_is_not_in_the_log(live: Live, liar: MaliciousServer) -> None:
    """With an insider who signs it: the rules allow the event, but the server keeps it out of its log."""
    liar.collude(Said("nrl-x", "reviewers.noted", sealed=Message("t", "for your eyes only")))
    await lied(await live.client("tsr-x", liar.url), live, "not in its log")


async def test_an_older_log_than_the_one_verified_before(live: Live, liar: MaliciousServer) -> None:
    liar.raw[CHECKPOINT] = await (await live.remote("vda")).checkpoint()
    home = live.home("vda")
    async with await fresh(live, home, live.url) as client:
        await ask(await live.client("nrl-x"), live)
        await client.review(live.world.review.id)
    async with await fresh(live, home, liar.url) as client:
        await lied(client, live, "the log shrank")


async def test_another_log_than_the_one_verified_before(live: Live, liar: MaliciousServer) -> None:
    home = live.home("vda")
    async with await fresh(live, home, live.url) as client:
        await client.review(live.world.review.id)
        size = client.replay.log.standing.checkpoint.head.size
    for number in (size, size + 1, size + 50):
        liar.raw[CHECKPOINT] = forged(live, number).encode()
        async with await fresh(live, home, liar.url) as client:
            await lied(client, live, "two histories")
    assert list((home.path / forks.DIRECTORY).iterdir())
    # Nothing of it was believed: with the honest server one goes on.
    async with await fresh(live, home, live.url) as client:
        await client.review(live.world.review.id)


async def test_a_fork_is_proved_to_whoever_has_the_logs_key(live: Live, liar: MaliciousServer) -> None:
    """The operator keeps two complete logs and shows each member one of them, with proofs that hold in each."""
    home = live.home("vda")
    async with await fresh(live, home, live.url) as client:
        await client.review(live.world.review.id)
        size = client.replay.log.standing.checkpoint.head.size
    other = Forked(size + 5)
    liar.raw[CHECKPOINT] = forged(live, size + 5, other.root()).encode()
    liar.serve("/v1/log/consistency", other.consistency(size))
    liar.serve("/v1/log/tile/", other.tile)
    async with await fresh(live, home, liar.url) as client:
        await lied(client, live, "fork-evidence")
    (kept,) = (home.path / forks.DIRECTORY).glob("*.fork")
    fork = Evidence.parse(kept.read_bytes()).verify(Policy.parse(live.world.register.log))
    assert (fork.old.head.size, fork.new.head.size) == (size, size + 5)


async def test_checkpoints_that_are_not_the_announced_logs(live: Live, liar: MaliciousServer) -> None:
    foreign = Head("colloquy/elsewhere", 5, bytes(32)).signed(NoteKey.generate()).encode()
    name = Policy.parse(live.world.register.log).logs[0].key.name
    same_name = Head(name, 5, bytes(32)).signed(NoteKey.generate()).encode()
    wrong_origin = forged(live, 5, origin="colloquy/elsewhere").encode()
    honest = await (await live.remote("vda")).checkpoint()
    edited = honest.replace(b"\n", b"\n1", 1)
    for note in (foreign, same_name, wrong_origin, edited, b"", b"nonsense", b"\xff" * 100, honest[:-10]):
        liar.raw[CHECKPOINT] = note
        await lied(await live.client("vda", liar.url), live, "not the announced log's")


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes whatever authors say they saw, such as one that showed them another log."""

    async def had(_notary: Notary, _size: int, _root: bytes) -> bool:
        return True

    monkeypatch.setattr(Notary, "had", had)


async def test_a_member_cannot_make_a_liar_of_an_honest_server(live: Live) -> None:
    """One event that claims to have seen another log would keep everybody from the review, for good."""
    size = Head.parse(Note.parse(await (await live.remote("vda")).checkpoint()).text).size
    for seen in (Seen(10**6, bytes(32)), Seen(7, bytes(32)), Seen(size, bytes(32)), Seen(0, EMPTY_ROOT)):
        said = Said("nrl-x", "reviewers.noted", sealed=Message("t", "x"), force={"seen": seen})
        status, problem = await live.say(said)
        assert (status, problem.code) == (422, "wrong-reference")
    client = await live.client("tsr-x")
    await client.review(live.world.review.id)
    await ask(client, live)


async def test_what_was_seen_long_ago_is_taken(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notary, "RECENT", 0)
    client = await live.client("nrl-x")
    await ask(client, live)
    assert (await client.review(live.world.review.id)).seq > 0
    await (await live.client("vda")).review(live.world.review.id)


async def test_a_log_that_is_not_this_servers_is_not_announced_here(live: Live) -> None:
    """No client would believe this server any more, and none could take it back."""
    other = f"log {log_key('colloquy/elsewhere', NoteKey.generate()).text()}\nquorum none\n"
    status, problem = await live.say(live.world.announcement(other))
    assert (status, problem.code) == (422, "wrong-reference")
    await (await live.client("vda")).review(live.world.review.id)


@pytest.mark.usefixtures("unchecked")
async def test_a_member_who_saw_more_than_one_is_shown(live: Live) -> None:
    live.world.do(Said("nrl-x", "reviewers.noted", sealed=Message("t", "x"), force={"seen": Seen(10**6, bytes(32))}))
    await live.push()
    await lied(await live.client("tsr-x"), live, "withholds the rest")


@pytest.mark.usefixtures("unchecked")
async def test_a_member_who_saw_another_history(live: Live) -> None:
    """The views of two members meet in what one of them writes."""
    live.world.do(Said("nrl-x", "reviewers.noted", sealed=Message("t", "x"), force={"seen": Seen(7, bytes(32))}))
    await live.push()
    await lied(await live.client("tsr-x"), live, "another history of the log")


async def test_a_quorum_is_required_and_what_pretends_to_be_one_is_refused(live: Live, liar: MaliciousServer) -> None:
    await announce(live, "w")
    note = Note.parse(await (await live.remote("vda")).checkpoint())
    now = live.world.time // 1000
    good = note.signed(cosign("w.example", WITNESS, note.text, now)).encode()
    stranger = note.signed(cosign("w.example", NoteKey.generate(), note.text, now)).encode()
    other_text = Head.parse(note.text)
    elsewhere = cosign("w.example", WITNESS, Head(other_text.origin, 3, bytes(32)).text(), now)
    live.world.time += 2 * 3600 * 1000
    live.set_clock(live.world.time)
    for data in (note.encode(), stranger, note.signed(elsewhere).encode(), b"nonsense"):
        liar.raw[WITNESSED] = data
        await lied(await live.client("vda", liar.url), live, "the witnessed checkpoint is none")
    liar.raw[WITNESSED] = good
    client = await live.client("vda", liar.url)
    await client.review(live.world.review.id)
    assert client.replay.log.standing.witnessed is not None
    assert client.replay.log.standing.age == 2 * 3600


async def test_a_history_nobody_has_witnessed_for_long_is_not_taken_for_the_newest(
    live: Live, liar: MaliciousServer
) -> None:
    await announce(live, "w")
    note = Note.parse(await (await live.remote("vda")).checkpoint())
    now = live.world.time // 1000
    live.world.time += (MAX_AGE_S + 3600) * 1000
    live.set_clock(live.world.time)
    for time in (now, live.world.time // 1000 + 10**6):
        liar.raw[WITNESSED] = note.signed(cosign("w.example", WITNESS, note.text, time)).encode()
        with pytest.raises(Unwitnessed):
            await (await live.client("vda", liar.url)).review(live.world.review.id)
    with pytest.raises(Unwitnessed, match="never"):
        await (await live.client("vda")).review(live.world.review.id)


async def test_witnesses_who_were_shown_another_history(live: Live, liar: MaliciousServer) -> None:
    await announce(live, "w")
    false = forged(live, 9)
    liar.raw[WITNESSED] = false.signed(cosign("w.example", WITNESS, false.text, live.world.time // 1000)).encode()
    await lied(await live.client("vda", liar.url), live, "witnesses were shown another history")


async def test_one_key_for_two_logs_and_two_keys_of_one_log(live: Live) -> None:
    """A policy that would let one party stand for two is not announced."""
    key = (await (await live.remote("officer")).service()).log
    twin = Vkey("another.example", KeyType.ED25519, Vkey.parse(key).verifier).text()
    for text in (f"log {key}\nlog {twin}\nquorum none\n", f"log {key}\nlog {key}\nquorum none\n", "quorum none\n"):
        status, problem = await live.say(live.world.announcement(text))
        assert (status, problem.code) == (400, "malformed")


class Forked:
    """A whole other log, with proofs of its own."""

    def __init__(self, size: int) -> None:
        self.leaves = [merkle.leaf_hash(b"other" + bytes([n % 256, n // 256])) for n in range(size)]

    def nodes(self, level: int, index: int) -> bytes:
        return Frontier().extended(self.leaves[index << level : (index + 1) << level]).root

    def root(self) -> bytes:
        return merkle.root(len(self.leaves), self.nodes)

    def tile(self, path: str) -> bytes:
        level, width = int(path.split("/")[5]), int(path.rsplit("/", 1)[1])
        return b"".join(self.nodes(8 * level, index) for index in range(width))

    def consistency(self, old: int) -> Callable[[str], bytes]:
        proof = [one.hex() for one in merkle.consistency_proof(old, len(self.leaves), self.nodes)]
        return lambda _path: json.dumps({"hashes": proof}).encode()


async def fresh(live: Live, home: Home, url: str) -> Client:
    """A new process of the same person with the same memory, asking this server."""
    home.configure(type(home.settings)(url, home.settings.register))
    return Client(home, live.world.actors["vda"].identity, lambda: live.world.time)
