"""`colloquy oversight`: where every review stands, whose turn it is and what is late, from the record alone.

Reviews stand in the order of their years and States. Nothing here ranks or scores a State.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import click
from rich.console import Console

from events.errors import WrongRole
from events.review import BreachStatus, Review
from events.rule import Phase, Role
from events.timetable import late
from events.turns import outstanding, turns
from exchange.cli.context import Desk, Options, run, system_clock

COLUMNS = ("Review", "Step", "Whose turn", "Late", "Translations missing", "Breaches open")


@click.command()
@click.pass_obj
def oversight(options: Options) -> None:
    """Where all reviews stand: step, whose turn, what is late, translations, suspected breaches.

    For the oversight group and the secretariat; from the signed record alone, without a word of any paper.

    \b
    Example:
      colloquy --json oversight
    """

    async def work(desk: Desk) -> dict[str, Any]:
        if desk.me.role not in (Role.OVERSIGHT, Role.OFFICER):
            raise WrongRole("the oversight group or an officer", desk.me.role)
        now = system_clock()
        reviews = [_standing(review, now) for review in await desk.client.reviews()]
        return {"reviews": reviews, "totals": _totals(reviews)}

    found = run(options, work)

    def show(console: Console) -> None:
        rows = [
            [r["review"], r["step"], _turns(r), _late(r), str(r["translations"]), str(r["breaches"])]
            for r in found["reviews"]
        ]
        options.output.table("Reviews", COLUMNS, rows)(console)
        totals = found["totals"]
        steps = ", ".join(f"{count} at {step}" for step, count in totals["steps"].items() if count)
        console.print(
            f"{totals['reviews']} reviews{': ' if steps else ''}{steps}. With something late: {totals['late']}. "
            f"Translations missing: {totals['translations']}. Breaches open: {totals['breaches']}.",
            markup=False,
        )

    options.output.result(found, show)


def _standing(review: Review, now: int) -> dict[str, Any]:
    waiting = Counter((turn.whose or "secretariat", turn.what.replace("-", " ")) for turn in turns(review))
    return {
        "review": f"{review.under_review}-{review.year}",
        "id": review.id.hex(),
        "step": review.phase.value,
        "turns": [{"whose": whose, "what": what, "count": count} for (whose, what), count in waiting.items()],
        "late": [
            {
                "step": step.name,
                "paragraph": step.para,
                "due": str(step.due),
                "days": step.days_late,
                "whose": [code or "secretariat" for code in step.whose],
            }
            for step in late(review, now)
            if step.done is None
        ],
        "translations": len(outstanding(review)),
        "breaches": sum(breach.status is not BreachStatus.CLOSED for breach in review.breaches.values()),
    }


def _totals(reviews: list[dict[str, Any]]) -> dict[str, Any]:
    steps = Counter(review["step"] for review in reviews)
    return {
        "reviews": len(reviews),
        "steps": {phase.value: steps[phase.value] for phase in Phase},
        "late": sum(bool(review["late"]) for review in reviews),
        "translations": sum(review["translations"] for review in reviews),
        "breaches": sum(review["breaches"] for review in reviews),
    }


def _turns(review: dict[str, Any]) -> str:
    """Who has to do what, a line for each side."""
    sides: dict[str, list[str]] = {}
    for turn in review["turns"]:
        many = f" ({turn['count']})" if turn["count"] > 1 else ""
        sides.setdefault(turn["whose"], []).append(f"{turn['what']}{many}")
    return "\n".join(f"{whose}: {', '.join(what)}" for whose, what in sides.items()) or "nobody"


def _late(review: dict[str, Any]) -> str:
    return "\n".join(f"{step['step']}: {step['days']} days" for step in review["late"]) or "nothing"


COMMANDS = {"oversight": oversight}
