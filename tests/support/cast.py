"""A small exchange acted out by real `colloquy` processes, for the tests of the command line."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from exchange.demo.processes import COLLOQUY
from exchange.demo.stage import Actor, Stage

WORDS = {
    "profile.txt": "Name: {name}\nPosition: Desk officer\n",
    "response.txt": "Title: Response of Valdoria\n\nThe answers are attached.\n",
    "outcome.txt": "Article: 5\nTitle: Organized criminal group\n\nWe understand the offence as follows.\n",
    "question.txt": "Article: 5\n\nWhich authority keeps the statistics?\n",
    "answer.txt": "The statistical office keeps them.\n",
    "note.txt": "Title: Our view\n\nWe should ask about article 8.\n",
}


class Cast:
    """Officer, three focal points, a review in its dialogue with one answered request."""

    def __init__(self, root: Path) -> None:
        self.stage = Stage.set(root)
        self.stage.console.quiet = True
        self.papers = root / "papers"
        self.papers.mkdir()
        for name, text in WORDS.items():
            (self.papers / name).write_text(text)
        (self.papers / "annex.csv").write_text("year,cases\n2024,17\n")
        self.stage.start_server()
        self._register()
        self._review()

    def paper(self, name: str) -> str:
        return str(self.papers / name)

    def run(self, who: str, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        """One command in a process of its own, whatever becomes of it."""
        actor = self.stage.actors[who]
        environment = {**self.stage._env(actor), **options.pop("env", {})}
        return subprocess.run(
            [str(COLLOQUY), *words], env=environment, capture_output=True, text=True, timeout=60, check=False, **options
        )

    def tick(self, minutes: int = 3) -> None:
        from datetime import timedelta

        self.stage.now += timedelta(minutes=minutes)
        self.stage._write_clock()

    def _enter(self, key: str, name: str, role: str, state: str, by: Actor | None) -> None:
        actor = self.stage.enter(key, name, role, state)
        known = ("--register", self.register) if by else ()
        card = self.stage.ask(actor, "init", "--server", self.stage.url, *known)
        (actor.home / "profile.txt").write_text(WORDS["profile.txt"].format(name=name))
        (actor.home / "card.txt").write_text(card["card"])
        if by:
            words = ("--role", role, "--state", state, "--profile", str(actor.home / "profile.txt"))
            words += ("--fingerprint", card["digits"])
            self.stage.do(by, "register", "person", str(actor.home / "card.txt"), *words)

    def _register(self) -> None:
        self._enter("officer", "Ines Achterberg", "officer", "", None)
        officer = self.stage.actors["officer"]
        self.register = self.stage.ask(officer, "register", "found", "--name", "Test", "--exercise")["register"]
        self.stage.do(officer, "register", "profile", str(officer.home / "profile.txt"))
        for code in ("VDA", "NRL", "TSR"):
            facts = ("--name", f"State {code}", "--group", "african", "--instrument", "convention=party")
            self.stage.do(officer, "register", "state", code, *facts, "--language", "en")
        for key, name, state in (
            ("vda", "Beatriz Solano", "VDA"),
            ("nrl", "Harald Lindqvist", "NRL"),
            ("tsr", "Amara Diallo", "TSR"),
        ):
            self._enter(key, name, "focal-point", state, officer)

    def _review(self) -> None:
        do, actors = self.stage.do, self.stage.actors
        states = ("--under-review", "VDA", "--reviewing", "NRL", "--reviewing", "TSR", "--year", "2026")
        do(actors["officer"], "review", "open", *states, "--drawn", "2026-01-15", "--begins", "2026-02-15")
        for key in ("vda", "nrl", "tsr"):
            do(actors[key], "members", "nominate")
        do(actors["officer"], "members", "admit")
        do(actors["officer"], "review", "schedule", "--begins", "2026-02-15", "--languages", "en", "--languages", "fr")
        do(actors["vda"], "respond", self.paper("response.txt"), "--attach", self.paper("annex.csv"), "--lang", "en")
        for key in ("nrl", "tsr"):
            do(actors[key], "desk-review", "submit", self.paper("outcome.txt"), "--lang", "en")
        do(actors["officer"], "review", "dialogue")
        do(actors["nrl"], "ask", self.paper("question.txt"), "--form", "clarification", "--lang", "en")
        do(actors["vda"], "answer", "Q1", self.paper("answer.txt"), "--lang", "en")


def settled(text: str) -> str:
    """A transcript without what differs from run to run: hashes, digits of fingerprints, paths, ports."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "<hash>", text)
    text = re.sub(r"\b[0-9a-f]{16}\b", "<hash>", text)
    text = re.sub(r"(\d{5} ){7}\d{5}", "<fingerprint>", text)
    text = re.sub(r"http://127\.0\.0\.1:\d+", "<server>", text)
    text = re.sub(r"\b\d+ entries", "<n> entries", text)
    text = re.sub(r"/\S*/(people|papers)/", r"<root>/\1/", text)
    return "\n".join(line.rstrip() for line in text.rstrip().split("\n")) + "\n"
