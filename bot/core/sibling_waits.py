"""What waiting means for units that share objects, need others, or choose nodes, beside waiting.

Called by the lifecycle only; the gates have decided.
"""

from __future__ import annotations

from dataclasses import replace

from bot.core import endings, siblings
from bot.core.fronts import obstacle
from bot.core.pace import LOOK_EVERY
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.gate import Wait
from bot.model.state import UnitPhase


def waits_otherwise(t: Turn, u: Unit, gate: str, wait: Wait) -> bool:
    """Whether the wait of a gate asked for something of its own, which has then been done."""
    if gate == "shared_object" and wait.facts.get("why") == "quarantined":
        # The same cluster: it leaves the wave with its sibling, and comes back after it.
        endings.quarantine(t, u, "")
        return True
    if gate == "dependencies" and wait.facts.get("phase") == UnitPhase.QUARANTINED:
        endings.quarantine(t, u, str(wait.facts.get("why", "")))
        return True
    if gate == "node_sets":
        # Labels are changed in the cluster: only another look tells.
        t.put(replace(u.state, look_at=t.s.now + LOOK_EVERY[UnitPhase.PENDING]))
        return True
    return False


def stays_out(t: Turn, u: Unit) -> bool:
    """Whether a quarantined unit waits for a sibling, or for what it needs, to come back first."""
    needed = obstacle(t.s.index, t.units, u.plan)
    if needed is not None and needed.root.phase is UnitPhase.QUARANTINED:
        return True
    ahead = siblings.before_it(t.s, t.units, u.plan.unit)
    return ahead is not None and ahead[1] == "quarantined"
