"""Disclosure: one object's key sealed to one more device, by whoever can open it (docs/spec/disclosure.md)."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from events import canonical
from events.kinds.disclosure import MAX_DISCLOSURE, ObjectDisclosed, holds_key
from events.register import Person
from events.review import Disclosure, Review
from events.rule import FileInfo
from exchange.client.client import Client, Entry
from exchange.client.compose import Draft
from exchange.client.errors import ClientError, NotFound
from exchange.client.keyring import Disclosed, disclosure_context
from keys.labels import Label
from keys.recipient import SEAL_OVERHEAD, Recipient


async def disclose(client: Client, review: Review, entry: Entry, number: int, reader: Person, note: str) -> Draft:
    """Disclose one object of an event to a person; raises NoKey, NotFound, ClientError."""
    sealed = await sealed_key(client, review, entry, number, reader, note)
    register = client.replay.history.latest.seq
    digest = hashlib.sha256(sealed).digest()
    clear = ObjectDisclosed.Clear(register, entry.id, number, reader.device, digest)
    return Draft("object.disclosed", clear, carried=sealed)


def disclosed_to(review: Review, device: bytes, event: bytes) -> list[Disclosure]:
    """What of an event was disclosed to a device, assignments of translations among it, oldest first."""
    mine = [made for made in review.disclosures.values() if (made.reader, made.source) == (device, event)]
    return sorted(mine, key=lambda made: made.seq)


def files_of(body: msgspec.Struct) -> tuple[FileInfo, ...]:
    """What a body says of its files."""
    one: FileInfo | None = getattr(body, "file", None)
    many: tuple[FileInfo, ...] = getattr(body, "files", ())
    return (one,) if one else many


def opens(review: Review, entry: Entry, number: int, device: bytes) -> bool:
    """Whether a device holds the key of one object, by its circle or by a disclosure."""
    return holds_key(review, review.known[entry.id], device) or bool(review.shown_by(device, entry.id, number))


async def file_names(client: Client, review: Review, entry: Entry) -> dict[int, str]:
    """The names of those files of a paper that this device can open, by their numbers; raises NoKey."""
    if not entry.header.objects:
        return {}
    me = client.identity.fingerprint
    numbers = [n for n in range(1, len(entry.header.objects)) if opens(review, entry, n, me)]
    if numbers and not opens(review, entry, 0, me):
        return {n: (await _told(client, review, entry, n)).name or f"file-{n}" for n in numbers}
    files = files_of((await client.open(review, entry)).body)
    return {n: files[n - 1].name if n <= len(files) else f"file-{n}" for n in numbers}


async def shown_or_told(client: Client, review: Review, entry: Entry) -> dict[str, Any]:
    """The words of a paper; if only files of it were disclosed, their titles and names. Raises NoKey."""
    me = client.identity.fingerprint
    numbers = [n for n in range(1, len(entry.header.objects)) if review.shown_by(me, entry.id, n)]
    if not numbers or opens(review, entry, 0, me):
        shown: dict[str, Any] = msgspec.to_builtins((await client.open(review, entry)).body)
        return shown
    told = {n: await _told(client, review, entry, n) for n in numbers}
    return {"disclosed": "\n".join(f"file {n}: {t.title} ({t.name or 'no name'})" for n, t in told.items())}


async def sealed_key(
    client: Client,
    review: Review,
    entry: Entry,
    number: int,
    reader: Person,
    note: str,
    *,
    lang: str = "",
    slots: tuple[bytes, ...] = (),
) -> bytes:
    """Seal the key of one object, its name and a note to a reader; with slots, for a translation into `lang`.

    Raises NoKey, NotFound, and ClientError if the note is too long.
    """
    if not entry.header.objects:
        raise NotFound(f"#{entry.header.seq} has no sealed words to disclose")
    if not 0 <= number < len(entry.header.objects):
        raise NotFound(f"this paper has {len(entry.header.objects) - 1} files; there is no number {number}")
    key = await client.object_key(review, entry, number)
    title, name, media = await _named(client, review, entry, number)
    told = Disclosed(key.secret, slots, title, name, media, note)
    plain = canonical.encode(msgspec.to_builtins(told, builtin_types=(bytes,)))
    if len(plain) + SEAL_OVERHEAD > MAX_DISCLOSURE:
        raise ClientError(f"expected a note of at most about {MAX_DISCLOSURE // 1024} KiB, got more; nothing was sent")
    context = disclosure_context(review.id, entry.id, number, lang, reader.device)
    return Recipient(reader.signing, reader.sealing).seal(Label.DISCLOSURE, plain, context)


async def _told(client: Client, review: Review, entry: Entry, number: int) -> Disclosed:
    """What this device was told of an object by a disclosure that opens it."""
    return (await client.keyring.shown(review, entry.id, entry.header, number))[0]


async def _named(client: Client, review: Review, entry: Entry, number: int) -> tuple[str, str | None, str | None]:
    """Title of the paper, and name and media type if it is a file; the reader is told these and no more."""
    body = (await client.open(review, entry)).body
    title = str(getattr(body, "title", "") or entry.rule.summary)
    if not number:
        return title, None, None
    files = files_of(body)
    if number > len(files):
        raise NotFound(f"this paper names {len(files)} files; there is no number {number}")
    return files[number - 1].title, files[number - 1].name, files[number - 1].media
