"""What a plan warns of, refuses, and reckons with: one sentence each. Words only, no layout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.core.messages_exposure import percent
from bot.core.messages_words import length, many, moment, row
from release_repo_schema.models import duration_text

if TYPE_CHECKING:
    from bot.core.forecast import Cost
    from bot.model.plan import ApprovalAsk

_COSTS = {
    "windows": "waiting for windows",
    "batchTakes": "batchTakes",
    "batchSoak": "batchSoak",
    "soak": "soak",
    "checks": "checks",
    "notBefore": "notBefore",
}


def reaches_at_once(what: str, units: int) -> str:
    """A ConfigMap or Secret changed under the same name."""
    return (
        f"{what} changes under the same name in {many(units, 'unit')}: it reaches every pod of a "
        "unit at once, before the batches (a new name with each content goes out by batches)"
    )


def left_behind(what: str, units: int) -> str:
    return (
        f"{what} is no longer rendered for {many(units, 'unit')}: "
        "it keeps working as it is until, after the last batch, it is decided what becomes of it"
    )


def nothing_to_roll(what: str, units: int) -> str:
    return f"{what} asks for 0 pods in {many(units, 'unit')}: its one batch is empty"


def reserved(what: str, path: str) -> str:
    """A template writes a label or annotation of ours."""
    return f"`{path}` of {what} is written by Sluice itself"


RESERVED_HINT = "leave it out: names that begin with `sluice/` are not for templates"


def same_object(what: str, component: str, other: str) -> str:
    """Two components bring one object."""
    return f"{what} is brought by {component} and by {other}: each would undo what the other wrote"


SAME_OBJECT_HINT = "render it in one of them, and let the other depend on that one"


def kind_of_another(what: str, component: str, other: str) -> str:
    """A custom resource that nothing keeps from coming before its definition."""
    return (
        f"{other} brings the CustomResourceDefinition of {what}, and {component} does not depend "
        "on it: where it is not there yet, the cluster refuses the object"
    )


def kind_of_another_hint(other: str) -> str:
    return f"add {other} to dependsOn: then it is released first in each cluster"


def no_namespace(what: str, kind: str) -> str:
    """An object that a real cluster has no place for."""
    return f"{what} names no namespace, and every {kind} lives in one"


NO_NAMESPACE_HINT = "write `metadata.namespace`; a chart gets `render.namespace`"


def no_place(what: str, kind: str) -> str:
    """An object of the cluster as a whole, in a namespace."""
    return f"{what} names a namespace, and a {kind} lives in none"


NO_PLACE_HINT = "leave `metadata.namespace` out"


def secret_rendered(what: str) -> str:
    return f"expected no data in a Secret, and {what} is rendered with some"


SECRET_HINT = "name a Secret that exists in the cluster; take this one out of Git's history"


def condition(wrong: str) -> str:
    """A condition of a check that could never be answered."""
    return f"expected a condition in CEL: {wrong}"


RULE_HINT = "docs/risk-rules.md tells what a rule may name; has(…) asks whether a label is there"


def unanswered(why: str, unit: str) -> str:
    """A risk rule that some unit of this fleet would never get an answer of."""
    return f"{why}, asked for {unit}"


def rule_twice(name: str) -> str:
    return f"the risk rule `{name}` is there twice"


def by_hand(stage: str) -> str:
    return f"the order of stage {stage} is written by hand: no score decides there"


def big_wave(stage: str, wave: int, units: int, total: int) -> str:
    return (
        f"wave {wave} of stage {stage} holds {units} of the {total} production units: "
        "more than half of production at once"
    )


def waves_added(stage: str, waves: int) -> str:
    return f"stage {stage} got {many(waves, 'wave')} more than asked, to keep `spread` apart"


def after_expiry(start: datetime, expires: timedelta, zone: str) -> str:
    return (
        f"the first batch would begin {moment(start, zone)}, after `expires` "
        f"({duration_text(expires)}): the release would then be on hold"
    )


def takes_long(time: timedelta, costs: Sequence[Cost]) -> str:
    """A release that would hardly end, and what to change first."""
    most = f": {costs_most(costs, 1)}" if costs else ""
    return (
        f"it takes {many(time.days, 'day')}{most}; fewer waves, a larger `maxConcurrency` or wider "
        "windows make it shorter"
    )


def never(units: int, why: str) -> str:
    return f"{many(units, 'unit')} would never begin: {why}"


def waits_for(releases: Sequence[str], component: str) -> str:
    named = row(releases)
    return (
        f"{component} is being released by {named}: this release waits until that has ended, "
        f"or replaces it with `supersedes: [{', '.join(releases)}]`"
    )


def supersedes_nothing(release: str) -> str:
    return f"`supersedes` names {release}, which is not running: nothing is replaced"


def nothing_to_do(release: str) -> str:
    return f"{release} changes nothing: every unit runs this revision already, certified"


def partly_up_to_date(done: int, total: int) -> str:
    return f"{done} of {many(total, 'unit')} run this revision already and end without a write"


def lower(component: str, to: str, before: str, units: Sequence[str], guessed: bool) -> str:
    how = "by the Releases on main" if guessed else "as last applied"
    return (
        f"{component} {to} is lower than {before}, which {many(len(units), 'unit')} "
        f"({row(units, most=3)}) {'has' if len(units) == 1 else 'have'} {how}"
    )


def unknown_workload(what: str, api_version: str) -> str:
    return (
        f"{what} of {api_version} looks like a workload, and nothing says how it is rolled out "
        "in batches"
    )


def unknown_workload_hint(versions: Sequence[str]) -> str:
    """`versions`: of the same kind, that have a row."""
    if versions:
        return f"there is a row for {' and '.join(versions)}: write that, or add a row of its own"
    return "describe it in workloadkinds/ (kind: WorkloadKind), or use a kind that is built in"


def row_does_not_fit(what: str, path: str) -> str:
    return f"{what} has nothing at {path}, where its row says that its template is"


ROW_DOES_NOT_FIT_HINT = "name the part of the spec that makes a new version when it changes"
LOWER_HINT = "if that is meant, write `allowDowngrade: true`"


def blocked(component: str, version: str, reason: str, *, content: bool, release: str) -> str:
    what = f"this content of {component} {version}" if content else f"{component} {version}"
    return f"{what} is blocked since the rollback of {release}: {reason}"


BLOCKED_HINT = "release another version, or mend what was rolled back"


def needed_later(component: str, needed: str, stage: str, units: int) -> str:
    """A stage takes what another stage's units wait for."""
    return (
        f"{component} depends on {needed}, which goes only in stage {stage}, after it, in"
        f" {many(units, 'unit')}: it would wait for ever"
    )


