"""What people do at bad moments: every verb, wrong people too, old numbers, double clicks.

Draws with the chance that it is given; gives notes as they would be written.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from bot.sim import docs as make
from bot.sim.script import PHASES, Act

VERBS = (
    *("approve", "reject", "accept", "pause", "stop", "resume", "rollback", "retry", "skip"),
    *("cancel", "override", "freeze", "unfreeze", "snooze"),
)
GATES = ("", "", " --gate check", " --gate window", " --gate blocked", " --gate drift")
PEOPLE = (*make.MEMBERS, "ana", "ana", "ben", "dan", "mallory")


def commands(
    chance: random.Random, names: Sequence[str], units: Sequence[str], count: int
) -> list[Act]:
    """Notes at any time, or in a phase of some unit."""
    found: list[Act] = []
    for _ in range(count):
        verb = chance.choice((*VERBS, "approve", "approve", "resume"))
        text = command(chance, verb, names, units)
        by = "ana" if chance.random() < 0.5 else chance.choice(PEOPLE)
        phase = chance.choice(PHASES) if chance.random() < 0.5 else ""
        data = {"text": text, "by": by}
        if chance.random() < 0.1:
            data["twice"] = "yes"
        found.append(Act(at=chance.randrange(20, 5400), do="says", data=data, phase=phase))
    return found


def command(chance: random.Random, verb: str, names: Sequence[str], units: Sequence[str]) -> str:
    """One command with a scope that may fit, and a reason where one is needed."""
    release, unit = chance.choice(names), chance.choice(units)
    component, _, cluster = unit.partition("@")
    wide = ("all", release, release, unit, f"component:{component}", f"cluster:{cluster}",
            "group:prod", "label:environment=production")  # fmt: skip
    scope = chance.choice(wide)
    if verb in ("stop", "cancel"):
        return "stop --reason pager" if verb == "stop" else f"cancel {release} --reason no"
    match verb:
        case "approve" | "reject":
            number = chance.choice(("", "", "", "#1", "#2", "#3", "#9"))
            reason = " --reason no" if verb == "reject" else ""
            return f"{verb} {release}{number}{reason}"
        case "accept":
            return f"accept {chance.choice((release, release, f'cluster:{cluster}'))}"
        case "pause":
            finish = " --finish-batch" if chance.random() < 0.2 else ""
            return f"pause {scope} --reason look{finish}"
        case "skip":
            return f"skip {unit} --reason later"
        case "override":
            gate = chance.choice(
                ("", "", " --gate check", " --gate window", " --gate blocked", " --gate drift")
            )
            return f"override {chance.choice((release, unit))} --reason seen{gate}"
        case "freeze":
            return f"freeze {scope} --until {chance.choice(('5m', '30m', '2h'))} --reason INC-7"
        case "snooze":
            return f"snooze {scope} --until {chance.choice(('10m', '1h'))} --reason wait"
        case "rollback":
            what = chance.choice((release, unit, release, f"component:{component}"))
            return f"rollback {what} --reason odd"
        case _:
            return f"{verb} {scope}"
