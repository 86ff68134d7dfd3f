"""Why an event is not admitted.

EventsError
├── Malformed             the bytes are no event: too long, not canonical, unknown or missing fields
├── BadNote               a checkpoint or proof of the log is malformed or not signed as it should be
├── NotProved             a Merkle proof does not show what it is said to show
└── Refused               a well-formed event that the rules do not allow now
├── UnknownKind       no such kind
├── WrongStream       made for another review
├── Conflict          another event took this place: fetch, replay, compose again
├── BadTime           the claimed time goes backwards
├── NotAMember        the author is not (or no longer) among those who may write here
├── WrongRole         the author's role does not allow it
├── WrongParty        the author's State does not have this part in the review
├── WrongPhase        not at this step of the review
├── WrongCircle       sealed for another audience than the rule says
├── StaleKey          sealed under a superseded epoch
├── WrongReference    about something that is not there or not of the right kind
├── AlreadyDone       the thing was done before (a second answer, a second agreement)
├── OtherRevision     about another revision than the newest one
├── TooMany           a limit of the mechanism is reached (twenty experts, ...)
└── WrongGrants       the keys granted do not match the membership
"""

from __future__ import annotations


class EventsError(Exception):
    """The root of everything this package raises."""


class Malformed(EventsError):
    """These bytes are no event."""


class BadNote(EventsError):
    """A note, checkpoint or proof of the log is malformed, or not signed by those who should have."""


class NotProved(EventsError):
    """A Merkle proof does not show what it is said to show."""


class Refused(EventsError):
    """The rules do not allow this event now; `code` names the reason for programs."""

    def __init__(self, expected: str, got: str) -> None:
        self.expected = expected
        self.got = got
        super().__init__(f"expected {expected}, got {got}")

    @property
    def code(self) -> str:
        """The reason as a short name: WrongPhase is `wrong-phase`."""
        name = type(self).__name__
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


class UnknownKind(Refused):
    """No such kind of event."""


class WrongStream(Refused):
    """Made for another stream."""


class Conflict(Refused):
    """Another event took this place in the stream."""


class BadTime(Refused):
    """The claimed time goes backwards."""


class NotAMember(Refused):
    """The author may not write here."""


class WrongRole(Refused):
    """The author's role does not allow it."""


class WrongParty(Refused):
    """The author's State does not have this part in the review."""


class WrongPhase(Refused):
    """Not at this step of the review."""


class WrongCircle(Refused):
    """Sealed for another audience than the rule says."""


class StaleKey(Refused):
    """Sealed under a superseded epoch, or for a circle whose keys wait to be changed."""


class WrongReference(Refused):
    """About something that is not there, not of the right kind, or not open to it."""


class AlreadyDone(Refused):
    """The thing was done before."""


class OtherRevision(Refused):
    """About another revision than the newest one."""


class TooMany(Refused):
    """A limit of the mechanism is reached."""


class WrongGrants(Refused):
    """The keys granted do not match the membership."""


REFUSALS: dict[str, type[Refused]] = {cls("", "").code: cls for cls in Refused.__subclasses__()}
