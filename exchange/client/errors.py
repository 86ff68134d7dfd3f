"""What a person may be told by the client.

ClientError
├── HomeError            the home directory is missing, busy or damaged
│   └── HomeBusy         another process uses it
├── Offline              the server cannot be reached; nothing was lost
├── ServerRefused        the server answered with a problem
├── ServerLied           what the server says does not verify; carries the rule that found it
├── Unwitnessed          no quorum of witnesses has seen the history lately
├── ClockFarOff          this machine's clock and the server's disagree
├── NotFound             no such review, event, person or file in what one may read
├── NoKey                one holds no key for this
├── DiskFull             no room on this machine's disk
└── Unconfirmed          a fingerprint was not confirmed, or differs from the confirmed one
"""

from __future__ import annotations

from exchange.wire import Problem


class ClientError(Exception):
    """The root of everything this package raises."""


class HomeError(ClientError):
    """The home directory cannot be used."""


class HomeBusy(HomeError):
    """Another process uses this home directory."""


class Offline(ClientError):
    """The server cannot be reached."""


class ServerRefused(ClientError):
    """The server answered with a problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.detail or problem.title)


class ServerLied(ClientError):
    """What the server says does not verify; `rule` is the number in docs/spec of the rule that found it."""

    def __init__(self, rule: int, message: str) -> None:
        self.rule = rule
        super().__init__(message)


class Unwitnessed(ClientError):
    """No quorum of witnesses has seen the history lately: it may not be the newest."""


class ClockFarOff(ClientError):
    """This machine's clock and the server's disagree."""


class NotFound(ClientError):
    """No such thing in what one may read."""


class NoKey(ClientError):
    """One holds no key for this."""


class DiskFull(ClientError):
    """No room on this machine's disk."""


class Unconfirmed(ClientError):
    """A fingerprint was not confirmed, or differs."""
