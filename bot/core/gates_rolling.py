"""The gates of a batch in hand and of a rollback. Questions only."""

from __future__ import annotations

from bot.cluster.goal import Progress
from bot.core import undo
from bot.core.calendar import ROLLBACK
from bot.core.gates_begin import unit_free
from bot.core.gates_shared import LOOK, as_last_seen, ask_checks, frozen, held
from bot.core.situation import Unit, calendar_unit, covered, reaches
from bot.core.turn import Turn
from bot.model.gate import Stop, Wait
from bot.model.leftover import Fate
from bot.model.plan import JSON
from bot.model.state import HoldCode, UnitPhase

UNCOMPARED = (HoldCode.RESTORED, HoldCode.DAMAGED, HoldCode.REWRITTEN, HoldCode.REBUILT)
"""Holds that say: what is known may not be what is. Not even what was there before is put back."""


def not_stopped(t: Turn, u: Unit) -> Wait | None:
    """No pause and no emergency freeze stops what rolls in the cluster."""
    what = covered(t.s, u.plan)
    for hold in t.holds:
        if not hold.finish_batch and reaches(hold, what):
            return held(t, hold)
    return frozen(t, u)


def converged(t: Turn, u: Unit) -> Wait | None:
    """Every pod or node of the batch runs this revision and is available, seen after our write."""
    progress = t.progress(u)
    if progress is None:
        return LOOK if t.look_is_due(u) else as_last_seen(u, "converging")
    if progress.converged:
        return None
    if u.state.refused:
        return Stop(code="refused", facts={"why": u.state.refused}, who=t.who("retry"))
    facts = _how_far(u, progress)
    if progress.failed or (u.state.deadline is not None and t.s.now >= u.state.deadline):
        return Stop(code="converging", facts=facts, who=t.who("retry"))
    return Wait(code="converging", facts=facts, until=None)


def _how_far(u: Unit, progress: Progress) -> dict[str, JSON]:
    return {
        "updated": progress.updated,
        # A first install is one batch of all there will be: nothing could be counted before it.
        "wanted": sum(u.state.targets.values()) or progress.total,
        "total": progress.total,
        "waiting": progress.waiting,
        "detail": dict(progress.detail),
        **({"task": u.component.task, "failed": progress.failed} if u.component.task else {}),
    }


def still_converged(t: Turn, u: Unit) -> Wait | None:
    """What converged is still so while its checks are asked: a certificate is of what is now."""
    progress = t.progress(u)
    if progress is None or progress.converged:
        return None
    facts = _how_far(u, progress)
    if progress.failed or (u.state.deadline is not None and t.s.now >= u.state.deadline):
        return Stop(code="converging", facts=facts, who=t.who("retry"))
    return Wait(code="converging", facts=facts)


def healthy(t: Turn, u: Unit) -> Wait | None:
    """What the batch brought stays available, all the while."""
    progress = t.progress(u)
    if progress is None:
        return LOOK if t.look_is_due(u) else None
    if progress.healthy:
        return None
    return Stop(
        code="sick",
        facts={
            "why": progress.waiting,
            "detail": dict(progress.detail),
            "verifying": u.state.phase is UnitPhase.VERIFYING,
        },
        who=t.who("retry"),
    )


def soaked(t: Turn, u: Unit) -> Wait | None:
    """The silence after the batch is over, and the cluster was seen healthy at its end."""
    until = u.state.soak_until
    if until is not None and t.s.now < until:
        return Wait(code="soaking", facts={"until": until}, until=until)
    return LOOK if t.progress(u) is None else None


def checks_after(t: Turn, u: Unit) -> Wait | None:
    """Every check after the batch said PASSED."""
    return ask_checks(t, u, "after")


def compared(t: Turn, u: Unit) -> Wait | None:
    """No restored store, rewritten main or rebuilt cluster is left to be compared: until then
    nobody knows what was there before. No other hold stops a rollback.
    """
    what = covered(t.s, u.plan)
    for hold in t.holds:
        if hold.code in UNCOMPARED and reaches(hold, what):
            return held(t, hold)
    return None


def not_fenced(t: Turn, u: Unit) -> Wait | None:
    """No newer plan has written what it would put back; when somebody has looked and resumed, it
    is tried once more.
    """
    if not u.state.fenced:
        return None
    what = covered(t.s, u.plan)
    stopped = (h for h in t.holds if h.code is HoldCode.FENCED and reaches(h, what))
    return next((held(t, hold) for hold in stopped), None)


