"""Translation: single documents disclosed to a translator, who returns them into slots made ready (ToR 48-51)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from events.act import Act
from events.envelope import Hash
from events.errors import AlreadyDone, NotAMember, StaleKey, WrongReference, WrongRole
from events.kinds.disclosure import MAX_DISCLOSURE
from events.kinds.people import LanguageCode
from events.pmap import Map
from events.review import Disclosure, Review, Slot, Translation, translation_key
from events.rule import CircleRule, FileInfo, Note, Party, Role, kind, one, rule_of
from events.stream import Document

Slots = Annotated[tuple[Slot, ...], msgspec.Meta(min_length=1, max_length=2)]


@kind(
    "translation.assigned",
    verb="translate assign",
    by={Role.OFFICER},
    most_carried=MAX_DISCLOSURE,
    para="ToR 49; G 14, 15",
)
class TranslationAssigned:
    """Assign one document to a translator: its key alone is disclosed, and a slot for the result."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        register: Annotated[int, msgspec.Meta(ge=0)]
        source: Hash
        object: Annotated[int, msgspec.Meta(ge=0, le=32)]
        lang: LanguageCode
        translator: Hash
        slots: Slots
        carried: Hash

        @property
        def readers(self) -> tuple[bytes, ...]:
            """Whom the key is sealed to."""
            return (self.translator,)

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        clear = act.clear
        person = act.register_at(clear.register, state.register).active(clear.translator)
        if person.role is not Role.TRANSLATOR:
            raise WrongRole("a translator", person.role.value)
        source = _check_source(state, clear.source, clear.object)
        circle = state.circles[source]
        if act.author.device not in circle.devices:
            raise NotAMember(f"an author who holds the key of circle {source}", "one who does not")
        if circle.waiting:
            raise StaleKey(f"current keys of {source}", "keys that wait to be changed")
        _check_slots(state, clear.slots)
        key = translation_key(clear.source, clear.object, clear.lang)
        done = state.translated.get(key)
        if done and _is_current(state, state.translations[done]):
            raise AlreadyDone("a document not translated into this language yet", "one that is")
        entry = Translation(
            act.id,
            act.header.seq,
            clear.source,
            clear.object,
            clear.lang,
            clear.translator,
            source,
            circle.epoch,
            clear.slots,
        )
        made = Disclosure(act.header.seq, clear.source, clear.object, clear.translator, act.author.device, clear.lang)
        return msgspec.structs.replace(
            state.with_disclosure(act.id, made),
            register=clear.register,
            translations=state.translations.insert(act.id, entry),
            translated=state.translated.insert(key, act.id),
            documents=_reserved(state, act),
        )


class Translated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The translated words: the sealed fields of the source, or the name and title of the file."""

    fields: dict[str, str] = {}
    file: FileInfo | None = None
    note: Note = ""


@kind(
    "translation.submitted",
    verb="translate submit",
    by={Role.TRANSLATOR},
    of={Party.OUTSIDE},
    circle=CircleRule.SOURCE,
    about=one("translation.assigned"),
    files=True,
    para="ToR 49; G 14, 15, 21",
)
class TranslationSubmitted:
    """Submit the translation of a document assigned to one."""

    Sealed = Translated

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        entry = state.translations[act.header.about[0]]
        if entry.translator != act.author.device:
            raise NotAMember("the translator it was assigned to", "another")
        if entry.event:
            raise AlreadyDone("a document not translated yet", "one that is")
        if state.translated[translation_key(entry.source, entry.object, entry.lang)] != entry.assignment:
            raise WrongReference("the newest assignment of this document", "one that was replaced")
        if act.header.epoch != entry.epoch:
            raise StaleKey(f"an assignment of the current epoch, {act.header.epoch}", f"one of {entry.epoch}")
        if act.header.lang != entry.lang:
            raise WrongReference(f"a translation into {entry.lang}", act.header.lang or "no language")
        given = tuple((ref.id, ref.version) for ref in act.header.objects)
        ready = tuple((slot.id, slot.version) for slot in entry.slots)
        if given != ready:
            raise WrongReference("exactly the slots of the assignment", "other objects")
        done = msgspec.structs.replace(entry, event=act.id)
        for number in range(len(given)):
            state = state.with_shown(entry.translator, act.id, number, entry.assignment)
        return msgspec.structs.replace(state, translations=state.translations.insert(entry.assignment, done))


def _check_source(state: Review, source: bytes, number: int) -> str:
    known = state.known.get(source)
    if known is None or not rule_of(known.kind).translated or number >= known.objects:
        raise WrongReference("a document that is translated, and one of its parts", "something else")
    if state.superseded(source):
        raise WrongReference("the newest version of the document", "one that was revised")
    return known.circle


def _check_slots(state: Review, slots: tuple[Slot, ...]) -> None:
    """Slot ids are new; reserving them keeps every other object from claiming them (rule 14)."""
    ids = {slot.id for slot in slots}
    if len(ids) != len(slots) or any(slot.id in state.documents for slot in slots):
        raise AlreadyDone("slots never used before", "one that was")


def _reserved(state: Review, act: Act) -> Map[bytes, Document]:
    documents = state.documents
    for slot in act.clear.slots:
        documents = documents.insert(slot.id, Document(0, act.id, "translation.submitted", ""))
    return documents


def _is_current(state: Review, entry: Translation) -> bool:
    """Whether a finished translation stands, or an open assignment can still be fulfilled."""
    if entry.event:
        return True
    circle = state.circles[entry.circle]
    return circle.epoch == entry.epoch and not circle.waiting
