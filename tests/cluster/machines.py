"""A MachineComponentSet in a test cluster: its CRD, a controller of ours, and releases of one.

No such controller is public. This one keeps to what docs/adr says of the kind: a node reports the
version it has in an annotation, and is not Ready while it is changed.
"""

from __future__ import annotations

from typing import Any

from bot.cluster.members import selects
from tests.cluster.api import Api, Object, is_ready
from tests.cluster.control_plane import Cluster
from tests.cluster.definitions import define
from tests.cluster.driven import COUNT, Driven
from tests.cluster.rounds import Rounds

API = "kubenode.alibabacloud.com/v1"
KIND = "MachineComponentSet"
REPORTED = "kubenode.alibabacloud.com/agent"
DOWN = "sluice.test/down"
"""Annotation of a node whose kubelet says nothing more: KWOK leaves it alone."""
BY_HAND = "application/strategic-merge-patch+json"


def component_set(namespace: str, version: str, **spec: Any) -> Object:
    chosen = {"matchLabels": {"pool": "machines"}}
    spec = {"componentName": "agent", "version": version, "selector": chosen} | spec
    meta = {"name": "agent", "namespace": namespace}
    return {"apiVersion": API, "kind": KIND, "metadata": meta, "spec": {"maxUnavailable": 3} | spec}


class Controller:
    """Sees to the sets of one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api, self.namespace = api, namespace
        self._rounds = Rounds(self._every)
        self.close, self.frozen = self._rounds.close, self._rounds.frozen

    def _every(self) -> None:
        for one in self.api.listed(KIND, self.namespace, API):
            self._sync(one)

    def _sync(self, obj: Object) -> None:
        spec = obj["spec"]
        nodes = self.api.listed("Node", labels="pool=machines")
        chosen = [n for n in nodes if selects(spec.get("selector"), n["metadata"]["labels"])]
        chosen.sort(key=lambda node: str(node["metadata"]["name"]), reverse=True)
        self._serve(chosen)
        down = sum(not is_ready(node) for node in chosen)
        fresh = [node for node in chosen if reported(node) == ""]
        old = [node for node in chosen if reported(node) not in ("", spec["version"])]
        may = 0 if spec.get("pause") else max(0, len(old) - spec.get("partition", 0))
        for node in fresh:
            self._install(node, spec["version"])
        for node in sorted(old, key=is_ready)[:may]:
            if is_ready(node):
                if down >= spec.get("maxUnavailable", 1):
                    break
                down += 1
            self._install(node, spec["version"])
        self._tell(obj, chosen)

    def _install(self, node: Object, version: str) -> None:
        """In place: the node serves again in the next round, where the version is a good one."""
        name = node["metadata"]["name"]
        self.api.merge("Node", name, {"metadata": {"annotations": {REPORTED: version, DOWN: "y"}}})
        ready = {"type": "Ready", "status": "False", "reason": "Installing"}
        path, body = f"/api/v1/nodes/{name}/status", {"status": {"conditions": [ready]}}
        self.api.call("PATCH", path, body, BY_HAND)
        node["metadata"].setdefault("annotations", {}).update({REPORTED: version, DOWN: "y"})

    def _serve(self, nodes: list[Object]) -> None:
        for node in nodes:
            notes = node["metadata"].get("annotations") or {}
            if DOWN in notes and not notes.get(REPORTED, "").endswith("-never-ready"):
                patch = {"metadata": {"annotations": {DOWN: None}}}
                self.api.merge("Node", node["metadata"]["name"], patch)

    def _tell(self, obj: Object, chosen: list[Object]) -> None:
        status = {
            "observedGeneration": obj["metadata"]["generation"],
            "desiredNodes": len(chosen),
            "updatedNodes": sum(reported(node) == obj["spec"]["version"] for node in chosen),
        }
        if obj.get("status") != status:
            path = f"/apis/{API}/namespaces/{self.namespace}/machinecomponentsets/agent/status"
            merge = "application/merge-patch+json"
            self.api.call("PATCH", path, {"status": status}, merge)


def reported(node: Object) -> str:
    return str((node["metadata"].get("annotations") or {}).get(REPORTED, ""))


class Machines(Driven):
    """Version `old` is on ten nodes, `new` is to be there."""

    def __init__(self, cluster: Cluster, operator: Controller, version: str, **spec: Any) -> None:
        self.operator = operator
        namespace = operator.namespace
        super().__init__(
            cluster,
            component_set(namespace, "1", **spec),
            component_set(namespace, version, **spec),
        )

    def with_version(self, obj: Object, version: str) -> Object:
        return {**obj, "spec": {**obj["spec"], "version": version}}

    def version(self, obj: Object) -> str:
        return str(obj["spec"]["version"])

    def pods(self) -> list[Object]:
        return self.cluster.api.listed("Node", labels="pool=machines")

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for node in self.pods():
            found[reported(node)] = found.get(reported(node), 0) + 1
        return found


def machines(cluster: Cluster) -> list[str]:
    """Ten nodes that nothing else runs on; the kind is known."""
    define(cluster, KIND, API)
    names = [f"machine-{number}" for number in range(COUNT)]
    cluster.add_nodes(*names, pool="machines")
    return names
