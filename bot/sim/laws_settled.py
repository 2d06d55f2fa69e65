"""Who has ended, and who only a person can free: what waves do not wait for. Blames nobody."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model.plan import ReleasePlan
from bot.model.state import UnitState
from bot.sim import oracle
from bot.sim.laws import Docs

AHEAD = ("SCHEDULED", "PROGRESSING", "ROLLING_BACK")
ENDED = ("SUCCEEDED", "FAILED", "SKIPPED", "QUARANTINED", "ROLLED_BACK")


def done(row: UnitState) -> bool:
    """What needs it may begin: it is there, or was left out before it was touched."""
    phase = row.phase.value
    return phase == "SUCCEEDED" or (phase == "SKIPPED" and row.began is None)


def failed(row: UnitState) -> bool:
    phase = row.phase.value
    return phase == "FAILED" or (
        row.failure is not None and phase in ("ROLLING_BACK", "ROLLED_BACK")
    )


def settled(
    docs: Docs, planned: ReleasePlan, rows: Iterable[UnitState], *, ends: bool = True
) -> set[str]:
    """Units of a release that have ended (with `ends`), hang on one that came to no good end, or
    are of a component that stays behind because too much of it failed.
    """
    known = {row.unit: row for row in rows}
    found = {name for name, row in known.items() if ends and row.phase.value in ENDED}
    if len(planned.components) < 2:
        return found
    behind = _behind(docs, planned, known)
    bad = {
        oracle.parts(name)
        for name, row in known.items()
        if row.phase.value in (*ENDED, "ROLLING_BACK") and not done(row)
    }
    for name, row in known.items():
        component, cluster = oracle.parts(name)
        upstream = oracle.upstream(docs, component)
        if {component, *upstream} & behind:
            found.add(name)
        waits = row.phase.value == "PENDING" and not row.in_hand
        if waits and any((one, cluster) in bad for one in upstream):
            found.add(name)
    return found


def _behind(docs: Docs, planned: ReleasePlan, known: dict[str, UnitState]) -> set[str]:
    counts: dict[tuple[str, int], int] = {}
    for unit in planned.units:
        row = known.get(unit.unit)
        if row is not None and failed(row):
            key = (unit.component, unit.stage)
            counts[key] = counts.get(key, 0) + 1
    return {
        component
        for (component, stage), count in counts.items()
        if count > planned.stages[stage].max_failures
    }
