"""A real witness process over real HTTP: every refusal of c2sp.org/tlog-witness, no contradiction even when it is killed."""

from __future__ import annotations

import asyncio
import random
import stat
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from events.errors import BadNote
from events.merkle import EMPTY_ROOT
from events.notes import KeyType, Note, Vkey
from events.policy import Policy
from events.witnessing import MAX_REQUEST, SIZE_MEDIA, AddCheckpoint
from exchange.notekeys import HeldKey, NoteKeyError
from exchange.witness.service import BOOK, KEY_FILE, held_key
from tests.support.process import free_port
from tests.support.tree import TIME, TestLog, entries
from tests.support.witnesses import NAME, WitnessProcess, time_of

LOG = TestLog(entries(60))
FORKED = TestLog([*entries(3), *entries(57, b"forked")])
STRANGER = TestLog(entries(60), "log.example/stranger")


def ask(old: int, new: int, log: TestLog = LOG) -> AddCheckpoint:
    return AddCheckpoint(old, log.consistency(old, new) if 0 < old <= new else (), log.note(new))


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessProcess]:
    witness = WitnessProcess(tmp_path, LOG.vkey)
    witness.start()
    yield witness
    witness.kill()


# -- what it cosigns and what it refuses


def test_it_cosigns_what_continues(witness: WitnessProcess) -> None:
    assert witness.cosigned(ask(0, 5)) == TIME
    for old, new in ((5, 5), (5, 8), (8, 8), (8, 9), (9, 60)):
        witness.set_clock(TIME + new)
        assert witness.cosigned(ask(old, new)) == TIME + new


def test_every_refusal(witness: WitnessProcess) -> None:
    unsigned = Note(LOG.note(9).text, STRANGER.note(9).signatures)
    broken = Note(LOG.note(9).text, LOG.note(8).signatures)
    assert witness.asked(AddCheckpoint(0, (), STRANGER.note(9)))[0] == 404
    assert witness.asked(AddCheckpoint(0, (), unsigned))[0] == 403
    assert witness.asked(AddCheckpoint(0, (), broken))[0] == 403
    assert witness.asked(ask(9, 5))[0] == 400
    assert witness.asked(ask(3, 9)) == (409, SIZE_MEDIA, "0\n")
    assert witness.asked(AddCheckpoint(0, (bytes(32),), LOG.note(9)))[0] == 422
    witness.cosigned(ask(0, 9))
    for request in (ask(0, 9), ask(0, 12), ask(3, 5), ask(8, 12), ask(0, 5), ask(5, 5)):
        assert witness.asked(request) == (409, SIZE_MEDIA, "9\n")
    assert witness.asked(ask(12, 9))[0] == 400
    assert witness.asked(ask(9, 12, FORKED))[0] == 422
    assert witness.asked(AddCheckpoint(9, (), LOG.note(12)))[0] == 422
    assert witness.asked(AddCheckpoint(9, (bytes(32),), LOG.note(9)))[0] == 422
    # After all that it still is where it was.
    assert witness.cosigned(ask(9, 12)) == TIME


def test_a_second_history_is_refused_and_kept_as_evidence(witness: WitnessProcess) -> None:
    witness.cosigned(ask(0, 9))
    for request in (ask(9, 9, FORKED), ask(0, 9, FORKED), ask(9, 9, FORKED)):
        assert witness.asked(request) == (409, SIZE_MEDIA, "9\n")
    (evidence,) = witness.forks()
    fork = evidence.verify(Policy.parse(f"log {LOG.vkey}\nquorum none\n"))
    assert (fork.old.head, fork.new.head) == (LOG.head(9), FORKED.head(9))
    # Who is not the log leaves nothing behind.
    forged = Note(FORKED.note(9).text.replace("\n9\n", "\n12\n"), FORKED.note(9).signatures)
    assert witness.asked(AddCheckpoint(9, (), forged))[0] == 403
    assert len(witness.forks()) == 1
    assert witness.cosigned(ask(9, 10)) == TIME


