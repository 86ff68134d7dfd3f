"""The evidence pack: what a trace found, who could have been its source, and what none of it proves."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from events.review import Disclosure, Review
from events.rule import rule_of
from exchange.client.leaks import Found, Leak, Trace
from exchange.client.reads import Read

MOST_DOCUMENTS = 10
MOST_READS = 100
NO_RECORD = "The record of reading is not available."
NOT_PROVED = (
    "A likeness of words does not say through whom a text came out: everybody who could open it had the same words.",
    "Holding a key is not having read. Whoever holds a key can pass it on, and then others read in their place.",
    "A mark says whose copy this most likely was, not who gave it away: a copy may have been stolen.",
    "Whoever knows of a mark can remove it, and whoever holds the document's key can write anybody's.",
    "No mark found says nothing: the copy may have been cleaned, typed anew, photographed, or fetched unmarked.",
    "Fetching a document is not leaking it.",
)

Name = Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class Sources:
    """What a pack is made from besides the trace: names of devices, titles of documents, times, records of reading.

    `titles` by event; `times` (milliseconds) by review and number of the event; `reads` by review.
    """

    name: Name
    titles: Mapping[bytes, str]
    times: Callable[[Review, int], int]
    reads: Mapping[bytes, Sequence[Read] | None]


def pack(leak: Leak, found: Found, sources: Sources, made: int) -> dict[str, Any]:
    """The pack as plain values, for programs; `made` is the time in milliseconds."""
    return {
        "leak": {
            "name": leak.name,
            "size": leak.size,
            "sha256": leak.fingerprint.content.hex(),
            "marks": len(leak.marks),
            "marks_of_nobody_known": found.unknown,
        },
        "made": _when(made),
        "compared": found.compared,
        "not_compared": found.missing,
        "more_documents": max(0, len(found.traces) - MOST_DOCUMENTS),
        "documents": [_document(trace, sources) for trace in found.traces[:MOST_DOCUMENTS]],
        "not_proved": list(NOT_PROVED),
    }


def words(made: dict[str, Any]) -> str:
    """The pack as text for people; plain, and readable without this program."""
    return "".join(f"{_clean(line)}\n" for line in _lines(made))


def odds(trace: Trace) -> str:
    """What speaks for one document, and how strongly, in words."""
    holders = "whoever holds this document's key could have written the mark, too"
    said = [trace.match.odds] if trace.match else []
    if trace.marked:
        whose = "a reader's mark" if len(trace.marked) == 1 else f"the marks of {len(trace.marked)} readers"
        said.append(
            f"It carries {whose} in this document. This supports strongly that it is, or was made from, the copy which "
            f"that reader's client opened; {holders}."
        )
    return " ".join(said)


def how(trace: Trace) -> str:
    """How a leak is like a document, in a word or two."""
    return trace.match.how if trace.match else "mark alone"


def part(number: int, name: str) -> str:
    """What of an event is meant."""
    return (f"file {number} ({name})" if name else f"file {number}") if number else "text"


# -- one document


def _document(trace: Trace, sources: Sources) -> dict[str, Any]:
    holding = trace.holding
    review, entry, number = holding.review, holding.entry, holding.number
    header, match = entry.header, trace.match
    return {
        "review": f"{review.under_review}-{review.year}",
        "event": f"#{header.seq}",
        "event_id": entry.id.hex(),
        "title": sources.titles.get(entry.id, ""),
        "kind": entry.rule.label,
        "part": part(number, holding.name),
        "version": holding.version,
        "superseded": review.superseded(entry.id),
        "language": header.lang,
        "by": sources.name(header.author),
        "time": _when(header.time),
        "how": how(trace),
        "share_of_leak": round(match.leak_in_document, 3) if match else None,
        "share_of_document": round(match.document_in_leak, 3) if match else None,
        "odds": odds(trace),
        "marks": [_device(device, sources) for device in trace.marked],
        "keys": list(_keys(trace, sources)),
        "disclosures": [_disclosure(review, event, made, sources) for event, made in _shown(trace)],
        "reads": _reads(trace, sources),
    }


def _keys(trace: Trace, sources: Sources) -> Iterator[dict[str, Any]]:
    """Who held a key that opens the document by its circle: from which epoch it is, and up to which they held one."""
    review, header = trace.holding.review, trace.holding.entry.header
    circle = review.circles[header.circle]
    for device in sorted(circle.readers(header.epoch), key=sources.name):
        member = review.members.get(device)
        yield {
            **_device(device, sources),
            "circle": header.circle,
            "sealed_in_epoch": header.epoch,
            "held_up_to_epoch": circle.held[device],
            "member_since": _when(sources.times(review, member.since)) if member else "",
            "member_until": _when(sources.times(review, member.until)) if member and member.until is not None else "",
        }


def _shown(trace: Trace) -> list[tuple[bytes, Disclosure]]:
    """The disclosures that open the document or, if it is a translation, opened its slots to its translator."""
    review, entry, number = trace.holding.review, trace.holding.entry, trace.holding.number
    events = {
        event for device in review.shown_to(entry.id, number) for event in review.shown_by(device, entry.id, number)
    }
    return sorted(((event, review.disclosures[event]) for event in events), key=lambda item: item[1].seq)


def _disclosure(review: Review, event: bytes, made: Disclosure, sources: Sources) -> dict[str, Any]:
    return {
        "event": f"#{made.seq}",
        "event_id": event.hex(),
        "by": sources.name(made.by),
        "to": sources.name(made.reader),
        "fingerprint": made.reader.hex(),
        "kind": rule_of(review.known[event].kind).label,
        "time": _when(sources.times(review, made.seq)),
        "language": made.lang,
    }


def _reads(trace: Trace, sources: Sources) -> list[dict[str, Any]] | None:
    """Who fetched the document and when, as the record of reading has it; None without a record."""
    holding = trace.holding
    record = sources.reads.get(holding.review.id)
    if record is None:
        return None
    mine = [read for read in record if (read.event, read.object) == (holding.entry.id, holding.number)]
    mine.sort(key=lambda read: read.time)
    return [
        {**_device(read.reader, sources), "time": _when(read.time), "from_byte": read.start, "bytes_sent": read.sent}
        for read in mine
    ]


def _device(device: bytes, sources: Sources) -> dict[str, Any]:
    return {"who": sources.name(device), "fingerprint": device.hex()}


def _when(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M")


# -- as text


def _clean(line: str) -> str:
    """A line that stays one: titles and names of others steer neither the reader's terminal nor the pack's layout."""
    return "".join(" " if unicodedata.category(char)[0] == "C" or char in "\u2028\u2029" else char for char in line)


def _lines(made: dict[str, Any]) -> Iterator[str]:
    leak = made["leak"]
    yield "EVIDENCE: WHERE A LEAKED FILE OR TEXT MAY HAVE COME FROM"
    yield ""
    yield f"Made {made['made']} UTC by one member's client, from what that member can open and verify."
    yield f"Leak: {leak['name'] or 'pasted text'}, {leak['size']} bytes, SHA-256 {leak['sha256']}"
    yield f"Marks in it: {leak['marks']}; of nobody this member can name: {leak['marks_of_nobody_known']}"
    yield f"Documents compared: {made['compared']}; that could not be: {made['not_compared']}"
    for number, document in enumerate(made["documents"], 1):
        yield ""
        yield from _document_lines(number, document)
    if not made["documents"]:
        yield ""
        yield "It is like none of them. That does not say that it came from elsewhere."
    if made["more_documents"]:
        yield ""
        yield f"Likely documents left out here: {made['more_documents']}"
    yield ""
    yield "What this does not prove"
    yield from (f"- {sentence}" for sentence in made["not_proved"])


def _document_lines(number: int, document: dict[str, Any]) -> Iterator[str]:
    newer = ", a newer version exists" if document["superseded"] else ""
    yield f"{number}. {document['title'] or document['kind']}: {document['part']}"
    yield f"   Review {document['review']}, event {document['event']}, {document['event_id']}"
    yield f"   {document['kind']}, version {document['version']}{newer}, language {document['language'] or '—'}"
    yield f"   By {document['by']}, {document['time']} UTC"
    yield f"   {document['how'].capitalize()}. {document['odds']}"
    yield "   Marks found of: " + (", ".join(mark["who"] for mark in document["marks"]) or "nobody")
    yield "   Held a key for it:"
    yield from (f"   - {_key_line(key)}" for key in document["keys"])
    yield "   Disclosed to:" if document["disclosures"] else "   Disclosed to nobody."
    yield from (
        f"   - {made['to']}, by {made['by']}, {made['time']} ({made['event']}, {made['kind']})"
        for made in document["disclosures"]
    )
    yield from _read_lines(document["reads"])


def _key_line(key: dict[str, Any]) -> str:
    until = f" until {key['member_until']}" if key["member_until"] else ""
    since = f", member since {key['member_since']}{until}" if key["member_since"] else ""
    epochs = f"sealed in epoch {key['sealed_in_epoch']}, held up to epoch {key['held_up_to_epoch']}"
    return f"{key['who']}: circle {key['circle']}, {epochs}{since}"


def _read_lines(reads: list[dict[str, Any]] | None) -> Iterator[str]:
    if reads is None:
        yield f"   {NO_RECORD}"
        return
    yield "   Fetched by:" if reads else "   Fetched by nobody, says the record of reading."
    for read in reads[:MOST_READS]:
        sent = "the end is not recorded" if read["bytes_sent"] is None else f"{read['bytes_sent']} bytes sent"
        yield f"   - {read['who']}, {read['time']}, from byte {read['from_byte']}, {sent}"
    if len(reads) > MOST_READS:
        yield f"   - and {len(reads) - MOST_READS} more times"
