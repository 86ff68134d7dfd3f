"""The one encoding: msgpack in which every value has exactly one form.

Maps have text keys in ascending order without repetition; integers and lengths take their shortest form; no
floating point, no extension types, nothing after the value. Whatever else decodes is refused, so a hash or a
signature over the bytes is one over the meaning.
"""

from __future__ import annotations

import threading
from typing import Any

import msgpack

from events.errors import Malformed

MAX_DEPTH = 16
_PACKERS = threading.local()


def encode(value: Any) -> bytes:
    """Encode None, bool, int, str, bytes, sequences and text-keyed maps of these; raises Malformed."""
    try:
        packed: bytes = _pack(_ordered(value, 0))
    except (ValueError, OverflowError, UnicodeEncodeError) as error:
        raise Malformed(f"expected an encodable value, got {type(error).__name__}") from None
    return packed


def decode(data: bytes, limit: int) -> Any:
    """Decode at most `limit` bytes of the canonical encoding; raises Malformed for every other form."""
    if len(data) > limit:
        raise Malformed(f"expected at most {limit} bytes, got {len(data)}")
    try:
        value = msgpack.unpackb(data, raw=False, strict_map_key=True, ext_hook=_no_extension)
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException):
        raise Malformed("expected canonical msgpack, got bytes that are none") from None
    # Packed again as it was read, only the shortest forms of distinct keys give the same bytes.
    if not _is_ordered(value, 0) or _pack(value) != data:
        raise Malformed("expected the canonical form, got another encoding of the same value")
    return value


def is_plain(value: Any) -> bool:
    """Whether a value decoded elsewhere has a canonical form at all: no floating point, no extension, not too deep."""
    return _is_ordered(value, 1)


def _pack(value: Any) -> bytes:
    """Pack with one packer for each thread: making a new one costs more than its work."""
    packer = getattr(_PACKERS, "packer", None)
    if packer is None:
        packer = _PACKERS.packer = msgpack.Packer(use_bin_type=True)
    try:
        packed: bytes = packer.pack(value)
    except BaseException:
        del _PACKERS.packer
        raise
    return packed


def _ordered(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if depth > MAX_DEPTH:
        raise Malformed(f"expected at most {MAX_DEPTH} levels, got more")
    if kind is dict:
        if not all(type(key) is str for key in value):
            raise Malformed("expected text keys, got others")
        return {key: _ordered(value[key], depth + 1) for key in sorted(value)}
    if kind in (list, tuple):
        return [_ordered(item, depth + 1) for item in value]
    raise Malformed(f"expected a plain value, got {kind.__name__}")


def _is_ordered(value: Any, depth: int) -> bool:
    """Whether the keys of every map are text in ascending order, and everything is plain."""
    kind = type(value)
    if kind in _PLAIN:
        return True
    if depth > MAX_DEPTH or kind not in (dict, list):
        return False
    if kind is dict:
        before = None
        for key in value:
            if type(key) is not str or (before is not None and key <= before):
                return False
            before = key
        value = value.values()
    return all(not (type(item) not in _PLAIN and not _is_ordered(item, depth + 1)) for item in value)


_PLAIN = frozenset({str, bytes, int, bool, type(None)})


def _no_extension(code: int, _data: bytes) -> Any:
    raise ValueError(code)
