"""The thread's lines about units: batch by batch in a small release, wave by wave in a large one.

Failures are always told. Never decides, never counts what a cluster did not show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.core import messages_guard, messages_tasks
from bot.core.messages_adopting import disagreed
from bot.core.messages_drift import drifted, edits
from bot.core.messages_figures import phase_of, small
from bot.core.messages_words import clause, length, many, moment, sentence, some
from bot.model.gate import ReleaseView, WaveView
from bot.model.message import Message, Tone
from bot.model.plan import ComponentPlan
from bot.model.state import Event, HoldCode, UnitPhase

Say = Callable[[Event, ReleaseView], Message | None]


def _batch_applying(event: Event, view: ReleaseView) -> Message | None:
    if not small(view):
        return _wave_begins(event, view)
    if _task(view, event.unit):
        return Message(text=messages_tasks.begins(event.unit))
    data = event.data
    targets = data.get("targets")
    wanted = sum(map(some, targets.values())) if isinstance(targets, Mapping) else some(targets)
    number = some(data.get("batch")) or event.batch
    batch = (
        f"batch {number} of {max(number, some(data.get('batches')) or _batches(view, event.unit))}"
    )
    pods = f" brings {many(wanted, 'pod')} to {_version(view, event.unit)}" if wanted else " begins"
    return Message(text=f"{event.unit}: {batch}{pods}.")


def _wave_begins(event: Event, view: ReleaseView) -> Message | None:
    """Told once a wave: by the unit that began first, the first in the plan among equals."""
    if (some(event.data.get("batch")) or event.batch) != 1:
        return None
    wave = view.wave_of.get(event.unit)
    if wave is None or wave.first != event.unit:
        return None
    return Message(text=f"{_named(wave)} begins: {many(len(wave.units), 'unit')}.")


def _batch_soaking(event: Event, view: ReleaseView) -> Message | None:
    if not small(view) or not event.data.get("until"):
        return None
    until = moment(event.data["until"], view.zone, year=view.now.year)
    return Message(text=f"{event.unit}: {_counted(event.data)}soaking until {until}.")


def _unit_succeeded(event: Event, view: ReleaseView) -> Message | None:
    if not small(view):
        return _wave_ends(event, view)
    if _task(view, event.unit):
        return Message(text=messages_tasks.succeeded(event.unit))
    if event.data.get("unchanged"):
        return Message(text=f"{event.unit}: succeeded without a write, it had this revision.")
    return Message(text=f"{event.unit}: succeeded on {_version(view, event.unit)}.")


def _soak_extended(event: Event, view: ReleaseView) -> Message | None:
    if not small(view):
        return None
    unseen, until = event.data.get("unseen"), event.data.get("until")
    text = f"{event.unit}: nobody could watch it for {length(unseen)}, so it soaks longer"
    return Message(text=sentence(text, f"Until {moment(until, view.zone)}" if until else ""))


def _applies_again(event: Event, view: ReleaseView) -> Message | None:
    updated, total = event.data.get("updated"), event.data.get("total")
    text = f"{event.unit}: nodes came into its set, so its batch goes on ({updated} of {total})"
    return Message(text=sentence(text)) if small(view) else None


def _unit_failed(event: Event, view: ReleaseView) -> Message | None:
    """Not where the failure stopped the release: that is told, with the same cause, by its hold."""
    if any(h.code is HoldCode.FAILED and event.unit in h.reason for h in view.holds):
        return _wave_ends(event, view) if not small(view) else None
    cause = clause(event.data.get("why"))
    text = f"{event.unit}: failed{_batch(event)}" + (f", {cause}" if cause else "")
    return Message(
        text=sentence(text, "Retry, skip or roll back"),
        tone=Tone.STOPPED,
        lines=_wave_ended_too(event, view),
    )


def _unit_skipped(event: Event, view: ReleaseView) -> Message:
    reason = clause(event.data.get("reason"))
    by = f" by {event.who}" if event.who != "sluice" else ""
    because = f": {reason}" if reason else ""
    return Message(
        text=sentence(f"{event.unit}: skipped{by}{because}", "It is owed"),
        lines=_wave_ended_too(event, view),
    )


def _retried(event: Event, _view: ReleaseView) -> Message:
    return Message(text=f"{event.unit}: retried by {event.who}.")


def _quarantined(event: Event, view: ReleaseView) -> Message:
    error = clause(event.data.get("error"))
    because = f", its cluster did not answer: {error}" if error else ""
    text = sentence(f"{event.unit}: quarantined{because}", "It is owed this plan when it is back")
    return Message(text=text, lines=_wave_ended_too(event, view))


def _back(event: Event, _view: ReleaseView) -> Message:
    return Message(text=f"{event.unit}: its cluster answers again.")


def _unit_rolling_back(event: Event, view: ReleaseView) -> Message | None:
    return Message(text=f"{event.unit}: rolling back.") if small(view) else None


def _unit_rolled_back(event: Event, view: ReleaseView) -> Message | None:
    if not small(view):
        return None
    state = view.units.get(event.unit)
    if _task(view, event.unit):
        undo = any(u.unit == event.unit and u.undo for u in view.plan.units)
        return Message(text=messages_tasks.undone(event.unit, undo=undo))
    if event.data.get("deleted"):
        return Message(text=f"{event.unit}: deleted, as it was not there before.")
    revision = state.before_revision if state is not None else None
    to = f" to {revision.partition('@')[0]}" if revision else ""
    return Message(text=f"{event.unit}: rolled back{to}.")


def _wave_ends(event: Event, view: ReleaseView) -> Message | None:
    """Told once a wave: by the unit that ended last, the last in the plan among equals."""
    wave = view.wave_of.get(event.unit)
    if wave is None or wave.last != event.unit:
        return None
    phases = [phase_of(view, unit) for unit in wave.units]
    counts = ", ".join(
        f"{phases.count(phase)} {phase.value.lower().replace('_', ' ')}"
        for phase in UnitPhase
        if phase in phases
    )
    return Message(text=f"{_named(wave)} ended: {counts}.")


def _wave_ended_too(event: Event, view: ReleaseView) -> tuple[str, ...]:
    """Where a large wave's last unit ends badly, its line tells the end of the wave too."""
    ended = None if small(view) else _wave_ends(event, view)
    return (ended.text,) if ended is not None else ()


