"""An audit against an honest log, and against every kind of lie: each is found, and named for what it is."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from events.access import Want
from events.checkpoint import Head
from events.entries import EntryType
from events.envelope import Seen
from exchange.audit.engine import audit
from exchange.audit.finding import Check, Finding, Severity
from exchange.audit.memory import Memory
from exchange.audit.report import Report
from keys.notes import NoteKey
from tests.support.logged import Logged
from tests.support.world import World

KEY = bytes(32)


@pytest.fixture
def logged() -> Logged:
    world = World().to_dialogue()
    logged = Logged(world).announce()
    logged.read("nrl", Want(world.last["response.submitted"].id, 0, 0), sent=100)
    return logged


async def audited(logged: Logged, memory: Memory | None = None, **options: object) -> Report:
    memory = memory or Memory(":memory:", KEY)
    register = logged.world.register.id
    return await audit(logged, memory, register, logged.world.time, pause=0, **options)


def faults(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity is Severity.FAULT]


def found_by(report: Report) -> set[Check]:
    return {finding.check for finding in faults(report)}


async def test_an_honest_log_is_sound(logged: Logged) -> None:
    report = await audited(logged)
    assert not faults(report)
    assert (report.size, report.sound, report.full) == (len(logged.log), True, True)
    assert report.root == logged.root(len(logged.log)).hex()
    review = next(line for line in report.streams if line.name == "VDA-2026")
    assert (review.events, review.statements, review.completions) == (logged.world.review.seq + 1, 1, 1)
    assert report.witnesses == {"W": logged.cosigned_at * 1000}


async def test_a_later_audit_fetches_what_is_new_and_nothing_else(logged: Logged) -> None:
    memory = Memory(":memory:", KEY)
    first = await audited(logged, memory)
    world = logged.world
    world.do(world.question())
    logged.take()
    logged.read("tsr", Want(world.last["request.made"].id, 0, 0))
    logged.asked.clear()
    second = await audited(logged, memory)
    assert (second.sound, second.full, second.before, second.size) == (True, False, first.size, first.size + 3)
    assert {asked for asked in logged.asked if asked.startswith("entries")} == {f"entries {first.size}-{second.size}"}
    assert not any(asked.endswith(" -1") for asked in logged.asked)
    assert {asked for asked in logged.asked if asked.startswith("envelopes")} == {
        f"envelopes {world.review.id.hex()[:8]} {world.review.seq - 1}"
    }
    whole = await audited(logged)
    assert second.streams == whole.streams


async def test_an_audit_of_many_pages_and_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.audit.stage.PIECE", 16)
    world = World().to_dialogue()
    for _ in range(150):
        world.do(world.question())
    assert not faults(await audited(Logged(world, page=7).announce()))


async def test_a_reading_of_what_the_audit_has_put_away_again(logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many headers are at hand; a reading of an event just audited is no sign of an altered memory."""
    monkeypatch.setattr("exchange.audit.books.HEADERS", 10)
    assert not faults(await audited(logged))


async def test_records_shown_before_their_checkpoint_are_waited_for(logged: Logged) -> None:
    world = logged.world
    logged.size = len(logged.log)
    world.do(world.question())
    logged.take()

    class Late(Logged):
        async def checkpoint(self) -> bytes:
            note = await super().checkpoint()
            self.size = None
            return note

    logged.__class__ = Late
    report = await audited(logged)
    assert not faults(report)
    assert report.size == len(logged.log)


async def test_what_comes_after_the_checkpoint_is_left_for_the_next_audit(logged: Logged) -> None:
    memory, world = Memory(":memory:", KEY), logged.world

    class Busy(Logged):
        """Something new is accepted between any two answers."""

        async def streams(self) -> list[tuple[bytes, int | None]]:
            world.do(world.question())
            self.take()
            return await super().streams()

    logged.__class__ = Busy
    assert not faults(await audited(logged, memory))
    assert not faults(await audited(logged, memory))
    logged.__class__ = Logged
    report = await audited(logged, memory)
    assert not faults(report)
    assert report.streams == (await audited(logged)).streams


# -- lies about the log


async def test_an_event_that_is_withheld(logged: Logged) -> None:
    logged.shown[logged.world.review.id].pop()
    report = await audited(logged)
    assert found_by(report) == {Check.SHOWN}
    assert "withheld" in faults(report)[0].what
    place = next(i for i, e in enumerate(logged.log) if e[1:] == logged.world.review.head)
    assert faults(report)[0].entry == place


async def test_an_event_withheld_from_the_middle(logged: Logged) -> None:
    logged.shown[logged.world.review.id].pop(5)
    report = await audited(logged)
    assert found_by(report) == {Check.SHOWN, Check.CHAIN}
    assert any("VDA-2026" in line for line in report.unchecked)


