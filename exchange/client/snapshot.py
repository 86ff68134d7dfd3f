"""A folded state as bytes and back, for the client's own memory only; never sent, never trusted from outside."""

from __future__ import annotations

from typing import Any, TypeVar, get_args, get_origin

import msgspec

from events.pmap import Map
from events.register import Register
from events.review import Review

FORMAT = 2
S = TypeVar("S", Register, Review)


def dump(state: Register | Review) -> bytes:
    """Write a state."""
    return bytes([FORMAT]) + msgspec.msgpack.encode(state, enc_hook=_plain)


def load(data: bytes, kind: type[S]) -> S | None:
    """Read a state; None if an earlier version of this program wrote it."""
    if not data or data[0] != FORMAT:
        return None
    try:
        return msgspec.msgpack.decode(data[1:], type=kind, dec_hook=_typed)
    except msgspec.DecodeError:
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, Map):
        return value.plain()
    raise TypeError(type(value).__name__)


def _typed(kind: type[Any], value: Any) -> Any:
    if get_origin(kind) is not Map:
        raise TypeError(kind.__name__)
    key, item = get_args(kind)
    return Map(msgspec.convert(value, dict[key, item], builtin_types=(bytes,), dec_hook=_typed))  # type: ignore[valid-type]
