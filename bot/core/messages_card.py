"""The one live card of a release: what, how far, what it waits for, who decides, when it ends.

A view in, a message out, at most 12 paragraphs whether it has 3 units or 1,000. Never decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.messages_addon import components_line
from bot.core.messages_buttons import buttons
from bot.core.messages_figures import (
    StageFigures,
    awaits_a_word,
    current_stage,
    done_units,
    foremost,
    from_versions,
    going_back,
    in_flight,
    in_phase,
    open_decisions,
    phase_of,
    pods,
    sent_back,
    small,
    stages,
    stopping,
    tone,
)
from bot.core.messages_stays import stays_behind
from bot.core.messages_tasks import named
from bot.core.messages_void import asked_anew
from bot.core.messages_why import headline, why
from bot.core.messages_words import clause, many, moment, row, sentence, short
from bot.model.gate import ReleaseView, Wait, Waiting
from bot.model.message import Message
from bot.model.state import Decision, Hold, HoldCode, ReleasePhase, UnitPhase

_STAGES_SHOWN = 12
_ROWS_SHOWN = 8
_DECISIONS_SHOWN = 2
_HOLDS_SHOWN = 2
_LINE = 600
_LINES = 8


def card(view: ReleaseView) -> Message:
    """The card as the view is now. The same view gives the same card, to the letter."""
    lines = (
        _progress(view),
        _stages_line(view),
        components_line(view),
        *_holds(view),
        *_decisions(view),
        _waiting(view),
        _left_behind(view),
        _times(view),
    )
    return Message(
        text=f"{view.plan.release}: {summary(view)}",
        tone=tone(view),
        title=_title(view),
        lines=tuple(short(line, _LINE) for line in lines if line)[:_LINES],
        facts=_facts(view),
        rows=_rows(view),
        buttons=buttons(view),
    )


def summary(view: ReleaseView) -> str:
    """State and cause in a few words: what a phone shows and what a list has room for."""
    phase = view.state.phase
    progress = _done(view)
    if phase in _ENDINGS:
        return f"{_ENDINGS[phase]}, {progress}"
    hold = stopping(view)
    if hold is not None:
        return f"{headline(hold_wait(hold, view), view.zone)}; {progress}"
    decisions = open_decisions(view)
    if decisions:
        return f"needs decision: {clause(decisions[0].asks)} {progress}"
    lines = foremost(view.waiting)
    if lines:
        return f"{headline(lines[0].wait, view.zone)}; {progress}"
    return f"{_WORDS.get(phase, 'rolling out')}, {progress}"


def what(view: ReleaseView) -> str:
    """`node-agent 2.4.1 → 2.5.0`, or `node-agent 2.5.0 configuration`."""
    old = row(from_versions(view), most=2)
    parts = []
    for component in view.plan.components:
        if component.task:
            parts.append(named(component))
        elif not component.version_changed:
            parts.append(f"{component.name} {component.version} configuration")
        elif old and len(view.plan.components) == 1:
            parts.append(f"{component.name} {old} → {component.version}")
        else:
            parts.append(f"{component.name} → {component.version}")
    return row(parts, most=3) or view.plan.release


def hold_wait(hold: Hold, view: ReleaseView) -> Wait:
    """A hold as the closed gate it is, so that card and `why` have one sentence."""
    facts = {
        # The card is about this release: its own name says nothing more.
        "scope": "" if hold.scope == view.plan.release else hold.scope,
        "reason": hold.reason,
        "by": hold.by,
        "at": hold.at,
        "code": str(hold.code),
        "until": hold.until,
    }
    return Wait(code="held", facts=facts)


_ENDINGS = {
    ReleasePhase.SUCCEEDED: "succeeded",
    ReleasePhase.ROLLED_BACK: "rolled back",
    ReleasePhase.CANCELLED: "cancelled",
    ReleasePhase.SUPERSEDED: "superseded",
    ReleasePhase.BEFORE_US: "on main before this bot began, never run by it",
}
_WORDS = {
    ReleasePhase.PROPOSED: "proposed",
    ReleasePhase.SCHEDULED: "scheduled",
    ReleasePhase.ROLLING_BACK: "rolling back",
}


def _title(view: ReleaseView) -> str:
    phase = view.state.phase
    if phase in _ENDINGS:
        return f"{what(view)} · {_ENDINGS[phase]}"
    if phase is ReleasePhase.PROPOSED:
        return f"{what(view)} · {_WORDS[phase]}"
    if phase is ReleasePhase.ROLLING_BACK:
        return what(view)
    stage = current_stage(view)
    if stage is None:
        return what(view)
    wave = f", wave {stage.wave} of {stage.waves}" if stage.waves > 1 else ""
    return f"{what(view)} · stage {stage.name}{wave}"


_OVER = {UnitPhase.SKIPPED: "skipped", UnitPhase.QUARANTINED: "quarantined"}


def _progress(view: ReleaseView) -> str:
    back = going_back(view)
    parts = [_done(view)]
    if (moving := len(in_flight(view))) and not back:
        parts.append(f"{moving} in flight")
    if failed := len(in_phase(view, UnitPhase.FAILED)):
        parts.append(f"{failed} failed")
    for phase, word in _OVER.items():
        if over := len(in_phase(view, phase)):
            parts.append(f"{over} {word}")
    updated, counted = pods(view)
    if counted and not back:
        parts.append(f"{updated} of {many(counted, 'pod')} updated there")
    return " · ".join(parts)


def _done(view: ReleaseView) -> str:
    """`31 of 212 units done`; in a rollback only those count that were sent back."""
    if not going_back(view):
        return f"{done_units(view)} of {many(len(view.plan.units), 'unit')} done"
    return f"{done_units(view)} of {many(len(sent_back(view)), 'unit')} restored"


def _stages_line(view: ReleaseView) -> str:
    tell = _stage_back if going_back(view) else _stage
    told = [tell(stage) for stage in stages(view)]
    return row(told, most=_STAGES_SHOWN, joint="   ")


def _stage(stage: StageFigures) -> str:
    if stage.failed:
        return f"✖ {stage.name} ({stage.done} of {stage.units}, {stage.failed} failed)"
    if stage.complete:
        over = f", {stage.skipped} skipped" if stage.skipped else ""
        over += f", {stage.quarantined} quarantined" if stage.quarantined else ""
        return f"✔ {stage.name} ({stage.done}{over})"
    if stage.began:
        return f"● {stage.name} ({stage.done} of {stage.units})"
    return f"○ {stage.name} ({stage.units})"


def _stage_back(stage: StageFigures) -> str:
    counts = {
        "restored": stage.restored,
        "failed to go back": stage.failed_back,
        "going back": stage.restoring,
        "left alone": stage.left_alone,
    }
    counts["untouched"] = stage.units - sum(counts.values())
    sign = "✔" if stage.restored else "○"
    if stage.restoring:
        sign = "⏪"
    if stage.failed_back:
        sign = "✖"
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f"{sign} {stage.name} ({told or '0 untouched'})"


def _holds(view: ReleaseView) -> tuple[str, ...]:
    if view.state.phase.ended:
        return ()
    holds = sorted(view.holds, key=lambda hold: (hold is not stopping(view), hold.at, hold.id))
    told = [why(hold_wait(hold, view), view.zone) for hold in holds[:_HOLDS_SHOWN]]
    if len(holds) > _HOLDS_SHOWN:
        told[-1] += f" And {many(len(holds) - _HOLDS_SHOWN, 'more hold')}."
    return tuple(told)


def _decisions(view: ReleaseView) -> tuple[str, ...]:
    found = open_decisions(view)
    told = [_decision(view, decision) for decision in found[:_DECISIONS_SHOWN]]
    if len(found) > _DECISIONS_SHOWN:
        told[-1] += f" And {many(len(found) - _DECISIONS_SHOWN, 'more decision')}."
    return tuple(told)


def _decision(view: ReleaseView, decision: Decision) -> str:
    have = [vote.by for vote in decision.votes]
    anew = asked_anew(view.decisions, decision.what, decision.subject)
    votes = f" ({row(have)})" if have else ""
    can = row(view.deciders.get(decision.id, ()), most=8)
    roles = row(decision.roles, joint=" or ")
    until = ""
    if decision.expires is not None:
        ends = _moment(view, decision.at + decision.expires)
        until = f"Asked until {ends}"
    return sentence(
        f"Decision #{decision.number}: {clause(decision.asks)}",
        f"{len(have)} of {many(view.needs.get(decision.id, decision.count), 'approval')}{votes}",
        f"Asked anew: {clause(anew)}" if anew else "",
        f"Can decide: {can}" if can else f"Nobody with the role {roles} is left to decide",
        until,
    )


def _waiting(view: ReleaseView) -> str:
    """The most important line; what holds and decisions already told is not said again."""
    if view.state.phase.ended:
        return ""
    told = {"held"} if view.holds else set()
    told |= {"approval", "undo", "undo-data", "leftovers"} if open_decisions(view) else set()
    lines = [line for line in foremost(view.waiting) if line.wait.code not in told]
    if not lines:
        return ""
    first = lines[0]
    more = len(lines) - 1
    also = f" And {more} more (why {view.plan.release})." if more else ""
    return f"{told_line(first, view.zone)}{also}"


def told_line(line: Waiting, zone: str) -> str:
    """One line of `why`: the unit, the sentence, who can clear it, when it clears by itself."""
    wait = line.wait
    unit = f"{line.unit}: " if line.unit else ""
    clears = f"Cleared by {row(wait.who, joint=' or ')}" if wait.who else ""
    text = sentence(why(wait, zone), clears)
    if wait.until is not None and wait.code not in _TIMED and moment(wait.until, zone) not in text:
        text = sentence(text, f"Until {moment(wait.until, zone)}")
    return f"{unit}{text}"


# The calendar's own sentence names the opening already.
_TIMED = ("window", "rollback-window")


def _left_behind(view: ReleaseView) -> str:
    parts = []
    failed = in_phase(view, UnitPhase.FAILED)
    if failed:
        told = [hold.reason for hold in view.holds if hold.code is HoldCode.FAILED]
        named = [_failed(view, unit, told) for unit in failed]
        parts.append(f"Failed: {row(named, most=3, joint='; ')}")
    skipped = in_phase(view, UnitPhase.SKIPPED)
    if skipped:
        parts.append(f"Skipped: {row(skipped, most=3)}")
    quarantined = in_phase(view, UnitPhase.QUARANTINED)
    if quarantined:
        parts.append(f"Quarantined: {row(quarantined, most=3)}")
    parts += stays_behind(view)
    owed = [unit for unit in view.owed if unit not in skipped and unit not in quarantined]
    if owed:
        parts.append(f"Owed: {row(owed, most=3)}")
    return sentence(*parts)


def _failed(view: ReleaseView, unit: str, told: Sequence[str]) -> str:
    """The unit and its cause, unless a hold on the card has told that cause."""
    state = view.units.get(unit)
    cause = clause(state.failure) if state is not None else ""
    if any(cause and cause in reason for reason in told):
        return unit
    return f"{unit} ({short(cause, 160)})" if cause else unit


def _times(view: ReleaseView) -> str:
    if view.state.phase.ended:
        took = view.state.ended
        return f"Ended {_moment(view, took)}." if took is not None else ""
    if going_back(view):
        return f"Back by about {_local(view, view.ends)}." if view.ends is not None else ""
    parts = []
    if view.next_close is not None:
        parts.append(f"Window closes {_local(view, view.next_close)}")
    if view.next_open is not None:
        again = "opens again" if view.next_close is not None else "Window opens"
        parts.append(f"{again} {_local(view, view.next_open)}")
    if view.ends is not None and not awaits_a_word(view):
        asked = " if the yes comes at once" if open_decisions(view) else ""
        parts.append(f"forecast end {_local(view, view.ends)}{asked}")
    text = " · ".join(parts)
    return f"{text[:1].upper()}{text[1:]} ({view.zone})" if parts else ""


def _facts(view: ReleaseView) -> tuple[tuple[str, str], ...]:
    plan = view.plan
    facts = [("Release", plan.release)]
    if view.state.pull or plan.pull:
        facts.append(("Pull request", str(view.state.pull or plan.pull)))
    if plan.reason:
        facts.append(("Reason", short(clause(plan.reason), 200)))
    facts.append(("Plan", plan.plan_hash.removeprefix("sha256:")[:12]))
    if plan.additions:
        joined = [unit for one in plan.additions for unit in one.units]
        mark = plan.additions[-1].digest.removeprefix("sha256:")[:12]
        facts.append(("Joined", f"{row(joined, most=3)} ({mark})"))
    if view.state.began is not None:
        facts.append(("Began", _moment(view, view.state.began)))
    elif view.state.merged is not None:
        facts.append(("Merged", _moment(view, view.state.merged)))
    if view.state.revert:
        facts.append(("Revert", view.state.revert))
    return tuple(facts)


def _rows(view: ReleaseView) -> tuple[tuple[str, ...], ...]:
    """Units one by one: all of a small release, else what failed or is in flight."""
    if view.state.began is None or view.state.phase.ended:
        return ()
    steps = {component.name: len(component.batches) for component in view.plan.components}
    chosen = [
        unit
        for unit in view.plan.units
        if small(view)
        or (state := view.units.get(unit.unit)) is None
        or state.in_flight
        or state.phase in (UnitPhase.FAILED, UnitPhase.ROLLING_BACK)
    ]
    if not small(view):
        chosen = [unit for unit in chosen if unit.unit in view.units]
        chosen.sort(key=lambda unit: phase_of(view, unit.unit) is not UnitPhase.FAILED)
    limit = len(chosen) if small(view) else _ROWS_SHOWN
    rows = [_unit_row(view, unit.unit, steps.get(unit.component, 1)) for unit in chosen[:limit]]
    if len(chosen) > limit:
        rows.append((f"and {len(chosen) - limit} more", "", "", ""))
    return (("Unit", "Phase", "Batch", "Pods"), *rows) if rows else ()


def _unit_row(view: ReleaseView, unit: str, batches: int) -> tuple[str, ...]:
    state = view.units.get(unit)
    if state is None:
        return (unit, UnitPhase.PENDING.value, "", "")
    # Equal batches merge: how many there are is only known when the first has begun.
    count = max(state.batches or batches, state.batch)
    batch = f"{state.batch} of {count}" if state.batch else ""
    counted = f"{state.updated} of {state.total}" if state.total else ""
    return (unit, state.phase.value, batch, counted)


def _moment(view: ReleaseView, at: object) -> str:
    return moment(at, view.zone, year=view.now.year)


def _local(view: ReleaseView, at: object) -> str:
    """Without its zone: for a line that names the zone once."""
    return _moment(view, at).removesuffix(f" {view.zone}")
