"""The guard, over drawn objects: no write that leaves changes what is blocked or left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.cluster.drive import drive
from bot.cluster.goal import Goal, Mode
from bot.cluster.guard import Allowance
from bot.cluster.guard_hold import after, ahead, as_left
from bot.cluster.guard_rules import Act
from bot.model.plan import GuardLists, ObjectRef
from bot.model.seen import ObjectSeen, UnitSeen

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
KINDS = (
    ObjectRef("v1", "ConfigMap", "infra", "one"),
    ObjectRef("example.com/v1", "Widget", "infra", "one"),
    ObjectRef("v1", "Service", "infra", "one"),
)
PATHS = ("spec.a", "spec.a.x", "spec.list[p].v", "spec.list[*].v", "spec.list", "data.k", "spec.*")

leaf = st.sampled_from([1, 2, "1", "two", True, None])
inner = st.dictionaries(st.sampled_from(["x", "y"]), leaf, max_size=2)
element = st.fixed_dictionaries({"name": st.sampled_from(["p", "q"])}, optional={"v": leaf})
several = st.lists(element, max_size=2, unique_by=lambda one: str(one["name"]))
spec = st.fixed_dictionaries({}, optional={"a": inner | leaf, "b": leaf, "list": several | leaf})
data = st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(["1", "2"]), max_size=2)
body = st.fixed_dictionaries({}, optional={"spec": spec, "data": data})
paths = st.lists(st.sampled_from(PATHS), max_size=2, unique=True).map(tuple)


def whole(ref: ObjectRef, drawn: Any, **metadata: str) -> Any:
    named = {"name": ref.name, "namespace": ref.namespace, **metadata}
    return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": named, **drawn}


def without_nothing(value: Any) -> Any:
    """What is left of a value when what says nothing is taken out: null, false, and the empty."""
    if isinstance(value, dict):
        kept = {name: without_nothing(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one not in (None, False, "", {}, [])}
    if isinstance(value, list):
        return sorted((without_nothing(one) for one in value), key=str)
    return value


def stands(obj: Any, path: str) -> Any:
    """What stands at one of PATHS, found in the plainest way."""
    spec = obj.get("spec") or {}
    values = spec.get("list")
    elements = values if isinstance(values, list) else []
    a = spec.get("a")
    found = {
        "spec.a": a,
        "spec.a.x": a.get("x") if isinstance(a, dict) else None,
        "spec.list": values,
        "spec.list[*].v": {e["name"]: e.get("v") for e in elements},
        "spec.list[p].v": {e["name"]: e.get("v") for e in elements if e["name"] == "p"},
        "data.k": (obj.get("data") or {}).get("k"),
        "spec.*": spec,
    }[path]
    return without_nothing(found) or None


def scene(
    ref: ObjectRef, last: Any, live: Any, target: Any, lists: GuardLists, mode: Mode
) -> tuple[Goal, UnitSeen]:
    goal = Goal(
        mode=mode,
        objects=((ref, whole(ref, target)),),
        last={ref.key: whole(ref, last)},
        before={ref.key: whole(ref, last)},
        final=True,
        since=NOW,
        allowed=Allowance(lists=lists),
    )
    there = whole(ref, live, resourceVersion="7", uid="u")
    seen = UnitSeen(unit="c@k", at=NOW, uid="k", objects={ref.key: ObjectSeen(ref=ref, live=there)})
    return as_left(goal, seen), seen


@given(st.sampled_from(KINDS), body, body, body, paths, paths, paths)
def test_no_write_that_leaves_changes_a_guarded_field(
    ref: ObjectRef, last: Any, live: Any, target: Any, block: Any, ask: Any, ignore: Any
) -> None:
    """Whatever way the change is made: another value, null, removal, a whole new list."""
    lists = GuardLists(block=block, ask=ask, ignore=ignore)
    goal, seen = scene(ref, last, live, target, lists, Mode.FORWARD)
    there = seen.objects[ref.key].live
    for write in drive(goal, seen, NOW).writes:
        made = after(write, there)
        for path in (*block, *ask, *ignore):
            assert stands(made, path) == stands(there, path), path


@given(st.sampled_from(KINDS), body, body, body, paths)
def test_the_way_back_is_kept_from_what_is_left_alone_and_from_nothing_else(
    ref: ObjectRef, last: Any, live: Any, target: Any, block: Any
) -> None:
    """What was there before comes back, blocked or not, unless no API server would take it."""
    free, seen = scene(ref, last, live, target, GuardLists(), Mode.RESTORE)
    guarded, _ = scene(ref, last, live, target, GuardLists(block=block), Mode.RESTORE)
    assert drive(guarded, seen, NOW).writes == drive(free, seen, NOW).writes


@given(st.sampled_from(KINDS), body, body, body, paths, paths)
def test_what_is_said_ahead_is_what_would_keep_the_write_back(
    ref: ObjectRef, last: Any, live: Any, target: Any, block: Any, ask: Any
) -> None:
    """The question before the first batch leaves no other for the middle of it; and a yes to each
    change lets all of it go.
    """
    lists = GuardLists(block=block, ask=ask)
    goal, seen = scene(ref, last, live, target, lists, Mode.FORWARD)
    said = ahead(goal, seen)
    progress = drive(goal, seen, NOW)
    assert {one.mark for one in progress.guarded} == {one.mark for one in said}
    if said and all(one.act is Act.ASK for one in said):
        marks = frozenset(one.mark for one in said)
        yes = Allowance(lists=lists, granted=marks)
        assert drive(replace(goal, allowed=yes), seen, NOW).writes
