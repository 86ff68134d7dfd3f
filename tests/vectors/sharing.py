"""What one device gives another by name: a disclosure, a letter, and a reader's mark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from events import canonical
from exchange.client.formats.plain import invisible
from exchange.client.formats.written import written
from keys.identity import Identity
from keys.labels import Label, frame
from keys.marks import mark
from keys.sealing import ObjectKey

KEPT = Path(__file__).with_name("sharing.json")
SOURCE = bytes([8] * 32)
LETTER = bytes([9] * 16)


def sharing_vectors(stream: bytes, key: ObjectKey, author: Identity, reader: Identity) -> dict[str, Any]:
    """A disclosure of an object's key and a letter, both to `reader`; sealing is random: once made they stay."""
    if KEPT.exists():
        return dict(json.loads(KEPT.read_text()))
    told = {"source": key.secret, "slots": [], "title": "Statistics", "name": None, "media": None, "note": "For you."}
    context = frame(stream, SOURCE, (0).to_bytes(2, "big"), b"", reader.fingerprint)
    letter = ObjectKey(frame(stream, LETTER, author.fingerprint), bytes([10] * 32))
    to_reader = letter.context + frame(letter.commitment, reader.fingerprint)
    words = canonical.encode({"text": "We looked into it."})
    return {
        "reader": reader.fingerprint.hex(),
        "author": author.fingerprint.hex(),
        "disclosure": {
            "stream": stream.hex(),
            "source": SOURCE.hex(),
            "object": 0,
            "language": "",
            "plaintext": canonical.encode(told).hex(),
            "sealed": reader.recipient.seal(Label.DISCLOSURE, canonical.encode(told), context).hex(),
        },
        "letter": {
            "id": LETTER.hex(),
            "commitment": letter.commitment.hex(),
            "words": words.hex(),
            "travels": canonical.encode(
                [[reader.recipient.seal(Label.LETTER, letter.secret, to_reader)], letter.seal(words)]
            ).hex(),
        },
        "mark": {
            "object_secret": key.secret.hex(),
            "bound": key.context.hex(),
            "mark": mark(key, reader.fingerprint).hex(),
            "property": written(mark(key, reader.fingerprint)),
            "text": [f"{ord(char):04X}" for char in invisible(mark(key, reader.fingerprint))],
        },
    }
