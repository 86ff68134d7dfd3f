"""Evidence of a fork: there is some whenever a log signed two histories, and none can be made from an honest log."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events import merkle
from events.errors import BadNote, EventsError, NotProved
from events.forks import MAX_EVIDENCE, Evidence, Fork
from events.policy import Policy
from tests.support.tree import TestLog, entries

SIZE = 40
HONEST = TestLog(entries(SIZE))
# The same key, another history from entry 5 on.
FORKED = TestLog([*entries(SIZE)[:5], *entries(SIZE - 5, b"forked")])
POLICY = Policy.parse(f"log {HONEST.vkey}\nquorum none\n")
SIZES = st.integers(1, SIZE)


def agreed(evidence: Evidence) -> Fork:
    read = Evidence.parse(evidence.encode())
    assert read == evidence
    return read.verify(POLICY)


@given(SIZES, SIZES)
@example(8, 8)
@example(8, 16)
@example(16, 17)
@example(6, 40)
def test_every_fork_can_be_shown(one: int, other: int) -> None:
    old, new = sorted((one, other))
    evidence = Evidence.between(HONEST.note(old), FORKED.note(new), FORKED.nodes)
    if old <= 5:
        with pytest.raises(NotProved):
            evidence.verify(POLICY)
    else:
        fork = agreed(evidence)
        assert (fork.old.head, fork.new.head) == (HONEST.head(old), FORKED.head(new))


@given(SIZES, SIZES, st.lists(st.binary(min_size=32, max_size=32), max_size=8))
def test_an_honest_log_cannot_be_accused(one: int, other: int, hashes: list[bytes]) -> None:
    """With its own proofs, with those of another tree, with anything: checkpoints of one history are no fork."""
    old, new = sorted((one, other))
    notes = (HONEST.note(old), HONEST.note(new))
    for evidence in (
        Evidence.between(*notes, HONEST.nodes),
        Evidence.between(*notes, FORKED.nodes),
        Evidence(tuple(hashes), *notes),
        Evidence(HONEST.consistency(old, new), *notes),
        Evidence((FORKED.root(old), *HONEST.consistency(old, new)), *notes),
        Evidence((HONEST.root(old), *HONEST.consistency(old, new)), *notes),
        Evidence(tuple(hashes), *reversed(notes)),
    ):
        with pytest.raises(NotProved):
            evidence.verify(POLICY)


@given(st.integers(1, SIZE - 1), st.data())
def test_no_bent_proof_accuses(old: int, data: st.DataObject) -> None:
    new = data.draw(st.integers(old + 1, SIZE))
    whole = Evidence.between(HONEST.note(old), HONEST.note(new), HONEST.nodes)
    at = data.draw(st.integers(0, len(whole.hashes) - 1))
    bent = data.draw(
        st.sampled_from(
            [
                (*whole.hashes[:at], merkle.leaf_hash(b"bent"), *whole.hashes[at + 1 :]),
                whole.hashes[:at] + whole.hashes[at + 1 :],
                (*whole.hashes[:at], whole.hashes[at], *whole.hashes[at:]),
                tuple(reversed(whole.hashes)) if len(set(whole.hashes)) > 1 else (),
            ]
        )
    )
    with pytest.raises(NotProved):
        dataclasses.replace(whole, hashes=bent).verify(POLICY)


def test_only_what_the_log_signed_accuses_it() -> None:
    impostor = TestLog(FORKED.entries, "log.example/another")
    unsigned = dataclasses.replace(FORKED.note(9), signatures=impostor.note(9).signatures)
    for new in (impostor.note(9), unsigned):
        with pytest.raises(BadNote):
            Evidence((), HONEST.note(9), new).verify(POLICY)
    both = Policy.parse(f"log {HONEST.vkey}\nlog {impostor.vkey}\nquorum none\n")
    with pytest.raises(NotProved):
        Evidence((), HONEST.note(9), impostor.note(9)).verify(both)


def test_hashes_where_none_belong() -> None:
    with pytest.raises(NotProved):
        Evidence((bytes(32),), HONEST.note(9), FORKED.note(9)).verify(POLICY)
    with pytest.raises(NotProved):
        Evidence((), HONEST.note(9), HONEST.note(9)).verify(POLICY)


GOOD = Evidence.between(HONEST.note(8, "A"), FORKED.note(19, "B", "C"), FORKED.nodes).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD.replace(b"/v1", b"/v2"),
        GOOD[:-1],
        GOOD + b"\n",
        GOOD + GOOD,
        GOOD.replace(b"=\n\n", b"=\n", 1),
        GOOD + b" " * MAX_EVIDENCE,
        GOOD.replace(b"v1\n", b"v1\nAAAA\n"),
        GOOD.replace(b"v1\n", b"v1\n" + (b"A" * 43 + b"=\n") * 63),
    ],
)
def test_what_is_no_evidence_is_refused(data: bytes) -> None:
    with pytest.raises(BadNote):
        Evidence.parse(data)


PARTS = st.lists(st.sampled_from([*GOOD.decode().split("\n"), "", "— a AAAAAAA="]), max_size=24)


@given(st.one_of(st.binary(max_size=200), PARTS.map(lambda lines: "\n".join(lines).encode())))
@example(GOOD)
def test_whatever_comes_is_evidence_or_refused(data: bytes) -> None:
    try:
        read = Evidence.parse(data)
    except BadNote:
        return
    assert read.encode() == data


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_no_changed_byte_makes_other_evidence(at: int, byte: int) -> None:
    try:
        fork = Evidence.parse(GOOD[:at] + bytes([byte]) + GOOD[at + 1 :]).verify(POLICY)
    except EventsError:
        return
    assert (fork.old.head, fork.new.head) == (HONEST.head(8), FORKED.head(19))
