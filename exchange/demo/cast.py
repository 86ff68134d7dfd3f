"""The cast: who takes part, how they come to their keys, and how each of them speaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exchange.demo.papers import Papers
from exchange.demo.stage import Actor, Stage

VDA, NRL, TSR = "VDA", "NRL", "TSR"
WITNESSES = (NRL, VDA, "oversight")


class Cast:
    """The people, the register and the witnesses of its log, and the numbers of the papers they sent."""

    def __init__(self, stage: Stage, papers: Papers) -> None:
        self.stage = stage
        self.papers = papers
        self.register = ""
        self.seqs: dict[str, int] = {}

    def gather(self) -> None:
        """Keys, cards, fingerprints, the register, the witnesses of its log."""
        self.stage.heading("Keys, the register, and witnesses of its log")
        self.stage.start_server()
        self.stage.say(f"A server listens on {self.stage.url}; it will hold everything and read nothing.")
        officer = self.stage.enter("officer", "Ines Achterberg", "officer")
        self._init(officer, register=False)
        self.register = self.stage.ask(
            officer, "register", "found", "--name", "Exercise of the review mechanism", "--exercise"
        )["register"]
        self._witnesses(officer)
        self._profile(officer)
        for code, name, group, language in (
            (VDA, "Valdoria (invented)", "latin-american-caribbean", "en"),
            (NRL, "Norrland (invented)", "western-european-others", "en"),
            (TSR, "Tessara (invented)", "latin-american-caribbean", "es"),
        ):
            words = ("--group", group, "--instrument", "convention=party", "--instrument", "firearms=party")
            self.stage.do(officer, "register", "state", code, "--name", name, *words, "--language", language)
        for key, name, role, state in (
            ("vda-focal-point", "Beatriz Solano", "focal-point", VDA),
            ("nrl-focal-point", "Harald Lindqvist", "focal-point", NRL),
            ("tsr-focal-point", "Amara Diallo", "focal-point", TSR),
            ("translator", "Odile Moreau", "translator", ""),
            ("oversight", "Nikolai Petrescu", "oversight", ""),
        ):
            self.introduce(key, name, role, state, officer)
        for key, name, state, by in (
            ("vda-expert", "Rafael Quintero", VDA, "vda-focal-point"),
            ("nrl-expert", "Sigrid Halvorsen", NRL, "nrl-focal-point"),
            ("tsr-expert", "Tomás Iriarte", TSR, "tsr-focal-point"),
        ):
            self.introduce(key, name, "expert", state, self.actor(by))
        self.stage.do(officer, "register", "list", show=True)

    def introduce(self, key: str, name: str, role: str, state: str, by: Actor) -> Actor:
        """A new person makes a key; who registers them compares the digits they read out."""
        actor = self.stage.enter(key, name, role, state)
        made = self._init(actor)
        words = ("--role", role, *(("--state", state) if state else ()), "--fingerprint", made["digits"])
        self.stage.do(
            by, "register", "person", str(actor.home / "card.txt"), *words, "--profile", str(self._profile_paper(actor))
        )
        return actor

    def actor(self, key: str) -> Actor:
        """Somebody of the cast."""
        return self.stage.actors[key]

    def paper(self, name: str) -> str:
        """The path of a paper."""
        return self.papers.path(name)

    def attach(self, batch: int) -> tuple[str, ...]:
        """The words that attach a batch of the given documents."""
        batches = self.papers.batches()
        return tuple(word for path in (batches[batch] if batches else ()) for word in ("--attach", str(path)))

    def send(self, actor: Actor, *words: str) -> int:
        """A command that sends an event; returns the event's number."""
        sent: dict[str, Any] = self.stage.ask(actor, *words)
        return int(sent["seq"])

    def _witnesses(self, officer: Actor) -> None:
        """Three witnesses of the log, each a process of somebody else's; two have to have seen what one believes."""
        log = self.stage.ask(officer, "log", "policy")["policy"].split()[1]
        words = []
        for name in WITNESSES:
            key = self.stage.start_witness(name, log)
            words += ["--witness", f"{name}={key},{self.stage.witnesses[name].url}"]
        self.stage.say(
            "Three witnesses run: one of a reviewing State, one of the State under review, one of the oversight group. "
            "From now on nobody believes a history that two of them have not seen:"
        )
        self.stage.do(officer, "--yes", "log", "announce", *words, "--quorum", "2", show=True)

    def _init(self, actor: Actor, *, register: bool = True) -> dict[str, str]:
        words = ("--server", self.stage.url, *(("--register", self.register) if register else ()))
        made: dict[str, str] = self.stage.ask(actor, "init", *words)
        (actor.home / "card.txt").write_text(made["card"] + "\n")
        return made

    def _profile(self, actor: Actor) -> None:
        self.stage.do(actor, "register", "profile", str(self._profile_paper(actor)), "--lang", "en")

    @staticmethod
    def _profile_paper(actor: Actor) -> Path:
        path = actor.home / "profile.txt"
        path.write_text(
            f"Name: {actor.name}\nPosition: {actor.role} in an exercise (invented)\n"
            "Expertise: organized crime legislation\n",
            "utf-8",
        )
        return path
