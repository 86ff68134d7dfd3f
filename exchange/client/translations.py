"""Drafts of translation: a document disclosed to a translator, and the translation returned into its slots."""

from __future__ import annotations

import hashlib
import secrets

import msgspec

from events import canonical
from events.envelope import object_context
from events.errors import WrongRole
from events.kinds.translation import Translated, TranslationAssigned
from events.register import Person
from events.review import Review, Slot, Translation
from events.rule import Nothing, Role
from exchange.client.client import Client, Entry
from exchange.client.compose import Draft
from exchange.client.errors import NotFound
from exchange.client.keyring import Disclosed, bound, disclosure_context
from keys.labels import Label
from keys.recipient import Recipient
from keys.sealing import SlotKey, new_salt


async def assign(
    client: Client, review: Review, source: Entry, number: int, lang: str, translator: Person, note: str
) -> Draft:
    """Disclose one object to a translator, with slots for its translation."""
    if translator.role is not Role.TRANSLATOR:
        raise WrongRole("a translator", translator.role)
    key = await client.object_key(review, source, number)
    circle = source.header.circle
    epoch = await client.keyring.current(review, circle)
    slots, secrets_ = [], []
    for _ in range(2 if number else 1):
        slot_id, salt = secrets.token_bytes(16), new_salt()
        slot_key = SlotKey.derive(epoch, object_context(slot_id, 1), salt)
        slots.append(Slot(slot_id, 1, salt, slot_key.commitment))
        secrets_.append(slot_key.secret)
    title, name, media = await _named(client, review, source, number)
    told = Disclosed(key.secret, tuple(secrets_), title, name, media, note)
    plain = canonical.encode(msgspec.to_builtins(told, builtin_types=(bytes,)))
    context = disclosure_context(review.id, source.id, number, lang, translator.device)
    sealed = Recipient(translator.signing, translator.sealing).seal(Label.DISCLOSURE, plain, context)
    register = client.replay.history.latest.seq
    clear = TranslationAssigned.Clear(
        register, source.id, number, lang, translator.device, tuple(slots), hashlib.sha256(sealed).digest()
    )
    return Draft("translation.assigned", clear, carried=sealed)


async def submit(client: Client, review: Review, entry: Translation, translated: Translated) -> Draft:
    """Return a translation into its slots."""
    told = await client.keyring.disclosed(review, entry, client.identity.fingerprint)
    slots: tuple[tuple[Slot, SlotKey], ...] = tuple(
        (slot, slot_key(review, entry, slot, secret)) for slot, secret in zip(entry.slots, told.slots, strict=True)
    )
    return Draft(
        "translation.submitted",
        Nothing(),
        about=(entry.assignment,),
        lang=entry.lang,
        sealed=translated,
        circle=entry.circle,
        slots=slots,
    )


def slot_key(review: Review, entry: Translation, slot: Slot, secret: bytes) -> SlotKey:
    """The key of a slot, checked against the commitment in the assignment."""
    place = bound(review.id, entry.circle, entry.epoch, object_context(slot.id, slot.version))
    return SlotKey(place, secret).expect(slot.commitment)


def assigned_to(review: Review, device: bytes) -> list[Translation]:
    """The assignments of a translator, oldest first."""
    mine = [entry for entry in review.translations.values() if entry.translator == device]
    return sorted(mine, key=lambda entry: entry.seq)


async def _named(client: Client, review: Review, source: Entry, number: int) -> tuple[str, str | None, str | None]:
    """Title of the source, and name and media type if it is a file; the translator sees these and no more."""
    body = (await client.open(review, source)).body
    title = str(getattr(body, "title", "") or source.rule.summary)
    if not number:
        return title, None, None
    files = getattr(body, "files", ())
    if number > len(files):
        raise NotFound(f"this document has {len(files)} files; there is no number {number}")
    return files[number - 1].title, files[number - 1].name, files[number - 1].media
