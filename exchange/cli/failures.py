"""What a failed command says, and its exit status: what happened, whether anything was lost, what to do."""

from __future__ import annotations

from dataclasses import dataclass

from events.errors import (
    AlreadyDone,
    BadNote,
    EventsError,
    Malformed,
    NotProved,
    Refused,
    WrongParty,
    WrongPhase,
    WrongRole,
)
from exchange.client import errors
from keys.errors import BadSignature, CannotOpen, DamagedKeyFile, KeyFileError, WeakKeyFile, WrongPassphrase

INTERRUPTED = 130
SENTENCES: dict[type[Refused], str] = {
    WrongRole: "Only {expected} may do this; you are {got}.",
    WrongParty: "Only the side “{expected}” may do this in this review; yours is “{got}”.",
    WrongPhase: "This belongs to the step “{expected}”; the review is at “{got}”.",
    AlreadyDone: "This was done already: expected {expected}, got {got}.",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Exit status and advice for one class of errors."""

    status: int
    advice: str


# The first class that fits counts, so the special come before the general.
FAILURES: tuple[tuple[type[BaseException], Failure], ...] = (
    (WrongPassphrase, Failure(7, "Nothing was changed. Try the passphrase again; nobody can recover it for you.")),
    (DamagedKeyFile, Failure(7, "Restore identity.key from your backup; the papers on the server are not affected.")),
    (WeakKeyFile, Failure(7, "Somebody altered this key file. Do not use it; restore identity.key from your backup.")),
    (KeyFileError, Failure(7, "Restore identity.key from your backup.")),
    (errors.HomeBusy, Failure(7, "Wait for the other command to end, then repeat this one.")),
    (errors.HomeError, Failure(7, "See: colloquy init --help")),
    (
        errors.Offline,
        Failure(4, "Nothing was lost. Repeat the same command when the server answers: it goes on where it stopped."),
    ),
    (errors.ClockFarOff, Failure(4, "")),
    (
        errors.ServerLied,
        Failure(5, "Nothing was sent or believed. Tell the other parties and the oversight group before going on."),
    ),
    (
        errors.Unwitnessed,
        Failure(5, "Repeat the command later; if it goes on, ask the operator and the witnesses' keepers why."),
    ),
    (errors.DiskFull, Failure(9, "")),
    (
        errors.NoKey,
        Failure(
            6, "Members ask an officer or their focal point to share the keys; others may ask to be shown this paper."
        ),
    ),
    (CannotOpen, Failure(6, "It was altered, or it is not for you. Nothing was changed; tell the secretariat.")),
    (BadSignature, Failure(5, "Nothing was believed. Tell the secretariat.")),
    (BadNote, Failure(5, "Nothing was believed.")),
    (NotProved, Failure(5, "Nothing was believed.")),
    (errors.NotFound, Failure(8, "See what there is with: colloquy timeline")),
    (errors.Unconfirmed, Failure(3, "Compare the digits with their owner by telephone or in person, then repeat.")),
    (Refused, Failure(3, "Nothing was changed.")),
    (Malformed, Failure(3, "Nothing was changed.")),
    (EventsError, Failure(3, "Nothing was changed.")),
    (errors.ServerRefused, Failure(3, "Nothing was changed.")),
    (errors.ClientError, Failure(1, "")),
    (KeyboardInterrupt, Failure(INTERRUPTED, "Interrupted. Repeat the same command to go on where it stopped.")),
)

EXIT_STATUS = {
    0: "done",
    1: "failed for a reason the message gives",
    2: "the command line was not understood",
    3: "the rules of the review (or the server) do not allow it",
    4: "the server does not answer, or the clocks differ too much",
    5: "the server showed something that does not verify, or that no witness has seen lately",
    6: "no key for this, or it does not open",
    7: "the home directory or key file cannot be used",
    8: "no such review, event, person or file",
    9: "the disk is full",
    INTERRUPTED: "interrupted; repeating goes on where it stopped",
}


def failure_of(error: BaseException) -> Failure | None:
    """The entry for an error, or None if it is not foreseen."""
    return next((failure for kind, failure in FAILURES if isinstance(error, kind)), None)


def explain(error: BaseException) -> str:
    """The sentence for an error."""
    if isinstance(error, Refused):
        form = SENTENCES.get(type(error), "This is not possible now: expected {expected}, got {got}.")
        return form.format(expected=error.expected, got=error.got)
    text = str(error) or type(error).__name__
    return text if text.endswith((".", "!", "?")) else f"{text}."
