"""A sharded operator as its cluster shows it: which namespaces which version serves, with proof.

A routing object names namespaces in a list; `Sharding` says where. Reads only, decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.cluster.fields import at
from bot.cluster.kinds import Sharding, WorkloadKind
from bot.cluster.members import labels_of
from bot.cluster.pods import Pod, moment
from bot.cluster.rollout import Rollout
from bot.model.plan import JSON
from release_repo_schema.models import Selector

MOVED = "sluice/moved"
"""Annotation of the routing object: which namespaces we moved to whom, and when."""
ALL = "*"
"""In the note of our moves: every namespace that has no time of its own."""
RETIRED = "sluice/retired"
"""Annotation of an older version's workload: how many replicas it had before it was sent away."""


@dataclass(frozen=True, slots=True)
class Moves:
    """What the routing object says of our moves: to which version, namespace → when."""

    by: str
    at: Mapping[str, str]
    after: Mapping[str, str] | None = field(default_factory=dict)
    """Namespace → when that version had last written there before it got it, by the cluster's own
    clock: what it wrote later is the proof. ALL: of every other one. None: an older bot's note."""

    def text(self) -> str:
        told = {"by": self.by, "at": dict(sorted(self.at.items()))}
        if self.after is not None:
            told["after"] = dict(sorted(self.after.items()))
        return json.dumps(told, sort_keys=True)


def moves_of(obj: JSON) -> Moves:
    """What was noted; nothing where it cannot be read."""
    try:
        noted = json.loads((at(obj, ("metadata", "annotations")) or {})[MOVED])
        after = _times(noted["after"]) if "after" in noted else None
        return Moves(str(noted["by"]), _times(noted["at"]), after)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Moves("", {})


def _times(noted: Mapping[str, str]) -> dict[str, str]:
    return {str(name): str(moment(time).isoformat()) for name, time in noted.items()}


def last_written(
    sharding: Sharding, children: Iterable[JSON], by: str, names: Iterable[str]
) -> dict[str, str]:
    """Namespace → when a version wrote last there; those where it never did are not named."""
    found: dict[str, datetime] = {}
    asked = frozenset(names)
    for one in children if asked else ():
        name = str(one["metadata"].get("namespace", ""))
        if name not in asked or not _is_resource(sharding, one, name):
            continue
        wrote = _wrote(one, by)
        if wrote is not None:
            found[name] = max(wrote, found.get(name, wrote))
    return {name: time.isoformat() for name, time in sorted(found.items())}


def version_of(sharding: Sharding, obj: JSON) -> str:
    """The name by which the version that an object routes to is known."""
    return str(at(obj, sharding.manager) or "") if obj else ""


def served(sharding: Sharding, children: Iterable[JSON]) -> tuple[str, ...]:
    """The namespaces that the operator serves, by name."""
    asked = Selector.model_validate(sharding.namespaces)
    return tuple(
        sorted(
            str(one["metadata"]["name"])
            for one in children
            if (one.get("apiVersion"), one.get("kind")) == ("v1", "Namespace")
            and "deletionTimestamp" not in one["metadata"]
            and asked.matches(labels_of(one), one["metadata"]["name"])
        )
    )


def routed(sharding: Sharding, obj: JSON, names: Iterable[str]) -> frozenset[str]:
    """Those of the namespaces that an object gives to its version."""
    written = reach(obj, sharding.route)
    if sharding.opened is not None and written == list(sharding.opened):
        return frozenset(names)
    listed = frozenset(map(str, written or ())) if isinstance(written, list | None) else frozenset()
    if sharding.keeps:
        return frozenset(names) - listed
    return frozenset(names) & listed


def reach(obj: JSON, path: Iterable[str | int]) -> JSON:
    """The value at a path that may lead through lists; None where it ends early."""
    for part in path:
        if isinstance(part, int):
            if not isinstance(obj, list) or part >= len(obj):
                return None
            obj = obj[part]
        elif isinstance(obj, dict) and part in obj:
            obj = obj[part]
        else:
            return None
    return obj


def placed(obj: JSON, path: tuple[str | int, ...], value: JSON) -> JSON:
    """A copy with the value at a path that may lead through lists, where that exists."""
    head, rest = path[0], path[1:]
    if isinstance(head, int):
        if not isinstance(obj, list) or head >= len(obj):
            return obj
        return [placed(one, rest, value) if rest and n == head else value if n == head else one
                for n, one in enumerate(obj)]  # fmt: skip
    copy = dict(obj) if isinstance(obj, dict) else {}
    copy[head] = placed(copy.get(head), rest, value) if rest else value
    return copy


