"""One case by kubectl and by merge3, on two copies of one object on a real API server.

Each pair begins alike: applied last, changed by others. Then one copy gets `kubectl apply`, the
other the patch of merge3; what stands afterwards is compared without what every write changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from bot.cluster.merge import KUBECTL, Merge, merge3
from bot.cluster.merge_table import type_of_kind
from bot.cluster.plain import patch
from bot.model.effects import PatchType, Purpose
from bot.model.plan import ObjectRef
from tests.cluster.api import Answer, path_of, path_of_object
from tests.cluster.control_plane import Cluster
from tests.cluster.merge_cases import Case, Json

CONTENT = {
    PatchType.MERGE: "application/merge-patch+json",
    PatchType.STRATEGIC: "application/strategic-merge-patch+json",
}
_SERVER = ("uid", "resourceVersion", "generation", "managedFields", "creationTimestamp")
_NOTES = (KUBECTL, "deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation")
_WIDGETS: Json = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.sluice.test"},
    "spec": {
        "group": "sluice.test",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "x-kubernetes-preserve-unknown-fields": True,
                            }
                        },
                    }
                },
            }
        ],
    },
}


@dataclass(frozen=True)
class Duel:
    """What came of a case. `merge` None: merge3 had nothing to do. `refused`: what each was told
    instead of an answer.
    """

    case: Case
    last: Json | None
    live: Json
    target: Json
    merge: Merge | None
    theirs: Json
    ours: Json
    refused: tuple[str, str]


def install_widgets(cluster: Cluster) -> None:
    """The custom kind of the cases; ready when it takes objects."""
    cluster.api.apply(_WIDGETS)
    cluster.kubectl("wait", "--for=condition=Established", "crd/widgets.sluice.test")


def duels(cluster: Cluster, namespace: str, cases: Iterable[Case]) -> list[Duel]:
    """All cases at once: kubectl is started once, and reads the schema once."""
    prepared = [_prepared(cluster, namespace, case) for case in cases]
    told = _apply(cluster, [target for (_, target), _, _ in prepared])
    found = []
    for (case, theirs), ours, (last, live) in prepared:
        merge = merge3(last, live, ours)
        refused = _send(cluster, live, merge)
        found.append(
            Duel(
                case=case,
                last=last,
                live=live,
                target=ours,
                merge=merge,
                theirs=_seen(cluster, theirs),
                ours=_seen(cluster, ours),
                refused=(told.get(_address(theirs), ""), refused),
            )
        )
    return found


def _named(obj: Json, name: str, namespace: str) -> Json:
    made = deepcopy(obj)
    metadata = {**made.get("metadata", {}), "name": name}
    if not made["kind"].endswith("WebhookConfiguration"):
        metadata["namespace"] = namespace
    return {**made, "metadata": metadata}


def _prepared(cluster: Cluster, namespace: str, case: Case) -> Any:
    """Both copies as they stand before the last step."""
    for side in ("theirs", "ours"):
        name = f"{side}-{case.name}"
        last = _named(case.last, name, namespace)
        _create(cluster, last, noted=not case.adopted)
        if case.foreign is not None:
            kind = type_of_kind(last["apiVersion"], last["kind"])
            content = CONTENT[PatchType.STRATEGIC if kind else PatchType.MERGE]
            cluster.api.call("PATCH", path_of_object(last), case.foreign, content)
        if side == "theirs":
            theirs = _named(case.target, name, namespace)
    target = _named(case.target, name, namespace)
    live = cluster.api.call("GET", path_of_object(last))
    return (case, theirs), target, (None if case.adopted else last, live)


def _create(cluster: Cluster, obj: Json, *, noted: bool) -> None:
    """As `kubectl apply` creates: with a copy of the manifest."""
    made = deepcopy(obj)
    if noted:
        copy = deepcopy(obj)
        copy["metadata"].setdefault("annotations", {})
        notes = dict(made["metadata"].get("annotations") or {})
        made["metadata"]["annotations"] = {**notes, KUBECTL: json.dumps(copy) + "\n"}
    metadata = made["metadata"]
    path = path_of(made["apiVersion"], made["kind"], metadata.get("namespace", ""))
    cluster.api.call("POST", path, made)


def _apply(cluster: Cluster, objects: list[Json]) -> dict[str, str]:
    """Object → why kubectl could not."""
    refused = {}
    everything = {"apiVersion": "v1", "kind": "List", "items": objects}
    said = cluster.kubectl("apply", "--validate=false", "-f", "-", stdin=everything, check=False)
    assert said
    for obj in objects:
        line = f"{obj['metadata']['name']} "
        if f"/{line}configured" not in said and f"/{line}unchanged" not in said:
            refused[_address(obj)] = "kubectl failed"
    return refused


def _send(cluster: Cluster, live: Json, merge: Merge | None) -> str:
    if merge is None:
        return ""
    metadata = live["metadata"]
    ref = ObjectRef(
        live["apiVersion"], live["kind"], metadata.get("namespace", ""), metadata["name"]
    )
    write = patch(ref, live, merge, Purpose.FORWARD)
    try:
        cluster.api.call("PATCH", path_of_object(live), write.body, CONTENT[write.patch_type])
    except Answer as answer:
        return str(answer)
    return ""


def _address(obj: Json) -> str:
    return f"{obj['kind']} {obj['metadata']['name']}"


def _seen(cluster: Cluster, obj: Json) -> Json:
    found: Json = cluster.api.call("GET", path_of_object(obj))
    return found


def bare(obj: Json) -> Json:
    """Without what every write or every object has of its own."""
    made = {name: value for name, value in deepcopy(obj).items() if name != "status"}
    metadata = {k: v for k, v in made["metadata"].items() if k not in _SERVER}
    notes = {k: v for k, v in (metadata.get("annotations") or {}).items() if k not in _NOTES}
    metadata.pop("annotations", None)
    if notes:
        metadata["annotations"] = notes
    return {**made, "metadata": metadata}


def comparable(obj: Json) -> Json:
    """And without names, and without numbers that the server drew for this very object."""
    made = bare(obj)
    made["metadata"].pop("name")
    if made["kind"] == "Service":
        for drawn in ("clusterIP", "clusterIPs"):
            made["spec"].pop(drawn, None)
        for port in made["spec"].get("ports") or ():
            port["nodePort"] = "nodePort" in port
    return made
