"""What belongs to a live workload: by its own selector, then by owner references. Reads only.

Never lists a namespace without a selector, but for a custom resource whose row says that it has
pods and which holds no pod template; and never what the workload's kind cannot own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable

from bot.adapters.kubernetes_fleet.server import Server, owned_by
from bot.cluster.fields import at
from bot.cluster.kinds import BUILT_IN
from bot.model.plan import JSON

_BETWEEN: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps/v1", "Deployment"): ("ReplicaSet",),
    ("apps/v1", "ReplicaSet"): (),
}
"""What else a kind owns beside pods; every other workload keeps ControllerRevisions."""
_FROZEN = ("ControllerRevision",)
"""What does not change once the controller has observed the template that it is made for."""
_OPERATORS = {"In": "in", "NotIn": "notin"}


def children(
    server: Server, owner: JSON, with_pods: Container[tuple[str, str]] = ()
) -> tuple[JSON, ...]:
    """Pods, ReplicaSets and ControllerRevisions of a workload; of a set of components, nodes.

    `with_pods`: custom resources that have pods, wherever their template stands.
    """
    kind = (str(owner.get("apiVersion")), str(owner.get("kind")))
    row = BUILT_IN.get(kind)
    if row is not None and row.component is not None:
        return server.listed("v1", "Node")
    selector = selector_text(at(owner, ("spec", "selector")))
    metadata = owner["metadata"]
    namespace = str(metadata.get("namespace") or "")
    uid = str(metadata["uid"])
    if selector is None or not is_workload(owner):
        # A selector that stands beside no pod template may choose anything: nodes, for one.
        pods = server.listed("v1", "Pod", namespace) if kind in with_pods else ()
        return tuple(owned_by(frozenset({uid}), pods))
    between: list[JSON] = []
    for own in _BETWEEN.get(kind, ("ControllerRevision",)):
        known = server.revisions(uid, mark := _mark(owner)) if own in _FROZEN else None
        if known is None:
            found = server.listed("apps/v1", own, namespace, labelSelector=selector)
            known = tuple(owned_by(frozenset({uid}), found))
            if own in _FROZEN and known and mark:
                server.keep_revisions(uid, mark, known)
        between += known
    owners = {uid, *(str(one["metadata"]["uid"]) for one in between)}
    pods = server.listed("v1", "Pod", namespace, labelSelector=selector)
    return (*between, *owned_by(frozenset(owners), pods))


def _mark(owner: JSON) -> str:
    """By what its revisions are known to be the same as before; "" while its controller has not
    observed it. A batch changes the spec and not the template, so it makes no new revision.
    """
    generation = at(owner, ("metadata", "generation"))
    if generation is None or at(owner, ("status", "observedGeneration")) != generation:
        return ""
    template = at(owner, ("spec", "template"))
    named = [at(owner, ("status", name)) for name in ("updateRevision", "currentRevision")]
    told = json.dumps([template, *named], sort_keys=True, default=str).encode()
    return hashlib.blake2b(told, digest_size=16).hexdigest()


def is_workload(owner: JSON) -> bool:
    """Whether pods can be its own: a PodDisruptionBudget selects them too, and owns none."""
    return isinstance(at(owner, ("spec", "template")), dict)


def selector_text(selector: JSON) -> str | None:
    """A LabelSelector as a query has it; None where it is none, or chooses everything."""
    if not isinstance(selector, dict):
        return None
    labels, terms = selector.get("matchLabels"), selector.get("matchExpressions")
    parts = [f"{name}={value}" for name, value in sorted((labels or {}).items())]
    parts += _expressions(terms if isinstance(terms, list) else ())
    return ",".join(parts) or None


def _expressions(terms: Iterable[JSON]) -> Iterable[str]:
    for term in terms:
        key, operator = term.get("key"), term.get("operator")
        if operator in _OPERATORS:
            yield f"{key} {_OPERATORS[operator]} ({','.join(term.get('values') or ())})"
        elif operator == "Exists":
            yield str(key)
        elif operator == "DoesNotExist":
            yield f"!{key}"
