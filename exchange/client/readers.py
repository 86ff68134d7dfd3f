"""Who could read a paper: those whose keys reach its epoch, and those it was disclosed to."""

from __future__ import annotations

from events.review import Review
from exchange.client.client import Entry


def could_read(review: Review, entry: Entry) -> frozenset[bytes]:
    """The devices that ever held a key for an event's text."""
    circle = review.circles.get(entry.header.circle)
    by_key = circle.readers(entry.header.epoch) if circle else frozenset()
    disclosed = {
        t.translator
        for t in review.translations.values()
        if (t.source == entry.id and not t.object) or t.event == entry.id
    }
    return by_key | disclosed
