"""A card: the public halves of a device, signed by the device itself as proof that it holds the secret ones."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import msgspec

from events.errors import Malformed
from keys.errors import KeysError
from keys.labels import Label
from keys.recipient import SEALING_SIZE, SIGNATURE_SIZE, SIGNING_SIZE, Recipient

PREFIX = "colloquy-card1:"
MAX_TEXT = 4096


class Card(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Signing key, sealing key, and the device's signature over both."""

    signing: Annotated[bytes, msgspec.Meta(min_length=SIGNING_SIZE, max_length=SIGNING_SIZE)]
    sealing: Annotated[bytes, msgspec.Meta(min_length=SEALING_SIZE, max_length=SEALING_SIZE)]
    signature: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_SIZE, max_length=SIGNATURE_SIZE)]

    def recipient(self) -> Recipient:
        """The checked public halves; raises Malformed if a half is invalid or the signature does not hold."""
        try:
            recipient = Recipient(self.signing, self.sealing)
            recipient.verify(Label.CARD, self.signing + self.sealing, self.signature)
        except KeysError as error:
            raise Malformed(f"expected a valid card, got one where {error}") from None
        return recipient

    def text(self) -> str:
        """The card as one line of text, to be sent by any means."""
        return PREFIX + base64.urlsafe_b64encode(self.signing + self.sealing + self.signature).decode()

    @classmethod
    def parse(cls, text: str) -> Card:
        """Read a card from its line of text, however it was broken on its way; raises Malformed."""
        line = "".join(text.split())
        if len(line) > MAX_TEXT or not line.startswith(PREFIX):
            raise Malformed(f"expected a line that starts with {PREFIX}")
        try:
            raw = base64.b64decode(line.removeprefix(PREFIX), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise Malformed("expected a whole card, got one that is truncated or altered") from None
        if len(raw) != SIGNING_SIZE + SEALING_SIZE + SIGNATURE_SIZE:
            raise Malformed("expected a whole card, got one that is truncated or altered")
        card = cls(raw[:SIGNING_SIZE], raw[SIGNING_SIZE:-SIGNATURE_SIZE], raw[-SIGNATURE_SIZE:])
        card.recipient()
        return card


def card_of(clear: dict[str, object]) -> Card:
    """The card that a register's genesis brings its author's keys in; raises Malformed."""
    try:
        return msgspec.convert(clear.get("card"), Card, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise Malformed(f"expected a card in the genesis, got: {error}") from None
