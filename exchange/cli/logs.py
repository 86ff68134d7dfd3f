"""The log: announced, looked at, receipts taken from it, forks of it shown to others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from events.errors import BadNote, NotProved
from events.forks import Evidence
from events.notes import MAX_NOTE, Note
from events.policy import MAX_POLICY, Policy
from events.receipts import MAX_RECEIPT, Receipt
from exchange.cli.context import Desk, Options, run, sent_json, when
from exchange.cli.places import free
from exchange.client import forks, logs
from exchange.client.client import Sent
from exchange.client.compose import Draft
from exchange.client.errors import ClientError, NotFound
from exchange.client.history import Standing

OUT = click.option("--out", "-o", type=click.Path(path_type=Path), help="Write to this file.")


@click.command()
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    metavar="NAME=KEY,URL",
    help="A witness: a short name, the key as colloquy witness init prints it, and where it listens (again for more).",
)
@click.option("--quorum", default="all", show_default=True, help="How many must have witnessed: any, all or a number.")
@click.option("--policy", type=click.Path(path_type=Path), help="A whole policy instead, as c2sp.org/tlog-policy.")
@click.pass_obj
def announce(options: Options, witnesses: tuple[str, ...], quorum: str, policy: Path | None) -> None:
    """Announce the server's log and its witnesses to everybody of the register; the newest announcement counts.

    From then on every client believes only what stands in this log, and wants a quorum of the witnesses to have seen
    it. A State, the oversight group or anybody trusted runs a witness: colloquy witness --help. Announcing another log
    key than before is seen by everybody.

    \b
    Example:
      colloquy log announce --witness NRL=nrl.example/w+1a2b…,https://nrl.example/w --quorum 2
    """

    async def work(desk: Desk) -> tuple[Sent, Policy]:
        key = await logs.server_log(desk.client)
        url = f"{desk.client.home.settings.server}/v1/log"
        found = _given(policy) if policy else logs.policy_of(key.text(), url, [_witness(w) for w in witnesses], quorum)
        if [log.key for log in found.logs] != [key]:
            raise ClientError(f"the policy is of another log than this server's, {key.name}; nothing was sent")
        question = f"Announce the log {key.name} ({key.id.hex()}), to be witnessed by {found.in_words()}?"
        desk.options.confirm(question)

        async def build(_newest: Any) -> Draft:
            return logs.announcement(found)

        return await desk.client.send(desk.register.id, ("log", found.text), build), found

    sent, found = run(options, work)
    text = f"Announced the log {found.logs[0].key.name}; a quorum is {found.in_words()} — #{sent.seq}"
    options.output.result({**sent_json(sent), "policy": found.text}, lambda c: c.print(text, markup=False))


@click.command()
@OUT
@click.pass_obj
def policy(options: Options, out: Path | None) -> None:
    """Print the announced log, its witnesses and their quorum: what verify-receipt needs, and nothing more.

    \b
    Example:
      colloquy log policy --out policy.txt
    """

    async def work(desk: Desk) -> str:
        if not desk.register.log:
            raise NotFound("no log was announced yet: colloquy log announce")
        return desk.register.log

    text = run(options, work)
    _write(options, text.encode(), out, {"policy": text}, "The policy")


@click.command("status")
@click.pass_obj
def status_(options: Options) -> None:
    """How fresh the verified history is, and who has witnessed it.

    \b
    Example:
      colloquy log status
    """

    async def work(desk: Desk) -> Standing:
        standing = await desk.client.replay.log.refresh()
        if standing is None:
            raise NotFound("no log was announced yet: colloquy log announce")
        return standing

    standing = run(options, work)
    options.output.result(standing_json(standing), lambda console: console.print(in_words(standing), markup=False))


@click.command()
@OUT
@click.pass_obj
def checkpoint(options: Options, out: Path | None) -> None:
    """Write out the newest checkpoint you verified, to be compared with what others were shown.

    \b
    Example:
      colloquy checkpoint --out mine.checkpoint
    """

    async def work(desk: Desk) -> Note:
        standing = await desk.client.replay.log.refresh()
        if standing is None:
            raise NotFound("no log was announced yet: colloquy log announce")
        return standing.checkpoint.note

    note = run(options, work)
    _write(options, note.encode(), out, {"checkpoint": note.encode().decode()}, "The checkpoint")


@click.command()
@click.argument("reference")
@click.option("--register", "of_register", is_flag=True, help="REFERENCE is a number of the register's stream.")
@OUT
@click.pass_obj
def receipt(options: Options, reference: str, out: Path | None, of_register: bool) -> None:  # noqa: FBT001
    """Write a receipt for an event: proof for anybody, offline, of who wrote it and that it was on record by when.

    \b
    Example:
      colloquy receipt '#12' --out response.tlog-proof
      colloquy verify-receipt response.tlog-proof --policy policy.txt
    """

    async def work(desk: Desk) -> logs.Proved:
        state = desk.register if of_register else await desk.review()
        return await logs.receipt(desk.client, state, desk.find(state, reference))

    proved = run(options, work)
    data = proved.receipt.encode()
    seen = ", ".join(f"{one.witness} {when(one.time * 1000)}" for one in proved.witnessed.cosigned) or "nobody"
    facts = {"index": proved.receipt.index, "size": proved.witnessed.head.size, "receipt": data.decode()}
    target = out or free(Path(f"event-{proved.receipt.index}.tlog-proof"))
    _write(options, data, target, facts, f"The receipt (witnessed by {seen})")


@click.command("fork-evidence")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--with", "other", type=click.Path(path_type=Path), help="Another's checkpoint or receipt, to compare.")
@click.pass_obj
def fork_evidence(options: Options, out: Path, other: Path | None) -> None:
    """Write evidence, convincing to anybody who has the log's key, that the log showed two histories.

    Without --with, what this device has found by itself. With the file of somebody else's colloquy checkpoint, or one
    of their receipts, it is compared with what this device was shown.

    \b
    Example:
      colloquy fork-evidence fork.txt --with theirs.checkpoint
    """

    async def work(desk: Desk) -> Evidence:
        trusted = desk.client.replay.log.policy
        if trusted is None:
            raise NotFound("no log was announced yet: colloquy log announce")
        return await (_compared(desk, trusted, other) if other else _kept(desk, trusted))

    evidence = run(options, work)
    _write(options, evidence.encode(), out, {"evidence": evidence.encode().decode()}, "The evidence of a fork")


async def _compared(desk: Desk, trusted: Policy, other: Path) -> Evidence:
    note = _note(other)
    standing = await desk.client.replay.log.refresh()
    if standing is None:
        raise NotFound("no log was announced yet: colloquy log announce")
    try:
        found = await forks.compare(desk.client.remote, trusted, standing.checkpoint, note)
    except BadNote as error:
        raise ClientError(f"{other} is not of the announced log: {error}; nothing was written") from None
    except NotProved:
        raise ClientError(
            f"{other} and what this device was shown are of two histories, and the server shows nothing that would "
            "prove it to others; nothing was written. Show both checkpoints to the oversight group"
        ) from None
    if found is None:
        raise NotFound(f"{other} and what this device was shown are of one history: there is nothing to prove")
    return found


async def _kept(desk: Desk, trusted: Policy) -> Evidence:
    for path in sorted((desk.client.home.path / forks.DIRECTORY).glob(f"*{forks.SUFFIX}")):
        evidence = Evidence.parse(path.read_bytes())
        evidence.verify(trusted)
        return evidence
    raise NotFound("this device has found no fork; compare with somebody else: colloquy fork-evidence --with FILE")


def standing_json(standing: Standing) -> dict[str, Any]:
    """How fresh the history is, for programs."""
    witnessed = standing.witnessed
    return {
        "log": standing.checkpoint.head.origin,
        "size": standing.checkpoint.head.size,
        "root": standing.checkpoint.head.root.hex(),
        "witnessed_size": witnessed.head.size if witnessed else 0,
        "witnessed_by": {one.witness: one.time for one in witnessed.cosigned} if witnessed else {},
        "age_seconds": standing.age,
        "quorum": standing.policy.in_words(),
    }


def in_words(standing: Standing) -> str:
    """How fresh the history is, in a sentence or two."""
    head, witnessed = standing.checkpoint.head, standing.witnessed
    if standing.policy.quorum == "none":
        return (
            f"The log {head.origin} has {head.size} entries. No witnesses are required: nobody vouches that it is one."
        )
    if witnessed is None or standing.age is None:
        return f"The log {head.origin} has {head.size} entries; no quorum has witnessed them yet."
    by = ", ".join(one.witness for one in witnessed.cosigned)
    newer = f" {standing.unwitnessed} newer ones wait for it." if standing.unwitnessed > 0 else ""
    return f"The log {head.origin}: {witnessed.head.size} entries witnessed {_age(standing.age)} ago by {by}.{newer}"


def _age(seconds: int) -> str:
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit:
            count = seconds // unit
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{seconds} seconds"


def _witness(text: str) -> tuple[str, str, str]:
    name, _, rest = text.partition("=")
    key, _, url = rest.partition(",")
    if not name or not key:
        raise ClientError(f"expected a witness as NAME=KEY,URL, got “{text}”; nothing was sent")
    if url and not url.startswith(("https://", "http://")):
        raise ClientError(f"expected the address of {name} to begin with https://, got “{url}”; nothing was sent")
    return name, key, url


def _given(path: Path) -> Policy:
    try:
        return Policy.parse(_read(path, MAX_POLICY).decode())
    except (BadNote, UnicodeDecodeError) as error:
        raise ClientError(f"{path} is no policy: {error}; nothing was sent") from None


def _note(path: Path) -> Note:
    """A checkpoint from a file: a bare one, or the one in a receipt."""
    data = _read(path, MAX_RECEIPT)
    try:
        return Receipt.parse(data).note if data.startswith(b"c2sp.org/") else Note.parse(data[: MAX_NOTE + 1])
    except BadNote as error:
        raise ClientError(f"{path} holds no checkpoint: {error}") from None


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}") from None


def _write(options: Options, data: bytes, out: Path | None, facts: dict[str, Any], what: str) -> None:
    if out is not None:
        try:
            out.write_bytes(data)
        except OSError as error:
            raise ClientError(f"{out} cannot be written: {error.strerror}") from None

    def show(console: Console) -> None:
        if out is None:
            console.print(data.decode(), markup=False, end="", soft_wrap=True)
        else:
            console.print(f"{what} is in {out}", markup=False, soft_wrap=True)

    options.output.result(facts | ({"file": str(out)} if out else {}), show)


COMMANDS = {
    "log announce": announce,
    "log policy": policy,
    "log status": status_,
    "checkpoint": checkpoint,
    "receipt": receipt,
    "fork-evidence": fork_evidence,
}