def undone(what: str, first: str, second: str) -> str:
    return f"{what} is rendered by {first} and by {second}, and differently: each undoes the other"


def brought_twice(what: str, first: str, second: str) -> str:
    return f"{what} is rendered by {first} and by {second} alike: who goes back takes it from both"


TOGETHER_HINT = "release them one after the other, or change what they share"
BASELINE_UNKNOWN = (
    "nothing is known of what is certified: a baseline takes its versions from the store of the bot"
)
BASELINE_UNKNOWN_HINT = "name the store with --db, or let the bot answer on the pull request"


def certified_for(component: str, version: str, clusters: int, of: int, group: str) -> str:
    """Where a baseline's version comes from."""
    return f"{component} {version}: certified on {clusters} of {many(of, 'cluster')} of {group}"


def not_certified(component: str, version: str, group: str, other: str | None) -> str:
    known = f"{other} is" if other else "none is"
    return f"{component} {version} is not what is certified for {group}: {known}"


NOT_CERTIFIED_HINT = "leave `components` out of a baseline, or narrow it by `units`"


def baseline_done(release: str) -> str:
    return f"{release} changes nothing: every selected cluster runs what is certified for its group"


def empty_release(release: str) -> str:
    return f"the release {release} has no unit: nothing that it selects is in a stage"


NOT_PLANNABLE = "this release cannot be planned: what it names is not there, or not in this version"


def conflict() -> str:
    return "base and head both changed this file, and git cannot merge the two"


CONFLICT_HINT = "merge main into the branch and resolve the conflict there"


def in_units(units: Sequence[str]) -> str:
    """Added to a mistake of a template that only some units show."""
    return f" (in {row(units, most=2)})"


def asked(what: str, stage: str | None, times: int, ask: ApprovalAsk) -> str:
    """`before stage production: 2 × approver`. For an install `stage` is the component."""
    place = {
        "release": "before the first write",
        "before": f"before stage {stage}",
        "after": f"after stage {stage}",
        "eachWave": f"before each of the {times} waves of stage {stage}"
        if times != 1
        else f"before the one wave of stage {stage}",
        "install": f"before the first install of {stage} in each of {times} clusters"
        if times != 1
        else f"before the first install of {stage} in its cluster",
        "leftovers": "before what left the template is deleted",
        "guard": f"before {times} guarded {'change' if times == 1 else 'changes'} of {stage}",
    }[what]
    within = f", each valid for {duration_text(ask.expires)}" if ask.expires else ""
    return f"{place}: {ask.count} × {' or '.join(ask.roles)}{within}"


def roughly(time: timedelta) -> str:
    """A reckoned length of time: seconds say nothing beside hours."""
    minute = timedelta(minutes=1)
    return length(time if time < 60 * minute else (time + minute / 2) // minute * minute)


def cost(one: Cost, whole: timedelta | None = None) -> str:
    """`soak 30m × 9 (4 h 30 min, 61 %)`."""
    share = f", {percent(one.total / whole, 1)}" if whole else ""
    spent = f"({roughly(one.total)}{share})"
    if one.each is None or one.times == 1:
        return f"{_COSTS[one.what]} {spent}"
    return f"{_COSTS[one.what]} {duration_text(one.each)} × {one.times} {spent}"


def costs_most(costs: Sequence[Cost], most: int = 3) -> str:
    """The settings that make the release as long as it is, each with its share of the time."""
    whole = sum((one.total for one in costs), timedelta())
    return ", ".join(cost(one, whole) for one in costs[:most])
