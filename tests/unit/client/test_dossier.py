"""The evidence pack: what it says of keys, disclosures, marks and reading, and that others' words cannot bend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from events.envelope import Event
from events.kinds.breach import MAX_EVIDENCE
from exchange.client import dossier
from exchange.client.client import Entry
from exchange.client.dossier import NO_RECORD, Sources
from exchange.client.holdings import Holding
from exchange.client.leaks import Found, Leak, Trace
from exchange.client.reads import Read
from exchange.client.tracing import Match
from tests.support.world import World


@pytest.fixture
def world() -> World:
    world = World().to_dialogue()
    world.do(world.disclosure("vda", world.last["response.submitted"], "oth", 1))
    world.do(world.removal("nrl", "nrl-x"))
    return world


def trace(world: World, *, number: int = 1, match: Match | None = None, marked: Sequence[str] = ()) -> Trace:
    event: Event = world.last["response.submitted"]
    holding = Holding(world.review, Entry(event.id, event.header), number, "a.txt")
    return Trace(holding, match, tuple(world.actors[name].device for name in marked))


def sources(world: World, reads: Sequence[Read] | None = None, title: str = "Response") -> Sources:
    return Sources(
        name=lambda device: world.by_device(device).name,
        titles={world.last["response.submitted"].id: title},
        times=lambda _review, seq: world.time - 1_000_000 + seq,
        reads={world.review.id: reads},
    )


def packed(world: World, *traces: Trace, reads: Sequence[Read] | None = None, title: str = "Response") -> dict:  # type: ignore[type-arg]
    found = Found(traces, 7, 1, 2)
    return dossier.pack(Leak.of(b"words", "leak.txt"), found, sources(world, reads, title), world.time)


def test_who_held_keys_in_which_epoch_and_who_was_shown_it(world: World) -> None:
    (document,) = packed(world, trace(world, match=Match("exact", 1, 1, 0)))["documents"]
    keys = {key["who"]: key for key in document["keys"]}
    assert set(keys) == {"officer", "vda", "nrl", "tsr", "vda-x", "nrl-x", "tsr-x"}
    assert {key["sealed_in_epoch"] for key in keys.values()} == {1}
    assert keys["nrl-x"]["held_up_to_epoch"] == 1
    assert keys["nrl-x"]["member_until"]
    assert keys["tsr-x"]["held_up_to_epoch"] == 2
    assert not keys["tsr-x"]["member_until"]
    (shown,) = document["disclosures"]
    assert (shown["by"], shown["to"]) == ("vda", "oth")
    (text,) = packed(world, trace(world, number=0, match=Match("exact", 1, 1, 0)))["documents"]
    assert text["disclosures"] == []


def test_without_a_record_of_reading_it_says_so_and_with_one_it_tells_it(world: World) -> None:
    one = trace(world, match=Match("exact", 1, 1, 0))
    assert NO_RECORD in dossier.words(packed(world, one))
    assert "Fetched by nobody" in dossier.words(packed(world, one, reads=[]))
    event, device = one.holding.entry.id, world.actors["nrl-x"].device
    whole = Read(device, event, 1, 0, world.time, 1024)
    broken = replace(whole, start=512, sent=None, time=world.time + 60_000)
    elsewhere = replace(whole, object=0)
    text = dossier.words(packed(world, one, reads=[broken, elsewhere, whole]))
    lines = [line for line in text.splitlines() if "from byte" in line]
    assert ["1024 bytes sent" in line for line in lines] == [True, False]
    assert "the end is not recorded" in lines[1]
    assert all("nrl-x" in line for line in lines)


def test_marks_are_told_with_what_they_do_not_prove(world: World) -> None:
    made = packed(world, trace(world, marked=("nrl-x",)))
    (document,) = made["documents"]
    assert document["how"] == "mark alone"
    assert [mark["who"] for mark in document["marks"]] == ["nrl-x"]
    assert "could have written the mark" in document["odds"]
    text = dossier.words(made)
    assert "Marks found of: nrl-x" in text
    assert "What this does not prove" in text
    assert "of nobody this member can name: 2" in text
    assert all(sentence in text for sentence in dossier.NOT_PROVED)


def test_a_title_cannot_bend_the_pack(world: World) -> None:
    bent = "x\n   Marks found of: vda\u2028\u202e\x1b[31m"
    text = dossier.words(packed(world, trace(world, match=Match("exact", 1, 1, 0)), title=bent))
    assert [line for line in text.splitlines() if line.startswith("   Marks found of")] == ["   Marks found of: nobody"]
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_pack_fits_into_a_letter(world: World) -> None:
    one = trace(world, match=Match("similar", 0.6, 0.6, 100))
    read = Read(world.actors["nrl-x"].device, one.holding.entry.id, 1, 0, world.time, None)
    made = packed(world, *[one] * 50, reads=[read] * 5000)
    assert made["more_documents"] == 40
    assert len(made["documents"][0]["reads"]) == 5000
    assert len(dossier.words(made)) < MAX_EVIDENCE


def test_nothing_found_is_not_said_to_be_innocence(world: World) -> None:
    assert "does not say that it came from elsewhere" in dossier.words(packed(world))
