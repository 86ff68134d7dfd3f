"""What comes after a review: a receipt, a translator's disclosure, a leak traced, and who watches over it all."""

from __future__ import annotations

import html
from pathlib import Path

from exchange.demo.cast import Cast
from exchange.demo.processes import DemoFailed
from exchange.demo.script import NO_KEY, REFUSED

LEAKED_LINES = slice(2, 12)
NOT_VERIFIED = 5


class Afterwards:
    """The scenes in which everybody is held to what they did."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.stage = cast.stage

    def play(self) -> None:
        """A receipt verified offline, what a translator was shown, a leak traced and reported, who read what."""
        self.receipt()
        self.translator()
        annex = self.annex()
        self.trace(annex, self.leak(annex))
        self.report(annex)
        self.access(annex)

    def receipt(self) -> None:
        """The response is proved to whoever has the policy: without a server, a home or a key."""
        self.stage.heading("A receipt, verified offline")
        vda, response = self.cast.actor("vda-focal-point"), f"#{self.cast.seqs['response']}"
        directory = self._directory("receipt")
        receipt, policy = directory / "response.tlog-proof", directory / "policy.txt"
        self.stage.do(vda, "receipt", response, "--out", str(receipt))
        self.stage.do(vda, "log", "policy", "--out", str(policy))
        self.stage.say("The server is stopped. Whoever holds these two files needs neither it, nor a home, nor a key:")
        port = self.stage.stop_server()
        words = ("verify-receipt", str(receipt), "--policy", str(policy))
        self.stage.alone("Anybody", *words, show=True)
        forged = directory / "forged.tlog-proof"
        forged.write_bytes(_with_another_index(receipt.read_bytes()))
        self.stage.say("The same receipt with another place in the log:")
        self.stage.alone("Anybody", "verify-receipt", str(forged), "--policy", str(policy), fails=NOT_VERIFIED)
        self.stage.start_server(port)

    def translator(self) -> None:
        """What was disclosed to the translator opens to them; nothing else does."""
        self.stage.heading("What a translator was shown")
        translator = self.cast.actor("translator")
        self.stage.do(translator, "disclosed", show=True)
        self.stage.do(translator, "show", f"#{self.cast.seqs['response']}")
        self.stage.say("The answer to a question was never disclosed to her:")
        self.stage.do(translator, "show", f"#{self.cast.seqs['answer']}", fails=NO_KEY)

    def annex(self) -> str:
        """Figures for the experts alone; two of them fetch their copies. Returns how one refers to the paper."""
        self.stage.set_clock("2026-09-22")
        vda = self.cast.actor("vda-focal-point")
        file = self.cast.paper("annex-cases.txt")
        number = self.cast.send(vda, "inform", self.cast.paper("annex.txt"), "--attach", file, "--lang", "en")
        for key in ("nrl-successor", "tsr-expert"):
            reader = self.cast.actor(key)
            self.stage.do(reader, "fetch", f"#{number}", "--to", str(reader.home / "papers"), show=key == "tsr-expert")
        return f"#{number}"

    def leak(self, annex: str) -> Path:
        """Some lines of one copy are pasted into a page, which comes to light."""
        copy = self.cast.actor("tsr-expert").home / "papers" / "annex-cases.txt"
        lines = copy.read_text("utf-8").split("\n")[LEAKED_LINES]
        page = self._directory("leak") / "page.html"
        items = "\n".join(f"<li>{html.escape(line)}</li>" for line in lines if line)
        page.write_text(f"<!doctype html>\n<title>Leaked!</title>\n<ul>\n{items}\n</ul>\n", "utf-8")
        self.stage.set_clock("2026-10-05")
        self.stage.say(f"A page comes to light: lines of somebody's copy of {annex}, as HTML, in {page.name}.")
        return page

    def trace(self, annex: str, page: Path) -> None:
        """The page is traced to the paper, and to the copy that its lines were taken from."""
        vda, evidence = self.cast.actor("vda-focal-point"), page.with_name("evidence.txt")
        self.stage.do(vda, "trace", str(page), "--evidence", str(evidence), show=True)
        if "Marks found of: Tomás Iriarte" not in evidence.read_text("utf-8"):
            raise DemoFailed(f"the leak of {annex} was not traced to the copy it came from; see {evidence}")
        words = ("--about", annex, "--evidence", str(evidence))
        self.stage.do(vda, "breach", "report", self.cast.paper("suspicion.txt"), *words)

    def report(self, annex: str) -> None:
        """The oversight group reads the report, is shown the file and nothing else, and decides."""
        vda, oversight = self.cast.actor("vda-focal-point"), self.cast.actor("oversight")
        self.stage.do(oversight, "inbox")
        self.stage.say("The oversight group holds no key of the review; it opens what is disclosed to it:")
        self.stage.do(oversight, "show", annex, fails=NO_KEY)
        self.stage.do(vda, "--yes", "disclose", annex, "Petrescu", "--file", "1")
        self.stage.do(oversight, "fetch", annex, "--to", str(oversight.home / "papers"))
        self.stage.do(oversight, "breach", "show", "B1")
        for verb, paper in (("consider", "considered.txt"), ("refer", "referred.txt"), ("close", "closed.txt")):
            self.stage.do(oversight, "breach", verb, "B1", self.cast.paper(paper))
        self.stage.do(vda, "breach", "show", "B1", show=True)
        self.stage.say("Everybody in the review sees that it was reported and closed; nobody else reads the letters:")
        for key in ("officer", "tsr-focal-point", "tsr-expert"):
            shown = self.stage.ask(self.cast.actor(key), "breach", "show", "B1")
            if any(letter["words"] for letter in shown["letters"]):
                raise DemoFailed(f"{key} reads letters that are not to them")
        self.stage.say(f"  {len(shown['letters'])} letters, all sealed to others for each of the three.")
        self.stage.say("A report is for those who answer for the review; an expert tells their focal point:")
        words = ("breach", "report", self.cast.paper("suspicion.txt"), "--about", annex)
        self.stage.do(self.cast.actor("tsr-expert"), *words, fails=REFUSED)

    def access(self, annex: str) -> None:
        """Who could read the paper, and who did: every reading was signed before anything was sent."""
        self.stage.heading("Who could read the annex, and who did")
        self.stage.do(self.cast.actor("vda-focal-point"), "access", annex, show=True)

    def audit(self) -> None:
        """The oversight group looks over all reviews, and checks every entry of the log."""
        self.stage.heading("The oversight group's audit")
        oversight = self.cast.actor("oversight")
        self.stage.do(oversight, "oversight", show=True)
        self.stage.do(oversight, "audit", "--report", str(self.stage.root / "audit"), show=True)

    def _directory(self, name: str) -> Path:
        directory = self.stage.root / name
        directory.mkdir()
        return directory


def _with_another_index(receipt: bytes) -> bytes:
    """A receipt that claims the next place in the log."""
    head, _, rest = receipt.partition(b"\nindex ")
    index, _, proof = rest.partition(b"\n")
    return b"%b\nindex %d\n%b" % (head, int(index) + 1, proof)
