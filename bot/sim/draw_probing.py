"""Moments that laws are about and that seldom come by themselves, drawn on purpose.

Who only throws dice seldom pauses in the middle of a slow rollout, or falls sick just in a silence.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from bot.model.plan import JSON
from bot.sim.script import Act


def probing(chance: random.Random, names: Sequence[str], documents: dict[str, JSON]) -> list[Act]:
    """At most one such moment a history: two would hide each other."""
    match chance.randrange(8):
        case 0 | 1:
            return _paused(chance, names, documents)
        case 2 | 3:
            seconds = chance.choice((110, 140, 170))
            data: dict[str, JSON] = {"of": "SOAKING", "seconds": seconds}
            return [Act(at=chance.randrange(60, 900), do="pods-sick", data=data, phase="SOAKING")]
    return []


def _paused(chance: random.Random, names: Sequence[str], documents: dict[str, JSON]) -> list[Act]:
    """A pause while pods come up slowly, one after another, all of them in one batch."""
    slow: list[JSON] = [{"do": "slow", "takes": chance.choice(("100s", "150s"))}]
    acts: list[Act] = []
    for path, one in list(documents.items()):
        if path.endswith("/component.yaml"):
            more = {"batches": ["100%"], "batchDeadline": "20m"}
            documents[path] = {**one, "spec": {**one["spec"], **more}}
        elif path.startswith("fleet/clusters/"):
            spec = one["spec"]
            larger = {**spec["connection"]["simulated"], "nodes": 4}
            larger.pop("faults", None)
            documents[path] = {**one, "spec": {**spec, "connection": {"simulated": larger}}}
            name = one["metadata"]["name"]
            acts.append(Act(at=0, do="slow", data={"cluster": name, "faults": slow}))
    scope = chance.choice(("all", chance.choice(names)))
    at = chance.randrange(30, 900)
    text = f"pause {scope} --reason look"
    acts.append(Act(at=at, do="says", data={"text": text, "by": "ana"}, phase="APPLYING"))
    resume = {"text": f"resume {scope}", "by": "ana"}
    return [*acts, Act(at=at + 4000, do="says", data=resume)]
