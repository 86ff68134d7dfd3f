"""Whom to trust (c2sp.org/tlog-policy): logs, witnesses, and which of the witnesses must have cosigned.

log      log.example+…  https://log.example
witness  NRL  nrl.example/w+…  https://nrl.example/witness
witness  TSR  tsr.example/w+…
group    both all NRL TSR
quorum   both
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from events.checkpoint import Checkpoint, Cosigned, Witnessed, cosigned_at
from events.errors import BadNote
from events.notes import KeyType, Note, Vkey

MAX_POLICY = 16 * 1024
MAX_EACH = 64
NONE = "none"
THRESHOLD_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Log:
    """A log one trusts; its key's name is its origin."""

    key: Vkey
    url: str


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness by its name in the policy; the address is empty if the policy gives none."""

    name: str
    key: Vkey
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """A group that has witnessed what at least `least` of its members, witnesses or groups, have."""

    name: str
    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as it was read; `text` is kept as it was written."""

    text: str
    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Read a policy's text; raises BadNote naming the line."""
        if len(text.encode("utf-8", "replace")) > MAX_POLICY:
            raise BadNote(f"expected a policy of at most {MAX_POLICY} bytes, got more")
        if any((char < " " and char not in "\t\n") or char == "\x7f" for char in text):
            raise BadNote("expected a policy without control characters but tabs and newlines, got one")
        draft = _Draft()
        for number, line in enumerate(text.split("\n"), 1):
            words = [word for word in line.replace("\t", " ").split(" ") if word]
            if not words or words[0].startswith("#"):
                continue
            try:
                draft.add(words)
            except BadNote as error:
                raise BadNote(f"line {number} of the policy: {error}") from None
        if not draft.quorum:
            raise BadNote("expected a quorum line in the policy, got none")
        return cls(text, tuple(draft.logs), tuple(draft.witnesses.values()), tuple(draft.groups.values()), draft.quorum)

    def checkpoint(self, note: Note) -> Checkpoint:
        """Check the signature of a log of this policy; raises BadNote."""
        return Checkpoint.verify(note, [log.key for log in self.logs])

    def witnessed(self, note: Note) -> Witnessed:
        """Check the log's signature and the quorum's cosignatures; raises BadNote naming who is missing."""
        checkpoint = self.checkpoint(note)
        times = {witness.name: cosigned_at(note, witness.key) for witness in self.witnesses}
        cosigned = tuple(Cosigned(name, time) for name, time in times.items() if time is not None)
        if not self.met({one.witness for one in cosigned}):
            missing = ", ".join(sorted(self.deciding - {one.witness for one in cosigned}))
            raise BadNote(f"expected the cosignatures of {self.in_words()}; missing: {missing}")
        return Witnessed(checkpoint, cosigned)

    def met(self, cosigned: set[str]) -> bool:
        """Whether these witnesses are a quorum."""
        met = {NONE} | {witness.name for witness in self.witnesses if witness.name in cosigned}
        # A group names only what stands before it, so one pass decides.
        for group in self.groups:
            if len(met & set(group.members)) >= group.least:
                met.add(group.name)
        return self.quorum in met

    def met_at(self, times: Mapping[str, int]) -> int | None:
        """When a quorum had cosigned, by the newest time of each witness; None if they are none.

        Not the newest of all: one witness of today beside another of last month saw nothing together today.
        """
        for time in sorted(set(times.values()), reverse=True):
            if self.met({name for name, newest in times.items() if newest >= time}):
                return time
        return None

    @property
    def deciding(self) -> frozenset[str]:
        """The witnesses that count for the quorum."""
        members = {group.name: group.members for group in self.groups}
        return frozenset(_leaves(self.quorum, members)) - {NONE}

    def in_words(self) -> str:
        """The quorum in words: `2 of NRL, TSR, VDA`."""
        return _in_words(self.quorum, {group.name: group for group in self.groups})


@dataclass(slots=True)
class _Draft:
    """A policy as far as it has been read."""

    logs: list[Log] = field(default_factory=list)
    witnesses: dict[str, Witness] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    quorum: str = ""

    def add(self, words: list[str]) -> None:
        """Add one line; raises BadNote."""
        kind, *rest = words
        lines = {"log": self._log, "witness": self._witness, "group": self._group, "quorum": self._quorum}
        if kind not in lines:
            raise BadNote("expected log, witness, group or quorum, got another word")
        lines[kind](rest)

    def _log(self, words: list[str]) -> None:
        if len(words) not in (1, 2):
            raise BadNote("expected a key and perhaps an address")
        key = _key(words[0], KeyType.ED25519)
        if any(log.key.verifier == key.verifier for log in self.logs):
            raise BadNote("expected each log once, got one twice")
        self.logs.append(Log(key, _rest(words, 1)))
        _bounded(len(self.logs))

    def _witness(self, words: list[str]) -> None:
        if len(words) not in (2, 3):
            raise BadNote("expected a name, a key and perhaps an address")
        self._check_new(words[0])
        key = _key(words[1], KeyType.COSIGNATURE)
        if any(witness.key.verifier == key.verifier for witness in self.witnesses.values()):
            raise BadNote("expected each witness once, got one twice")
        self.witnesses[words[0]] = Witness(words[0], key, _rest(words, 2))
        _bounded(len(self.witnesses))

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise BadNote("expected a name, how many of its members must have witnessed, and members")
        name, least, *members = words
        self._check_new(name)
        for member in members:
            self._check_known(member)
            if member in self.members:
                raise BadNote(f"expected {member} as a member once, got it twice")
            self.members.add(member)
        self.groups[name] = Group(name, _threshold(least, len(members)), tuple(members))
        _bounded(len(self.groups))

    def _quorum(self, words: list[str]) -> None:
        if self.quorum or len(words) != 1:
            raise BadNote("expected one quorum line with one name")
        if words[0] != NONE:
            self._check_known(words[0])
        self.quorum = words[0]

    def _check_new(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise BadNote(f"expected a name not used before, got {name}")

    def _check_known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise BadNote(f"expected a witness or group defined before, got {name}")


def _key(text: str, kind: KeyType) -> Vkey:
    key = Vkey.parse(text)
    if key.type is not kind:
        raise BadNote(f"expected a key of type {kind.value} here, got type {key.type.value}")
    return key


def _rest(words: list[str], index: int) -> str:
    return words[index] if len(words) > index else ""


def _threshold(word: str, members: int) -> int:
    if word in ("any", "all"):
        return 1 if word == "any" else members
    if not (word.isascii() and word.isdigit() and len(word) <= THRESHOLD_DIGITS) or not 1 <= int(word) <= members:
        raise BadNote(f"expected any, all or a number from 1 to {members}, got something else")
    return int(word)


def _bounded(count: int) -> None:
    if count > MAX_EACH:
        raise BadNote(f"expected at most {MAX_EACH} of these, got more")


def _leaves(name: str, members: Mapping[str, tuple[str, ...]]) -> set[str]:
    if name not in members:
        return {name}
    return set().union(*(_leaves(member, members) for member in members[name]))


def _in_words(name: str, groups: Mapping[str, Group]) -> str:
    group = groups.get(name)
    if group is None:
        return name
    inner = ", ".join(f"({_in_words(one, groups)})" if one in groups else one for one in group.members)
    return f"{group.least} of {inner}"
