"""Where a leaked file or text came from: bytes, words, and shingles of words compared with the documents one holds.

Words are compared as one line of letters and digits, without case, accents, spaces, hyphens and punctuation, so that a
copy is found through other formats and layouts, and in scripts without spaces. A shingle is 24 bytes of that line in
UTF-8, from every byte on: about four words of Latin letters, two or three of Cyrillic or Arabic ones, eight Han
characters. One in four is kept, chosen by its own hash (Manber 1994; Broder 1997): fingerprints are small, and
shares still true.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from exchange.client.formats.bounds import MAX_TEXT
from exchange.client.formats.words import text_of

SHINGLE = 24
KEPT = 4
ENOUGH = 8
SPOKEN = 24
MOSTLY = 0.5
PARTLY = 0.05
NEARLY = 0.8
LONG = 200
SAME_SHARE = 0.02
_SILENT = re.compile(r"[\W_\u0640]+")
_ORDER = ("exact", "same text", "excerpt", "similar")
How = Literal["exact", "same text", "excerpt", "similar"]
K = TypeVar("K")


def normalised(text: str) -> str:
    """Letters and digits alone: decomposed (NFKD), case folded, without marks, spaces, hyphens, kashida, punctuation.

    What is no letter goes first: long runs of combining marks would take quadratic time to put into order.
    """
    letters = _SILENT.sub("", text[:MAX_TEXT])
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", letters).casefold())
    return _SILENT.sub("", folded)[:MAX_TEXT]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of a document to compare it: digest of its bytes, digest of its words (empty if none), shingles."""

    content: bytes
    words: bytes
    shingles: frozenset[int]

    @classmethod
    def of(cls, data: bytes, name: str = "") -> Fingerprint:
        """Of a file or a pasted text; whatever cannot be read has no words. Never raises."""
        letters = normalised(text_of(data, name)).encode()
        words = hashlib.sha256(letters).digest() if letters else b""
        return cls(hashlib.sha256(data).digest(), words, _shingles(letters))


@dataclass(frozen=True, slots=True)
class Match:
    """How a leak is like one document: the shares, from 0 to 1, are of shingles, so roughly of the text.

    `shared` is about how many bytes of letters they have in common; `alike`, how many other documents match as well.
    """

    how: How
    leak_in_document: float
    document_in_leak: float
    shared: int
    alike: int = 0

    @property
    def odds(self) -> str:
        """What the match supports and what else would explain it, in words; never certainty."""
        return " ".join(part for part in (self._likeness(), self._support(), self._rivals()) if part)

    def _likeness(self) -> str:
        match self.how:
            case "exact":
                return "The file is this document byte for byte."
            case "same text":
                return "Its words are this document's, letter for letter; the file is another."
            case "excerpt" | "similar":
                return (
                    f"{self.leak_in_document:.0%} of its words stand in this document, and "
                    f"{self.document_in_leak:.0%} of the document's in it."
                )

    def _support(self) -> str:
        if self.how in ("exact", "same text"):
            return (
                "This supports very strongly that it comes from this document. It does not say through whom: "
                "everybody who could open it had the same words, and a source outside may have them too."
            )
        if self.leak_in_document < MOSTLY:
            return (
                "This supports weakly that one comes from the other, wholly or in part: common phrases "
                "or a shared source would look the same."
            )
        strength = "strongly" if self.leak_in_document >= NEARLY and self.shared >= LONG else "moderately"
        return (
            f"This supports {strength} that it comes from this document or from one with the same passage, "
            "such as another version or a text that both quote."
        )

    def _rivals(self) -> str:
        if not self.alike:
            return ""
        others = "one other document" if self.alike == 1 else f"{self.alike} other documents"
        return f"It is as much like {others}; the words alone do not tell them apart."


def compare(leak: Fingerprint, known: Fingerprint) -> Match | None:
    """How a leak is like a known document; None if nothing speaks for it, or there are too few words to say."""
    common = len(leak.shingles & known.shingles)
    shares = (common / max(1, len(leak.shingles)), common / max(1, len(known.shingles)), common * KEPT)
    if leak.content == known.content:
        return Match("exact", 1.0, 1.0, len(leak.shingles) * KEPT)
    if leak.words and leak.words == known.words:
        return Match("same text", 1.0, 1.0, len(leak.shingles) * KEPT)
    if common >= ENOUGH and shares[0] >= MOSTLY:
        return Match("excerpt", *shares) if shares[1] < MOSTLY else Match("similar", *shares)
    if common >= SPOKEN and max(shares[:2]) >= PARTLY:
        return Match("similar", *shares)
    return None


def ranked(matches: Iterable[tuple[K, Match]]) -> list[tuple[K, Match]]:
    """The documents that one leak is like, likeliest first, each told how many others match as well."""
    found = sorted(matches, key=lambda pair: _rank(pair[1]))
    return [(key, replace(match, alike=_alike(match, found))) for key, match in found]


def _rank(match: Match) -> tuple[int, float, float]:
    return _ORDER.index(match.how), -match.leak_in_document, -match.document_in_leak


def _alike(match: Match, found: list[tuple[K, Match]]) -> int:
    same = sum(
        other.how == match.how and abs(other.leak_in_document - match.leak_in_document) <= SAME_SHARE
        for _, other in found
    )
    return same - 1


def _shingles(letters: bytes) -> frozenset[int]:
    """Hashes of the shingles whose hash is a multiple of KEPT."""
    places = range(len(letters) - SHINGLE + 1)
    return frozenset(h for i in places if not (h := zlib.crc32(letters[i : i + SHINGLE])) % KEPT)
