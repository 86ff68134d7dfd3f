"""Who fetched what, as the record of reading tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from events.review import Review
from exchange.client.client import Client


@dataclass(frozen=True, slots=True)
class Read:
    """A device said it would read an object of an event from byte `start` on, at `time` (milliseconds).

    `sent` is how many bytes the server says it sent; None if it did not say that it finished.
    """

    reader: bytes
    event: bytes
    object: int
    start: int
    time: int
    sent: int | None


async def reads_of(_client: Client, _review: Review) -> Sequence[Read] | None:
    """The record of reading a review; None where no such record can be had."""
    return None