def test_bad_requests(witness: WitnessProcess) -> None:
    good = ask(0, 5).encode()
    too_many = good.replace(b"old 0\n", b"old 0\n" + (b"A" * 43 + b"=\n") * 64)
    wrong_root = good.replace(good.split(b"\n")[4], b"AAAA")
    for data in (b"", b"\n\n", good[:-1], good.replace(b"old 0", b"old 00"), too_many, wrong_root, b"\xff" + good):
        assert witness.asked(data)[0] == 400
    assert witness.asked(good + b"x" * MAX_REQUEST)[0] == 413
    assert witness.cosigned(ask(0, 5)) == TIME
    told = witness.output.read_text()
    assert "Traceback" not in told
    assert LOG.origin not in told


def test_other_paths_and_health(witness: WitnessProcess) -> None:
    async def get(path: str) -> int:
        async with aiohttp.ClientSession() as http, http.get(witness.url + path) as answer:
            return answer.status

    for path, status in (("/healthz", 200), ("/", 404), ("/add-checkpoint", 405), ("/witness.key", 404)):
        assert asyncio.run(get(path)) == status


def test_an_empty_tree_and_two_logs(tmp_path: Path) -> None:
    witness = WitnessProcess(tmp_path, LOG.vkey, STRANGER.vkey)
    witness.start()
    assert LOG.head(0).root == EMPTY_ROOT
    assert witness.cosigned(ask(0, 0)) == TIME
    assert witness.cosigned(ask(0, 7)) == TIME
    assert witness.asked(ask(0, 0)) == (409, SIZE_MEDIA, "7\n")
    assert witness.cosigned(ask(0, 3, STRANGER)) == TIME
    witness.kill()


# -- its clock, its memory


def test_a_clock_set_back_contradicts_nothing(witness: WitnessProcess) -> None:
    witness.set_clock(TIME + 1000)
    assert witness.cosigned(ask(0, 5)) == TIME + 1000
    witness.set_clock(TIME)
    assert witness.cosigned(ask(5, 6)) == TIME + 1000
    witness.kill()
    witness.start()
    assert witness.cosigned(ask(6, 7)) == TIME + 1000
    witness.set_clock(TIME + 1001)
    assert witness.cosigned(ask(7, 7)) == TIME + 1001


def test_without_a_clock_nothing_is_cosigned(witness: WitnessProcess) -> None:
    witness.clock.write_text("no time at all")
    status, _, text = witness.asked(ask(0, 5))
    assert (status, "no time" in text) == (500, False)
    witness.set_clock(TIME)
    assert witness.asked(ask(5, 6)) == (409, SIZE_MEDIA, "0\n")


def test_it_remembers(witness: WitnessProcess) -> None:
    witness.cosigned(ask(0, 20))
    witness.kill()
    witness.start()
    assert witness.asked(ask(0, 5)) == (409, SIZE_MEDIA, "20\n")
    assert witness.asked(ask(20, 20, FORKED))[0] == 409
    assert witness.cosigned(ask(20, 21)) == TIME


def test_two_processes_of_one_directory_do_not_contradict_each_other(tmp_path: Path) -> None:
    one = WitnessProcess(tmp_path, LOG.vkey)
    one.start()
    url, first = one.url, one.process
    one.port = free_port()
    other = f"http://127.0.0.1:{one.port}"
    one.start()

    async def race() -> list[tuple[int, int]]:
        async def grow(http: aiohttp.ClientSession, at: str, log: TestLog) -> list[tuple[int, int]]:
            answers = []
            for size in range(4, 40):
                request = AddCheckpoint(0, (), log.note(size))
                async with http.post(f"{at}/add-checkpoint", data=request.encode()) as answer:
                    answers.append((answer.status, size))
            return answers

        async with aiohttp.ClientSession() as http:
            told = await asyncio.gather(grow(http, url, LOG), grow(http, other, FORKED))
        return [answer for part in told for answer in part]

    answers = asyncio.run(race())
    # Both began at nothing; one of them was first, once.
    assert [status for status, _ in answers].count(200) == 1
    one.kill()
    first.kill()


# -- killed at random moments

SHORT, LONG = 6, 100


