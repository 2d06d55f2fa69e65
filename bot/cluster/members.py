"""What a workload counts: its pods, the nodes it serves, or only what its status says.

Turns each into pods that can be counted alike. Never says which of them are good.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.cluster.fields import at
from bot.cluster.kinds import WorkloadKind
from bot.cluster.pods import Pod, pods_of, ready_condition
from bot.model.plan import JSON


def members(
    row: WorkloadKind, live: JSON, children: Iterable[JSON], own: JSON, nodes: frozenset[str] | None
) -> tuple[Pod, ...]:
    """Pods, or nodes as such, by name; `nodes`: only those there. `own`: with its own selector."""
    if row.component is None:
        found = pods_of(children, row.revision_label)
    else:
        note = f"{row.revision_label}{at(live, row.component, '')}"
        chosen = at(own, row.node_selector) if row.node_selector else None
        found = tuple(
            _node(child, note)
            for child in sorted(children, key=lambda c: str(c["metadata"]["name"]))
            if child.get("kind") == "Node" and selects(chosen, labels_of(child))
        )
    return found if nodes is None else tuple(p for p in found if p.node in nodes)


def by_status(row: WorkloadKind, live: JSON, *, total: int, revision: str) -> tuple[Pod, ...]:
    """Stand-ins for pods that nobody shows. What is not ready is counted among the updated."""
    updated = _count(live, row.updated_count)
    ready = _count(live, row.ready_count)
    made = at(live, ("metadata", "creationTimestamp"), "")
    return tuple(
        _pod(
            name=f"{number + 1} of {total}",
            node="",
            revision=revision if number < updated else "",
            made=made,
            ready=number >= total - ready,
            raw=live,
        )
        for number in range(total)
    )


def labels_of(obj: JSON) -> JSON:
    return at(obj, ("metadata", "labels")) or {}


def selects(selector: JSON | None, labels: JSON) -> bool:
    """Whether a label selector matches; none matches everything."""
    asked = selector or {}
    wanted = asked.get("matchLabels") or {}
    if any(labels.get(name) != text for name, text in wanted.items()):
        return False
    return all(_holds(one, labels) for one in asked.get("matchExpressions") or ())


def _holds(asked: JSON, labels: JSON) -> bool:
    have = labels.get(asked.get("key"))
    values = asked.get("values") or ()
    match asked.get("operator"):
        case "In":
            return have in values
        case "NotIn":
            return have not in values
        case "Exists":
            return have is not None
        case "DoesNotExist":
            return have is None
        case _:
            return False


def _node(node: JSON, note: str) -> Pod:
    ready = ready_condition(node)
    metadata = node["metadata"]
    return _pod(
        name=metadata["name"],
        node=metadata["name"],
        revision=str((metadata.get("annotations") or {}).get(note, "")),
        made=metadata.get("creationTimestamp", ""),
        ready=ready.get("status") == "True",
        ready_since=ready.get("lastTransitionTime", ""),
        reason="" if ready.get("status") == "True" else str(ready.get("reason") or "NotReady"),
        raw=node,
    )


def _pod(
    *,
    name: str,
    node: str,
    revision: str,
    made: str,
    ready: bool,
    raw: JSON,
    ready_since: str = "",
    reason: str = "",
) -> Pod:
    return Pod(
        name=name,
        uid=at(raw, ("metadata", "uid"), ""),
        node=node,
        revision=revision,
        images=(),
        image_ids=(),
        created=made,
        ready=ready,
        ready_since=ready_since,
        deleting="deletionTimestamp" in raw["metadata"],
        restarts=0,
        restarted="",
        replaced=0,
        reason=reason,
        raw=raw,
    )


def _count(live: JSON, path: tuple[str, ...] | None) -> int:
    found = at(live, path, 0) if path else 0
    return found if isinstance(found, int) else 0
