"""`make demo`: play the review and what follows it, then show that the server and its witnesses read nothing."""

from __future__ import annotations

import io
import json
import re
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from exchange.demo.afterwards import Afterwards
from exchange.demo.cast import Cast
from exchange.demo.papers import Papers
from exchange.demo.processes import DemoFailed
from exchange.demo.proof import found_in, phrases_of, size_of
from exchange.demo.script import Review
from exchange.demo.stage import Actor, Stage

ROOT = Path("build/demo")


@click.command()
@click.option(
    "--docs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Use the files of this directory as the documents.",
)
def main(docs: Path | None) -> None:
    """Play a whole review; everything stays in build/demo."""
    began = time.monotonic()
    stage = Stage.set(ROOT.absolute())
    papers = Papers.prepare(ROOT.absolute() / "papers", docs.absolute() if docs else None)
    try:
        cast = Cast(stage, papers)
        cast.gather()
        Review(cast).play()
        timetable = stage.do(stage.actors["officer"], "timetable", show=True)
        picture(timetable, "timetable", ROOT / "timetable.svg")
        picture(stage.do(stage.actors["vda-focal-point"], "timeline"), "timeline", ROOT / "timeline.svg")
        stage.do(stage.actors["officer"], "readers")
        afterwards = Afterwards(cast)
        afterwards.play()
        opened(stage)
        afterwards.audit()
        stage.keep_script(ROOT / "again.sh")
        stage.stop_all()
        prove(stage, papers)
    except DemoFailed as error:
        stage.say(f"The demo failed: {error}")
        sys.exit(1)
    finally:
        stage.stop_all()
        stage.transcript.close()
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    stage.console.print(
        f"\nDone in {minutes} min {seconds} s, {stage.step} commands. Everything is in {ROOT}/ (transcript.txt).\n"
        "To go on by hand:\n"
        f"  sh {ROOT}/again.sh\n"
        "and in another terminal:\n"
        f"  export COLLOQUY_EXERCISE_CLOCK={ROOT}/clock COLLOQUY_HOME={ROOT}/people/vda-focal-point\n"
        f"  export COLLOQUY_PASSPHRASE_FILE={ROOT}/people/vda-focal-point/passphrase.txt\n"
        "  .venv/bin/colloquy inbox",
        markup=False,
    )


def picture(text: str, verb: str, path: Path) -> None:
    """Keep what a command printed as a picture of its terminal."""
    lines = text.rstrip().split("\n")
    console = Console(record=True, width=max(map(len, lines)), file=io.StringIO())
    console.print("\n".join(lines), markup=False, highlight=False, no_wrap=True)
    # Fonts from elsewhere would tell elsewhere who looks.
    drawn = re.sub(r"@font-face \{[^}]*\}", "", console.export_svg(title=f"colloquy {verb}"))
    path.write_text(drawn, encoding="utf-8")


def opened(stage: Stage) -> None:
    """Who really opened what: every person tries to open everything."""
    stage.heading("Who can open what: everyone just tried")
    sheets = {actor: sheet(stage, actor) for actor in stage.actors.values()}
    lines = max(sheets.values(), key=len)
    people = list(sheets)
    for number, actor in enumerate(people, 1):
        stage.say(f"  {number:>2} {actor.name}, {actor.role}{f' of {actor.state}' if actor.state else ''}")
    stage.say("\n  No.  " + " ".join(f"{n:>2}" for n in range(1, len(people) + 1)) + "  what")
    for seq, what in sorted((seq, what) for seq, (what, _) in lines.items()):
        marks = " ".join(f"{_mark(sheets[actor], seq):>2}" for actor in people)
        stage.say(f"  #{seq:<4}{marks}  {what}")
    stage.say("  ● opened it   · sees that it happened, cannot open it   (blank: is shown nothing)")


def sheet(stage: Stage, actor: Actor) -> dict[int, tuple[str, bool]]:
    """What a person is shown: number, what happened, and whether they could open it."""
    shown = stage.do(actor, "--json", "timeline", fails=None)
    rows = json.loads(shown)
    if not isinstance(rows, list):
        return {}
    return {row["seq"]: (row["what"], not row["title"].endswith("(sealed)")) for row in rows if row["circle"]}


def _mark(rows: dict[int, tuple[str, bool]], seq: int) -> str:
    if seq not in rows:
        return " "
    return "●" if rows[seq][1] else "·"


def prove(stage: Stage, papers: Papers) -> None:
    """Look for every phrase in every byte that the server and the witnesses hold."""
    stage.heading("Proof that the server and the witnesses hold no word of it")
    names = [actor.name for actor in stage.actors.values()]
    phrases = phrases_of(papers.directory.parent, papers.documents, names)
    control = next(iter(found_in(papers.directory.parent, phrases)), None)
    if control is None:
        raise DemoFailed("the search finds nothing even where everything is: it proves nothing")
    held = (stage.root / "server", stage.root / "witnesses")
    leaks = [leak for directory in held for leak in found_in(directory, phrases)] + list(found_in_log(stage, phrases))
    files, size = (sum(parts) for parts in zip(*map(size_of, held), strict=True))
    for path, phrase in leaks[:20]:
        stage.say(f"  LEAK in {path.name}: {phrase!r}")
    if leaks:
        raise DemoFailed(f"{len(leaks)} phrases were found in the server's files or the witnesses'")
    stage.say(
        f"  {len(phrases)} phrases, titles, names and file names looked for in {files} files of the server and its "
        f"witnesses ({size:,} bytes, what they logged among them): none found."
    )


def found_in_log(stage: Stage, phrases: set[bytes]) -> list[tuple[Path, bytes]]:
    """Phrases in the server's log."""
    path = stage.root / "server.log"
    text = path.read_bytes()
    return [(path, phrase) for phrase in phrases if phrase in text]


if __name__ == "__main__":
    main()
