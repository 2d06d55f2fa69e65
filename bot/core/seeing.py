"""What a look at a cluster tells beside how far its unit is: who it is, since when it does not
answer, and what of the silence after a batch nobody watched.

Called by the lifecycle. Decides nothing.
"""

from __future__ import annotations

from dataclasses import replace

from bot.cluster.fence import fence_of
from bot.core.pace import UNREACHABLE_EVERY, UNWATCHED_MOST, WATCH_NOTED
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.state import ClusterSeen, UnitPhase


def remember(t: Turn, u: Unit) -> None:
    """Since when the cluster does not answer; when it does: who it is, and our last write there."""
    seen = t.s.seen.get(u.plan.unit)
    if seen is None:
        return
    if not seen.reachable:
        since = u.state.unreachable_since or t.s.now
        deadline = u.state.deadline
        if deadline is None and u.state.phase is UnitPhase.APPLYING:
            deadline = t.s.now + u.component.batch_deadline
        again = t.s.now + UNREACHABLE_EVERY
        t.put(replace(u.state, unreachable_since=since, deadline=deadline, look_at=again))
        return
    if u.state.unreachable_since is not None:
        # A rollback that nobody could watch is given its time again.
        back = u.state.phase is UnitPhase.ROLLING_BACK
        deadline = None if back else u.state.deadline
        t.put(replace(u.state, unreachable_since=None, deadline=deadline, look_at=t.s.now))
        _ask_again(t, u.plan.cluster)
    if u.plan.cluster not in t.s.clusters:
        t.puts.append(ClusterSeen(cluster=u.plan.cluster, uid=seen.uid, at=t.s.now))
    for there in seen.objects.values():
        position, seq = (*fence_of(there.live), 0, 0)[:2] if there.live else (0, 0)
        ours = position in (t.state.position, t.state.fence_position)
        if ours and seq > t.state.seq:
            # Written by this very plan before the store was lost: its fences go on from there.
            t.state = replace(t.state, seq=seq)


def _ask_again(t: Turn, cluster: str) -> None:
    """A cluster answers again: whoever is silent there is asked now, not when its time comes."""
    for name, unit in list(t.units.items()):
        if unit.unreachable_since is not None and t.s.index.units[name].cluster == cluster:
            t.put(replace(unit, look_at=t.s.now))


def watch(t: Turn, u: Unit) -> None:
    """The silence has to be watched: what nobody saw of it is added to its end."""
    progress = t.progress(u) if u.state.phase is UnitPhase.SOAKING else None
    if progress is None or not progress.healthy:
        return
    unseen = t.s.now - (u.state.watched or t.s.now)
    if u.state.watched is not None and unseen < WATCH_NOTED:
        return
    state = replace(u.state, watched=t.s.now)
    if unseen > UNWATCHED_MOST and state.soak_until is not None:
        state = replace(state, soak_until=state.soak_until + unseen)
        t.tell("soak.extended", u.plan.unit, until=state.soak_until, unseen=unseen)
    t.put(state)
