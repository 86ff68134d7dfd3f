"""The process that checks signatures for an audit: runs of them on its input, a byte for each on its output."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

import msgspec

from exchange import collector
from exchange.audit.signatures import holds
from keys.labels import Label
from keys.recipient import Recipient

NICE = 5
Keys = dict[bytes, tuple[bytes, bytes]]
Work = list[tuple[bytes, str, bytes]]
_RUNS = msgspec.msgpack.Decoder(tuple[Keys, Work])


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the input ends."""
    known: dict[bytes, Recipient] = {}
    labels = {label.name: label for label in Label}
    while head := asked.read(4):
        keys, work = _RUNS.decode(asked.read(int.from_bytes(head, "big")))
        known |= {fingerprint: Recipient(*halves) for fingerprint, halves in keys.items()}
        answers.write(bytes([holds(known[by], labels[label], record) for by, label, record in work]))
        answers.flush()


if __name__ == "__main__":
    # Folding is the longer work: where processors are few, it goes first.
    os.nice(NICE)
    collector.relax()
    serve(sys.stdin.buffer, sys.stdout.buffer)
