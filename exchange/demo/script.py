"""The review, scene by scene."""

from __future__ import annotations

from exchange.demo.cast import NRL, TSR, VDA, Cast
from exchange.demo.stage import Actor

NO_KEY, REFUSED = 6, 3


class Review:
    """The review that the cast holds."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.stage = cast.stage

    def play(self) -> None:
        """Everything, from the first nomination to the successor who reads the history."""
        for scene in (
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

    def opening(self) -> None:
        """The review is opened, its languages and timetable set."""
        self.stage.set_clock("2026-02-10")
        officer = self.cast.actor("officer")
        words = ("--under-review", VDA, "--reviewing", NRL, "--reviewing", TSR, "--year", "2026")
        self.stage.do(officer, "review", "open", *words, "--drawn", "2026-01-15", "--begins", "2026-02-15")

    def joining(self) -> None:
        """States nominate, the secretariat admits."""
        officer = self.cast.actor("officer")
        self.stage.set_clock("2026-02-25")
        for key in ("vda-focal-point", "nrl-focal-point", "tsr-focal-point"):
            self.stage.do(self.cast.actor(key), "members", "nominate")
        self.stage.do(officer, "members", "admit")
        for by, name in (("vda", "Quintero"), ("nrl", "Halvorsen"), ("tsr", "Iriarte")):
            self.stage.do(self.cast.actor(f"{by}-focal-point"), "members", "nominate", name)
        self.stage.do(officer, "members", "admit")
        self.stage.say("Nobody from outside the three States can be brought in:")
        self.stage.do(self.cast.actor("vda-focal-point"), "members", "nominate", "Petrescu", fails=REFUSED)
        words = ("--begins", "2026-02-15", "--languages", "en", "--languages", "fr")
        self.stage.do(officer, "review", "schedule", *words)
        self.stage.set_clock("2026-03-20")
        self.stage.do(officer, "review", "call", self.cast.paper("call.txt"), "--call", "introductory", "--lang", "en")
        self.stage.do(officer, "members", "list", show=True)

    def response(self) -> None:
        """The self-assessment response, after an extension."""
        self.stage.set_clock("2026-04-08")
        officer, vda = self.cast.actor("officer"), self.cast.actor("vda-focal-point")
        self.stage.do(
            officer,
            "review",
            "extend",
            self.cast.paper("extension.txt"),
            "--step",
            "response",
            "--until",
            "2026-04-20",
            "--lang",
            "en",
        )
        self.stage.set_clock("2026-04-24")
        attach = self.cast.attach(0)
        self.cast.seqs["response"] = self.cast.send(
            vda, "respond", self.cast.paper("response.txt"), *attach, "--lang", "en"
        )
        for number in range(1, len(self.cast.papers.batches())):
            self.cast.send(vda, "inform", self.cast.paper("inform.txt"), *self.cast.attach(number), "--lang", "en")
        self.stage.do(self.cast.actor("nrl-expert"), "show", f"#{self.cast.seqs['response']}", show=True)
        self.stage.do(
            self.cast.actor("nrl-expert"),
            "fetch",
            f"#{self.cast.seqs['response']}",
            "--to",
            str(self.cast.actor("nrl-expert").home / "papers"),
        )

    def translation(self) -> None:
        """A translator who holds no review key; a translation made stale by a new version, and renewed."""
        self.stage.heading("Translation without a review key")
        officer, translator, vda = (
            self.cast.actor("officer"),
            self.cast.actor("translator"),
            self.cast.actor("vda-focal-point"),
        )
        first = self.cast.send(
            officer, "translate", "assign", f"#{self.cast.seqs['response']}", "Moreau", "--into", "fr"
        )
        self.stage.do(translator, "translate", "fetch", f"#{first}", show=True)
        self.stage.do(translator, "translate", "submit", f"#{first}", self.cast.paper("réponse-fr.txt"))
        self.stage.say("The translator opens what was assigned, and nothing else:")
        self.stage.do(translator, "timeline", show=True)
        self.stage.set_clock("2026-04-28")
        self.cast.seqs["response"] = self.cast.send(
            vda, "respond", self.cast.paper("response-2.txt"), *self.cast.attach(0), "--lang", "en"
        )
        self.stage.do(officer, "translate", "list", show=True)
        second = self.cast.send(
            officer, "translate", "assign", f"#{self.cast.seqs['response']}", "Moreau", "--into", "fr"
        )
        self.stage.do(translator, "translate", "submit", f"#{second}", self.cast.paper("réponse-fr-2.txt"))
        if not self.cast.papers.documents:
            third = self.cast.send(
                officer,
                "translate",
                "assign",
                f"#{self.cast.seqs['response']}",
                "Moreau",
                "--into",
                "fr",
                "--file",
                "1",
            )
            self.stage.do(translator, "translate", "fetch", f"#{third}", "--to", str(translator.home))
            french = self.cast.papers.directory.parent / "udhr" / "fr Déclaration universelle.txt"
            self.stage.do(translator, "translate", "submit", f"#{third}", "--file", str(french))
        self.stage.set_clock("2026-05-02")
        self.stage.do(officer, "circulate", f"#{self.cast.seqs['response']}")

    def desk_review(self) -> None:
        """Topics divided, an outcome for each article."""
        self.stage.set_clock("2026-05-12")
        nrl, tsr = self.cast.actor("nrl-expert"), self.cast.actor("tsr-expert")
        self.stage.do(nrl, "desk-review", "divide", self.cast.paper("division.txt"), "--lang", "en")
        self.stage.set_clock("2026-05-28")
        self.stage.do(nrl, "desk-review", "submit", self.cast.paper("outcome-5.txt"), "--lang", "en")
        self.stage.set_clock("2026-06-10")
        self.stage.do(tsr, "desk-review", "submit", self.cast.paper("outcome-16.txt"), "--lang", "en")
        self.stage.do(
            self.cast.actor("tsr-focal-point"),
            "inform-organization",
            self.cast.paper("organization.txt"),
            "--lang",
            "en",
        )
        self.stage.do(self.cast.actor("officer"), "review", "dialogue")

    def dialogue(self) -> None:
        """Questions, answers, follow-ups, closed."""
        self.stage.set_clock("2026-06-15")
        self.stage.witnesses["oversight"].kill()
        self.stage.say("The oversight group's witness is killed. Two are left, two are enough: everything goes on.")
        nrl, tsr, vda = self.cast.actor("nrl-expert"), self.cast.actor("tsr-expert"), self.cast.actor("vda-focal-point")
        self.stage.do(nrl, "ask", self.cast.paper("question-1.txt"), "--form", "clarification", "--lang", "en")
        second = self.cast.send(tsr, "ask", self.cast.paper("question-2.txt"), "--form", "information", "--lang", "en")
        self.stage.do(nrl, "ask", self.cast.paper("question-3.txt"), "--form", "supplementary", "--lang", "en")
        assigned = self.cast.send(
            self.cast.actor("officer"), "translate", "assign", f"#{second}", "Moreau", "--into", "fr"
        )
        self.stage.do(
            self.cast.actor("translator"), "translate", "submit", f"#{assigned}", self.cast.paper("question-2-fr.txt")
        )
        self.stage.do(
            self.cast.actor("vda-expert"), "draft", self.cast.paper("draft-answer.txt"), "--about", "Q1", "--lang", "en"
        )
        self.stage.do(vda, "inbox", show=True)
        self.stage.set_clock("2026-06-30")
        self.cast.seqs["answer"] = self.cast.send(vda, "answer", "Q1", self.cast.paper("answer-1.txt"), "--lang", "en")
        self.stage.say("A question is answered once, by the focal point of the State under review:")
        self.stage.do(vda, "answer", "Q1", self.cast.paper("answer-1b.txt"), "--lang", "en", fails=REFUSED)
        self.stage.do(vda, "answer", "Q2", self.cast.paper("answer-2.txt"), "--lang", "en")
        self.stage.do(vda, "answer", "Q3", self.cast.paper("answer-3.txt"), "--lang", "en")
        self.stage.do(vda, "inform", self.cast.paper("inform.txt"), *self.cast.attach(0), "--lang", "en")
        self.stage.do(nrl, "follow-up", "Q1", self.cast.paper("followup-1.txt"), "--lang", "en")
        self.stage.do(vda, "answer", "Q1", self.cast.paper("answer-1b.txt"), "--lang", "en")
        for actor, question in ((nrl, "Q1"), (tsr, "Q2"), (nrl, "Q3")):
            self.stage.do(actor, "close", question, self.cast.paper("closing-1.txt"), "--lang", "en")
        self.stage.do(nrl, "show", "Q1", show=True)

    def reviewers_alone(self) -> None:
        """The reviewers' own exchange, closed to the State under review."""
        self.stage.heading("The reviewers among themselves")
        nrl, tsr = self.cast.actor("nrl-expert"), self.cast.actor("tsr-expert")
        number = self.cast.send(nrl, "confer", self.cast.paper("confer.txt"), "--lang", "en")
        self.stage.do(tsr, "show", f"#{number}", show=True)
        self.stage.say("The State under review cannot open it:")
        self.stage.do(self.cast.actor("vda-focal-point"), "show", f"#{number}", fails=NO_KEY)

    def report(self) -> None:
        """Revisions compared, comments taken up, a disagreement settled, three signatures."""
        self.stage.set_clock("2026-07-20")
        nrl, vda = self.cast.actor("nrl-expert"), self.cast.actor("vda-focal-point")
        fps = [self.cast.actor(f"{state}-focal-point") for state in ("vda", "nrl", "tsr")]
        self.stage.do(nrl, "report", "revise", self.cast.paper("report-1.txt"), "--lang", "en")
        first = self._report(vda)
        one = self.cast.send(vda, "report", "comment", first, self.cast.paper("comment-1.txt"), "--lang", "en")
        two = self.cast.send(vda, "report", "comment", first, self.cast.paper("comment-2.txt"), "--lang", "en")
        self.stage.set_clock("2026-07-30")
        self.stage.do(
            nrl, "report", "revise", self.cast.papers.taking_up("report-2.txt", {one: "4", two: "8"}), "--lang", "en"
        )
        self.stage.do(vda, "report", "diff", show=True)
        second = self._report(vda)
        self.stage.do(fps[1], "--yes", "report", "agree")
        self.stage.say("Nobody can comment on a revision that is not the newest any more:")
        self.stage.do(vda, "report", "comment", first, self.cast.paper("comment-1.txt"), "--lang", "en", fails=REFUSED)
        objection = self.cast.send(vda, "report", "object", second, self.cast.paper("objection.txt"), "--lang", "en")
        self.stage.do(
            self.cast.actor("tsr-focal-point"),
            "report",
            "discuss",
            f"#{objection}",
            self.cast.paper("discussion.txt"),
            "--lang",
            "en",
        )
        self.stage.set_clock("2026-08-20")
        self.stage.do(
            nrl, "report", "revise", self.cast.papers.taking_up("report-3.txt", {objection: "9"}), "--lang", "en"
        )
        self.stage.do(vda, "report", "diff", "2", "3", show=True)
        for focal_point in fps:
            self.stage.do(focal_point, "--yes", "report", "agree")
        self.stage.do(vda, "status", show=True)

    def summary(self) -> None:
        """The executive summary, agreed like the report."""
        self.stage.set_clock("2026-08-25")
        self.stage.do(
            self.cast.actor("nrl-expert"), "summary", "revise", self.cast.paper("summary.txt"), "--lang", "en"
        )
        for state in ("vda", "nrl", "tsr"):
            self.stage.do(self.cast.actor(f"{state}-focal-point"), "--yes", "summary", "agree")

    def turnover(self) -> None:
        """An expert leaves, what follows is closed to them; a successor reads the history."""
        self.stage.set_clock("2026-09-10")
        officer, focal_point, leaver = (
            self.cast.actor("officer"),
            self.cast.actor("nrl-focal-point"),
            self.cast.actor("nrl-expert"),
        )
        self.stage.do(focal_point, "--yes", "members", "remove", "Halvorsen")
        self.stage.do(focal_point, "--yes", "register", "remove", "Halvorsen")
        later = self.cast.send(
            self.cast.actor("vda-focal-point"), "inform", self.cast.paper("later.txt"), "--lang", "en"
        )
        self.stage.say("What follows is closed to the one who left:")
        self.stage.do(leaver, "show", f"#{later}", fails=REFUSED)
        successor = self.cast.introduce("nrl-successor", "Erik Sandström", "expert", NRL, focal_point)
        self.stage.do(focal_point, "members", "nominate", "Sandström")
        self.stage.do(officer, "members", "admit")
        self.stage.say("The successor reads the history, from the first page on:")
        self.stage.do(successor, "timeline", show=True)
        self.stage.do(successor, "show", f"#{self.cast.seqs['answer']}", show=True)

    def _report(self, actor: Actor) -> str:
        """The newest revision of the report, as one refers to it."""
        rows = [row for row in self.stage.ask(actor, "timeline") if row["kind"] == "report.revised"]
        return f"#{rows[-1]['seq']}"
