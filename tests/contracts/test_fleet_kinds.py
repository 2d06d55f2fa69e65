"""The embedded fleet's further kinds survive the process, and show what the real ones show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.simulated import SimulatedFleet
from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.ports import Connection, Refused

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
KRUISE = "apps.kruise.io/v1beta1"
KUBE_NODE = "kubenode.alibabacloud.com/v1"
REPORTED = "kubenode.alibabacloud.com/kubelet"
POOLS = {"n-1": {"pool": "canary"}}


class HandClock:
    """A clock that a story turns by hand."""

    def __init__(self) -> None:
        self.at = NINE

    def now(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def opened(clock: HandClock, path: Path, nodes: int = 3) -> SimulatedFleet:
    fleet = SimulatedFleet(clock, str(path))
    simulated = {"nodes": nodes, "nodeLabels": POOLS}
    fleet.connect([Connection(cluster="c", connection={"simulated": simulated})])
    return fleet


def numbered(api_version: str, kind: str) -> dict[str, Any]:
    labels = {"app": "store"}
    containers = [{"name": "store", "image": "registry.local/store:1"}]
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "store", "namespace": "infra"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


def kubelets(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": KUBE_NODE,
        "kind": "MachineComponentSet",
        "metadata": {"name": "kubelet"},
        "spec": {"componentName": "kubelet", "version": "1.34.1", **spec},
    }


def ref_of(obj: dict[str, Any]) -> ObjectRef:
    metadata = obj["metadata"]
    return ObjectRef(obj["apiVersion"], obj["kind"], metadata.get("namespace", ""),
                     metadata["name"])  # fmt: skip


def make(fleet: SimulatedFleet, obj: dict[str, Any]) -> None:
    write = Write(ref=ref_of(obj), verb="create", purpose=Purpose.FORWARD, body=obj)
    fleet.write("c", write, fence="1.1")


def change(fleet: SimulatedFleet, obj: dict[str, Any], spec: dict[str, Any]) -> None:
    body = {"spec": spec}
    write = Write(ref=ref_of(obj), verb="patch", purpose=Purpose.FORWARD, body=body)
    fleet.write("c", write, fence="1.2")


def newer(obj: dict[str, Any], partition: int) -> dict[str, Any]:
    containers = [{"name": "store", "image": "registry.local/store:2"}]
    gate = {"rollingUpdate": {"partition": partition}}
    template = obj["spec"]["template"] | {"spec": {"containers": containers}}
    return {"template": template, "updateStrategy": gate}


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [("apps/v1", "StatefulSet"), (KRUISE, "StatefulSet"), (KRUISE, "CloneSet")],
)
def test_a_roll_goes_on_in_the_next_process(api_version: str, kind: str, tmp_path: Path) -> None:
    """Also which revision a kept-back pod is made anew from."""
    clock, path = HandClock(), tmp_path / "fleet.db"
    fleet = opened(clock, path)
    obj = numbered(api_version, kind)
    make(fleet, obj)
    clock.pass_by(120)
    change(fleet, obj, newer(obj, 2))
    clock.pass_by(3)
    fleet.close()
    fleet = opened(clock, path)
    clock.pass_by(120)
    live = fleet.get("c", ref_of(obj))
    assert live is not None
    status = live["status"]
    assert (status["updatedReplicas"], status["availableReplicas"]) == (1, 3)
    assert status["currentRevision"] != status["updateRevision"]
    pods = [c for c in fleet.children("c", live) if c["kind"] == "Pod"]
    labels = [p["metadata"]["labels"]["controller-revision-hash"] for p in pods]
    assert sorted(labels) == sorted([status["currentRevision"]] * 2 + [status["updateRevision"]])
    fleet.close()


def test_the_pods_of_a_stateful_set_are_numbered_and_come_one_after_the_other(
    tmp_path: Path,
) -> None:
    clock = HandClock()
    fleet = opened(clock, tmp_path / "fleet.db")
    make(fleet, numbered("apps/v1", "StatefulSet"))
    clock.pass_by(2)
    assert [p["metadata"]["name"] for p in fleet.pods("c")] == ["store-0"]
    clock.pass_by(120)
    names = sorted(p["metadata"]["name"] for p in fleet.pods("c"))
    assert names == ["store-0", "store-1", "store-2"]
    fleet.close()


def test_a_node_reports_the_version_it_has_and_is_not_ready_while_it_changes(
    tmp_path: Path,
) -> None:
    clock, path = HandClock(), tmp_path / "fleet.db"
    fleet = opened(clock, path)
    obj = kubelets(selector={"matchLabels": {"pool": "canary"}})
    make(fleet, obj)
    clock.pass_by(60)
    change(fleet, obj, {"version": "1.34.2"})
    clock.pass_by(2)
    fleet.close()
    fleet = opened(clock, path)
    live = fleet.get("c", ref_of(obj))
    assert live is not None
    assert ready(fleet, "n-1") == ("1.34.2", "False")
    assert live["status"]["updatedReadyNodes"] == 0
    clock.pass_by(30)
    assert ready(fleet, "n-1") == ("1.34.2", "True")
    assert ready(fleet, "n-2") == (None, "True")
    names = [n["metadata"]["name"] for n in fleet.children("c", live)]
    assert names == ["n-1", "n-2", "n-3"]
    fleet.close()


def ready(fleet: SimulatedFleet, name: str) -> tuple[str | None, str]:
    node = fleet.get("c", ObjectRef("v1", "Node", "", name))
    assert node is not None
    (condition,) = node["status"]["conditions"]
    return (node["metadata"].get("annotations") or {}).get(REPORTED), condition["status"]


def test_a_machine_component_set_names_a_component_and_a_version(tmp_path: Path) -> None:
    fleet = opened(HandClock(), tmp_path / "fleet.db")
    with pytest.raises(Refused, match="version"):
        make(fleet, kubelets(version=""))
    with pytest.raises(Refused, match="maxUnavailable"):
        make(fleet, kubelets(maxUnavailable="5"))
    fleet.close()
