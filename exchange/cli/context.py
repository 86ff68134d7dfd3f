"""What every command shares: options, the home, the clock, names, and how things are referred to."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from events.kinds.people import Profile
from events.register import Person, Register
from events.review import Review
from exchange.cli.output import Output
from exchange.client.breaches import numbered
from exchange.client.client import Client, Entry
from exchange.client.errors import ClientError, NotFound, Unconfirmed
from exchange.client.history import NOTED_AGE_S
from exchange.client.home import Home
from exchange.client.membership import Membership
from exchange.clock import EXERCISE_CLOCK, clock_of
from keys.identity import Identity

T = TypeVar("T")
SHORTEST_HASH = 6


@dataclass(slots=True)
class Options:
    """The options before the verb."""

    home: Path
    output: Output
    passphrase_file: Path | None
    review: str
    assume_yes: bool
    told: list[Callable[[], None]] = field(default_factory=list, repr=False)
    _passphrase: str | None = field(default=None, repr=False)

    def passphrase(self, *, new: bool = False) -> str:
        """The passphrase, from its file or by asking; never from the command line."""
        if self._passphrase is None:
            self._passphrase = self._read() if self.passphrase_file else _ask(new=new)
        return self._passphrase

    def _read(self) -> str:
        try:
            return Path(str(self.passphrase_file)).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise ClientError(f"the passphrase file {self.passphrase_file} cannot be read") from None

    def confirm(self, question: str) -> None:
        """Ask before what cannot be undone."""
        if self.assume_yes:
            return
        if not sys.stdin.isatty():
            raise ClientError("this cannot be undone: say --yes before the verb to do it without being asked")
        click.confirm(question, abort=True, err=True)


def _ask(*, new: bool) -> str:
    if not sys.stdin.isatty():
        raise ClientError("a passphrase is needed: give a file with --passphrase-file or COLLOQUY_PASSPHRASE_FILE")
    return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True))


@dataclass(frozen=True, slots=True)
class Listed:
    """A person with what the directory says of them."""

    person: Person
    profile: Profile | None

    @property
    def name(self) -> str:
        """The name, or the role where the directory cannot be read."""
        return self.profile.name if self.profile else f"{self.person.role} {self.person.id.hex()[:8]}"


class Desk:
    """One command at work: the client and what it looks up often."""

    def __init__(self, options: Options, client: Client, register: Register) -> None:
        self.options = options
        self.client = client
        self.register = register
        self.membership = Membership(client)
        self._profiles: dict[bytes, Profile] | None = None

    @property
    def out(self) -> Output:
        """Where to write."""
        return self.options.output

    @property
    def me(self) -> Person:
        """The person whose home this is; raises NotFound if the register does not know them."""
        person = self.register.by_device(self.client.identity.fingerprint)
        if person is None:
            raise NotFound("this device is not registered yet: send your card to the secretariat (colloquy card)")
        return person

    async def people(self) -> dict[bytes, Listed]:
        """Everyone in the register by id, with names where one may read them."""
        if self._profiles is None:
            self._profiles = await self.client.profiles(self.register)
        return {id_: Listed(person, self._profiles.get(id_)) for id_, person in self.register.people.items()}

    async def name(self, person: bytes) -> str:
        """The name of a person."""
        found = (await self.people()).get(person)
        return found.name if found else person.hex()[:8]

    async def name_of(self, device: bytes) -> str:
        """The name of the person whose device this is."""
        person = self.register.by_device(device)
        return await self.name(person.id) if person else device.hex()[:16]

    async def person(self, reference: str) -> Person:
        """Find a person by name, part of it, or the beginning of their id or fingerprint."""
        people = (await self.people()).values()
        wanted = reference.casefold()
        exact = [p for p in people if wanted == p.name.casefold()]
        close = exact or [p for p in people if wanted in p.name.casefold() or _begins(p.person, wanted)]
        if len(close) != 1:
            what = "nobody" if not close else f"{len(close)} people"
            raise NotFound(f"expected one person called “{reference}”, found {what}")
        return close[0].person

    async def review(self) -> Review:
        """The review asked for with --review, or the only one there is."""
        reviews = await self.client.reviews()
        wanted = self.options.review
        found = [r for r in reviews if not wanted or r.id.hex().startswith(wanted.lower()) or _named(r, wanted)]
        if len(found) != 1:
            known = ", ".join(f"{r.under_review}-{r.year}" for r in reviews) or "none"
            raise NotFound(
                f"expected one review{f' “{wanted}”' if wanted else ''}, found {len(found)} (there are: {known})"
            )
        return found[0]

    def find(self, review: Review | Register, reference: str) -> Entry:
        """An event by Q3 (a request), B1 (a breach), #12 (its number) or the beginning of its hash."""
        if isinstance(review, Register):
            return self._numbered(review, reference)
        if reference[:1] in "Qq" and reference[1:].isdigit():
            return self.client.entry(review, self._request(review, int(reference[1:])))
        if reference[:1] in "Bb" and reference[1:].isdigit() and len(reference) < SHORTEST_HASH:
            return self.client.entry(review, numbered(review, int(reference[1:]))[0])
        return self._numbered(review, reference)

    def _numbered(self, review: Review | Register, reference: str) -> Entry:
        number = reference.removeprefix("#")
        if number.isdigit():
            known = [event for event, k in review.known.items() if k.seq == int(number)]
        elif len(reference) >= SHORTEST_HASH:
            known = [event for event in review.known if event.hex().startswith(reference.lower())]
        else:
            known = []
        if len(known) != 1:
            raise NotFound(f"expected an event like Q3, #12 or a hash, got “{reference}”")
        return self.client.entry(review, known[0])

    @staticmethod
    def _request(review: Review, number: int) -> bytes:
        for event, request in review.requests.items():
            if request.number == number:
                return event
        raise NotFound(f"there is no request Q{number}; the newest is Q{review.asked}")

    def check_fingerprint(self, shown: str, given: str | None) -> None:
        """Make sure that a person compared a fingerprint with its owner; raises Unconfirmed."""
        plain = "".join(shown.split())
        if given is None:
            if not sys.stdin.isatty():
                raise Unconfirmed("give the digits their owner read out, with --fingerprint")
            self.out.notes.print(f"\n  {shown}\n")
            given = str(click.prompt("Type the digits as their owner reads them out", err=True))
        if "".join(given.split()) != plain:
            raise Unconfirmed(f"the digits differ: this card has {shown}. Nothing was registered")