async def pushing(witness: WitnessProcess, log: TestLog, over: asyncio.Event, kept: list[tuple[int, str, int]]) -> None:
    """Push a history as hard as one can, from wherever the witness says it is; keep every cosignature."""
    known = 0
    async with aiohttp.ClientSession() as http:
        while not over.is_set():
            new = random.randint(max(known, 1), min(known + 3, 60))
            request = ask(known, new, log)
            try:
                async with http.post(f"{witness.url}/add-checkpoint", data=request.encode()) as answer:
                    status, text = answer.status, await answer.text()
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(0.01)
                continue
            if status == 200:
                kept.append((new, log.head(new).text(), time_of(request.note, text, witness.vkey)))
                known = new
            elif status == 409:
                known = int(text)
            elif status == 422:
                known = random.choice((0, known))
            await asyncio.sleep(0)


async def killed(witness: WitnessProcess, rounds: int) -> list[tuple[int, str, int]]:
    over, kept = asyncio.Event(), []
    pushers = [asyncio.create_task(pushing(witness, log, over, kept)) for log in (LOG, FORKED, LOG, FORKED)]
    for number in range(rounds):
        await asyncio.sleep(random.uniform(0.05, 0.5))
        witness.kill()
        witness.set_clock(TIME + random.randint(-50, 50) + number)
        await asyncio.to_thread(witness.start)
    over.set()
    await asyncio.gather(*pushers)
    return kept


def no_contradiction(kept: list[tuple[int, str, int]]) -> None:
    """All that was ever cosigned is one history, growing with the time that was signed."""
    assert len({text for size, text, _ in kept if size > 3}) == len({size for size, _, _ in kept if size > 3})
    histories = {
        log is LOG for log in (LOG, FORKED) for size, text, _ in kept if size > 3 and log.head(size).text() == text
    }
    assert len(histories) <= 1
    by_time = sorted(kept, key=lambda one: (one[2], one[0]))
    assert [size for size, _, _ in by_time] == sorted(size for size, _, _ in kept)


def test_killed_a_few_times(witness: WitnessProcess) -> None:
    kept = asyncio.run(killed(witness, SHORT))
    assert kept
    no_contradiction(kept)


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_killed_many_times(tmp_path: Path) -> None:
    for number in range(LONG // 10):
        (tmp_path / str(number)).mkdir()
        witness = WitnessProcess(tmp_path / str(number), LOG.vkey)
        witness.start()
        try:
            no_contradiction(asyncio.run(killed(witness, 10)))
        finally:
            witness.kill()


# -- its key


def test_the_key_file(tmp_path: Path) -> None:
    witness = WitnessProcess(tmp_path, LOG.vkey)
    path = witness.directory / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert witness.colloquy("key").stdout.strip() == witness.vkey.text()
    before = path.read_bytes()
    again = witness.colloquy("init", "--name", NAME)
    assert (again.returncode, path.read_bytes()) == (1, before)
    assert "holds a key already" in again.stderr
    assert sorted(one.name for one in witness.directory.iterdir()) == [KEY_FILE]
    held = held_key(witness.directory)
    assert held.secret.seed.hex() not in repr(held)
    assert not (witness.directory / BOOK).exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-10],
        lambda text: text.replace("PRIVATE", "public"),
        lambda text: text.replace("+B", "+C"),
        lambda text: text.replace("nrl", "tsr"),
        lambda text: "\udcff",
    ],
)
def test_a_damaged_key_file_says_so_and_nothing_of_what_is_in_it(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    held = HeldKey.generate(NAME, KeyType.COSIGNATURE)
    held.save(tmp_path / KEY_FILE)
    text = (tmp_path / KEY_FILE).read_text()
    (tmp_path / KEY_FILE).write_bytes(damage(text).encode("utf-8", "surrogateescape"))
    with pytest.raises(NoteKeyError) as refused:
        held_key(tmp_path)
    assert text.split("+", 4)[4][8:20] not in str(refused.value)


def test_what_cannot_be_served_is_told(tmp_path: Path) -> None:
    witness = WitnessProcess(tmp_path, LOG.vkey)
    for words in (("--log", "nonsense"), ("--log", witness.vkey.text())):
        refused = witness.colloquy("serve", *words)
        assert refused.returncode == 1
        assert "nothing was started" in refused.stderr
    (witness.directory / KEY_FILE).unlink()
    refused = witness.colloquy("serve", "--log", LOG.vkey)
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert witness.colloquy("init", "--name", "two words").returncode == 1
    with pytest.raises(BadNote):
        Vkey.parse("two words")
