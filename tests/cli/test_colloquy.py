"""The command as people use it: real processes against a real server; what it says, what it answers, what it keeps."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from filelock import FileLock

from events.rule import KINDS
from exchange.cli import commands
from exchange.cli.app import cli
from exchange.cli.failures import EXIT_STATUS
from tests.support.cast import Cast, settled

pytestmark = pytest.mark.xdist_group("colloquy")
TRANSCRIPTS = Path(__file__).with_name("transcripts")
commands.add_all(cli)


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    cast = Cast(tmp_path_factory.mktemp("cast") / "stage")
    yield cast
    cast.stage.stop_server()


# -- transcripts


def same(name: str, text: str) -> None:
    path = TRANSCRIPTS / f"{name}.txt"
    if os.environ.get("UPDATE_TRANSCRIPTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("name", "who", "words"),
    [
        ("members", "nrl", ("members", "list")),
        ("register", "officer", ("register", "list")),
        ("timeline-of-a-member", "vda", ("timeline",)),
        ("question", "tsr", ("show", "Q1")),
        ("status", "officer", ("status",)),
        ("turns", "nrl", ("inbox",)),
        ("refused", "vda", ("ask", "{question.txt}", "--form", "clarification")),
        ("not-found", "nrl", ("show", "Q7")),
        ("translations", "officer", ("translate", "list")),
    ],
)
def test_transcripts(cast: Cast, name: str, who: str, words: tuple[str, ...]) -> None:
    given = tuple(cast.paper(w[1:-1]) if w.startswith("{") else w for w in words)
    done = cast.run(who, *given)
    shown = " ".join(w.strip("{}") for w in words)
    same(name, settled(f"$ colloquy {shown}\n{done.stdout}{done.stderr}(status {done.returncode})"))


@pytest.mark.parametrize(
    "verb", ["", "ask", "respond", "report", "report agree", "members", "register person", "fetch"]
)
def test_help_texts(verb: str) -> None:
    result = CliRunner().invoke(cli, [*verb.split(), "--help"], terminal_width=100, prog_name="colloquy")
    same(f"help-{verb.replace(' ', '-') or 'colloquy'}", result.output)


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        yield (*path, name)


def test_every_command_helps_and_every_kind_has_a_command() -> None:
    verbs = set(every_command(cli))
    for words in verbs:
        result = CliRunner().invoke(cli, [*words, "--help"])
        assert result.exit_code == 0
        assert len(result.output.splitlines()) > 3
    assert {tuple(rule.verb.split()) for rule in KINDS.values()} - verbs <= {
        ("register", "rotate"),
        ("register", "found"),
        ("log", "announce"),
    }


# -- for programs


def test_json_is_json(cast: Cast) -> None:
    for words in (
        ("timeline",),
        ("inbox",),
        ("show", "Q1"),
        ("members", "list"),
        ("status",),
        ("register", "list"),
        ("card",),
    ):
        done = cast.run("nrl", "--json", *words)
        assert done.returncode == 0, done.stderr
        json.loads(done.stdout)


def test_errors_are_json_too_and_statuses_are_documented(cast: Cast) -> None:
    done = cast.run("vda", "--json", "ask", cast.paper("question.txt"), "--form", "clarification")
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert (told["code"], told["status"]) == ("wrong-party", 3)
    assert done.returncode in EXIT_STATUS
    assert cast.run("vda", "ask", "--form", "gossip").returncode == 2


# -- what bad input gets


def refused(done, status: int, *phrases: str) -> None:  # type: ignore[no-untyped-def]
    assert done.returncode == status, done.stdout + done.stderr
    for phrase in phrases:
        assert phrase in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_passphrase(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("not the passphrase")
    done = cast.run("vda", "timeline", env={"COLLOQUY_PASSPHRASE_FILE": str(tmp_path / "wrong")})
    refused(done, 7, "does not open this key file", "Nothing was changed")


@pytest.mark.parametrize(
    ("damage", "phrase"),
    [
        (lambda text: text[:200], "starts with colloquy-key/v1"),
        (lambda text: text.replace("268435456", "8192"), "altered this key file"),
        (lambda text: text[:-3] + "0\n", ""),
        (lambda text: "", "starts with colloquy-key/v1"),
        (lambda text: "\x00\xff" * 100, ""),
    ],
    ids=["truncated", "weakened", "flipped", "empty", "binary"],
)
def test_a_damaged_key_file(cast: Cast, damage, phrase: str) -> None:  # type: ignore[no-untyped-def]
    path = cast.stage.actors["vda"].home / "identity.key"
    whole = path.read_bytes()
    try:
        path.write_bytes(damage(whole.decode()).encode("latin-1"))
        refused(cast.run("vda", "timeline"), 7, phrase, "backup")
    finally:
        path.write_bytes(whole)


def test_a_home_used_by_two_processes(cast: Cast) -> None:
    with FileLock(cast.stage.actors["vda"].home / ".lock"):
        refused(cast.run("vda", "timeline"), 7, "another colloquy command is using")


def test_no_home_and_a_home_that_is_there_already(cast: Cast, tmp_path: Path) -> None:
    refused(cast.run("vda", "--home", str(tmp_path / "none"), "timeline"), 7, "colloquy init")
    refused(cast.run("vda", "init"), 7, "already holds a key file")


def test_a_short_passphrase(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("1234567")
    done = cast.run("vda", "--home", str(tmp_path / "new"), "--passphrase-file", str(tmp_path / "short"), "init")
    refused(done, 1, "at least 8 characters")
    assert not (tmp_path / "new" / "identity.key").exists()


def test_another_register_than_the_one_told(cast: Cast, tmp_path: Path) -> None:
    done = cast.run("vda", "--home", str(tmp_path / "new"), "init", "--server", cast.stage.url, "--register", "ab" * 32)
    refused(done, 3, "expected the register abab")


def test_a_fingerprint_that_differs(cast: Cast, tmp_path: Path) -> None:
    card = str(cast.stage.actors["vda"].home / "card.txt")
    words = ("register", "person", card, "--role", "translator", "--profile", cast.paper("profile.txt"))
    refused(cast.run("officer", *words, "--fingerprint", "12345 " * 8), 3, "the digits differ", "Compare the digits")
    refused(cast.run("officer", *words), 3, "--fingerprint")
    refused(cast.run("officer", "register", "person", cast.paper("note.txt"), *words[3:]), 3, "colloquy-card1:")


@pytest.mark.parametrize(
    ("paper", "phrase"),
    [
        ("Artikel: 5\n\nWhy?\n", "Artikel"),
        ("\n", "article"),
        ("Article: 5\n", "text"),
        ("Article: " + "5" * 100 + "\n\nWhy?\n", "Nothing was sent"),
        ("Article: 5\n\n" + "x" * 60_001 + "\n", "Nothing was sent"),
    ],
)
def test_papers_that_are_not_what_they_must_be(cast: Cast, tmp_path: Path, paper: str, phrase: str) -> None:
    (tmp_path / "paper").write_text(paper)
    refused(cast.run("nrl", "ask", str(tmp_path / "paper"), "--form", "clarification"), 1, phrase)


def test_papers_that_are_no_papers(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    refused(cast.run("nrl", "ask", str(tmp_path / "binary"), "--form", "clarification"), 1, "UTF-8")
    refused(cast.run("nrl", "ask", str(tmp_path / "none"), "--form", "clarification"), 1, "cannot be read")
    refused(cast.run("nrl", "ask", str(tmp_path), "--form", "clarification"), 1, "cannot be read")


def test_what_cannot_be_undone_is_asked_first(cast: Cast) -> None:
    refused(cast.run("officer", "members", "remove", "Diallo"), 1, "--yes")
    assert "Diallo" in cast.run("officer", "members", "list").stdout


def test_a_clock_far_off(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("2027-01-01T00:00:00+00:00")
    done = cast.run("nrl", "timeline", env={"COLLOQUY_EXERCISE_CLOCK": str(tmp_path / "clock")})
    refused(done, 4, "clock", "nothing was sent")


# -- once, and only once


def titles(cast: Cast, title: str) -> int:
    rows = json.loads(cast.run("vda", "--json", "timeline").stdout)
    return sum(row["title"] == title for row in rows)


def test_a_server_that_is_gone_and_comes_back(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "paper").write_text("Title: While you were away\n\nText.\n")
    cast.tick()
    address = cast.stage.url
    cast.stage.stop_server()
    try:
        refused(cast.run("vda", "inform", str(tmp_path / "paper")), 4, "does not answer", "Nothing was lost", "Repeat")
    finally:
        (cast.stage.root / "server" / "server.url").unlink()
        cast.stage.start_server()
    home = cast.stage.actors["vda"].home
    (home / "home.json").write_text((home / "home.json").read_text().replace(address, cast.stage.url))
    for other in ("officer", "nrl", "tsr"):
        path = cast.stage.actors[other].home / "home.json"
        path.write_text(path.read_text().replace(address, cast.stage.url))
    assert cast.run("vda", "inform", str(tmp_path / "paper")).returncode == 0
    assert titles(cast, "While you were away") == 1
    cast.tick()
    assert cast.run("vda", "inform", str(tmp_path / "paper")).returncode == 0
    assert titles(cast, "While you were away") == 2


def test_a_full_disk_on_this_machine(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "paper").write_text("Title: No room\n\nText.\n")
    (tmp_path / "big.bin").write_bytes(os.urandom(6_000_000))
    words = ("inform", str(tmp_path / "paper"), "--attach", str(tmp_path / "big.bin"))

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))

    cast.tick()
    refused(cast.run("vda", *words, preexec_fn=no_room), 9, "disk is full", "nothing was lost")
    assert titles(cast, "No room") == 0
    assert cast.run("vda", *words).returncode == 0
    assert titles(cast, "No room") == 1
    assert not list((cast.stage.actors["vda"].home / "spool").iterdir())


def test_files_are_fetched_whole_and_never_over_what_is_there(cast: Cast, tmp_path: Path) -> None:
    rows = json.loads(cast.run("nrl", "--json", "timeline").stdout)
    response = next(row["seq"] for row in rows if row["title"] == "Response of Valdoria")
    for name in ("annex.csv", "annex (1).csv"):
        assert cast.run("nrl", "fetch", f"#{response}", "--to", str(tmp_path)).returncode == 0
        assert (tmp_path / name).read_text() == (cast.papers / "annex.csv").read_text()
    refused(cast.run("nrl", "fetch", f"#{response}", "--file", "2", "--to", str(tmp_path)), 8, "between 1 and 1")


def test_names_from_others_lead_nowhere(cast: Cast, tmp_path: Path) -> None:
    """A file named to climb out of the directory, or to hide what it is, arrives under a harmless name."""
    odd = tmp_path / "\u202efdp.exe"
    odd.write_text("x")
    (tmp_path / "paper").write_text("Title: [bold]Odd[/bold] \u202enames\x1b[31m\n\nText.\n")
    cast.tick()
    assert cast.run("vda", "inform", str(tmp_path / "paper"), "--attach", str(odd)).returncode == 0
    shown = cast.run("nrl", "timeline")
    assert "\x1b" not in shown.stdout
    assert "\u202e" not in shown.stdout
    assert "[bold]" in shown.stdout
    rows = json.loads(cast.run("nrl", "--json", "timeline").stdout)
    assert cast.run("nrl", "fetch", f"#{rows[-1]['seq']}", "--to", str(tmp_path / "in")).returncode == 0
    (found,) = (tmp_path / "in").iterdir()
    assert "\u202e" not in found.name


def test_the_reviewers_exchange_is_closed_to_the_state_under_review(cast: Cast) -> None:
    cast.tick()
    sent = json.loads(cast.run("nrl", "--json", "confer", cast.paper("note.txt"), "--lang", "en").stdout)
    assert "article 8" in cast.run("tsr", "show", f"#{sent['seq']}").stdout
    refused(cast.run("vda", "show", f"#{sent['seq']}"), 6, "sealed for reviewers")
    assert "Our view" not in cast.run("vda", "timeline").stdout
