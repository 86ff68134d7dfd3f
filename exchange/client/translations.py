"""Drafts of translation: a document disclosed to a translator, and the translation returned into its slots."""

from __future__ import annotations

import hashlib
import secrets

from events.envelope import object_context
from events.errors import WrongRole
from events.kinds.translation import Translated, TranslationAssigned
from events.register import Person
from events.review import Review, Slot, Translation
from events.rule import Nothing, Role
from exchange.client.client import Client, Entry
from exchange.client.compose import Draft
from exchange.client.disclosing import sealed_key
from exchange.client.keyring import bound
from keys.sealing import SlotKey, new_salt


async def assign(
    client: Client, review: Review, source: Entry, number: int, lang: str, translator: Person, note: str
) -> Draft:
    """Disclose one object to a translator, with slots for its translation."""
    if translator.role is not Role.TRANSLATOR:
        raise WrongRole("a translator", translator.role)
    epoch = await client.keyring.current(review, source.header.circle)
    slots, secrets_ = [], []
    for _ in range(2 if number else 1):
        slot_id, salt = secrets.token_bytes(16), new_salt()
        slot_key = SlotKey.derive(epoch, object_context(slot_id, 1), salt)
        slots.append(Slot(slot_id, 1, salt, slot_key.commitment))
        secrets_.append(slot_key.secret)
    sealed = await sealed_key(client, review, source, number, translator, note, lang=lang, slots=tuple(secrets_))
    register = client.replay.history.latest.seq
    clear = TranslationAssigned.Clear(
        register, source.id, number, lang, translator.device, tuple(slots), hashlib.sha256(sealed).digest()
    )
    return Draft("translation.assigned", clear, carried=sealed)


async def submit(client: Client, review: Review, entry: Translation, translated: Translated) -> Draft:
    """Return a translation into its slots."""
    told = await client.keyring.disclosed(review, entry.assignment)
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
