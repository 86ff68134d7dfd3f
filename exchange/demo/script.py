"""The review, scene by scene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exchange.demo.papers import Papers
from exchange.demo.stage import Actor, DemoFailed, Stage

VDA, NRL, TSR = "VDA", "NRL", "TSR"
NO_KEY, REFUSED, NOT_FOUND, GONE = 6, 3, 8, (3, 4, 6, 8)


class Review:
    """The cast, the papers and the review they hold."""

    def __init__(self, stage: Stage, papers: Papers) -> None:
        self.stage = stage
        self.papers = papers
        self.register = ""
        self.seqs: dict[str, int] = {}

    def play(self) -> None:
        """Everything, from the first key to the successor who reads the history."""
        for scene in (
            self.cast,
            self.opening,
            self.joining,
            self.response,
            self.translation,
            self.desk_review,
            self.dialogue,
            self.reviewers_alone,
            self.report,
            self.summary,
            self.turnover,
        ):
            scene()

    # -- scenes

    def cast(self) -> None:
        """Keys, cards, fingerprints, the register."""
        self.stage.heading("Keys and the register")
        self.stage.start_server()
        officer = self.stage.enter("officer", "Ines Achterberg", "officer")
        self._init(officer, register=False)
        self.register = self.stage.ask(
            officer, "register", "found", "--name", "Exercise of the review mechanism", "--exercise"
        )["register"]
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
            self._introduce(key, name, role, state, officer)
        for key, name, state, by in (
            ("vda-expert", "Rafael Quintero", VDA, "vda-focal-point"),
            ("nrl-expert", "Sigrid Halvorsen", NRL, "nrl-focal-point"),
            ("tsr-expert", "Tomás Iriarte", TSR, "tsr-focal-point"),
        ):
            self._introduce(key, name, "expert", state, self._actor(by))
        self.stage.do(officer, "register", "list", show=True)

    def opening(self) -> None:
        """The review is opened, its languages and timetable set."""
        self.stage.set_clock("2026-02-10")
        officer = self._actor("officer")
        words = ("--under-review", VDA, "--reviewing", NRL, "--reviewing", TSR, "--year", "2026")
        self.stage.do(officer, "review", "open", *words, "--drawn", "2026-01-15", "--begins", "2026-02-15")

    def joining(self) -> None:
        """States nominate, the secretariat admits."""
        officer = self._actor("officer")
        self.stage.set_clock("2026-02-25")
        for key in ("vda-focal-point", "nrl-focal-point", "tsr-focal-point"):
            self.stage.do(self._actor(key), "members", "nominate")
        self.stage.do(officer, "members", "admit")
        for by, name in (("vda", "Quintero"), ("nrl", "Halvorsen"), ("tsr", "Iriarte")):
            self.stage.do(self._actor(f"{by}-focal-point"), "members", "nominate", name)
        self.stage.do(officer, "members", "admit")
        self.stage.say("Nobody from outside the three States can be brought in:")
        self.stage.do(self._actor("vda-focal-point"), "members", "nominate", "Petrescu", fails=REFUSED)
        words = ("--begins", "2026-02-15", "--languages", "en", "--languages", "fr")
        self.stage.do(officer, "review", "schedule", *words)
        self.stage.set_clock("2026-03-20")
        self.stage.do(officer, "review", "call", self._paper("call.txt"), "--call", "introductory", "--lang", "en")
        self.stage.do(officer, "members", "list", show=True)

    def response(self) -> None:
        """The self-assessment response, after an extension."""
        self.stage.set_clock("2026-04-08")
        officer, vda = self._actor("officer"), self._actor("vda-focal-point")
        self.stage.do(
            officer,
            "review",
            "extend",
            self._paper("extension.txt"),
            "--step",
            "response",
            "--until",
            "2026-04-20",
            "--lang",
            "en",
        )
        self.stage.set_clock("2026-04-24")
        attach = self._attach(0)
        self.seqs["response"] = self._send(vda, "respond", self._paper("response.txt"), *attach, "--lang", "en")
        for number in range(1, len(self.papers.batches())):
            self._send(vda, "inform", self._paper("inform.txt"), *self._attach(number), "--lang", "en")
        self.stage.do(self._actor("nrl-expert"), "show", f"#{self.seqs['response']}", show=True)
        self.stage.do(
            self._actor("nrl-expert"),
            "fetch",
            f"#{self.seqs['response']}",
            "--to",
            str(self._actor("nrl-expert").home / "papers"),
        )

    def translation(self) -> None:
        """A translator who holds no review key; a translation made stale by a new version, and renewed."""
        self.stage.heading("Translation without a review key")
        officer, translator, vda = self._actor("officer"), self._actor("translator"), self._actor("vda-focal-point")
        first = self._send(officer, "translate", "assign", f"#{self.seqs['response']}", "Moreau", "--into", "fr")
        self.stage.do(translator, "translate", "fetch", f"#{first}", show=True)
        self.stage.do(translator, "translate", "submit", f"#{first}", self._paper("réponse-fr.txt"))
        self.stage.say("The translator opens what was assigned, and nothing else:")
        self.stage.do(translator, "timeline", show=True)
        self.stage.set_clock("2026-04-28")
        self.seqs["response"] = self._send(
            vda, "respond", self._paper("response-2.txt"), *self._attach(0), "--lang", "en"
        )
        self.stage.do(officer, "translate", "list", show=True)
        second = self._send(officer, "translate", "assign", f"#{self.seqs['response']}", "Moreau", "--into", "fr")
        self.stage.do(translator, "translate", "submit", f"#{second}", self._paper("réponse-fr-2.txt"))
        if not self.papers.documents:
            third = self._send(
                officer, "translate", "assign", f"#{self.seqs['response']}", "Moreau", "--into", "fr", "--file", "1"
            )
            self.stage.do(translator, "translate", "fetch", f"#{third}", "--to", str(translator.home))
            french = self.papers.directory.parent / "udhr" / "fr Déclaration universelle.txt"
            self.stage.do(translator, "translate", "submit", f"#{third}", "--file", str(french))
        self.stage.set_clock("2026-05-02")
        self.stage.do(officer, "circulate", f"#{self.seqs['response']}")

    def desk_review(self) -> None:
        """Topics divided, an outcome for each article."""
        self.stage.set_clock("2026-05-12")
        nrl, tsr = self._actor("nrl-expert"), self._actor("tsr-expert")
        self.stage.do(nrl, "desk-review", "divide", self._paper("division.txt"), "--lang", "en")
        self.stage.set_clock("2026-05-28")
        self.stage.do(nrl, "desk-review", "submit", self._paper("outcome-5.txt"), "--lang", "en")
        self.stage.set_clock("2026-06-10")
        self.stage.do(tsr, "desk-review", "submit", self._paper("outcome-16.txt"), "--lang", "en")
        self.stage.do(
            self._actor("tsr-focal-point"), "inform-organization", self._paper("organization.txt"), "--lang", "en"
        )
        self.stage.do(self._actor("officer"), "review", "dialogue")

    def dialogue(self) -> None:
        """Questions, answers, follow-ups, closed."""
        self.stage.set_clock("2026-06-15")
        nrl, tsr, vda = self._actor("nrl-expert"), self._actor("tsr-expert"), self._actor("vda-focal-point")
        self.stage.do(nrl, "ask", self._paper("question-1.txt"), "--form", "clarification", "--lang", "en")
        second = self._send(tsr, "ask", self._paper("question-2.txt"), "--form", "information", "--lang", "en")
        self.stage.do(nrl, "ask", self._paper("question-3.txt"), "--form", "supplementary", "--lang", "en")
        assigned = self._send(self._actor("officer"), "translate", "assign", f"#{second}", "Moreau", "--into", "fr")
        self.stage.do(
            self._actor("translator"), "translate", "submit", f"#{assigned}", self._paper("question-2-fr.txt")
        )
        self.stage.do(
            self._actor("vda-expert"), "draft", self._paper("draft-answer.txt"), "--about", "Q1", "--lang", "en"
        )
        self.stage.do(vda, "inbox", show=True)
        self.stage.set_clock("2026-06-30")
        self.seqs["answer"] = self._send(vda, "answer", "Q1", self._paper("answer-1.txt"), "--lang", "en")
        self.stage.say("A question is answered once, by the focal point of the State under review:")
        self.stage.do(vda, "answer", "Q1", self._paper("answer-1b.txt"), "--lang", "en", fails=REFUSED)
        self.stage.do(vda, "answer", "Q2", self._paper("answer-2.txt"), "--lang", "en")
        self.stage.do(vda, "answer", "Q3", self._paper("answer-3.txt"), "--lang", "en")
        self.stage.do(vda, "inform", self._paper("inform.txt"), *self._attach(0), "--lang", "en")
        self.stage.do(nrl, "follow-up", "Q1", self._paper("followup-1.txt"), "--lang", "en")
        self.stage.do(vda, "answer", "Q1", self._paper("answer-1b.txt"), "--lang", "en")
        for actor, question in ((nrl, "Q1"), (tsr, "Q2"), (nrl, "Q3")):
            self.stage.do(actor, "close", question, self._paper("closing-1.txt"), "--lang", "en")
        self.stage.do(nrl, "show", "Q1", show=True)

    def reviewers_alone(self) -> None:
        """The reviewers' own exchange, closed to the State under review."""
        self.stage.heading("The reviewers among themselves")
        nrl, tsr = self._actor("nrl-expert"), self._actor("tsr-expert")
        number = self._send(nrl, "confer", self._paper("confer.txt"), "--lang", "en")
        self.stage.do(tsr, "show", f"#{number}", show=True)
        self.stage.say("The State under review cannot open it:")
        self.stage.do(self._actor("vda-focal-point"), "show", f"#{number}", fails=NO_KEY)

    def report(self) -> None:
        """Revisions compared, comments taken up, a disagreement settled, three signatures."""
        self.stage.set_clock("2026-07-20")
        nrl, vda = self._actor("nrl-expert"), self._actor("vda-focal-point")
        fps = [self._actor(f"{state}-focal-point") for state in ("vda", "nrl", "tsr")]
        self.stage.do(nrl, "report", "revise", self._paper("report-1.txt"), "--lang", "en")
        first = self._report(vda)
        one = self._send(vda, "report", "comment", first, self._paper("comment-1.txt"), "--lang", "en")
        two = self._send(vda, "report", "comment", first, self._paper("comment-2.txt"), "--lang", "en")
        self.stage.set_clock("2026-07-30")
        self.stage.do(
            nrl, "report", "revise", self.papers.taking_up("report-2.txt", {one: "4", two: "8"}), "--lang", "en"
        )
        self.stage.do(vda, "report", "diff", show=True)
        second = self._report(vda)
        self.stage.do(fps[1], "--yes", "report", "agree")
        self.stage.say("Nobody can comment on a revision that is not the newest any more:")
        self.stage.do(vda, "report", "comment", first, self._paper("comment-1.txt"), "--lang", "en", fails=REFUSED)
        objection = self._send(vda, "report", "object", second, self._paper("objection.txt"), "--lang", "en")
        self.stage.do(
            self._actor("tsr-focal-point"),
            "report",
            "discuss",
            f"#{objection}",
            self._paper("discussion.txt"),
            "--lang",
            "en",
        )
        self.stage.set_clock("2026-08-20")
        self.stage.do(nrl, "report", "revise", self.papers.taking_up("report-3.txt", {objection: "9"}), "--lang", "en")
        self.stage.do(vda, "report", "diff", "2", "3", show=True)
        for focal_point in fps:
            self.stage.do(focal_point, "--yes", "report", "agree")
        self.stage.do(vda, "status", show=True)

    def summary(self) -> None:
        """The executive summary, agreed like the report."""
        self.stage.set_clock("2026-08-25")
        self.stage.do(self._actor("nrl-expert"), "summary", "revise", self._paper("summary.txt"), "--lang", "en")
        for state in ("vda", "nrl", "tsr"):
            self.stage.do(self._actor(f"{state}-focal-point"), "--yes", "summary", "agree")

    def turnover(self) -> None:
        """An expert leaves, what follows is closed to them; a successor reads the history."""
        self.stage.set_clock("2026-09-10")
        officer, focal_point, leaver = self._actor("officer"), self._actor("nrl-focal-point"), self._actor("nrl-expert")
        self.stage.do(focal_point, "--yes", "members", "remove", "Halvorsen")
        self.stage.do(focal_point, "--yes", "register", "remove", "Halvorsen")
        later = self._send(self._actor("vda-focal-point"), "inform", self._paper("later.txt"), "--lang", "en")
        self.stage.say("What follows is closed to the one who left:")
        self.stage.do(leaver, "show", f"#{later}", fails=REFUSED)
        successor = self._introduce("nrl-successor", "Erik Sandström", "expert", NRL, focal_point)
        self.stage.do(focal_point, "members", "nominate", "Sandström")
        self.stage.do(officer, "members", "admit")
        self.stage.say("The successor reads the history, from the first page on:")
        self.stage.do(successor, "timeline", show=True)
        self.stage.do(successor, "show", f"#{self.seqs['answer']}", show=True)

    # -- parts

    def _actor(self, key: str) -> Actor:
        return self.stage.actors[key]

    def _paper(self, name: str) -> str:
        return self.papers.path(name)

    def _attach(self, batch: int) -> tuple[str, ...]:
        batches = self.papers.batches()
        return tuple(word for path in (batches[batch] if batches else ()) for word in ("--attach", str(path)))

    def _send(self, actor: Actor, *words: str) -> int:
        """A command that sends an event; returns the event's number."""
        sent: dict[str, Any] = self.stage.ask(actor, *words)
        return int(sent["seq"])

    def _report(self, actor: Actor) -> str:
        """The newest revision of the report, as one refers to it."""
        rows = [row for row in self.stage.ask(actor, "timeline") if row["kind"] == "report.revised"]
        return f"#{rows[-1]['seq']}"

    def _init(self, actor: Actor, *, register: bool = True) -> dict[str, str]:
        words = ("--server", self.stage.url, *(("--register", self.register) if register else ()))
        made: dict[str, str] = self.stage.ask(actor, "init", *words)
        (actor.home / "card.txt").write_text(made["card"] + "\n")
        return made

    def _introduce(self, key: str, name: str, role: str, state: str, by: Actor) -> Actor:
        """A new person makes a key; who registers them compares the digits they read out."""
        actor = self.stage.enter(key, name, role, state)
        made = self._init(actor)
        words = ("--role", role, *(("--state", state) if state else ()), "--fingerprint", made["digits"])
        self.stage.do(
            by, "register", "person", str(actor.home / "card.txt"), *words, "--profile", str(self._profile_paper(actor))
        )
        return actor

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


__all__ = ["DemoFailed", "Review"]
