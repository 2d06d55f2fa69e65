"""The manifest of rights on a real API server: enough, no more, and what is missing is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.control_plane import Cluster
from tests.cluster.real_fleet import fleet_of
from tests.cluster.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def account(own_cluster: Cluster) -> Path:
    """The kubeconfig of the service account that the manifest makes."""
    own_cluster.kubectl("apply", "-f", str(ROOT / "deploy/rbac.yaml"))
    token = own_cluster.users.token("sluice", "sluice")
    return own_cluster.users.with_token("sluice", token)


def test_the_manifest_gives_every_right_that_is_needed_and_no_more(
    own_cluster: Cluster, account: Path, tmp_path: Path
) -> None:
    """Least rights: what is asked for is granted, and secrets and roles are not."""
    with fleet_of(tmp_path, {"own": account}) as fleet:
        wait_until(lambda: not fleet.examine("own").missing, "the rights are in force", seconds=20)
        found = fleet.examine("own")
        assert (found.everything, found.proved) == (False, True)
        assert found.uid == own_cluster.api.get("Namespace", "kube-system")["metadata"]["uid"]
        assert found.version.startswith("v1.")
        assert found.skew is not None
        assert abs(found.skew) < 5
        for forbidden in ("secrets", "nodes", "clusterroles.rbac.authorization.k8s.io"):
            may = own_cluster.kubectl(
                "auth", "can-i", "delete", forbidden, f"--kubeconfig={account}", check=False
            )
            assert may.split()[-1] == "no" or "no\n" in may
        own_cluster.kubectl("delete", "clusterrolebinding", "sluice-release")
        wait_until(lambda: fleet.examine("own").missing, "the rights are gone", seconds=20)
        lacks = fleet.examine("own").missing
        assert "get, create, patch, delete deployments.apps (workloads)" in lacks
        assert any(one.startswith("delete pods ") for one in lacks)
        assert not any("nodes" in one for one in lacks)


def test_rights_in_the_namespaces_of_the_components_are_enough(
    own_cluster: Cluster, account: Path, tmp_path: Path
) -> None:
    """Platform teams grant by namespace; then only a namespace that lacks them is told."""
    own_cluster.kubectl("delete", "clusterrolebinding", "sluice-release")
    bound = ["--clusterrole=sluice-release", "--serviceaccount=sluice:sluice"]
    own_cluster.kubectl("-n", "default", "create", "rolebinding", "sluice", *bound)
    with fleet_of(tmp_path, {"own": account}) as fleet:
        wait_until(
            lambda: not fleet.examine("own", ("default",)).missing, "it is in force", seconds=20
        )
        lacks = fleet.examine("own", ("default", "kube-public")).missing
        assert lacks
        assert all("in namespace kube-public" in one for one in lacks)
