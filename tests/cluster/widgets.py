"""A custom resource of somebody's own in a test cluster: its operator, and releases of one.

The operator makes its pods itself, holds back as many as it is told, and has its fields where
nobody expects them: a row of the release repo says where.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes_fleet import KubernetesFleet
from bot.cluster.drive import Goal, Mode
from bot.cluster.own_kinds import rows_of
from bot.ports import Connection
from tests.cluster.api import Api, Object, is_ready
from tests.cluster.control_plane import Cluster
from tests.cluster.definitions import define
from tests.cluster.driven import COUNT, Driven
from tests.cluster.rounds import Rounds

API, KIND = "example.com/v1", "Widget"
LABEL = "example.com/revision"
ROW: dict[str, Any] = {
    "target": {"apiVersion": API, "kind": KIND},
    "replicas": "spec.size",
    "template": "spec.podTemplate",
    "partition": {"path": "spec.roll.hold", "means": "keptOld"},
    "paused": "spec.roll.stopped",
    "maxUnavailable": "spec.roll.atOnce",
    "observedGeneration": "status.seen",
    "updateRevision": "status.newest",
    "podLabel": LABEL,
}
BY_STATUS = {name: path for name, path in ROW.items() if name not in ("podLabel", "updateRevision")}
BY_STATUS |= {"updated": "status.fresh", "ready": "status.serving"}
"""The same kind by its counts alone: whoever wrote this row knows of no label."""


def widget(namespace: str, version: str) -> Object:
    pod = {
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "agent", "image": f"agent:{version}"}],
    }
    return {
        "apiVersion": API,
        "kind": KIND,
        "metadata": {"name": "agent", "namespace": namespace},
        "spec": {"size": COUNT, "roll": {"atOnce": 3}, "podTemplate": {"spec": pod}},
    }


class Operator:
    """Sees to the widgets of one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api, self.namespace = api, namespace
        self._rounds = Rounds(self._every)
        self.close, self.frozen = self._rounds.close, self._rounds.frozen

    def _every(self) -> None:
        for one in self.api.listed(KIND, self.namespace, API):
            self._sync(one)

    def _sync(self, obj: Object) -> None:
        spec, roll = obj["spec"], obj["spec"].get("roll") or {}
        newest = revision(spec["podTemplate"])
        pods = [p for p in self.api.pods(self.namespace) if owned(p, obj)]
        standing = [p for p in pods if "deletionTimestamp" not in p["metadata"]]
        old = [p for p in standing if p["metadata"]["labels"][LABEL] != newest]
        first = (obj.get("status") or {}).get("current", newest)
        template = ((obj.get("status") or {}).get("templates") or {}).get(first)
        for number in range(spec["size"] - len(standing)):
            kept = template is not None and len(old) + number < roll.get("hold", 0)
            self._make(obj, template if kept else spec["podTemplate"], first if kept else newest)
        down = spec["size"] - sum(map(is_ready, standing))
        may = 0 if roll.get("stopped") else max(0, len(old) - roll.get("hold", 0))
        for pod in sorted(old, key=is_ready)[:may]:
            if is_ready(pod):
                if down >= roll.get("atOnce", 1):
                    break
                down += 1
            self.api.delete("Pod", pod["metadata"]["name"], self.namespace)
        self._tell(obj, standing, old, newest)

    def _make(self, obj: Object, template: Object, name: str) -> None:
        about = obj["metadata"]
        owner = {"apiVersion": API, "kind": KIND, "name": about["name"], "uid": about["uid"]}
        meta = {
            "generateName": f"{about['name']}-",
            "namespace": self.namespace,
            "labels": {LABEL: name},
            "ownerReferences": [owner | {"controller": True}],
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
        self.api.create(pod)

    def _tell(self, obj: Object, standing: list[Object], old: list[Object], newest: str) -> None:
        known = obj.get("status") or {}
        done = not old and len(standing) == obj["spec"]["size"]
        current = newest if done else known.get("current", newest)
        status = {
            "seen": obj["metadata"]["generation"],
            "newest": newest,
            "current": current,
            "fresh": len(standing) - len(old),
            "serving": sum(map(is_ready, standing)),
            "templates": (known.get("templates") or {}) | {newest: obj["spec"]["podTemplate"]},
        }
        if known != status:
            path = f"/apis/{API}/namespaces/{self.namespace}/widgets/agent/status"
            self.api.call("PATCH", path, {"status": status}, "application/merge-patch+json")


def revision(template: Object) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]


def owned(pod: Object, owner: Object) -> bool:
    owners = pod["metadata"].get("ownerReferences") or []
    return any(one["uid"] == owner["metadata"]["uid"] for one in owners)


class Widgets(Driven):
    """Version 1 is on ten pods of a widget, `version` is to be; `row` says how it is released."""

    def __init__(self, operator: Operator, cluster: Cluster, row: Object, version: str) -> None:
        self.operator, self.rows = operator, rows_of([row])
        namespace = operator.namespace
        super().__init__(cluster, widget(namespace, "1"), widget(namespace, version))
        self.fleet.close()
        self.fleet = KubernetesFleet(SystemClock(), str(cluster.folder))
        link = {"kubeconfig": {"name": "admin"}}
        own = frozenset([(API, KIND)])
        self.fleet.connect([Connection(cluster=cluster.name, connection=link, workloads=own)])

    def goal(self, mode: Mode, updated: int = 0, **changed: Any) -> Goal:
        return super().goal(mode, updated, **{"rows": self.rows} | changed)

    def version(self, obj: Object) -> str:
        image = obj["spec"]["podTemplate"]["spec"]["containers"][0]["image"]
        return str(image.rpartition(":")[2])


def widgets_of(cluster: Cluster, namespace: str) -> Operator:
    define(cluster, KIND, API)
    return Operator(cluster.api, namespace)
