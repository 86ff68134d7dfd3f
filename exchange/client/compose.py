"""Composing an event: what a person means becomes a sealed body, a header, a signature. Pure but for randomness."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import msgspec

from events import canonical
from events.envelope import MAX_SEALED_BODY, ZERO, Header, ObjectRef, Seen, SignedEvent, object_context
from events.errors import Malformed
from events.register import Register
from events.review import Review, Slot
from events.rule import rule_of
from exchange.client.errors import ClientError
from keys.epoch import EpochKey
from keys.identity import Identity
from keys.labels import Label
from keys.sealing import ObjectKey, SlotKey, new_salt

ID_SIZE = 16


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person wants to say, before it is sealed and signed."""

    kind: str
    clear: msgspec.Struct
    about: tuple[bytes, ...] = ()
    lang: str = ""
    sealed: msgspec.Struct | None = None
    circle: str = ""
    revises: bytes = b""
    carried: bytes = b""
    slots: tuple[tuple[Slot, SlotKey], ...] = ()


@dataclass(frozen=True, slots=True)
class Composed:
    """A signed event and what travels with it."""

    signed: SignedEvent
    body: bytes | None


def compose(
    identity: Identity,
    state: Register | Review | None,
    draft: Draft,
    key: EpochKey | None,
    files: tuple[ObjectRef, ...],
    now: int,
    seen: Seen | None = None,
) -> Composed:
    """Seal and sign a draft as the next event of a stream."""
    objects, body = _sealed(state, draft, key, files)
    header = Header(
        stream=state.id if state else b"",
        seq=state.seq + 1 if state else 0,
        prev=state.head if state else ZERO,
        author=identity.fingerprint,
        kind=draft.kind,
        time=max(now, state.time if state else 0),
        circle=draft.circle,
        epoch=_epoch(state, draft),
        about=draft.about,
        lang=draft.lang,
        objects=objects,
        clear=msgspec.to_builtins(draft.clear, builtin_types=(bytes,)),
        seen=seen,
    )
    return Composed(SignedEvent.assemble(header, identity.sign(Label.EVENT, header.encode())), body)


def encode_body(kind: str, sealed: msgspec.Struct) -> bytes:
    """The canonical bytes of a body, checked as its readers will check them; raises ClientError."""
    value: Any = msgspec.to_builtins(sealed, builtin_types=(bytes,))
    try:
        rule_of(kind).read_sealed(value)
        data = canonical.encode(value)
    except Malformed as error:
        raise ClientError(f"{error}; nothing was sent") from None
    return data


def _epoch(state: Register | Review | None, draft: Draft) -> int:
    return state.circles[draft.circle].epoch if state and draft.circle else 0


def _sealed(
    state: Register | Review | None, draft: Draft, key: EpochKey | None, files: tuple[ObjectRef, ...]
) -> tuple[tuple[ObjectRef, ...], bytes | None]:
    if draft.sealed is None:
        return (), draft.carried or None
    plain = encode_body(draft.kind, draft.sealed)
    if draft.slots:
        slot, slot_key = draft.slots[0]
        ref_id, version, salt = slot.id, slot.version, new_salt()
        object_key = slot_key.object(salt)
    elif key is None:
        raise ClientError(f"{draft.kind} needs the key of circle {draft.circle}")
    else:
        ref_id = draft.revises or secrets.token_bytes(ID_SIZE)
        version = _version(state, draft)
        salt = new_salt()
        object_key = ObjectKey.derive(key, object_context(ref_id, version), salt)
    body = object_key.seal(plain)
    if len(body) > MAX_SEALED_BODY:
        raise ClientError(
            f"expected a text of at most about {MAX_SEALED_BODY // 1024} KiB, got {len(plain) // 1024} KiB; "
            "nothing was sent. Attach long texts as files."
        )
    ref = ObjectRef(ref_id, version, salt, hashlib.sha256(body).digest(), len(body), object_key.commitment)
    return (ref, *files), body


def _version(state: Register | Review | None, draft: Draft) -> int:
    if state is None or not draft.revises:
        return 1
    return state.documents[draft.revises].version + 1