def _named(wave: WaveView) -> str:
    return f"Stage {wave.stage}, wave {wave.number} of {wave.of}"


def _batches(view: ReleaseView, unit: str) -> int:
    component = _component(view, unit)
    return len(component.batches) if component is not None else 1


def _version(view: ReleaseView, unit: str) -> str:
    component = _component(view, unit)
    return component.version if component is not None else "the new version"


def _component(view: ReleaseView, unit: str) -> ComponentPlan | None:
    planned = next((u for u in view.plan.units if u.unit == unit), None)
    if planned is None:
        return None
    return next(
        (
            c
            for c in view.plan.components
            if c.name == planned.component and planned.version in ("", c.version)
        ),
        None,
    )


def _task(view: ReleaseView, unit: str) -> bool:
    """Whether the unit is of a task of the stages, and of no component."""
    component = next((u.component for u in view.plan.units if u.unit == unit), "")
    return any(c.task for c in view.plan.components if c.name == component)


def _counted(data: Mapping[str, Any]) -> str:
    if data.get("total"):
        return f"{data.get('updated')} of {many(data.get('total'), 'pod')} updated, "
    return ""


def _batch(event: Event) -> str:
    return f" in batch {event.batch}" if event.batch else ""


def _drifted(event: Event, view: ReleaseView) -> Message:
    facts = {"unit": event.unit, "edits": event.data.get("edits")}
    who = event.data.get("who")
    wanted = tuple(map(str, who)) if isinstance(who, list | tuple) else ()
    return Message(
        text=f"{event.unit}: {drifted(facts, view.zone)}", tone=Tone.DECISION, mentions=wanted
    )


def _drift_kept(event: Event, _view: ReleaseView) -> Message:
    return Message(
        text=f"{event.who} keeps what was edited in {event.unit}: {edits(event.data.get('edits'))}."
    )


def _disagreed(event: Event, _view: ReleaseView) -> Message:
    return Message(text=f"{event.unit}: {disagreed(event.data.get('objects'))}")


def _guarded(event: Event, view: ReleaseView) -> Message:
    facts = {"unit": event.unit, "changes": event.data.get("changes")}
    who = event.data.get("who")
    wanted = tuple(map(str, who)) if isinstance(who, list | tuple) else ()
    said = messages_guard.blocked(facts, view.zone)
    return Message(text=f"{event.unit}: {said}", tone=Tone.STOPPED, mentions=wanted)


def _guard_granted(event: Event, _view: ReleaseView) -> Message:
    data = event.data
    said = messages_guard.granted(data.get("changes"), str(data.get("id")), data.get("by"))
    return Message(text=f"{event.unit}: {said}")


def _left(event: Event, _view: ReleaseView) -> Message:
    return Message(
        text=f"{event.unit} is left out: main has its cluster no more. It comes back with it."
    )


UNIT_STORIES: Mapping[str, Say] = {
    "batch.applying": _batch_applying,
    "batch.soaking": _batch_soaking,
    "soak.extended": _soak_extended,
    "batch.again": _applies_again,
    "unit.succeeded": _unit_succeeded,
    "unit.failed": _unit_failed,
    "unit.retry": _retried,
    "unit.skipped": _unit_skipped,
    "unit.quarantined": _quarantined,
    "unit.back": _back,
    "unit.drifted": _drifted,
    "unit.disagreed": _disagreed,
    "unit.guarded": _guarded,
    "guard.granted": _guard_granted,
    "unit.left": _left,
    "unit.drift-kept": _drift_kept,
    "unit.rolling-back": _unit_rolling_back,
    "unit.rolled-back": _unit_rolled_back,
}
