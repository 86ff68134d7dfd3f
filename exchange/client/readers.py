"""Who could read a paper: those whose keys reach its epoch, and those it was disclosed to."""

from __future__ import annotations

from events.review import Review
from exchange.client.client import Entry


def could_read(review: Review, entry: Entry, number: int = 0) -> frozenset[bytes]:
    """The devices that ever held a key for an event's text (or letter), or for its file of this number."""
    circle = review.circles.get(entry.header.circle)
    by_key = circle.readers(entry.header.epoch) if circle else frozenset()
    letter = entry.header.clear.get("recipients", ())
    return by_key | review.shown_to(entry.id, number) | frozenset(letter)
