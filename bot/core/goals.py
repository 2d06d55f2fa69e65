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
        last=_last(u, applied, blobs),
        before=before,
        applied=frozenset(b.ref.key for b in u.state.before or () if b.source == "applied"),
        wanted={planned.ref.key: u.state.wanted(planned) for planned in u.plan.objects},
        stood={b.ref.key: b.digest for b in u.state.before or () if b.digest},
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


def _last(u: Unit, applied: Mapping[str, str], blobs: Mapping[str, JSON]) -> dict[str, JSON | None]:
    """The DB spec of each object. Of one that says that something else was applied last than the
    store has, there is none before we write it: nothing that it holds is ours to delete.
    """
    foreign = {b.ref.key for b in u.state.before or () if b.source == "foreign"}
    found: dict[str, JSON | None] = {}
    for planned in u.plan.objects:
        digest = applied.get(planned.ref.key, "")
        known = planned.ref.key not in foreign or digest == u.state.wanted(planned)
        found[planned.ref.key] = blobs.get(digest) if known else None
    return found
