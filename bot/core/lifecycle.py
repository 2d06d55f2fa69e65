"""How a release moves: the table NEXT, and `advance`, which takes a release as far as it can go
now.

Pure and bounded: the same situation gives the same step. Asks the cluster nothing: what it has to
see
first it names in `Step.asks`, and is called again with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.cluster.goal import Mode, Progress
from bot.core import added, adopting, begin, endings, leftovers, leftovers_asked, way_back
from bot.core.decisions import keep_asking
from bot.core.drifting import drift
from bot.core.gates import GATES, Look
from bot.core.gates_begin import waits_for_wave
from bot.core.gates_reachable import ask_for_silent
from bot.core.gates_rolling import further_back, not_stopped
from bot.core.gates_shared import ask_checks
from bot.core.guarding import guard
from bot.core.messages_why import cause
from bot.core.pace import FOR_ROOM, LOOK_EVERY, UNREACHABLE_EVERY
from bot.core.rules_hold import keep_budget, stop_by_rule
from bot.core.seeing import remember, watch
from bot.core.sibling_waits import stays_out, waits_otherwise
from bot.core.situation import Situation, Unit, covered, reaches
from bot.core.step import Step as Step
from bot.core.turn import Turn
from bot.core.whole import whole
from bot.model.effects import Write
from bot.model.gate import Stop, Wait, Waiting
from bot.model.state import (
    ReleasePhase,
    UnitPhase,
    UnitState,
)

NEXT: Mapping[UnitPhase, tuple[UnitPhase, ...]] = {
    UnitPhase.PENDING: (UnitPhase.APPLYING, UnitPhase.SUCCEEDED),
    UnitPhase.APPLYING: (UnitPhase.SOAKING,),
    UnitPhase.SOAKING: (UnitPhase.VERIFYING,),
    UnitPhase.VERIFYING: (UnitPhase.PENDING, UnitPhase.SUCCEEDED),
    UnitPhase.ROLLING_BACK: (UnitPhase.ROLLED_BACK,),
}
"""Phase → what follows when every gate of it is open. A `Stop` leads to FAILED from everywhere."""

REVISITED = (UnitPhase.FAILED, UnitPhase.QUARANTINED)
"""Ends of a unit after which its cluster is looked at again."""

STEPS_MAX = 12
"""More transitions of one unit in one turn than the longest honest path has: a bug beyond it."""


def advance(s: Situation) -> Step:
    """Take the release as far as it can go at `s.now`."""
    t = Turn(s)
    waiting: list[Waiting] = []
    if not s.state.phase.ended:
        endings.expire(t)
        keep_budget(t)
        keep_asking(t)
        if s.state.phase is not ReleasePhase.PROPOSED:
            leftovers.go_on(t)
            for name in _in_hand(t):
                waiting += _walk(t, name)
            waiting = _where_room_is(t, waiting)
            ask_for_silent(t, waiting)
            leftovers_asked.keep(t)
            way_back.ask_about_added(t)
            endings.finish(t)
            keep_budget(t)
            keep_asking(t)
            waiting += whole(t)
    return close(t, waiting)


def explain(s: Situation) -> tuple[Waiting, ...]:
    """The first closed gate of every unit that has not ended; changes nothing.

    Units whose only want is to be seen are left out: nothing holds them. One whose check before
    the batch has not said yes is held by that.
    """
    t = Turn(s)
    found: list[Waiting] = []
    back = t.state.phase is ReleasePhase.ROLLING_BACK
    for unit in s.plan.units:
        u = t.unit(unit.unit)
        if back and u.state.phase is UnitPhase.PENDING:
            continue  # it never began: nothing of it goes back, and nothing goes forward
        closed = first_closed(t, u)
        if closed is not None and isinstance(closed[1], Look) and not closed[1].facts:
            closed = _asked_before(t, u)
        if closed is not None:
            found.append(Waiting(unit=unit.unit, gate=closed[0], wait=closed[1]))
    return (*found, *whole(t))


def _asked_before(t: Turn, u: Unit) -> tuple[str, Wait] | None:
    if u.state.phase is not UnitPhase.PENDING:
        return None
    if (edited := drift(t, u)) is not None:
        return "drift", edited
    if (kept_back := guard(t, u)) is not None:
        return "guard", kept_back
    wait = ask_checks(t, u, "before")
    return ("checks_before", wait) if wait is not None else None


def first_closed(t: Turn, u: Unit) -> tuple[str, Wait] | None:
    """(gate, answer) of the first gate that is not open; None when all are."""
    for gate in GATES.get(u.state.phase, ()):
        answer = gate(t, u)
        if answer is not None:
            return gate.__name__, answer
    return None


def _in_hand(t: Turn) -> list[str]:
    """Units that could move now: of the wave in front, in flight, going back, to be looked at."""
    found: list[str] = []
    for unit in t.s.plan.units:
        state = t.units[unit.unit]
        place = (unit.stage, unit.wave)
        if state.phase.rolling or state.phase is UnitPhase.ROLLING_BACK or state.in_flight:
            found.append(unit.unit)
        elif state.phase is UnitPhase.PENDING:
            # What follows the front may become the front within this very turn.
            front = t.fronts.of(unit.component)
            ahead = front is None or place >= front or t.fronts.settled(unit.unit)
            if t.state.phase is not ReleasePhase.ROLLING_BACK and ahead:
                found.append(unit.unit)
        elif state.look_at is not None and state.look_at <= t.s.now:
            found.append(unit.unit)
    return found


def _where_room_is(t: Turn, waiting: list[Waiting]) -> list[Waiting]:
    """Units of the release that waited for a place are asked again when one became free later in
    the same turn: nothing else would wake them.
    """
    while t.around.freed:
        t.around.freed = False
        again = [line for line in waiting if line.wait.code in FOR_ROOM]
        waiting = [line for line in waiting if line not in again]
        for line in again:
            waiting += _walk(t, line.unit)
    return waiting


def _not_its_turn(t: Turn, u: Unit) -> bool:
    """A unit that has not begun, in a wave after the one in front, or of a release going back."""
    if u.state.phase is not UnitPhase.PENDING:
        return False
    if t.state.phase is ReleasePhase.ROLLING_BACK:
        return True
    return waits_for_wave(t, u) is not None


def _walk(t: Turn, name: str) -> list[Waiting]:
    """One unit, as far as its gates let it. The closed gate it ends at, if any."""
    if t.units[name].phase in REVISITED:
        # A cluster that answers again catches up at once, by all the gates.
        _revisit(t, t.unit(name))
    for _ in range(STEPS_MAX):
        u = t.unit(name)
        if u.state.phase not in GATES or _not_its_turn(t, u):
            return []
        _go_on(t, u)
        u = t.unit(name)
        remember(t, u)
        watch(t, t.unit(name))
        adopting.met_later(t, name)
        leftovers.let_be(t, name)
        added.let_be(t, name)
        _measure(t, name)
        u = t.unit(name)
        closed = first_closed(t, u)
        if closed is None:
            if not begin.enter_next(t, u):
                t.asks.add(name)
                return []
            continue
        gate, wait = closed
        if isinstance(wait, Look):
            t.asks.add(name)
            return []
        if isinstance(wait, Stop):
            endings.fail(t, u, cause(wait))
            continue
        _while_waiting(t, u, gate, wait)
        return [Waiting(unit=name, gate=gate, wait=wait)]
    raise AssertionError(f"{name} does not come to rest in {STEPS_MAX} steps")


def _measure(t: Turn, name: str) -> None:
    phase = t.units[name].phase
    if phase is UnitPhase.VERIFYING:
        if t.units[name].deadline is None:
            t.put(replace(t.units[name], deadline=begin.verified_by(t, t.unit(name))))
        t.measure(name, "after")
    elif phase is UnitPhase.PENDING and t.s.seen.get(name) is not None:
        u = t.unit(name)
        asked = (u.state.drift_mark and drift(t, u)) or (u.state.guarded and guard(t, u))
        if asked:
            return  # A person is asked first, for days perhaps: checks speak of the moment after.
        begin.forget_old_evidence(t, name)
        t.measure(name, "before")


def _while_waiting(t: Turn, u: Unit, gate: str, wait: Wait) -> None:
    """What a closed gate still lets happen: stop what rolls, go on with the batch, look again
    later.
    """
    state = u.state
    if state.phase is UnitPhase.ROLLING_BACK and way_back.stands(t, u, gate):
        return
    if gate == "reachable":
        if state.phase is UnitPhase.PENDING and wait.until is not None and t.s.now >= wait.until:
            endings.quarantine(t, u, str(wait.facts.get("error", "")))
        elif wait.code == "rebuilt":
            begun = state.phase is not UnitPhase.PENDING
            t.put(replace(state, look_at=t.s.now + UNREACHABLE_EVERY if begun else None))
        return
    if _waits_in_its_way(t, u, gate, wait):
        return
    _look_on(t, u, gate)


def _look_on(t: Turn, u: Unit, gate: str) -> None:
    """Go on with the batch as far as the cluster shows, and say when to look again."""
    state = u.state
    seen = t.s.seen.get(u.plan.unit)
    if seen is None and state.phase is UnitPhase.PENDING and t.look_is_due(u):
        # Another gate came first: it is no reason to come back at once, again and again.
        silent = state.unreachable_since is not None
        t.put(replace(state, look_at=t.s.now + UNREACHABLE_EVERY if silent else None))
    if seen is None or not seen.reachable:
        _unasked(t, u)
        return
    if state.phase is UnitPhase.PENDING:
        # A unit that has not begun is seen when its gates ask for it, not by the clock.
        again = t.s.now + UNREACHABLE_EVERY if gate == "counted" else None
        t.put(replace(state, look_at=again))
        return
    if gate in ("converged", "restored"):
        progress = t.progress(u)
        assert progress is not None
        t.writes += [(u.plan.unit, write) for write in progress.writes]
        state = replace(state, updated=progress.updated, total=progress.total, guarded=())
        state = _given_time(t, u, gate, progress, state)
    t.put(replace(state, look_at=_look_again(t, state)))


def _waits_in_its_way(t: Turn, u: Unit, gate: str, wait: Wait) -> bool:
    """Whether a gate asks for something of its own while it is closed, and it has been done."""
    if gate == "not_stopped":
        _stop_what_rolls(t, u)
        return True
    if gate == "risk":
        stop_by_rule(t, wait)
    return waits_otherwise(t, u, gate, wait)


def _unasked(t: Turn, u: Unit) -> None:
    """The gate wanted nothing of the cluster: no reason to be due at once, again and again."""
    unit = t.units[u.plan.unit]
    if unit.look_at is not None and unit.look_at <= t.s.now:
        t.put(replace(unit, look_at=t.s.now + LOOK_EVERY[unit.phase]))


def _given_time(t: Turn, u: Unit, gate: str, progress: Progress, state: UnitState) -> UnitState:
    """A deadline where there is none, and a later one for a way back that gets on."""
    until = t.s.now + u.component.batch_deadline
    if state.deadline is None:
        return replace(state, deadline=until, batch_began=t.s.now, most_back=progress.updated)
    if gate == "restored" and further_back(u, progress):
        return replace(state, deadline=until, most_back=progress.updated)
    return state


def _go_on(t: Turn, u: Unit) -> None:
    """What was stopped and is not any more is due at once, and has the time that it stood still."""
    state = u.state
    stood = state.stopped_since is not None or state.look_at is None
    if state.phase is not UnitPhase.APPLYING or not stood or not_stopped(t, u) is not None:
        return
    stood_for = t.s.now - (state.stopped_since or t.s.now)
    deadline = state.deadline + stood_for if state.deadline else None
    t.put(replace(state, look_at=t.s.now, deadline=deadline, stopped_since=None))


def _stop_what_rolls(t: Turn, u: Unit) -> None:
    """Stop the rollout inside the cluster, once, and then leave the cluster alone."""
    if u.state.stopped_since is None:
        t.put(replace(u.state, stopped_since=t.s.now))
        u = t.unit(u.plan.unit)
    if not t.look_is_due(u):
        return
    progress = t.progress(u, Mode.STOP)
    if progress is None:
        t.asks.add(u.plan.unit)
        return
    if t.is_another(u):
        t.put(replace(u.state, look_at=t.s.now + UNREACHABLE_EVERY))
        return
    t.writes += [(u.plan.unit, write) for write in progress.writes]
    again = t.s.now + LOOK_EVERY[UnitPhase.APPLYING] if progress.writes else None
    t.put(replace(u.state, updated=progress.updated, total=progress.total, look_at=again))


def _revisit(t: Turn, u: Unit) -> None:
    """A failed unit is stopped where it stands; a quarantined one comes back when it answers."""
    seen = t.s.seen.get(u.plan.unit)
    if seen is None:
        if t.look_is_due(u):
            t.asks.add(u.plan.unit)
        return
    again = t.s.now + LOOK_EVERY[u.state.phase]
    if not seen.reachable or (u.state.phase is UnitPhase.FAILED and t.is_another(u)):
        t.put(replace(u.state, look_at=again))
    elif u.state.phase is UnitPhase.QUARANTINED:
        if not stays_out(t, u):
            endings.come_back(t, u)
        else:
            t.put(replace(u.state, look_at=again))
    else:
        progress = t.progress(u, Mode.STOP)
        assert progress is not None
        t.writes += [(u.plan.unit, write) for write in progress.writes]
        halted = u.state.halted or bool(progress.writes)
        t.put(replace(u.state, halted=halted, look_at=again if progress.writes else None))


def _look_again(t: Turn, state: UnitState) -> datetime:
    again = t.s.now + LOOK_EVERY[state.phase]
    if state.phase is UnitPhase.SOAKING and state.soak_until is not None:
        return min(again, max(state.soak_until, t.s.now))
    return again


def close(t: Turn, waiting: Sequence[Waiting] = ()) -> Step:
    """What has changed in a turn, as a step."""
    s = t.s
    units = {name: unit for name, unit in t.units.items() if unit is not s.units[name]}
    before = {decision.number: decision for decision in s.decisions}
    # What is not its turn is looked at when it is; to be due for it now would be for ever.
    times = [wait.wait.until for wait in waiting] + [wait.wait.again for wait in waiting]
    times += [
        unit.look_at
        for unit in t.units.values()
        if unit.look_at is not None
        and (not unit.phase.ended or unit.phase in REVISITED)
        and not _not_its_turn(t, t.unit(unit.unit))
    ]
    expires = t.state.expires if t.state.began is None else None
    times += [expires if expires and expires > s.now else None, t.decisions_change_at()]
    times += [s.now if way_back.freed(t) else None]
    return Step(
        state=t.state,
        units=units,
        decisions=tuple(d for n, d in sorted(t.decisions.items()) if before.get(n) is not d),
        holds=tuple(hold for hold in t.holds if all(hold is not old for old in s.holds)),
        events=tuple(t.events),
        writes=_still_wanted(t),
        asks=frozenset(t.asks),
        waiting=tuple(waiting),
        wake=min((at for at in times if at is not None), default=None),
        puts=tuple(t.puts),
        drops=tuple(t.drops),
        blobs=dict(t.blobs),
    )


def _still_wanted(t: Turn) -> tuple[tuple[str, Write], ...]:
    """The writes of the turn, less forward ones of units that were stopped later in it."""

    def wanted(unit: str, write: Write) -> bool:
        if not write.purpose.forward:
            return True
        what = covered(t.s, t.s.index.units[unit])
        held = any(not hold.finish_batch and reaches(hold, what) for hold in t.holds)
        return t.units[unit].phase is UnitPhase.APPLYING and not held

    return tuple((unit, write) for unit, write in t.writes if wanted(unit, write))