async def test_a_review_that_is_withheld(logged: Logged) -> None:
    del logged.shown[logged.world.review.id]
    del logged.accesses_shown[logged.world.review.id]
    report = await audited(logged)
    assert found_by(report) == {Check.SHOWN}
    assert sum(int(f.got.split()[2]) for f in faults(report)) == logged.world.review.seq + 3


async def test_an_event_that_is_not_in_the_log(logged: Logged) -> None:
    signed, _ = logged.world.compose(logged.world.question())
    logged.shown[logged.world.review.id].append(signed.envelope)
    report = await audited(logged)
    assert found_by(report) == {Check.LOGGED}
    finding = faults(report)[0]
    assert (finding.record, finding.number) == (signed.id.hex(), logged.world.review.seq + 1)


async def test_one_unlogged_event_does_not_hide_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.audit.shelf.FAR", 20)
    world = World().to_dialogue()
    unlogged, _ = world.compose(world.question())
    at = world.review.seq + 1
    for _ in range(100):
        world.do(world.question())
    logged = Logged(world, page=10).announce()
    logged.shown[world.review.id].insert(at, unlogged.envelope)
    report = await audited(logged)
    assert found_by(report) == {Check.LOGGED}
    assert next(line for line in report.streams if line.name == "VDA-2026").events == world.review.seq + 1


async def test_an_event_that_was_edited(logged: Logged) -> None:
    """The server shows another event of the same author in the place of the logged one."""
    shown = logged.shown[logged.world.review.id]
    for at in (7, len(shown) - 1):
        kept, shown[at] = shown[at], shown[at][:-1] + bytes([shown[at][-1] ^ 1])
        report = await audited(logged)
        assert Check.UNCHANGED in found_by(report)
        assert found_by(report) <= {Check.UNCHANGED, Check.CHAIN}
        assert next(f for f in faults(report) if f.check is Check.UNCHANGED).number == at
        shown[at] = kept


async def test_events_in_another_order_than_their_stream(logged: Logged) -> None:
    logged.log[-4], logged.log[-5] = logged.log[-5], logged.log[-4]
    report = await audited(logged)
    assert Check.ORDER in found_by(report)


async def test_an_event_logged_twice(logged: Logged) -> None:
    logged.log.append(next(e for e in logged.log if e[1:] == logged.world.review.head))
    assert found_by(await audited(logged)) == {Check.ONCE}


async def test_entries_of_another_tree(logged: Logged) -> None:
    honest = await logged.checkpoint()

    class Other(Logged):
        async def checkpoint(self) -> bytes:
            return honest

        async def witnessed(self) -> bytes | None:
            return None

    logged.__class__ = Other
    logged.log[3], logged.log[4] = logged.log[4], logged.log[3]
    memory = Memory(":memory:", KEY)
    report = await audited(logged, memory)
    assert Check.TREE in found_by(report)
    memory.begin()
    assert not memory.head.size


async def test_a_log_that_was_rolled_back(logged: Logged) -> None:
    memory = Memory(":memory:", KEY)
    size = (await audited(logged, memory)).size
    logged.size = size - 3
    for full in (False, True):
        report = await audited(logged, memory, full=full)
        assert Check.ROLLBACK in found_by(report)
        assert "shorter" in faults(report)[0].what
    logged.size = None
    assert not faults(await audited(logged, memory))


async def test_a_fork_of_the_log(logged: Logged) -> None:
    """The same log, but for one thing said before the last audit."""
    memory = Memory(":memory:", KEY)
    await audited(logged, memory)
    honest = list(logged.log)
    statement = logged.log[-2]
    logged.log[-2:] = logged.log[:-3:-1]
    logged.world.do(logged.world.question())
    logged.take()
    for full in (False, True):
        report = await audited(logged, memory, full=full)
        assert Check.FORK in found_by(report)
        assert "two histories" in next(f.what for f in faults(report) if f.check is Check.FORK)
    logged.log[:] = [*honest, logged.log[-1]]
    assert statement in logged.log
    assert not faults(await audited(logged, memory))


async def test_an_author_who_saw_another_history(logged: Logged) -> None:
    world = logged.world
    size = len(logged.log)
    for seen in (Seen(size, bytes(32)), Seen(size + 9, bytes(32))):
        world.do(replace(world.question(), force={"seen": seen}))
        logged.take()
    report = await audited(logged)
    assert found_by(report) == {Check.SEEN}
    assert ["another history" in f.what for f in faults(report)] == [True, False]


