"""All commands, put into their groups."""

from __future__ import annotations

import click

from exchange.cli import (
    access,
    audit,
    breaches,
    disclosure,
    fetching,
    logs,
    members,
    oversight,
    people,
    reading,
    receipts,
    releases,
    reports,
    reviews,
    setup,
    tracing,
    translate,
    witness,
)
from exchange.cli.verbs import add_verbs

GROUPS = {
    "register": "The register of States and people.",
    "review": "Open a review, keep its schedule.",
    "members": "Who takes part, and their keys.",
    "desk-review": "The desk review.",
    "report": "The country review report.",
    "summary": "The executive summary.",
    "translate": "Translations: what is outstanding, assigning, submitting.",
    "breach": "Suspected breaches of confidentiality: reporting one, and what follows.",
    "release": "Releases of the client, announced by their digests.",
    "log": "The log that nobody can rewrite, and its witnesses.",
    "witness": "Being a witness of the log.",
}
MODULES = (
    setup,
    people,
    reviews,
    members,
    translate,
    reports,
    reading,
    fetching,
    disclosure,
    tracing,
    breaches,
    access,
    logs,
    releases,
    receipts,
    witness,
    audit,
    oversight,
)


def add_all(root: click.Group) -> None:
    """Add every command to the root, once."""
    if root.commands:
        return
    groups = {name: click.Group(name, help=text) for name, text in GROUPS.items()}

    def group_of(verb: str) -> tuple[click.Group, str]:
        first, _, rest = verb.partition(" ")
        return (groups[first], rest) if rest else (root, first)

    add_verbs(group_of)
    for module in MODULES:
        for verb, command in module.COMMANDS.items():
            group, name = group_of(verb)
            group.add_command(command, name)
    for group in groups.values():
        root.add_command(group)
    for group in (root, *groups.values()):
        _unshortened(group)


def _unshortened(group: click.Group) -> None:
    """Have a list of commands wrap what each is for; left alone, click cuts it off with three dots."""
    for command in group.commands.values():
        text = " ".join((command.help or "").partition("\n\n")[0].split())
        command.short_help = text.partition(". ")[0].rstrip(".") + "."
