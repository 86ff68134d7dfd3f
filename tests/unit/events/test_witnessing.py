"""What a witness is asked and what it makes of it; and receipts for events, true and forged."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events import canonical, logged
from events.checkpoint import Head
from events.entries import EntryType, entry
from events.errors import BadNote, EventsError, NotProved
from events.merkle import EMPTY_ROOT
from events.policy import Policy
from events.receipts import Receipt
from events.witnessing import MAX_REQUEST, AddCheckpoint, Verdict, judge
from keys.errors import BadSignature, KeysError
from keys.identity import Identity
from tests.support.tree import ORIGIN, TestLog, entries
from tests.support.world import World

LOG = TestLog(entries(12))
FORKED = TestLog([*entries(3), *entries(9, b"forked")])

# The example of c2sp.org/tlog-witness.
EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""


def test_the_published_request_is_read() -> None:
    request = AddCheckpoint.parse(EXAMPLE.encode())
    assert (request.old, len(request.hashes), len(request.note.signatures)) == (20_852_014, 4, 2)
    assert request.encode().decode() == EXAMPLE


def ask(old: int, new: int, log: TestLog = LOG, hashes: tuple[bytes, ...] | None = None) -> AddCheckpoint:
    proof = log.consistency(old, new) if hashes is None and 0 < old <= new else hashes or ()
    return AddCheckpoint(old, proof, log.note(new))


EMPTY = Head(ORIGIN, 0, EMPTY_ROOT)


@pytest.mark.parametrize(
    ("last", "request_", "verdict"),
    [
        (None, ask(0, 5), Verdict.CONTINUES),
        (None, ask(0, 0), Verdict.CONTINUES),
        (EMPTY, ask(0, 5), Verdict.CONTINUES),
        (LOG.head(5), ask(5, 9), Verdict.CONTINUES),
        (LOG.head(8), ask(8, 9), Verdict.CONTINUES),
        (LOG.head(5), ask(5, 5), Verdict.CONTINUES),
        (LOG.head(5), ask(9, 5), Verdict.OLD_TOO_LARGE),
        (None, ask(5, 9), Verdict.OTHER_OLD_SIZE),
        (LOG.head(5), ask(0, 9), Verdict.OTHER_OLD_SIZE),
        (LOG.head(5), ask(0, 3), Verdict.OTHER_OLD_SIZE),
        (LOG.head(5), ask(3, 3), Verdict.OTHER_OLD_SIZE),
        (LOG.head(5), ask(4, 9), Verdict.OTHER_OLD_SIZE),
        (LOG.head(5), ask(0, 5, FORKED), Verdict.FORKED),
        (LOG.head(5), ask(5, 5, FORKED), Verdict.FORKED),
        (LOG.head(5), ask(5, 9, FORKED), Verdict.NOT_CONSISTENT),
        (LOG.head(8), ask(8, 9, FORKED), Verdict.NOT_CONSISTENT),
        (LOG.head(5), ask(5, 9, LOG, (bytes(32),)), Verdict.NOT_CONSISTENT),
        (LOG.head(5), AddCheckpoint(5, (), LOG.note(9)), Verdict.NOT_CONSISTENT),
        (LOG.head(5), ask(5, 5, LOG, (bytes(32),)), Verdict.NOT_CONSISTENT),
        (None, ask(0, 5, LOG, (bytes(32),)), Verdict.NOT_CONSISTENT),
        (EMPTY, ask(0, 5, LOG, (bytes(32),)), Verdict.NOT_CONSISTENT),
    ],
)
def test_only_what_continues_is_cosigned(last: Head | None, request_: AddCheckpoint, verdict: Verdict) -> None:
    assert judge(last, request_, Head.parse(request_.note.text)) is verdict


@pytest.mark.parametrize(
    "data",
    [
        b"",
        EXAMPLE.replace("old ", "new ").encode(),
        EXAMPLE.replace("old 2", "old 02").encode(),
        EXAMPLE.replace("old 20852014", "old -1").encode(),
        EXAMPLE.replace("=\n\nex", "=\nex").encode(),
        EXAMPLE.replace("old 20852014\n", "old 20852014\n" + ("A" * 43 + "=\n") * 60).encode(),
        EXAMPLE.replace("=\n\nex", "=\nAAAA\n\nex").encode(),
        EXAMPLE.encode() + b" " * MAX_REQUEST,
        b"old 0\n\n",
    ],
)
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(BadNote):
        AddCheckpoint.parse(data)


PARTS = st.lists(st.sampled_from([*EXAMPLE.split("\n"), "old 0", ""]), max_size=14)


@given(st.one_of(st.binary(max_size=200), PARTS.map(lambda lines: "\n".join(lines).encode())))
@example(EXAMPLE.encode())
def test_whatever_comes_is_a_request_or_refused(data: bytes) -> None:
    try:
        request = AddCheckpoint.parse(data)
    except BadNote:
        return
    assert request.encode() == data


# -- receipts for events

WORLD = World(experts=False)
ENVELOPES = [envelope for envelope, _ in WORLD.records[WORLD.register.id]]
EVENTS = TestLog([entry(EntryType.ENVELOPE, hashlib.sha256(envelope).digest()) for envelope in ENVELOPES])
POLICY = Policy.parse(EVENTS.policy(2, "NRL", "TSR"))
AUTHOR = WORLD.actors["officer"].identity.recipient


def receipt(place: int, envelope: bytes | None = None) -> Receipt:
    size = len(ENVELOPES)
    note = EVENTS.note(size, "NRL", "TSR")
    return logged.receipt_for(envelope or ENVELOPES[place], AUTHOR, place, EVENTS.inclusion(place, size), note)


def test_every_event_has_its_receipt() -> None:
    for place, envelope in enumerate(ENVELOPES):
        found = logged.check(Receipt.parse(receipt(place).encode()), POLICY)
        assert found.event.id == hashlib.sha256(envelope).digest()
        assert found.author.fingerprint == AUTHOR.fingerprint
        assert (found.place, found.event.header.seq) == (place, place)


def test_a_forged_receipt_proves_nothing() -> None:
    other = Identity.generate().recipient
    tampered = ENVELOPES[2][:-1] + bytes([ENVELOPES[2][-1] ^ 1])
    swapped = canonical.encode([ENVELOPES[2], other.signing, other.sealing])
    cases = [
        (receipt(2, ENVELOPES[1]), NotProved),
        (dataclasses.replace(receipt(2), index=1), NotProved),
        (receipt(2, tampered), BadSignature),
        (dataclasses.replace(receipt(2), extra=swapped), BadSignature),
        (dataclasses.replace(receipt(2), extra=b""), BadNote),
        (dataclasses.replace(receipt(2), extra=canonical.encode([b"", other.signing, other.sealing])), BadNote),
        (dataclasses.replace(receipt(2), extra=canonical.encode([ENVELOPES[2], bytes(32), other.sealing])), BadNote),
        (dataclasses.replace(receipt(2), extra=canonical.encode([ENVELOPES[2]])), BadNote),
        (dataclasses.replace(receipt(2), extra=receipt(2).extra + b"\x00"), BadNote),
        (dataclasses.replace(receipt(2), note=EVENTS.note(len(ENVELOPES), "NRL")), BadNote),
    ]
    for forged, error in cases:
        with pytest.raises(error):
            logged.check(forged, POLICY)


GOOD = receipt(2).encode()


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_no_changed_byte_of_a_receipt_tells_something_else(at: int, byte: int) -> None:
    try:
        found = logged.check(Receipt.parse(GOOD[:at] + bytes([byte]) + GOOD[at + 1 :]), POLICY)
    except (EventsError, KeysError):
        return
    assert found.event.id == hashlib.sha256(ENVELOPES[2]).digest()
    assert found.witnessed.head == EVENTS.head(len(ENVELOPES))