async def test_what_an_author_saw_before_the_last_audit(logged: Logged) -> None:
    memory, world = Memory(":memory:", KEY), logged.world
    await audited(logged, memory)
    true, false = Seen(20, logged.root(20)), Seen(21, logged.root(22))
    world.do(replace(world.question(), force={"seen": true}))
    logged.take()
    assert not faults(await audited(logged, memory))
    world.do(replace(world.question(), force={"seen": false}))
    logged.take()
    report = await audited(logged, memory)
    assert found_by(report) == {Check.SEEN}
    assert "another history" in faults(report)[0].what


async def test_an_author_who_saw_less_than_before(logged: Logged) -> None:
    world = logged.world
    for size in (30, 20):
        world.do(replace(world.question(), force={"seen": Seen(size, logged.root(size))}))
    logged.take()
    report = await audited(logged)
    # Anybody who works with two programs at once can write that, and the server is none the worse for it.
    assert report.sound
    assert ["less" in f.what for f in report.findings if f.check is Check.SEEN] == [True]


async def test_a_checkpoint_of_another_log(logged: Logged) -> None:
    logged.change_note = lambda note: Head.parse(note.text).signed(NoteKey.generate())
    assert found_by(await audited(logged)) == {Check.CHECKPOINT, Check.WITNESSES}


async def test_a_checkpoint_without_its_witnesses(logged: Logged) -> None:
    class Alone(Logged):
        async def witnessed(self) -> bytes | None:
            return None

    logged.__class__ = Alone
    report = await audited(logged)
    assert found_by(report) == {Check.WITNESSES}
    assert "W" in faults(report)[0].expected


async def test_a_cosignature_of_yesterday_is_told(logged: Logged) -> None:
    logged.cosigned_at -= 2 * 24 * 60 * 60
    report = await audited(logged)
    assert report.sound
    assert any(f.check is Check.WITNESSES and "48 hours" in f.got for f in report.findings)


# -- lies about events


async def test_a_forged_signature(logged: Logged) -> None:
    world = logged.world
    signed, _ = world.compose(world.question())
    forged = signed.envelope[:-64] + bytes(64)
    logged.shown[world.review.id].append(forged)
    logged.enter(EntryType.ENVELOPE, forged)
    report = await audited(logged)
    assert found_by(report) == {Check.SIGNATURE}
    assert (faults(report)[0].rule, faults(report)[0].number) == (10, world.review.seq + 1)


async def test_an_event_the_rules_refuse(logged: Logged) -> None:
    world = logged.world
    signed, _ = world.compose(replace(world.question(), author="vda"))
    logged.shown[world.review.id].append(signed.envelope)
    logged.enter(EntryType.ENVELOPE, signed.envelope)
    report = await audited(logged)
    assert found_by(report) == {Check.RULES}
    assert "request.made" in faults(report)[0].what
    assert "ToR" in faults(report)[0].para or "G " in faults(report)[0].para


async def test_keys_for_others_than_the_members(logged: Logged) -> None:
    world = logged.world
    draft = world.removal("nrl", "nrl-x")
    more = [*draft.clear.rotations[0].devices, world.actors["oversight"].device]
    rotation = msgspec.structs.replace(draft.clear.rotations[0], devices=tuple(sorted(more)))
    clear = msgspec.structs.replace(draft.clear, rotations=(rotation, *draft.clear.rotations[1:]))
    signed, _ = world.compose(replace(draft, clear=clear))
    logged.shown[world.review.id].append(signed.envelope)
    logged.enter(EntryType.ENVELOPE, signed.envelope)
    report = await audited(logged)
    assert found_by(report) == {Check.GRANTS}
    assert faults(report)[0].rule == 18


async def test_garbage_in_the_log(logged: Logged) -> None:
    garbage = b"\xff" * 100
    logged.shown[logged.world.review.id].append(garbage)
    logged.enter(EntryType.ENVELOPE, garbage)
    logged.access(EntryType.STATEMENT, garbage)
    logged.access(EntryType.COMPLETION, garbage)
    report = await audited(logged)
    assert found_by(report) == {Check.FORM}
    assert len(faults(report)) == 3


# -- lies about reading


async def test_an_unlawful_reader(logged: Logged) -> None:
    world = logged.world
    want = Want(world.last["response.submitted"].id, 0, 0)
    for who in ("oth", "oversight"):
        logged.read(who, want)
    report = await audited(logged)
    assert found_by(report) == {Check.READER}
    assert [f.got for f in faults(report)] == [world.actors[who].device.hex()[:16] for who in ("oth", "oversight")]
    assert faults(report)[0].para == "G 5"


