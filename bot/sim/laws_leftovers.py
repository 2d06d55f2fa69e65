"""Laws of what left the template: who said that it goes, when it goes, and that it is not lost.

Read off the deletions that clusters received, the votes that the store holds, and what main says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fnmatch import fnmatchcase

from bot.model.plan import ObjectRef
from bot.model.state import Decision, UnitState
from bot.sim import oracle
from bot.sim.faulty import Received
from bot.sim.laws import Docs, Seen, law
from bot.sim.laws_batches import version_of

STRICTNESS = ("keep", "ask", "allow")


def _deletions(seen: Seen) -> Iterator[tuple[Received, UnitState]]:
    """Objects that somebody may miss: no pods, and no Jobs of tasks, which are made anew."""
    for one in seen.writes:
        if one.manager != "sluice" or one.late or one.unit is None or one.write.verb != "delete":
            continue
        task = oracle.is_task(seen.now, oracle.parts(one.unit.unit)[0])
        if one.write.purpose.value == "forward" and one.write.ref.kind != "Pod" and not task:
            yield one, one.unit


@law("leaves", "What left the template is deleted on a yes, when its unit has all arrived.")
def leaves(seen: Seen) -> Iterator[str]:
    arrived: set[str] = seen.keep("arrived-whole", set)
    for event in seen.events:
        key = f"{event.release}/{event.unit}"
        if event.kind == "unit.succeeded":
            arrived.add(key)
        if event.kind in ("unit.rolling-back", "unit.retry"):
            arrived.discard(key)
    yes: dict[str, set[str]] = seen.keep("yes-to-leave", dict)
    for one, unit in _deletions(seen):
        what = f"{one.write.ref.short} of {unit.unit} is deleted"
        if one.write.uid is None or one.write.resource_version is None:
            yield f"{what}, whatever it has become"
        if _rendered(seen, unit, one.write.ref):
            yield f"{what}, which {unit.release} renders"
        if unit.key not in arrived:
            yield f"{what} before all of the unit has arrived"
        if why := _nobody_said(seen, one, unit, yes.get(unit.release, set())):
            yield f"{what}, {why}"
    changed = seen.units is not seen.old_units
    with_some = {row.release for row in seen.units.values() if row.leftovers} if changed else ()
    yes |= {release: _yes(seen, release) for release in with_some}


def _nobody_said(seen: Seen, one: Received, unit: UnitState, before: set[str]) -> str:
    """Why it may not go; "" when it may. `before`: what had a yes when the step began."""
    says = [_says(docs, unit, one.write.ref) for docs in _in_force(seen, unit)]
    if "keep" in says:
        return "though its component keeps it"
    mark = hashlib.sha256(one.write.ref.key.encode()).hexdigest()[:16]
    if "ask" in says and mark not in before | _yes(seen, unit.release):
        return "and nobody has said yes"
    return ""


def _in_force(seen: Seen, unit: UnitState) -> list[Docs]:
    """What was planned, and main; where main changed in this step, what it says now."""
    then = seen.merged.get(unit.release)
    return [seen.now] if then is None else [then, seen.now]


def _says(docs: Docs, unit: UnitState, ref: ObjectRef) -> str:
    """The strictest list of its component that names an object; what none names is asked about."""
    lists = oracle.component_spec(docs, unit.unit).get("guard", {}).get("delete", {})
    for says in STRICTNESS:
        for one in lists.get(says, ()):
            if one in ("*", ref.kind) or fnmatchcase(f"{ref.kind}/{ref.name}", one):
                return says
    return "ask"


def _rendered(seen: Seen, unit: UnitState, ref: ObjectRef) -> bool:
    """Whether it is the one that this very version has."""
    component, _ = oracle.parts(unit.unit)
    return ref.name in (component, f"{component}-{version_of(seen, unit.release, unit.unit)}")


def _yes(seen: Seen, release: str) -> set[str]:
    """Marks of the objects that an approver, who is no author, has let go."""
    author = seen.place.authors.get(release, "")
    return {
        mark
        for row in seen.place.store.rows(Decision, parent=release)
        if row.what == "leftovers" and row.status.value == "APPROVED"
        if any(
            vote.by != author and "approver" in oracle.roles(docs, vote.by)
            for vote in row.votes
            for docs in seen.rules
        )
        for mark in row.subject.split(",")
    }


@law("left-over", "What left the template and stands still was found, and told.", end=True)
def left_over(seen: Seen) -> Iterator[str]:
    """Of what a release brought to the end, where a newer one has come to its end as well."""
    told: set[tuple[tuple[str, str], str]] = set()
    for event in seen.place.store.events():
        if event.kind == "leftovers.found":
            told |= {(oracle.parts(event.unit), str(one)) for one in event.data["objects"]}
    for (parts, ref), release in _brought(seen).items():
        newest = _newest(seen, parts)
        if not newest or newest == release or not _whole(seen, release, parts):
            continue
        if not _whole(seen, newest, parts) or (parts, ref.short) in told:
            continue
        name = f"{ref.short} of {'@'.join(parts)}"
        versions = {version_of(seen, newest, unit.unit) for unit in _units(seen, newest, parts)}
        if ref.name.removeprefix(f"{parts[0]}-") not in versions and _stands(seen, parts[1], ref):
            yield f"{name} ({release}) stands after {newest}, and was never found"


@law("added", "What a release added goes on the way back on a yes only, and is never forgotten.")
def added(seen: Seen) -> Iterator[str]:
    for one in seen.writes:
        if one.manager != "sluice" or one.late or one.unit is None or not one.unit.added:
            continue
        if one.write.verb != "delete" or one.write.ref.kind == "Pod":
            continue
        what = f"{one.write.ref.short} of {one.unit.unit} is deleted on the way back"
        if one.write.uid is None or one.write.resource_version is None:
            yield f"{what}, whatever it has become"
        says = [_says(docs, one.unit, one.write.ref) for docs in _in_force(seen, one.unit)]
        if "keep" in says or ("ask" in says and not _undone(seen, one.unit.release)):
            yield f"{what}, and nobody has said yes"
    for event in seen.events:
        if event.kind == "unit.rolled-back" and not event.data.get("deleted"):
            yield from _forgotten(seen, event.release, event.unit)


def _undone(seen: Seen, release: str) -> bool:
    rows = seen.place.store.rows(Decision, parent=release)
    return any(
        (row.what, row.subject, row.status.value) == ("undo", "added", "APPROVED") for row in rows
    )


def _forgotten(seen: Seen, release: str, unit: str) -> Iterator[str]:
    """What it created there itself, and stands, must have been found."""
    row = seen.units.get(f"{release}/{unit}")
    if row is None or "keep" in row.overrides:
        return
    parts = oracle.parts(unit)
    told = {
        str(one)
        for event in seen.place.store.events(release=release)
        if event.kind == "added.found" and event.unit == unit
        for one in event.data["objects"]
    }
    first = row.before and all(one.digest is None for one in row.before)
    for (where, ref), brought in _brought(seen).items():
        mine = where == parts and brought == release and _created_by(seen, release, unit, ref)
        if mine and not first and ref.short not in told and _stands(seen, parts[1], ref):
            yield f"{ref.short} of {unit} stands after the rollback of {release}, never found"


def _created_by(seen: Seen, release: str, unit: str, ref: ObjectRef) -> bool:
    return any(
        one.unit is not None and (one.unit.release, one.unit.unit) == (release, unit)
        for one in seen.place.writes
        if one.write.verb == "create" and one.write.ref == ref and one.outcome == "done"
        if one.write.purpose.value == "forward"
    )


Parts = tuple[str, str]
"""A component and its cluster."""


def _brought(seen: Seen) -> dict[tuple[Parts, ObjectRef], str]:
    """Objects with a version in their name → the release that brought them last."""
    found: dict[tuple[Parts, ObjectRef], str] = {}
    for one in seen.place.writes:
        if one.manager != "sluice" or one.unit is None or one.outcome != "done":
            continue
        parts = oracle.parts(one.unit.unit)
        if oracle.is_task(seen.now, parts[0]):
            continue
        if one.write.verb == "create" and one.write.ref.name.startswith(f"{parts[0]}-"):
            found[parts, one.write.ref] = one.unit.release
    moved = {*seen.place.rebuilt, *(one.cluster for one in seen.place.writes if one.late)}
    # Whoever accepts a cluster says that it is another one: what stands there is not ours.
    moved |= {
        str(event.data["cluster"])
        for event in seen.place.store.events()
        if event.kind == "cluster.accepted"
    }
    return {key: release for key, release in found.items() if key[0][1] not in moved}


def _units(seen: Seen, release: str, parts: Parts) -> list[UnitState]:
    return [
        row
        for row in seen.units.values()
        if row.release == release and oracle.parts(row.unit) == parts
    ]


def _whole(seen: Seen, release: str, parts: Parts) -> bool:
    rows = _units(seen, release, parts)
    return bool(rows) and all(row.phase.value == "SUCCEEDED" for row in rows)


def _newest(seen: Seen, parts: Parts) -> str:
    """The last release that has begun there; "" where none has, or it was not merged."""
    began = {
        row.release: seen.releases[row.release].position
        for row in seen.units.values()
        if row.began is not None and oracle.parts(row.unit) == parts
    }
    return max(began, key=lambda name: began[name], default="")


def _stands(seen: Seen, cluster: str, ref: ObjectRef) -> bool:
    return any(
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])
        == (ref.kind, ref.namespace, ref.name)
        for one in seen.place.sim.objects(cluster)
    )
