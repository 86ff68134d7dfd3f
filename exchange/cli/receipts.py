"""Checking a receipt: offline, without a home, with nothing but the policy one trusts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from events import logged
from events.checkpoint import Cosigned
from events.errors import BadNote
from events.forks import MAX_EVIDENCE, Evidence
from events.logged import Logged
from events.notes import read_text
from events.policy import MAX_POLICY, Policy
from events.receipts import MAX_RECEIPT, Receipt
from events.rule import KINDS
from exchange.cli.context import Options
from exchange.cli.output import safe
from exchange.client.errors import ClientError
from keys.recipient import readable

PROVES = """{label}: this event was written and signed by the device with the fingerprint
  {digits}
as number {seq} of the stream {stream}, and stands in the log {origin}
as entry {place} of {size}."""
DOES_NOT = """It does not prove: whose device that is (compare the fingerprint with its owner), that the time its author
gives is true, that the rules of the review admitted it, or what its sealed words say."""


@click.command("verify-receipt")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--policy",
    required=True,
    type=click.Path(path_type=Path),
    help="The policy you trust: the log, its witnesses, their quorum.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for programs.")
@click.pass_obj
def verify_receipt(options: Options, file: Path, policy: Path, as_json: bool) -> None:  # noqa: FBT001
    """Check a receipt for an event, offline: no home, no server and no passphrase are needed.

    The policy is a text in the format of c2sp.org/tlog-policy. Take it from the register, or from somebody you trust; a
    policy that came with the receipt proves nothing.

    \b
    Example:
      colloquy verify-receipt response.tlog-proof --policy policy.txt
    """
    options.output.as_json |= as_json
    trusted = _policy(policy)
    found = logged.check(Receipt.parse(_read(file, MAX_RECEIPT)), trusted)
    options.output.result(_data(found, trusted), lambda console: _show(console, found, trusted))


@click.command("verify-fork")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--policy", required=True, type=click.Path(path_type=Path), help="The policy you trust.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for programs.")
@click.pass_obj
def verify_fork(options: Options, file: Path, policy: Path, as_json: bool) -> None:  # noqa: FBT001
    """Check evidence that a log signed two histories, offline: no home, no server and no passphrase are needed.

    \b
    Example:
      colloquy verify-fork fork.txt --policy policy.txt
    """
    options.output.as_json |= as_json
    fork = Evidence.parse(_read(file, MAX_EVIDENCE)).verify(_policy(policy))
    old, new = fork.old.head, fork.new.head
    facts = {"log": old.origin, "sizes": [old.size, new.size], "roots": [old.root.hex(), new.root.hex()]}
    sizes = f"{old.size} entries" if old.size == new.size else f"{old.size} and of {new.size} entries"
    text = f"The log {old.origin} signed two different histories of {sizes}: it, or whoever holds its key, has lied."
    options.output.result(facts, lambda console: console.print(safe(text), markup=False))


def _policy(path: Path) -> Policy:
    """The policy one trusts; a bad one is a mistake of its own and no fault of the receipt."""
    try:
        return Policy.parse(read_text(_read(path, MAX_POLICY).replace(b"\t", b" "), MAX_POLICY))
    except BadNote as error:
        raise ClientError(f"{path} is no policy: {error}; nothing was checked") from None


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}; nothing was checked") from None
    if len(data) > limit:
        raise ClientError(f"{path} is larger than {limit} bytes, more than such a file can be; nothing was checked")
    return data


def _label(kind: str) -> str:
    return KINDS[kind].label if kind in KINDS else kind


def _moment(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds:.0f} since 1970"


def _data(found: Logged, policy: Policy) -> dict[str, Any]:
    header, head = found.event.header, found.witnessed.head
    return {
        "event": found.event.id.hex(),
        "kind": header.kind,
        "stream": found.event.stream.hex(),
        "seq": header.seq,
        "claimed_time": header.time,
        "author": found.author.fingerprint.hex(),
        "digits": readable(found.author.fingerprint),
        "log": head.origin,
        "place": found.place,
        "size": head.size,
        "root": head.root.hex(),
        "quorum": policy.in_words(),
        "witnesses": [{"name": one.witness, "time": one.time} for one in found.witnessed.cosigned],
    }


def _show(console: Console, found: Logged, policy: Policy) -> None:
    header, head = found.event.header, found.witnessed.head
    text = PROVES.format(
        label=_label(header.kind),
        digits=readable(found.author.fingerprint),
        seq=header.seq,
        stream=found.event.stream.hex()[:16],
        origin=safe(head.origin),
        place=found.place,
        size=head.size,
    )
    lines = [
        text,
        f"Its author says it was at {_moment(header.time / 1000)}.",
        "",
        *_witnesses(found.witnessed.cosigned),
    ]
    lines += [f"Your policy asks for: {safe(policy.in_words())}.", "", DOES_NOT]
    console.print("\n".join(lines), markup=False)


def _witnesses(cosigned: tuple[Cosigned, ...]) -> list[str]:
    if not cosigned:
        return ["No witness cosigned it; the log alone says so, and could show others another history."]
    return ["It was in the log at the latest when these witnesses cosigned it:"] + [
        f"  {safe(one.witness)}  {_moment(one.time)}" for one in cosigned
    ]


COMMANDS = {"verify-receipt": verify_receipt, "verify-fork": verify_fork}
