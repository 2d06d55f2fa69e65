"""What waiting means for units that share objects, need others, or choose nodes, beside waiting.

Called by the lifecycle only; the gates have decided.
"""

from __future__ import annotations

from dataclasses import replace

from bot.core import drifting, endings, guarding, siblings
from bot.core.decisions import live, open_decision
from bot.core.fronts import obstacle
from bot.core.gates_siblings import INSTALL_ASK
from bot.core.messages_siblings import twice
from bot.core.siblings import INSTALL
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.gate import Wait
from bot.model.state import Hold, HoldCode, UnitPhase


def waits_otherwise(t: Turn, u: Unit, gate: str, wait: Wait) -> bool:
    """Whether the wait of a gate asked for something of its own, which has then been done."""
    if gate == "shared_object" and wait.facts.get("why") == "quarantined":
        # The same cluster: it leaves the wave with its sibling, and comes back after it.
        endings.quarantine(t, u, "")
        return True
    if gate == "drift":
        drifting.ask(t, u)
        return True
    if gate in ("guard", "unguarded"):
        guarding.ask(t, u)
        return True
    if gate == "dependencies" and wait.facts.get("phase") == UnitPhase.QUARANTINED:
        endings.quarantine(t, u, str(wait.facts.get("why", "")))
        return True
    if gate == "node_sets":
        _hold(t, u, wait)
        return True
    if gate == "whole_install":
        if live(t, INSTALL, u.plan.lock) is None:
            open_decision(t, INSTALL, u.plan.lock, INSTALL_ASK, seen="")
        return True
    return gate == "still_converged" and _applies_again(t, u)


def _hold(t: Turn, u: Unit, wait: Wait) -> None:
    """Nobody knows which set such a node belongs to: a person mends that, and says go on."""
    t.hold(
        Hold(
            id=f"{t.s.name}/{HoldCode.NODE_SETS.value}/{u.plan.lock}",
            scope=u.plan.unit,
            code=HoldCode.NODE_SETS,
            reason=twice(wait.facts),
            by="sluice",
            at=t.s.now,
            release=t.s.name,
        ),
        who=list(t.who("resume")),
    )


def _applies_again(t: Turn, u: Unit) -> bool:
    """Nodes came into the set after its batch had converged: it goes on with them, and its silence
    and checks begin anew.
    """
    progress = t.progress(u)
    if u.plan.nodes is None or progress is None or not progress.writes:
        return False
    t.put(
        replace(
            u.state,
            phase=UnitPhase.APPLYING,
            since=t.s.now,
            deadline=t.s.now + u.component.batch_deadline,
            converged=None,
            soak_until=None,
            checks=tuple(run for run in u.state.checks if run.when == "before"),
            look_at=t.s.now,
        )
    )
    t.tell("batch.again", u.plan.unit, updated=progress.updated, total=progress.total)
    return True


def stays_out(t: Turn, u: Unit) -> bool:
    """Whether a quarantined unit waits for a sibling, or for what it needs, to come back first."""
    needed = obstacle(t.s.index, t.units, u.plan)
    if needed is not None and needed.root.phase is UnitPhase.QUARANTINED:
        return True
    ahead = siblings.before_it(t.s, t.units, u.plan.unit)
    return ahead is not None and ahead[1] == "quarantined"
