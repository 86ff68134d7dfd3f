"""Receipts: read as published, true for every entry of a log, false for every other and for whatever was changed."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events.errors import BadNote, EventsError, NotProved
from events.policy import Policy
from events.receipts import MAX_EXTRA, MAX_HASHES, MAX_RECEIPT, Receipt
from tests.support.tree import TIME, TestLog, entries

# The example of c2sp.org/tlog-proof; its signatures are abridged there, so one that says nothing stands here.
EXAMPLE = """c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

— example.com/fancylog AAAAAAA=
"""
SIZE = 23
LOG = TestLog(entries(SIZE))
POLICY = Policy.parse(LOG.policy(2, "A", "B", "C"))


def receipt(index: int, *witnesses: str, size: int = SIZE) -> Receipt:
    return Receipt(index, LOG.inclusion(index, size), LOG.note(size, *(witnesses or ("A", "B"))), b"extra")


def test_the_published_example_is_read() -> None:
    read = Receipt.parse(EXAMPLE.encode())
    assert (read.index, len(read.hashes)) == (73_894, 5)
    assert read.extra.startswith(b"age-v1.2.1-darwin-arm64.tar.gz")
    assert read.encode().decode() == EXAMPLE
    without = EXAMPLE.replace(EXAMPLE.split("\n")[1] + "\n", "")
    assert Receipt.parse(without.encode()) == dataclasses.replace(read, extra=b"")


def test_every_entry_has_a_receipt_and_no_other() -> None:
    for index, entry in enumerate(LOG.entries):
        read = Receipt.parse(receipt(index).encode())
        witnessed = read.verify(POLICY, entry)
        assert witnessed.head == LOG.head(SIZE)
        assert [(one.witness, one.time) for one in witnessed.cosigned] == [("A", TIME), ("B", TIME)]
        with pytest.raises(NotProved):
            read.verify(POLICY, LOG.entries[index - 1])
        with pytest.raises(NotProved):
            dataclasses.replace(read, index=(index + 1) % SIZE).verify(POLICY, entry)


def test_a_receipt_needs_the_log_and_the_quorum() -> None:
    entry, other = LOG.entries[3], TestLog(entries(SIZE), "log.example/other")
    for policy, shown in (
        (POLICY, receipt(3, "A")),
        (POLICY, receipt(3, "A", "X")),
        (Policy.parse(other.policy(2, "A", "B")), receipt(3)),
        (POLICY, dataclasses.replace(receipt(3), note=other.note(SIZE, "A", "B"))),
    ):
        with pytest.raises(BadNote):
            shown.verify(policy, entry)
    # Another tree of the same log: the witnesses signed it, but the entry is not in it.
    forged = TestLog(entries(SIZE, b"forged"))
    with pytest.raises(NotProved):
        dataclasses.replace(receipt(3), note=forged.note(SIZE, "A", "B")).verify(POLICY, entry)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("@v1", "@v2"),
        lambda text: text.replace("extra ZXh0cmE=\n", "extra \n"),
        lambda text: text.replace("extra ZXh0cmE=\n", "extra ZXh0cmE=\nextra ZXh0cmE=\n"),
        lambda text: text.replace("index 3", "index 03"),
        lambda text: text.replace("index 3\n", ""),
        lambda text: text.replace("index 3", "index -3"),
        lambda text: text.replace("index 3", "index 9223372036854775808"),
        lambda text: text.replace("index 3", "index  3"),
        lambda text: text.replace("=\n\nlog", "=\nlog"),
        lambda text: text.replace("=\n\nlog", "=\nAAAA\n\nlog"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("index 3\n", "index 3\n" + ("A" * 43 + "=\n") * MAX_HASHES),
        lambda text: text + "x",
        lambda text: "",
        lambda text: text + " " * MAX_RECEIPT,
    ],
)
def test_what_is_no_receipt_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    text = receipt(3).encode().decode()
    changed = change(text)
    assert changed != text
    with pytest.raises(BadNote):
        Receipt.parse(changed.encode())


def test_extra_data_is_bounded_and_the_largest_fits() -> None:
    largest = dataclasses.replace(receipt(3), extra=bytes(MAX_EXTRA))
    assert Receipt.parse(largest.encode()) == largest
    with pytest.raises(BadNote):
        dataclasses.replace(largest, extra=bytes(MAX_EXTRA + 1))


GOOD = receipt(3).encode()


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_no_changed_byte_lets_another_tree_pass(at: int, byte: int) -> None:
    changed = GOOD[:at] + bytes([byte]) + GOOD[at + 1 :]
    try:
        read = Receipt.parse(changed)
        assert read.encode() == changed
        witnessed = read.verify(POLICY, LOG.entries[3])
    except EventsError:
        return
    # Only the extra data is not vouched for.
    assert witnessed.head == LOG.head(SIZE)
    assert dataclasses.replace(read, extra=b"extra").encode() == GOOD


PARTS = st.lists(st.sampled_from([*EXAMPLE.split("\n"), "extra ", "extra AAAA", "index 0", "—", ""]), max_size=14)


@given(st.one_of(st.binary(max_size=200), PARTS.map(lambda lines: "\n".join(lines).encode())))
@example(EXAMPLE.encode())
def test_whatever_comes_is_a_receipt_or_refused(data: bytes) -> None:
    try:
        read = Receipt.parse(data)
    except BadNote:
        return
    assert read.encode() == data
