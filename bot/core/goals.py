"""What the driver has to reach for a unit, put together from plan, state and DB spec. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from bot.cluster.goal import Goal, Mode
from bot.core import siblings
from bot.core.situation import Situation, Unit
from bot.model.plan import JSON


def goal_of(
    s: Situation, units: siblings.Units, blobs: Mapping[str, JSON], u: Unit, mode: Mode
) -> Goal:
    """The goal of a unit. `blobs`: objects by digest, those of this turn too."""
    applied = siblings.last_applied(s, u.plan)
    objects = {planned.ref: blobs[u.state.wanted(planned)] for planned in u.plan.objects}
    before = {b.ref.key: blobs[b.digest] if b.digest else None for b in u.state.before or ()}
    back = {ref: before.get(ref.key) or obj for ref, obj in objects.items()}
    return Goal(
        mode=mode,
        objects=tuple(objects.items()),
        last={ref.key: blobs.get(applied.get(ref.key, "")) for ref in objects},
        before=before,
        applied=frozenset(b.ref.key for b in u.state.before or () if b.source == "applied"),
        targets=u.state.targets,
        totals=u.state.totals,
        final=u.state.step >= len(u.component.batches) - 1,
        unavailable_before=u.state.unavailable_before,
        since=u.state.batch_began or s.now,
        undo_installs=u.state.undo,
        undo_data=u.state.undo_data,
        undo=tuple((planned.ref, blobs[planned.digest]) for planned in u.plan.undo),
        anew_above=u.state.anew_above,
        rows=s.index.rows,
        **siblings.goal_nodes(s, units, u.plan, mode, back if mode is Mode.RESTORE else objects),
    )
