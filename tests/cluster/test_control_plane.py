"""The control plane itself: what all other tests of this folder stand on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cluster.api import Answer, images, is_ready
from tests.cluster.control_plane import Cluster
from tests.cluster.kubelets import Broken
from tests.cluster.programs import Tools
from tests.cluster.waiting import wait_until
from tests.cluster.workloads import KRUISE, KRUISE_STATEFUL, with_image, workload

KINDS = (
    ("Deployment", "apps/v1"),
    ("StatefulSet", "apps/v1"),
    ("DaemonSet", "apps/v1"),
    ("DaemonSet", KRUISE),
    ("CloneSet", KRUISE),
    ("StatefulSet", KRUISE_STATEFUL),
)


def _runs(cluster: Cluster, namespace: str, image: str) -> Callable[[], bool]:
    def look() -> bool:
        pods = cluster.api.pods(namespace)
        return images(pods) == [image] * 3 and all(map(is_ready, pods))

    return look


@pytest.mark.parametrize(("kind", "api"), KINDS, ids=[f"{k}-{a[:4]}" for k, a in KINDS])
def test_a_workload_of_each_kind_comes_up_and_rolls(
    cluster: Cluster, namespace: str, kind: str, api: str
) -> None:
    """Real controllers move it: nothing but the pods' containers is played."""
    cluster.api.create(workload(kind, namespace, api=api))
    wait_until(_runs(cluster, namespace, "agent:1"), f"three pods of the first {kind} are ready")
    cluster.api.merge(kind, "agent", with_image("agent:2"), namespace, api)
    wait_until(_runs(cluster, namespace, "agent:2"), f"three pods of the new {kind} are ready")


def test_an_image_changed_in_place_keeps_the_pods(cluster: Cluster, namespace: str) -> None:
    """In-place updates are why CloneSets are used: same pods, one restart, a new imageID."""
    in_place = {"type": "InPlaceOnly", "inPlaceUpdateStrategy": {"gracePeriodSeconds": 0}}
    cluster.api.create(workload("CloneSet", namespace, api=KRUISE, updateStrategy=in_place))
    wait_until(_runs(cluster, namespace, "agent:1"), "three pods are ready")
    before = {pod["metadata"]["uid"] for pod in cluster.api.pods(namespace)}
    cluster.api.merge("CloneSet", "agent", with_image("agent:2"), namespace, KRUISE)

    def updated() -> bool:
        value = cluster.api.get("CloneSet", "agent", namespace, KRUISE)
        seen = value["status"]["observedGeneration"] == value["metadata"]["generation"]
        return bool(seen and value["status"]["updatedReadyReplicas"] == 3)

    wait_until(updated, "all three are updated and ready")
    pods = cluster.api.pods(namespace)
    assert {pod["metadata"]["uid"] for pod in pods} == before
    assert [pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods] == [1, 1, 1]


@pytest.mark.parametrize("how", Broken)
def test_an_image_can_fail_in_every_usual_way(
    cluster: Cluster, namespace: str, how: Broken
) -> None:
    """A release that goes wrong is what most tests are about; the tag alone says how."""
    cluster.api.create(workload("Deployment", namespace, f"agent:1-{how}", replicas=1))
    expected = {
        Broken.NEVER_READY: ("Running", "running", ""),
        Broken.CRASH: ("Running", "waiting", "CrashLoopBackOff"),
        Broken.PULL_FAILS: ("Pending", "waiting", "ImagePullBackOff"),
    }[how]

    def seen() -> bool:
        for pod in cluster.api.pods(namespace):
            for each in pod["status"].get("containerStatuses", []):
                ((state, told),) = each["state"].items()
                return (pod["status"]["phase"], state, told.get("reason", "")) == expected
        return False

    wait_until(seen, f"the pod is {expected}")
    assert not any(map(is_ready, cluster.api.pods(namespace)))


def test_an_image_that_runs_can_break_and_mend(cluster: Cluster, namespace: str) -> None:
    """What was healthy when it was certified may fall ill afterwards."""
    cluster.api.create(workload("Deployment", namespace, "moody:1"))
    wait_until(_runs(cluster, namespace, "moody:1"), "three pods are ready")
    cluster.break_image("moody:1", Broken.CRASH)

    def crashed() -> bool:
        pods = cluster.api.pods(namespace)
        return all(p["status"]["containerStatuses"][0]["restartCount"] > 1 for p in pods)

    wait_until(crashed, "all three crash again and again")
    cluster.mend_image("moody:1")
    wait_until(_runs(cluster, namespace, "moody:1"), "three pods are ready again")


