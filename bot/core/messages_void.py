"""Why a yes no longer counts, and what has changed since it was given. State in, words out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any

from bot.core.messages_words import length, many, row
from bot.model.plan import ApprovalAsk, ComponentPlan, ReleasePlan, StagePlan
from bot.model.state import Decision, DecisionStatus

TOO_OLD = "it was given too long ago"
TAKEN_BACK = "what began on it was taken back since"
IN_ORDER = "in order"
"""What a verdict was, or is, that nobody has to look at."""

_MOST = 3
_NAMES: Mapping[str, str] = {
    "batch_soak": "batchSoak",
    "batch_takes": "batchTakes",
    "batch_deadline": "batchDeadline",
    "checks_before": "checks.before",
    "checks_after": "checks.after",
    "on_failure": "onFailure",
    "depends_on": "dependsOn",
    "evidence_required": "releasable",
    "max_concurrency": "maxConcurrency",
    "max_failures": "maxFailures",
}
_TOLD_BY_UNITS = frozenset(("name", "labels", "owners", "content", "version_changed", "waves"))


def verdicts_changed(changes: Sequence[Mapping[str, Any]]) -> str:
    """Which unit's verdict, from what to what."""
    return _because("the verdicts changed", [_verdict(change) for change in changes])


def plan_changed(differs: Sequence[str]) -> str:
    """What of the plan is not what it was."""
    return _because("the plan changed", differs)


def asked_anew(decisions: Iterable[Decision], what: str, subject: str) -> str:
    """Why something is asked again, where an earlier answer is void; "" when it is asked for the
    first time.
    """
    void = [
        one
        for one in decisions
        if one.status is DecisionStatus.VOID and (one.what, one.subject) == (what, subject)
    ]
    return max(void, key=lambda one: one.number).reason if void else ""


def plan_changes(old: ReleasePlan, new: ReleasePlan) -> tuple[str, ...]:
    """What of a plan differs, a line each: versions, units, order, content, and every setting."""
    return (*_components(old, new), *_units(old, new), *_stages(old, new), *_rest(old, new))


def _because(head: str, said: Sequence[str]) -> str:
    if not said:
        return head
    more = f" and {len(said) - _MOST} more" if len(said) > _MOST else ""
    return f"{head}: {'; '.join(said[:_MOST])}{more}"


def _verdict(change: Mapping[str, Any]) -> str:
    check = change.get("check")
    when = "pre-check" if change.get("when") == "before" else "post-check"
    what = f"{when} {check} of {change['unit']}" if check else str(change["unit"])
    return f"{what} was {change['from']} and is {change['to']}"


def _components(old: ReleasePlan, new: ReleasePlan) -> Iterable[str]:
    before = {component.name: component for component in old.components}
    for component in new.components:
        was = before.pop(component.name, None)
        if was is None:
            yield f"{component.name} {component.version} came to it"
        else:
            yield from _settings(component.name, was, component)
    for name in before:
        yield f"{name} left it"


def _units(old: ReleasePlan, new: ReleasePlan) -> Iterable[str]:
    before = {unit.unit: unit for unit in old.units}
    after = {unit.unit: unit for unit in new.units}
    came = [name for name in after if name not in before]
    left = [name for name in before if name not in after]
    both = [name for name in after if name in before]
    places = {name: (_place(old, before[name]), _place(new, after[name])) for name in both}
    moved = [name for name, (was, is_) in places.items() if was != is_]
    content = [name for name in both if before[name].objects != after[name].objects]
    if came:
        yield f"{many(len(came), 'unit')} more ({row(came, most=_MOST)})"
    if left:
        yield f"{many(len(left), 'unit')} less ({row(left, most=_MOST)})"
    if moved:
        was, is_ = places[moved[0]]
        others = f", and {len(moved) - 1} more moved" if len(moved) > 1 else ""
        yield f"{moved[0]} moved from {was} to {is_}{others}"
    if content:
        yield f"what is rendered for {many(len(content), 'unit')} ({row(content, most=_MOST)})"


def _place(plan: ReleasePlan, unit: Any) -> str:
    return f"wave {unit.wave + 1} of stage {plan.stages[unit.stage].name}"


def _stages(old: ReleasePlan, new: ReleasePlan) -> Iterable[str]:
    before = {stage.name: stage for stage in old.stages}
    for stage in new.stages:
        if (was := before.get(stage.name)) is not None:
            yield from _settings(f"stage {stage.name}", was, stage)


def _settings(
    of: str, old: ComponentPlan | StagePlan, new: ComponentPlan | StagePlan
) -> Iterable[str]:
    for field in fields(new):
        if field.name in _TOLD_BY_UNITS:
            continue
        was, is_ = getattr(old, field.name, None), getattr(new, field.name)
        if was != is_:
            name = _NAMES.get(field.name, field.name)
            yield f"{name} of {of} from {_value(was)} to {_value(is_)}"


def _rest(old: ReleasePlan, new: ReleasePlan) -> Iterable[str]:
    if old.approval != new.approval:
        yield f"the approval asked from {_value(old.approval)} to {_value(new.approval)}"
    checks = sorted(
        name
        for name in {*old.checks, *new.checks}
        if name in old.checks and name in new.checks and old.checks[name] != new.checks[name]
    )
    if checks:
        yield f"the definition of {row(checks, most=_MOST)}"
    before, after = old.spec or {}, new.spec or {}
    written = sorted(
        key for key in {*before, *after} - {"components"} if before.get(key) != after.get(key)
    )
    if written:
        yield f"the Release's {row(written, most=_MOST)}"


def _value(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "required" if value else "optional"
        case timedelta():
            return length(value)
        case ApprovalAsk():
            return f"{value.count} of {row(value.roles, joint=' or ')}"
        case str() | int():
            return str(value)
        case _:
            return f"[{row(value, most=8)}]"
