"""Why a witness does not cosign, with the status that C2SP gives each reason.

WitnessError
├── Unreadable        400   no request, or an old size above the checkpoint's
├── NotSigned         403   not signed by a key of this log
├── UnknownLog        404   not a log of this witness
├── OtherSize         409   not from the last size cosigned, or another tree of the same size
├── NotConsistent     422   the proof does not show that the tree only grew
└── BookUnavailable   503   what was cosigned cannot be kept, so nothing is
"""

from __future__ import annotations


class WitnessError(Exception):
    """The root of everything a witness refuses with."""

    status = 500


class Unreadable(WitnessError):
    """The request is none, or its old size is above its checkpoint's."""

    status = 400


class NotSigned(WitnessError):
    """No trusted key of this log signed the checkpoint."""

    status = 403


class UnknownLog(WitnessError):
    """Not a log of this witness."""

    status = 404


class OtherSize(WitnessError):
    """The old size is not the last one cosigned, or there is another root at that size; carries the last size."""

    status = 409

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"expected to continue from size {size}")


class NotConsistent(WitnessError):
    """The proof does not show that the tree only grew."""

    status = 422


class BookUnavailable(WitnessError):
    """What was cosigned cannot be kept, so nothing is cosigned."""

    status = 503
