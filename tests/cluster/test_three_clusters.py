"""One story from end to end: three real clusters, the example repo, `sluice run`, and Git alone.

What is looked at is what the API servers have, by a client of the test's own, and what the audit
says; nothing of the bot is asked whether the bot is right.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.api import images, is_ready
from tests.cluster.control_plane import Cluster
from tests.cluster.example_repo import ExampleRepo
from tests.cluster.waiting import wait_until
from tests.run.processes import Desk, RunningBot

KRUISE = "apps.kruise.io/v1alpha1"
WORKLOADS = (
    ("DaemonSet", "node-agent", KRUISE),
    ("DaemonSet", "log-shipper", "apps/v1"),
    ("Deployment", "ingress-proxy", "apps/v1"),
    ("Service", "ingress-proxy", "v1"),
    ("ConfigMap", "node-agent", "v1"),
)
BROKEN = "2.6.0-never-ready"
LONG = 420.0
"""Seconds that a release over three clusters may take on a machine with other work."""


@pytest.fixture
def desk(
    clusters: list[Cluster], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """East is staging, west and north are production; the bot reads their kubeconfigs by name."""
    kubeconfigs = tmp_path / "kubeconfigs"
    kubeconfigs.mkdir()
    for cluster in clusters:
        shutil.copy(cluster.kubeconfig, kubeconfigs / cluster.name)
    monkeypatch.delenv("SLUICE_CLUSTER_TOOLS", raising=False)
    monkeypatch.setenv("SLUICE_KUBECONFIG_DIR", str(kubeconfigs))
    for who in ("AUTHOR", "COMMITTER"):
        # Whom people.yaml does not know raises the number of approvals that are asked.
        monkeypatch.setenv(f"GIT_{who}_NAME", "ben")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ben@example.com")
    groups = {"east": "staging", "west": "prod-eu", "north": "prod-eu"}
    yield Desk(tmp_path, ExampleRepo(tmp_path, groups))
    for cluster in clusters:
        for kind, name, api in WORKLOADS:
            if cluster.api.look(kind, name, "kube-system", api) is not None:
                cluster.api.delete(kind, name, "kube-system", api)


def test_the_example_is_released_over_three_clusters_and_a_broken_canary_comes_back(
    desk: Desk, clusters: list[Cluster]
) -> None:
    """The whole promise: a little at a time, watched, held when it breaks, and brought back."""
    east, west, north = clusters
    with desk.bot() as bot:
        released(desk, bot, "log-shipper-0-14-0", {"log-shipper": "0.14.0"})
        released(desk, bot, "network-1", {"node-agent": "2.4.1", "ingress-proxy": "1.8.2"})
        released(desk, bot, "network-2", {"node-agent": "2.5.0", "ingress-proxy": "1.9.0"})
        for cluster in clusters:
            assert running(cluster, "node-agent") == {"registry.local/node-agent:2.5.0"}
            assert running(cluster, "log-shipper") == {"registry.local/log-shipper:0.14.0"}
            assert are_as_certified(desk, "network-2", cluster)
        before = {one.name: settled(one) for one in clusters}

        desk.repo.publish("node-agent", BROKEN)
        release = merged(desk, "node-agent-2-6-0", {"node-agent": BROKEN})
        decided(desk, release, until="FAILED")
        assert held(desk, release), "nobody goes on over a broken canary"
        broken = [image for image in images(east.api.pods("kube-system")) if BROKEN in image]
        assert len(broken) == 1, "the first batch is one node"
        assert {one.name: settled(one) for one in (west, north)} == {
            name: seen for name, seen in before.items() if name != "east"
        }, "production was never touched"
        written = [e for e in record(desk, release) if e["kind"] == "write"]
        assert {event["unit"] for event in written} == {"node-agent@east"}

        code, said, wrong = desk.type("rollback", release, "--reason", "never ready", "--as", "ana")
        assert code == 0, said + wrong
        wait_until(lambda: desk.phase(release) == "ROLLED_BACK", "it is rolled back", LONG)
        wait_until(lambda: settled(east) == before["east"], "east is what it was", LONG)
        assert all(map(is_ready, east.api.pods("kube-system")))
        code, _, wrong = desk.type("audit", release, "--verify")
        assert code == 0, wrong
        assert bot.process.poll() is None, bot.log


def merged(desk: Desk, name: str, components: dict[str, str]) -> str:
    """A pull request whose plan was shown, merged."""
    repo = desk.repo
    assert isinstance(repo, ExampleRepo)
    repo.releases(name, components)

    def seen() -> list[dict[str, Any]]:
        return [e for e in record(desk, name) if e["kind"] == "release.proposed"]

    proposed = wait_until(seen, f"{name} is seen and planned", LONG)[-1]
    assert proposed["data"]["errors"] == 0
    repo.merge(name)
    wait_until(lambda: desk.phase(name), f"{name} begins its life", LONG)
    return name


def released(desk: Desk, bot: RunningBot, name: str, components: dict[str, str]) -> None:
    merged(desk, name, components)
    decided(desk, name, until="SUCCEEDED")
    assert bot.process.poll() is None, bot.log


def decided(desk: Desk, release: str, *, until: str) -> None:
    """Both approvers say yes to whatever is asked, until the release (or a unit of it) is there."""

    def there() -> Any:
        told = desk.release(release)
        if until == told["phase"] or "FAILED" in (unit["phase"] for unit in told["units"]):
            return told
        if told["decisions"]:
            desk.type("approve", release, "--as", "chris")
            desk.type("approve", release, "--as", "ana")
        return None

    told = wait_until(there, f"{release} is {until}", LONG, every=0.5)
    phases = {told["phase"], *(unit["phase"] for unit in told["units"])}
    assert until in phases, told


def held(desk: Desk, release: str) -> bool:
    return bool(wait_until(lambda: desk.release(release)["holds"], f"{release} is held"))


def record(desk: Desk, release: str) -> list[dict[str, Any]]:
    code, _, _ = desk.type("audit", release)
    if code != 0:
        return []
    events: list[dict[str, Any]] = desk.ask("audit", release)["events"]
    return events


def running(cluster: Cluster, app: str) -> set[str]:
    return set(images(cluster.api.pods("kube-system", f"app={app}")))


def settled(cluster: Cluster) -> dict[str, Any]:
    """What the API server has of the components: specs without our marks, and the pods' images."""
    found: dict[str, Any] = {}
    for kind, name, api in WORKLOADS:
        live = cluster.api.get(kind, name, "kube-system", api)
        found[f"{kind} {name}"] = {key: live[key] for key in ("spec", "data") if key in live}
    found["pods"] = sorted(images(cluster.api.pods("kube-system")))
    return found


def are_as_certified(desk: Desk, release: str, cluster: Cluster) -> bool:
    """The pods that the last certificate of each unit names are those that run, by revision."""
    told = desk.ask("audit", release)["certificates"]
    named = [c for c in told if c["unit"] == f"node-agent@{cluster.name}"]
    assert named, "every batch has closed with a certificate"
    pods = {p["metadata"]["name"] for p in cluster.api.pods("kube-system", "app=node-agent")}
    assert all(pod in str(named[-1]) for pod in pods), named[-1]
    return True
