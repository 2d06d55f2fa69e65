"""What checks are told of a unit's workloads: counts, pods, reasons as JSON. Never a verdict."""

from __future__ import annotations

from bot.cluster.goal import Goal, Progress, Step
from bot.cluster.rollout import Rollout
from bot.model.plan import JSON
from bot.model.seen import UnitSeen


def facts(goal: Goal, seen: UnitSeen, progress: Progress) -> JSON:
    """JSON facts of the unit as it was seen."""
    return {
        "unit": seen.unit,
        "at": seen.at.isoformat(),
        "reachable": seen.reachable,
        "updated": progress.updated,
        "total": progress.total,
        "unavailable": progress.unavailable,
        "healthy": progress.healthy,
        "workloads": [
            _workload(goal, step, step.look) for step in progress.steps if step.look is not None
        ],
    }


def _workload(goal: Goal, step: Step, look: Rollout) -> JSON:
    names = {p.name for p in look.new}
    standing = [p for p in look.pods if not p.deleting]
    return {
        "name": step.ref.name,
        "namespace": step.ref.namespace,
        "kind": step.ref.kind,
        "observed": not look.lag,
        "desired": look.total,
        "updated": len(look.new),
        "wanted": step.want,
        "ready": sum(p.ready for p in standing),
        "available": len(look.available),
        "unavailable": step.unavailable,
        "unavailableBefore": goal.unavailable_before,
        "restarts": sum(p.restarts for p in standing),
        "restartedSince": [p.name for p in standing if p.restarted_since(goal.since)],
        "reasons": sorted({p.reason for p in standing if p.reason}),
        "pods": [
            p.evidence()
            | {"updated": p.name in names, "available": look.is_available(p), "reason": p.reason}
            for p in standing
        ],
    }
