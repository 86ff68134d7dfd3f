"""What travels with an envelope: the sealed body of its first object, or the sealed keys it carries."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import msgspec

import events.kinds  # noqa: F401  (fills the table)
from events.envelope import ZERO, Header
from events.errors import Malformed
from events.rotation import Grants, Rotations, carried_size
from events.rule import Rule, rule_of


@dataclass(frozen=True, slots=True)
class Expected:
    """Digest of the bytes that must travel with an envelope, and their size where it is known beforehand."""

    digest: bytes
    least: int
    most: int


def expected_body(header: Header) -> Expected | None:
    """What must travel with an event, by its signed header; None for nothing."""
    if header.objects:
        ref = header.objects[0]
        return Expected(ref.digest, ref.size, ref.size)
    rule = rule_of(header.kind)
    if not rule.carries:
        return None
    return _carried(rule, rule.read_clear(header.clear))


def check_body(header: Header, body: bytes | None) -> None:
    """Compare what travels with an event to what its header says; raises Malformed."""
    expected = expected_body(header)
    if expected is None or body is None:
        if (expected is None) != (body is None):
            raise Malformed(f"expected {'no body' if expected is None else 'a body'} with {header.kind}")
        return
    if not expected.least <= len(body) <= expected.most:
        raise Malformed(f"expected a body of {expected.least} to {expected.most} bytes, got {len(body)}")
    if not hmac.compare_digest(hashlib.sha256(body).digest(), expected.digest):
        raise Malformed("expected the body whose digest the event signs, got another")


def _carried(rule: Rule, clear: msgspec.Struct) -> Expected | None:
    digest: bytes = clear.carried  # type: ignore[attr-defined]
    entries: Grants | Rotations | None = getattr(clear, "grants", getattr(clear, "rotations", None))
    if entries is None:
        return Expected(digest, 1, rule.most_carried)
    size = carried_size(entries)
    if not size:
        if digest != ZERO:
            raise Malformed("expected a digest of zeros where no keys are granted, got another")
        return None
    return Expected(digest, size, size)