def shard_look(
    row: WorkloadKind,
    live: JSON,
    children: tuple[JSON, ...],
    wanted: str,
    *,
    asked: frozenset[str] | None = None,
    rival: str = "",
) -> Rollout:
    """The namespaces as members: new is what is routed to `wanted`, ready what it reconciled.

    `asked`: only of these a proof is wanted; None: of all that are routed to it. `rival`: what that
    version has not written since is still as `wanted` left it, and it has nothing to write there.
    """
    sharding = row.sharding
    assert sharding is not None
    names = served(sharding, children)
    there = bool(wanted) and version_of(sharding, live) == wanted
    new = routed(sharding, live, names) if there else frozenset()
    moves = moves_of(live)
    moves = moves if moves.by == wanted else Moves(wanted, {})
    pods = tuple(
        _member(sharding, live, children, name, wanted if name in new else "", moves, rival)
        if asked is None or name in asked
        else _settled(live, name, wanted if name in new else "")
        for name in names
    )
    return Rollout(
        row=row,
        live=live,
        lag=False,
        revision=wanted if there else "",
        total=len(names),
        pods=pods,
        available=frozenset(pod.name for pod in pods if pod.ready),
    )


def _member(
    sharding: Sharding,
    live: JSON,
    children: Iterable[JSON],
    name: str,
    revision: str,
    moves: Moves,
    rival: str,
) -> Pod:
    if not revision:
        return _settled(live, name, revision)
    there = [one for one in children if _is_resource(sharding, one, name)]
    done = [one for one in there if _reconciled(sharding, one, moves, name, rival)]
    missing = len(there) - len(done)
    reason = f"{missing} of {len(there)} objects not reconciled by {revision}" if missing else ""
    proof = {"objects": len(there), "reconciledBy": revision, "movedAt": moves.at.get(name, "")}
    return _pod(live, name, revision, ready=not missing, reason=reason, proof=proof)


def _settled(live: JSON, name: str, revision: str) -> Pod:
    """A namespace of which nothing is asked."""
    return _pod(live, name, revision, ready=True, reason="", proof={})


def _is_resource(sharding: Sharding, obj: JSON, namespace: str) -> bool:
    told = (str(obj.get("apiVersion")), str(obj.get("kind")))
    if "deletionTimestamp" in obj["metadata"]:
        return False  # on its way out: nobody can tell when it is written last
    return told in sharding.resources and obj["metadata"].get("namespace") == namespace


def _reconciled(sharding: Sharding, obj: JSON, moves: Moves, namespace: str, rival: str) -> bool:
    """Whether a version wrote it, not before it was given the namespace."""
    if sharding.reconciled_by is not None:
        return bool(at(obj, sharding.reconciled_by) == moves.by)
    wrote = _wrote(obj, moves.by)
    if wrote is None:
        return False
    if rival and ((other := _wrote(obj, rival)) is None or other < wrote):
        return True
    if moves.after is None:
        since = moves.at.get(namespace)
        return since is None or wrote >= moment(since).replace(microsecond=0)
    # Both times are the cluster's: how far its clock and ours are apart does not matter.
    before = moves.after.get(namespace, moves.after.get(ALL))
    return before is None or wrote > moment(before)


def _wrote(obj: JSON, by: str) -> datetime | None:
    """When a version wrote an object last."""
    # The API server names a writer by its user agent up to the first slash.
    name = by.partition("/")[0]
    noted = obj["metadata"].get("managedFields") or ()
    times = [_time(one) for one in noted if one.get("manager") == name and one.get("time")]
    return max(times, default=None)


def _time(entry: JSON) -> datetime:
    return moment(str(entry["time"]))


def _pod(
    live: JSON, name: str, revision: str, *, ready: bool, reason: str, proof: Mapping[str, JSON]
) -> Pod:
    return Pod(
        name=name,
        uid="",
        node="",
        revision=revision,
        images=(),
        image_ids=(),
        created=at(live, ("metadata", "creationTimestamp"), ""),
        ready=ready,
        ready_since="",
        deleting=False,
        restarts=0,
        restarted="",
        replaced=0,
        reason=reason,
        raw=live,
        proof=proof,
    )


def shard_workloads(sharding: Sharding, live: JSON, children: Iterable[JSON]) -> list[JSON]:
    """The workloads of all versions of the operator, beside the routing object, by name."""
    if sharding.shards is None:
        return []
    namespace = at(live, ("metadata", "namespace"), "")
    found = [
        one
        for one in children
        if (one.get("apiVersion"), one.get("kind")) == sharding.shards
        and one["metadata"].get("namespace", "") == namespace
        and sharding.shard_labels.items() <= labels_of(one).items()
        and at(one, sharding.identity)
    ]
    return sorted(found, key=lambda one: str(one["metadata"]["name"]))