async def test_a_reader_before_they_were_admitted_and_after_they_left() -> None:
    world = World().to_dialogue()
    logged = Logged(world).announce()
    want = Want(world.last["response.submitted"].id, 0, 0)
    logged.read("nrl-x", want)
    world.do(world.removal("nrl", "nrl-x"))
    logged.take()
    assert not faults(await audited(logged))
    logged.read("nrl-x", want)
    report = await audited(logged)
    assert found_by(report) == {Check.READER}
    assert len(faults(report)) == 1


async def test_a_statement_nobody_signed(logged: Logged) -> None:
    want = Want(logged.world.last["response.submitted"].id, 0, 0)
    logged.access(EntryType.STATEMENT, logged.statement("nrl", want)[:-64] + bytes(64))
    assert found_by(await audited(logged)) == {Check.SIGNATURE}


async def test_a_statement_used_twice(logged: Logged) -> None:
    memory = Memory(":memory:", KEY)
    record = logged.accesses_shown[logged.world.review.id][0][1]
    await audited(logged, memory)
    logged.access(EntryType.STATEMENT, record)
    assert found_by(await audited(logged, memory)) == {Check.STATEMENT}
    assert found_by(await audited(logged)) == {Check.ONCE}


async def test_a_statement_for_another_review(logged: Logged) -> None:
    want = Want(logged.world.last["response.submitted"].id, 0, 0)
    logged.access(EntryType.STATEMENT, logged.statement("nrl", want, stream=bytes(32)))
    assert found_by(await audited(logged)) == {Check.STATEMENT}


async def test_things_nobody_can_have_read(logged: Logged) -> None:
    event = logged.world.last["response.submitted"].id
    for want in (Want(bytes(32), 0, 0), Want(event, 30, 0), Want(event, 0, 10**9)):
        logged.read("nrl", want)
    report = await audited(logged)
    assert found_by(report) == {Check.STATEMENT}
    assert len(faults(report)) == 3


async def test_completions_of_nothing_twice_and_too_much(logged: Logged) -> None:
    want = Want(logged.world.last["response.submitted"].id, 0, 0)
    logged.access(EntryType.COMPLETION, logged.completion(b"nothing", 1))
    done = logged.read("nrl", want, sent=1)
    logged.access(EntryType.COMPLETION, logged.completion(done, 2))
    logged.read("nrl", want, sent=10**9)
    report = await audited(logged)
    assert found_by(report) == {Check.COMPLETION}
    assert len(faults(report)) == 3


async def test_an_access_record_left_out_of_what_is_shown(logged: Logged) -> None:
    logged.accesses_shown[logged.world.review.id].pop(0)
    assert found_by(await audited(logged)) == {Check.SHOWN, Check.COMPLETION}


async def test_an_access_record_left_out_of_the_log(logged: Logged) -> None:
    statement = logged.statement("nrl", Want(logged.world.last["response.submitted"].id, 0, 0))
    logged.accesses_shown[logged.world.review.id].append((EntryType.STATEMENT.value, statement))
    report = await audited(logged)
    assert found_by(report) == {Check.LOGGED}
    assert "access statement" in faults(report)[0].what


# -- memory


async def test_faults_are_remembered_and_told_once(logged: Logged) -> None:
    memory = Memory(":memory:", KEY)
    logged.read("oth", Want(logged.world.last["response.submitted"].id, 0, 0))
    first = await audited(logged, memory)
    assert faults(await audited(logged, memory)) == faults(first)


async def test_a_memory_that_was_altered_is_not_believed(logged: Logged) -> None:
    for table in ("head", "summaries", "details"):
        memory = Memory(":memory:", KEY)
        size = (await audited(logged, memory)).size
        memory._db.execute(f"UPDATE {table} SET data = CAST(data || x'00' AS BLOB)")
        logged.read("nrl", Want(logged.world.last["response.submitted"].id, 0, 0))
        report = await audited(logged, memory)
        assert (found_by(report), report.full, report.size) == ({Check.MEMORY}, True, size + 2)
        assert not faults(await audited(logged, memory))


async def test_an_interrupted_audit_leaves_the_memory_as_it_was(logged: Logged) -> None:
    memory = Memory(":memory:", KEY)
    size = (await audited(logged, memory)).size
    logged.read("nrl", Want(logged.world.last["response.submitted"].id, 0, 0))

    class Gone(Exception):
        pass

    async def gone(*_: object) -> list[bytes]:
        raise Gone

    logged.accesses = gone
    for full in (False, True):
        with pytest.raises(Gone):
            await audited(logged, memory, full=full)
    del logged.accesses
    report = await audited(logged, memory)
    assert (report.before, report.sound) == (size, True)