def rollback_window(t: Turn, u: Unit) -> Wait | None:
    """No Deny window and no freeze that names rollback covers it; Allow windows do not matter."""
    place = calendar_unit(t.s, u.plan)
    opening = t.s.rules.calendar.ask(place, t.s.now, ROLLBACK)
    if opening.open or t.window_overridden(u.plan):
        return None
    return Wait(
        code="rollback-window",
        facts={"why": opening.why},
        until=opening.next_open,
        who=t.who("override"),
        source=opening.source,
    )


def newer_first(t: Turn, u: Unit) -> Wait | None:
    """Newer waves are back where they were; one that waits for a person, a window or its cluster
    holds up nobody.
    """
    left = sum(moves_back(t, t.unit(name)) for name in t.newer_back(u.plan))
    return Wait(code="rollback-order", facts={"left": left}) if left else None


def dependents_first(t: Turn, u: Unit) -> Wait | None:
    """What depends on it in its cluster is back where it was; as with newer waves, one that waits
    for a person, a window or its cluster holds up nobody. Where the cluster answers this unit it
    will answer the other one too.
    """
    if not t.s.index.several:
        return None
    seen = t.s.seen.get(u.plan.unit)
    answers = seen is not None and seen.reachable
    for name in t.s.index.needing(u.plan):
        back = t.units[name].phase is UnitPhase.ROLLING_BACK
        if back and moves_back(t, t.unit(name), answers=answers):
            return Wait(code="dependents-first", facts={"unit": name})
    return None


def moves_back(t: Turn, u: Unit, *, answers: bool = False) -> bool:
    """Whether nothing but its turn holds a unit on its way back."""
    if (not answers and _silent(t, u)) or reversible(t, u) or undo_decided(t, u):
        return False
    if unit_free(t, u) or not_fenced(t, u):
        return False
    name = u.plan.unit
    if name not in t.may_go_back:
        # The calendar says the same to all who ask in one turn, and many do.
        t.may_go_back[name] = compared(t, u) is None and rollback_window(t, u) is None
    return t.may_go_back[name]


def _silent(t: Turn, u: Unit) -> bool:
    """Its cluster does not answer; as long as it is still to be asked anew, nobody knows."""
    if u.state.unreachable_since is None:
        return False
    seen = t.s.seen.get(u.plan.unit)
    return not seen.reachable if seen is not None else not t.look_is_due(u)


def undo_decided(t: Turn, u: Unit) -> Wait | None:
    """A first install, or what the release added, is deleted or kept when a person said which."""
    what = undo.wanted(t, u.plan.unit)
    facts: dict[str, JSON] = {"unit": u.plan.unit}
    if u.state.added:
        facts["added"] = [one.ref.short for one in u.state.added if one.fate is Fate.OPEN]
    return Wait(code=what, facts=facts, who=t.who("approve")) if what else None


def reversible(t: Turn, u: Unit) -> Wait | None:
    """Nothing is lost by putting back what was there, or an admin has said that it shall be."""
    if not u.state.one_way or "irreversible" in u.state.overrides:
        return None
    facts = {"unit": u.plan.unit, "why": list(u.state.one_way)}
    return Wait(code="irreversible", facts=facts, who=t.who("override"))


def restored(t: Turn, u: Unit) -> Wait | None:
    """Every pod or node is back on what ran before, and available."""
    if t.is_first_install(u) and "keep" in u.state.overrides:
        return None
    progress = t.progress(u)
    if progress is None:
        return LOOK if t.look_is_due(u) else as_last_seen(u, "restoring")
    if progress.converged:
        return None
    facts: dict[str, JSON] = {"updated": progress.updated, "total": progress.total}
    if progress.guarded:
        facts |= {"waiting": progress.waiting, "detail": dict(progress.detail)}
    late = u.state.deadline is not None and t.s.now >= u.state.deadline
    if progress.failed or (late and not further_back(u, progress)):
        return Stop(code="restoring", facts=facts, who=t.who("retry"))
    return Wait(code="restoring", facts=facts)


def further_back(u: Unit, progress: Progress) -> bool:
    """More is back than ever since its time began: a way back of many nodes has its time anew for
    each step, and what only comes and goes has not.
    """
    return progress.updated > u.state.most_back