def _begins(person: Person, wanted: str) -> bool:
    return len(wanted) >= SHORTEST_HASH and (
        person.id.hex().startswith(wanted) or person.device.hex().startswith(wanted)
    )


def _named(review: Review, wanted: str) -> bool:
    return wanted.upper() in (review.under_review, f"{review.under_review}-{review.year}")


def system_clock() -> int:
    """Now, in milliseconds; in an exercise, the time that the exercise's clock file says."""
    return clock_of(exercise_clock())()


def exercise_clock() -> Path | None:
    """The clock file of an exercise, if there is one."""
    path = os.environ.get(EXERCISE_CLOCK)
    return Path(path) if path else None


def _doubts(client: Client) -> Iterator[str]:
    """What a person should know of how fresh the history is, if it is not."""
    standing = client.replay.log.standing
    if standing is None or standing.policy.quorum == "none":
        return
    if standing.age is None:
        yield "No quorum of witnesses has seen the history yet; nobody but the server vouches for it."
    elif standing.age > NOTED_AGE_S:
        hours = standing.age // 3600
        yield f"The history was last witnessed {hours} hours ago; for what is newer, only the server vouches."


@asynccontextmanager
async def at_desk(options: Options) -> AsyncIterator[Desk]:
    """Unlock the home, connect, verify the register."""
    with Home(options.home) as home:
        identity: Identity = await asyncio.to_thread(home.unlock, options.passphrase())
        async with Client(home, identity, system_clock) as client:
            register = await client.register()
            if os.environ.get(EXERCISE_CLOCK) and not register.exercise:
                raise ClientError("an exercise clock is set, but this register is no exercise; nothing was sent")
            desk = Desk(options, client, register)
            options.told.append(client.reported)
            try:
                yield desk
            finally:
                for notice in (*client.notices, *_doubts(client)):
                    options.output.say(notice)


def run(options: Options, work: Callable[[Desk], Awaitable[T]]) -> T:
    """Run one command to its end."""

    async def whole() -> T:
        async with at_desk(options) as desk:
            return await work(desk)

    return asyncio.run(whole())


def when(time_: int) -> str:
    """A time as people read it, in UTC."""
    return datetime.fromtimestamp(time_ / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def sent_json(sent: Any) -> dict[str, Any]:
    """What programs are told of an event that was sent."""
    return {"stream": sent.stream.hex(), "seq": sent.seq, "event": sent.event.hex(), "repeated": sent.repeated}
