"""`run`, `fleet` and `doctor` on a real cluster: all they are told is the connection on main."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.control_plane import Cluster
from tests.run.processes import Desk, wait_until
from tests.run.release_repo import FILES, ReleaseRepo

REAL = """
apiVersion: sluice/v1
kind: Cluster
metadata: {{name: {name}}}
spec:
  group: prod
  connection: {{kubeconfig: {{name: {name}}}}}
"""


@pytest.fixture
def desk(own_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose one cluster is a real one, by a kubeconfig of the bot's own folder."""
    folder = tmp_path / "kubeconfigs"
    folder.mkdir()
    shutil.copy(own_cluster.kubeconfig, folder / "eu-1")
    monkeypatch.setenv("SLUICE_KUBECONFIG_DIR", str(folder))
    monkeypatch.delenv("SLUICE_CLUSTER_TOOLS", raising=False)  # of these tests, not of the bot
    own_cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "infra"}})
    desk = Desk(tmp_path, ReleaseRepo(tmp_path, clusters=1))
    workload = "components/agent/templates/daemonset.yaml"
    # OpenKruise serves its DaemonSet in this version only.
    change(desk, {workload: FILES[workload].replace("kruise.io/v1beta1", "kruise.io/v1alpha1")})
    change(desk, {"fleet/clusters/eu-1.yaml": REAL.format(name="eu-1")})
    return desk


def change(desk: Desk, files: dict[str, str]) -> None:
    for path, text in files.items():
        desk.repo.write(path, text)
    desk.repo.commit("The fleet as it is")
    desk.repo.git("push", "-q", "origin", "main")


def released(desk: Desk, bot: Any, version: str) -> str:
    release = desk.repo.propose(version)
    wait_until(lambda: f"Pull request pr/{release} proposes" in bot.chat)
    desk.repo.merge(release)
    wait_until(lambda: desk.release(release).get("decisions"))
    assert desk.type("approve", release, "--as", "ana")[0] == 0
    try:
        wait_until(lambda: desk.phase(release) == "SUCCEEDED", within=90)
    except AssertionError:
        raise AssertionError(desk.type("why", release)[1] + bot.log) from None
    return release


def test_a_release_reaches_a_real_cluster_and_its_objects_are_what_the_audit_says(
    desk: Desk, own_cluster: Cluster
) -> None:
    """From the branch to pods that run: install, then a roll in batches."""
    with desk.bot() as bot:
        bot.begun()
        released(desk, bot, "2.0.0")
        release = released(desk, bot, "2.1.0")
        assert bot.stop() == 0
    images = [pod["spec"]["containers"][0]["image"] for pod in own_cluster.api.pods("infra")]
    assert images == ["registry.local/agent:2.1.0"] * 3
    audit = desk.ask("audit", release, "--verify")
    assert audit["verified"] is True
    assert [one["updated"] for one in audit["certificates"]] == [1, 2, 3]
    live = own_cluster.api.get("DaemonSet", "agent", "infra", "apps.kruise.io/v1alpha1")
    (found,) = desk.ask("fleet")["clusters"]
    assert (found["cluster"], found["reachable"]) == ("eu-1", True)
    (shown,) = found["objects"]
    assert shown["metadata"]["uid"] == live["metadata"]["uid"]
    managers = {entry["manager"] for entry in live["metadata"]["managedFields"]}
    assert "sluice" in managers


def test_doctor_tells_of_every_connection_what_is_wrong_with_it(
    desk: Desk, own_cluster: Cluster, tmp_path: Path
) -> None:
    """A new cluster is looked at before its first release, not during it."""
    folder = tmp_path / "kubeconfigs"
    shutil.copy(own_cluster.kubeconfig, folder / "twin")
    shutil.copy(own_cluster.users.with_certificate("nobody"), folder / "poor")
    names = ("twin", "poor", "lost")
    change(desk, {f"fleet/clusters/{name}.yaml": REAL.format(name=name) for name in names})
    told = desk.ask("doctor")
    found = [(one["name"], one["ok"], one["found"]) for one in told["checks"]]
    (answer,) = [text for name, ok, text in found if name == "clusters" and "answer" in text]
    assert answer.startswith("2 of 4 do not answer: ")
    assert "lost: there is no kubeconfig lost in SLUICE_KUBECONFIG_DIR" in answer
    assert "nobody lacks the right to get namespaces" in answer
    (same,) = [text for name, ok, text in found if "are the same cluster" in text]
    assert same.startswith("eu-1 and twin")
    (well,) = [text for name, ok, text in found if name == "cluster eu-1"]
    assert "Kubernetes v1." in well
    assert "lets us do everything" in well


def test_a_folder_of_kubeconfigs_inside_the_release_repo_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may open a pull request would choose where the bot connects to, and as whom."""
    inside = desk.repo.bare / "kubeconfigs"
    inside.mkdir()
    monkeypatch.setenv("SLUICE_KUBECONFIG_DIR", str(inside))
    code, out, err = desk.type("run", "--port", "0")
    assert code == 4
    assert "lies in the release repo" in out + err
