"""Drafts about suspected breaches: the report, and what the oversight group answers to it (G 5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from events.kinds.breach import Finding, LetterClear, Suspicion, concerned, overseers
from events.register import Person, Register
from events.review import Breach, Review
from exchange.client import letters
from exchange.client.client import Client
from exchange.client.compose import Draft
from exchange.client.errors import ClientError, NotFound


def report(
    client: Client, review: Review, suspicion: Suspicion, papers: Sequence[bytes] = (), copies: Collection[Person] = ()
) -> Draft:
    """Report a suspected breach: to the whole oversight group, oneself, and those who get a copy."""
    register = client.replay.history.latest
    group = overseers(register)
    if not group:
        raise ClientError("the register names no member of the oversight group to write to; nothing was sent")
    devices = {*group, client.identity.fingerprint, *(person.device for person in copies)}
    clear, blob = _written(client, review, register, "breach.reported", suspicion, devices)
    return Draft("breach.reported", clear, about=tuple(papers), carried=blob)


def consider(client: Client, review: Review, report_: bytes, finding: Finding) -> Draft:
    """Say what the oversight group thinks of a report, or asks."""
    return _followed(client, review, "breach.considered", report_, finding)


def refer(client: Client, review: Review, report_: bytes, finding: Finding) -> Draft:
    """Refer a reported breach; the letter says to whom."""
    return _followed(client, review, "breach.referred", report_, finding)


def close(client: Client, review: Review, report_: bytes, finding: Finding) -> Draft:
    """Close a reported breach, with the reasons."""
    return _followed(client, review, "breach.closed", report_, finding)


def numbered(review: Review, number: int) -> tuple[bytes, Breach]:
    """The report of breach B1, B2, …; raises NotFound."""
    for event, breach in review.breaches.items():
        if breach.number == number:
            return event, breach
    raise NotFound(f"there is no breach B{number}; {len(review.breaches)} were reported in this review")


def _followed(client: Client, review: Review, kind: str, report_: bytes, finding: Finding) -> Draft:
    register = client.replay.history.latest
    devices = concerned(register, review.breaches[report_])
    clear, blob = _written(client, review, register, kind, finding, devices)
    return Draft(kind, clear, about=(report_,), carried=blob)


def _written(
    client: Client,
    review: Review,
    register: Register,
    kind: str,
    sealed: Suspicion | Finding,
    devices: Collection[bytes],
) -> tuple[LetterClear, bytes]:
    people = [register.active(device) for device in devices]
    return letters.write(review, register.seq, client.identity.fingerprint, kind, sealed, people)
