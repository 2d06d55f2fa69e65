"""The gates of units that share objects, and of units that choose nodes. Questions only."""

from __future__ import annotations

from bot.cluster.choice import chosen, claimed_twice
from bot.cluster.kinds import row_of
from bot.core import siblings
from bot.core.gates_begin import asked
from bot.core.siblings import INSTALL
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.gate import Wait
from bot.model.plan import ApprovalAsk

_CLEARED_BY = {"failed": "retry", "taken-back": "skip"}
"""Why a sibling holds those after it, where only a person can clear it → the verb that does."""


def shared_object(t: Turn, u: Unit) -> Wait | None:
    """Units that share an object go one after another, in the order of the plan; one that failed
    or went back stops those after it.
    """
    if u.state.in_flight:
        return None
    met = siblings.before_it(t.s, t.units, u.plan.unit)
    if met is None:
        return None
    sibling, why = met
    verb = _CLEARED_BY.get(why)
    return Wait(
        code="shared-object",
        facts={"unit": sibling, "why": why, "object": _shared_with(t, u, sibling)},
        who=t.who(verb) if verb else (),
    )


def later_sibling(t: Turn, u: Unit) -> Wait | None:
    """Of units that share an object the newest goes back first."""
    sibling = siblings.after_it(t.s, t.units, u.plan.unit)
    if sibling is None:
        return None
    shared = _shared_with(t, u, sibling)
    return Wait(code="shared-object", facts={"unit": sibling, "why": "back", "object": shared})


def node_sets(t: Turn, u: Unit) -> Wait | None:
    """No node of its cluster is in two node sets, as the cluster labels them now."""
    seen = t.s.seen.get(u.plan.unit)
    if seen is None or seen.nodes is None:
        return None
    twice = claimed_twice(t.s.index.choices[u.plan.lock], seen.nodes)
    if not twice:
        return None
    node, units = next(iter(twice.items()))
    places = [t.s.index.units[name].place for name in units]
    return Wait(
        code="node-sets",
        facts={"node": node, "sets": places, "nodes": len(twice), "cluster": u.plan.cluster},
        source=t.s.rules.source("Cluster", u.plan.cluster),
    )


def whole_install(t: Turn, u: Unit) -> Wait | None:
    """A workload that is not there yet comes to all nodes of the cluster at once, whatever part the
    unit is: an approver has said yes to that.
    """
    if u.plan.nodes is None or u.state.began is not None:
        return None
    if t.decision_on(INSTALL, u.plan.lock) is None and not _installs(t, u):
        return None
    return asked(t, INSTALL, u.plan.lock, INSTALL_ASK)


INSTALL_ASK = ApprovalAsk(when=INSTALL, roles=("approver",), count=1)


def _installs(t: Turn, u: Unit) -> bool:
    """Whether its first write would create a workload, and it is not about all of the cluster."""
    seen, rows = t.s.seen.get(u.plan.unit), t.s.index.rows
    if seen is None or not seen.nodes:
        return False
    workloads = [one.ref for one in u.plan.objects if row_of(one.ref, rows) is not None]
    there = [o for ref in workloads if (o := seen.objects.get(ref.key)) and o.live is not None]
    assert u.plan.nodes is not None
    return len(there) < len(workloads) and 0 < len(chosen(u.plan.nodes, seen.nodes)) < len(
        seen.nodes
    )


def _shared_with(t: Turn, u: Unit, sibling: str) -> str:
    """The object that both have, the last one applied: a workload where they share one."""
    mine = [planned.ref for planned in u.plan.objects]
    theirs = {planned.ref for planned in t.s.index.units[sibling].objects}
    return next((ref.short for ref in reversed(mine) if ref in theirs), "")
