"""What must hold before a unit leaves its phase: the table GATES, and one small function a gate.

The first closed gate of a unit is the answer to "why is it not moving". A gate is a question
about a
`Turn`: it changes nothing, asks nobody, and answers None (open), a `Wait`, a `Stop`, or `Look`
when the
cluster has to be seen first.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.drifting import drift
from bot.core.gates_begin import (
    approval,
    checks_before,
    concurrency,
    dependencies,
    earlier,
    failure_budget,
    first_wave,
    holds,
    merged,
    not_before,
    not_blocked,
    releasable,
    replaces,
    unit_free,
    window,
)
from bot.core.gates_counted import counted
from bot.core.gates_reachable import reachable
from bot.core.gates_risk import host_free, risk, units_per_day
from bot.core.gates_rolling import (
    checks_after,
    compared,
    converged,
    dependents_first,
    healthy,
    newer_first,
    not_fenced,
    not_stopped,
    restored,
    reversible,
    rollback_window,
    soaked,
    still_converged,
    undo_decided,
)
from bot.core.gates_shared import Gate, Look
from bot.core.gates_siblings import later_sibling, node_sets, shared_object, whole_install
from bot.core.guarding import guard, unguarded
from bot.core.way_back import rollback_limit
from bot.model.state import UnitPhase

__all__ = ["GATES", "Look"]

GATES: Mapping[UnitPhase, tuple[Gate, ...]] = {
    UnitPhase.PENDING: (
        merged,
        holds,
        risk,
        releasable,
        not_blocked,
        earlier,
        dependencies,
        host_free,
        unit_free,
        shared_object,
        first_wave,
        concurrency,
        units_per_day,
        failure_budget,
        not_before,
        window,
        reachable,
        drift,
        guard,
        node_sets,
        whole_install,
        counted,
        checks_before,
        approval,
        replaces,
    ),
    UnitPhase.APPLYING: (not_stopped, reachable, unguarded, converged),
    UnitPhase.SOAKING: (reachable, healthy, soaked),
    UnitPhase.VERIFYING: (reachable, healthy, still_converged, checks_after),
    UnitPhase.ROLLING_BACK: (
        compared,
        not_fenced,
        rollback_window,
        newer_first,
        later_sibling,
        dependents_first,
        unit_free,
        reversible,
        undo_decided,
        rollback_limit,
        reachable,
        restored,
    ),
}
"""Phase → what must hold to leave it, in this order."""
