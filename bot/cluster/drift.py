"""Drift: fields that we applied last and that are not so any more, since somebody edited them.

Only what we wrote is looked at: defaults, status, what controllers and others added are theirs.
What a batch of ours leaves in a workload is no edit. Never decides what follows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bot.cluster.fields import MISSING, Path, at, put
from bot.cluster.kinds import WorkloadKind
from bot.cluster.merge import SERVER_FIELDS
from bot.cluster.quantity import same_amount
from bot.cluster.sharding import placed, reach
from bot.cluster.stage import in_hand
from bot.model.plan import JSON

HIDDEN = "(not shown)"
_QUANTITIES = ("resources", "limits", "requests", "hard", "capacity", "sizeLimit")


@dataclass(frozen=True, slots=True)
class Edit:
    """One field that is not as we left it. `now` MISSING: somebody took it away."""

    path: Path
    was: JSON
    now: JSON

    @property
    def text(self) -> str:
        """`spec.template.spec.containers[agent].image`."""
        text = ""
        for part in self.path:
            text += part if part.startswith("[") else f".{part}" if text else part
        return text


def edits(
    last: JSON,
    live: JSON,
    target: JSON,
    row: WorkloadKind | None,
    *,
    begun: bool,
) -> tuple[Edit, ...]:
    """What somebody edited of an object. `target`: what we are about to apply; a field that is so
    already is nothing to ask about. `begun`: batches of this release may stand in it.
    """
    ours = _ours(row, live, begun)
    found = [
        edit
        for edit in _differing((), last, live)
        if not _within(edit.path, ours) and not _in_route(edit.path, row)
    ]
    if not found:
        return ()
    wanted = {edit.path for edit in _differing((), target, live)}
    return tuple(
        edit
        for edit in found
        if _touches(edit.path, wanted) or (edit.now is not MISSING and not _in(edit, target))
    )


def hidden(kind: str, edit: Edit) -> bool:
    """Whether the values of a field may not be shown."""
    return kind == "Secret" and edit.path[0] in ("data", "stringData")


def kept(last: JSON, live: JSON, target: JSON, row: WorkloadKind | None, *, begun: bool) -> JSON:
    """The target with edits kept where the release does not touch the field: there the live value
    stands, and what somebody took away stays away. What a batch of ours left is no edit.
    """
    made = _kept(last, live, target)
    for path in _ours(row, live, begun):
        made = put(made, path, at(target, path, MISSING))
    if row is not None and row.sharding is not None:
        made = placed(made, row.sharding.route, reach(target, row.sharding.route))
    return made


def _in_route(path: Path, row: WorkloadKind | None) -> bool:
    """Whether a field is the list by which we give namespaces to a version."""
    if row is None or row.sharding is None:
        return False
    route = row.sharding.route
    return len(path) >= len(route) and all(
        there.startswith("[") if isinstance(part, int) else there == part
        for part, there in zip(route, path, strict=False)
    )


def _kept(last: JSON, live: JSON, target: JSON) -> JSON:
    if isinstance(last, dict) and isinstance(live, dict) and isinstance(target, dict):
        return _kept_map(last, live, target)
    if _named(last) and _named(live) and _named(target):
        return _kept_list(last, live, target)
    if last != target or _same((), last, live):
        return target
    return live


def _kept_map(last: JSON, live: JSON, target: JSON) -> JSON:
    made: dict[str, JSON] = {}
    for name, want in target.items():
        if name not in last:
            made[name] = want
        elif name not in live:
            if last[name] != want or _empty(want):
                made[name] = want
        else:
            made[name] = _kept(last[name], live[name], want)
    return made


def _kept_list(last: list[JSON], live: list[JSON], target: list[JSON]) -> list[JSON]:
    had, have = ({one["name"]: one for one in some} for some in (last, live))
    made = []
    for want in target:
        name = want["name"]
        if name in had and name in have:
            made.append(_kept(had[name], have[name], want))
        elif name not in had or had[name] != want:
            made.append(want)
    return made


def _ours(row: WorkloadKind | None, live: JSON, begun: bool) -> Collection[Path]:
    """Fields that a batch of ours may have set to something else than what was applied."""
    if row is None:
        return ()
    gates = [path for path in (row.partition, row.paused) if path is not None]
    # A scale waits for the last batch: until then the old number stands.
    scales = [path for path in row.desired if path[0] == "spec"] if begun else []
    return {*gates, *scales, *in_hand(row, live)}


def _differing(path: Path, was: JSON, now: JSON) -> Iterator[Edit]:
    if path and path[0] == "status":
        return
    if len(path) == 2 and path[0] == "metadata" and path[1] in SERVER_FIELDS:
        return
    if was is None or path == ("stringData",):
        if was is None and now is not MISSING and not _empty(now):
            yield Edit(path, None, now)
        return
    if isinstance(was, dict) and isinstance(now, dict):
        for name, value in was.items():
            yield from _differing((*path, name), value, now.get(name, MISSING))
    elif isinstance(was, list) and isinstance(now, list):
        yield from _elements(path, was, now)
    elif not _same(path, was, now):
        yield Edit(path, was, now)


def _elements(path: Path, was: list[JSON], now: list[JSON]) -> Iterator[Edit]:
    if _named(was) and _named(now) and was:
        have = {one["name"]: one for one in now}
        for one in was:
            yield from _differing((*path, f"[{one['name']}]"), one, have.get(one["name"], MISSING))
    elif len(was) != len(now):
        yield Edit(path, was, now)
    else:
        for number, (left, right) in enumerate(zip(was, now, strict=True)):
            yield from _differing((*path, f"[{number}]"), left, right)


def _same(path: Path, was: JSON, now: JSON) -> bool:
    if now is MISSING or now is None:
        return _empty(was)
    if was == now:
        return isinstance(was, bool) is isinstance(now, bool)
    return any(part in _QUANTITIES for part in path) and same_amount(was, now)


def _empty(value: JSON) -> bool:
    """What the API server leaves out when it stores an object."""
    return value is None or value is False or value in ("", 0) or value == {} or value == []


def _named(elements: JSON) -> bool:
    if not isinstance(elements, list):
        return False
    names = [one.get("name") for one in elements if isinstance(one, dict)]
    return len(names) == len(elements) == len(set(map(str, names))) and None not in names


def _within(path: Path, roots: Collection[Path]) -> bool:
    return any(path[: len(root)] == root for root in roots)


def _touches(path: Path, others: Collection[Path]) -> bool:
    """Whether what we are about to apply differs from the live object at, in or around a path."""
    return any(path[: len(one)] == one or one[: len(path)] == path for one in others)


def _element(elements: list[JSON], inside: str) -> JSON:
    if elements and _named(elements):
        return next((one for one in elements if one["name"] == inside), MISSING)
    at_number = inside.isdigit() and int(inside) < len(elements)
    return elements[int(inside)] if at_number else MISSING


def _in(edit: Edit, target: JSON) -> bool:
    """Whether the target has the field at all: else the release takes it away, as it meant to."""
    here = target
    for part in edit.path:
        if part.startswith("["):
            if not isinstance(here, list):
                return False
            here = _element(here, part[1:-1])
        else:
            here = here.get(part, MISSING) if isinstance(here, dict) else MISSING
        if here is MISSING:
            return False
    return True