def test_nodes_come_and_go(cluster: Cluster, namespace: str) -> None:
    """Fleets breathe: a DaemonSet follows its nodes in the middle of a release too."""
    cluster.api.create(workload("DaemonSet", namespace))
    wait_until(_runs(cluster, namespace, "agent:1"), "a pod on each of three nodes")
    cluster.add_nodes("visitor")
    wait_until(lambda: len(cluster.api.pods(namespace)) == 4, "a pod on the fourth node")
    cluster.remove_node("visitor")
    wait_until(_runs(cluster, namespace, "agent:1"), "three pods again")


def test_a_frozen_controller_lags_and_catches_up(cluster: Cluster, namespace: str) -> None:
    """Lag looks like success to who reads only counts; it must be had at will."""
    cluster.api.create(workload("Deployment", namespace))
    wait_until(_runs(cluster, namespace, "agent:1"), "three pods are ready")
    with cluster.frozen("kube-controller-manager"):
        cluster.api.merge("Deployment", "agent", with_image("agent:2"), namespace, "apps/v1")
        value = cluster.api.get("Deployment", "agent", namespace, "apps/v1")
        assert value["status"]["observedGeneration"] < value["metadata"]["generation"]
        assert images(cluster.api.pods(namespace)) == ["agent:1"] * 3
    wait_until(_runs(cluster, namespace, "agent:2"), "the roll is done after all")


def test_the_api_server_may_die_and_come_back(cluster: Cluster, namespace: str) -> None:
    """An outage: nobody is answered, and nothing that was written is forgotten."""
    cluster.api.create(workload("Deployment", namespace))
    with cluster.without_api(), pytest.raises(ConnectionRefusedError):
        cluster.api.get("Deployment", "agent", namespace, "apps/v1")
    wait_until(_runs(cluster, namespace, "agent:1"), "three pods are ready")


def test_users_have_the_rights_they_were_granted(cluster: Cluster, namespace: str) -> None:
    """Least rights can only be tried by somebody who has few."""
    reader = cluster.users.with_certificate("reader")
    robot = cluster.users.service_account("robot", namespace)
    ask = ("auth", "can-i", "get", "pods", "-n", namespace)
    assert cluster.kubectl(*ask, f"--kubeconfig={reader}", check=False).startswith("no")
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    for user in ("reader", f"system:serviceaccount:{namespace}:robot"):
        cluster.users.grant(user, rule, namespace=namespace)
    for kubeconfig in (reader, robot):
        asked = (*ask, f"--kubeconfig={kubeconfig}")
        wait_until(lambda a=asked: cluster.kubectl(*a, check=False).startswith("yes"), "allowed")  # type: ignore[misc]
    late = datetime.now(UTC) - timedelta(hours=1)
    expired = cluster.users.with_certificate("late", ("system:masters",), until=late)
    assert "Unauthorized" in cluster.kubectl("get", "nodes", f"--kubeconfig={expired}", check=False)


def test_pods_have_logs(cluster: Cluster, namespace: str) -> None:
    """Evidence of a failed batch ends with the last lines of a pod."""
    cluster.write_pod_log("panic: no route to host")
    cluster.api.create(workload("Deployment", namespace, replicas=1))
    wait_until(lambda: any(map(is_ready, cluster.api.pods(namespace))), "the pod is ready")
    assert "no route to host" in cluster.kubectl("logs", "-n", namespace, "deployment/agent")


def test_clusters_know_nothing_of_each_other(
    some_clusters: Callable[[int], list[Cluster]],
) -> None:
    """Side by side on one machine, and one cannot be taken for another."""
    east, west = some_clusters(2)
    meta = {"name": "only-east", "namespace": "default"}
    east.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    assert west.api.look("ConfigMap", "only-east", "default") is None
    west.api.call("GET", "/readyz")
    mixed = west.users.with_token("stranger", "not-a-token-of-west")
    said = west.kubectl("get", "nodes", f"--kubeconfig={mixed}", check=False)
    assert "provide credentials" in said
    east.api.delete("ConfigMap", "only-east", "default")
    with pytest.raises(Answer, match="404"):
        east.api.get("ConfigMap", "only-east", "default")


_OWNER = """
import sys
from tests.cluster.control_plane import control_planes
with control_planes("doomed") as (cluster,):
    cluster.freeze("kube-controller-manager")
    names = cluster.programs.names()
    print(cluster.folder, *[cluster.programs.pid(name) for name in names], flush=True)
    sys.stdin.read()
"""


def test_a_killed_owner_leaves_nothing_behind(tools: Tools) -> None:
    """Neither processes, stopped ones included, nor files: a test run may be killed at any time."""
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as owner:
        assert owner.stdout is not None
        folder, *pids = owner.stdout.readline().split()
        assert len(pids) == 6
        assert all(_is_there(int(pid)) for pid in pids)
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    wait_until(lambda: not any(_is_there(int(pid)) for pid in pids), "all programs are gone", 10)
    wait_until(lambda: not Path(folder).exists(), "the folder is gone", 10)


def _is_there(pid: int) -> bool:
    """A zombie waits only for its adopter to look."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
