"""How the bot proves who it is to a real API server: rights, certificates, plugins, and their ends.

Credentials change while it runs; what is missing is told by name.
"""

from __future__ import annotations

import json
import shutil
import stat
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.ports import Refused, Unreachable
from tests.cluster.control_plane import Cluster
from tests.cluster.real_fleet import RealWorld, fleet_of
from tests.cluster.waiting import wait_until
from tests.contracts.fleet_suite import config_map, creating, deployment, patching

MAPS = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create"]}
SPACES = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}


def test_the_right_that_is_missing_is_told_by_name(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    """Whoever grants rights reads which one, where, and for whom."""
    user = f"bob-{namespace[:20]}"
    config = cluster.users.with_certificate(user)
    with fleet_of(tmp_path, {"east": config}) as fleet:
        world = RealWorld(fleet, "east", namespace)
        with pytest.raises(Refused, match=f"{user} lacks the right to get namespaces in the whole"):
            fleet.uid("east")
        cluster.users.grant(user, SPACES)
        wait_until(lambda: fleet.reachable("east"), "the right is in force", seconds=10)
        cluster.users.grant(user, MAPS, namespace=namespace)
        obj = config_map(world, a="1")
        wait_until(lambda: _sent(world, creating(obj)), "the right is in force", seconds=10)
        lacks = f"lacks the right to patch configmaps in namespace {namespace}"
        with pytest.raises(Refused, match=lacks):
            fleet.write("east", patching(obj, {"data": {"a": "2"}}), fence="1.2")
        with pytest.raises(Refused, match=r"get deployments\.apps in namespace"):
            fleet.write("east", patching(deployment(world), {"spec": {}}), fence="1.2")


def _sent(world: RealWorld, write: Any) -> bool:
    try:
        world.fleet.write("east", write, fence="1.1")
    except Refused:
        return False
    return True


def test_a_certificate_that_has_ended_is_told_and_a_new_one_needs_no_restart(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    user = f"carl-{namespace[:20]}"
    cluster.users.grant(user, SPACES)
    ended = cluster.users.with_certificate(user, until=datetime.now(UTC) - timedelta(hours=1))
    with fleet_of(tmp_path, {"east": ended}) as fleet:
        with pytest.raises(Unreachable, match=r"401.*certificate ended on 20"):
            fleet.uid("east")
        # The same file names, other content: as a renewal on disk does it.
        cluster.users.with_certificate(user)
        wait_until(lambda: fleet.reachable("east"), "the new certificate is used", seconds=20)


def test_a_server_that_is_not_the_one_of_the_kubeconfig_is_not_talked_to(
    cluster: Cluster, tmp_path: Path
) -> None:
    """Another authority than the kubeconfig's: our token must not reach it."""
    told = yaml.safe_load(cluster.kubeconfig.read_text())
    told["clusters"][0]["cluster"].pop("certificate-authority")
    other = tmp_path / "other"
    other.write_text(yaml.safe_dump(told))
    with (
        fleet_of(tmp_path, {"east": other}) as fleet,
        pytest.raises(Unreachable, match="its certificate is not accepted"),
    ):
        fleet.uid("east")


def test_a_connection_that_nobody_vouches_for_works_and_is_told(
    cluster: Cluster, tmp_path: Path
) -> None:
    """A laboratory may want it; doctor says it of every cluster that is reached so."""
    told = yaml.safe_load(cluster.kubeconfig.read_text())
    told["clusters"][0]["cluster"].pop("certificate-authority")
    told["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
    other = tmp_path / "other"
    other.write_text(yaml.safe_dump(told))
    with fleet_of(tmp_path, {"east": other}) as fleet:
        assert fleet.reachable("east")
        assert fleet.examine("east").proved is False


def test_a_token_that_is_renewed_on_disk_is_used_at_once(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    """Service account tokens are rotated under the bot, every hour."""
    config = cluster.users.service_account("robot", namespace)
    cluster.users.grant(f"system:serviceaccount:{namespace}:robot", SPACES)
    file = Path(yaml.safe_load(config.read_text())["users"][0]["user"]["tokenFile"])
    with fleet_of(tmp_path, {"east": config}) as fleet:
        wait_until(lambda: fleet.reachable("east"), "the account may read", seconds=10)
        good = file.read_text()
        file.write_text("no-token-at-all")
        with pytest.raises(Unreachable, match="401"):
            fleet.every("east", "v1", "Namespace")
        file.write_text(good)
        assert fleet.reachable("east")


def test_a_kubeconfig_that_is_replaced_makes_a_new_connection(
    clusters: list[Cluster], tmp_path: Path
) -> None:
    """And who answers is asked anew: what was decided on one cluster is never sent to another."""
    east, west = clusters[:2]
    with fleet_of(tmp_path, {"it": east.kubeconfig}) as fleet:
        world = RealWorld(fleet, "it", "default")
        first = fleet.uid("it")
        shutil.copy(west.kubeconfig, tmp_path / "it")
        with pytest.raises(Unreachable, match="another cluster answers"):
            fleet.write("it", creating(config_map(world, "astray")), fence="1.1")
        assert west.api.look("ConfigMap", "astray", "default") is None
        assert fleet.uid("it") != first


def plugin(folder: Path, body: str) -> dict[str, Any]:
    """The user entry of a kubeconfig that runs a program for its credentials."""
    path = folder / "plugin"
    path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    version = "client.authentication.k8s.io/v1"
    entry = {"apiVersion": version, "command": str(path), "interactiveMode": "Never"}
    return {"exec": entry}


def test_an_exec_plugin_gives_tokens_and_is_asked_again_when_they_end(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    """It runs once for a token that lasts, and again after a 401; never with our own secrets."""
    token = Path(yaml.safe_load(cluster.kubeconfig.read_text())["users"][0]["user"]["tokenFile"])
    runs, given = tmp_path / "runs", tmp_path / "token"
    given.write_text(token.read_text())
    body = f"""
with open({str(runs)!r}, "a") as runs:
    runs.write(json.dumps([name for name in os.environ if name.startswith("SLUICE_")]) + "\\n")
status = {{"token": open({str(given)!r}).read().strip()}}
print(json.dumps({{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                   "status": status}}))
"""
    config = cluster.users.kubeconfig(f"exec-{namespace[:20]}", plugin(tmp_path, body))
    with fleet_of(tmp_path, {"east": config}) as fleet:
        for _ in range(3):
            assert fleet.reachable("east")
        assert runs.read_text().splitlines() == ["[]"]
        given.write_text("ended")
        assert fleet.reachable("east"), "the token at hand is still good"
        server = fleet._server("east").client
        assert server._kept is not None
        server._kept.credentials.forget()
        assert not fleet.reachable("east")
        given.write_text(token.read_text())
        wait_until(lambda: fleet.reachable("east"), "the plugin was asked again", seconds=20)
        seen = [json.loads(line) for line in runs.read_text().splitlines()]
        assert 3 <= len(seen) <= 8


def test_an_exec_plugin_gives_certificates_and_the_next_one_needs_no_restart(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    """Short-lived client certificates are renewed by the plugin: whoever it names next is used."""
    first, second = (f"{name}-{namespace[:20]}" for name in ("dora", "emil"))
    for user in (first, second):
        cluster.users.with_certificate(user)
    cluster.users.grant(first, SPACES)
    given = tmp_path / "given"
    given.write_text(str(cluster.folder / first))
    soon = datetime.now(UTC) + timedelta(seconds=30)  # within its last minute: asked every time
    body = f"""
stem = open({str(given)!r}).read()
status = {{"clientCertificateData": open(stem + ".crt").read(),
           "clientKeyData": open(stem + ".key").read(),
           "expirationTimestamp": "{soon:%Y-%m-%dT%H:%M:%SZ}"}}
print(json.dumps({{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                   "status": status}}))
"""
    config = cluster.users.kubeconfig(f"certs-{namespace[:20]}", plugin(tmp_path, body))
    with fleet_of(tmp_path, {"east": config}) as fleet:
        wait_until(lambda: fleet.reachable("east"), "the first certificate is used", seconds=20)
        given.write_text(str(cluster.folder / second))

        def named() -> bool:
            try:
                fleet.every("east", "v1", "Namespace")
            except Refused as no:
                return f"{second} lacks the right to list namespaces" in no.why
            except Unreachable:
                return False
            return False

        wait_until(named, "the second certificate is used", seconds=20)


def test_an_exec_plugin_that_hangs_is_ended_with_all_that_it_started(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    """One broken login of one cluster must not hold the bot; nothing of it stays behind."""
    pids = tmp_path / "pids"
    body = f"""
child = os.fork()
with open({str(pids)!r}, "a") as file:
    file.write(f"{{os.getpid()}}\\n")
time.sleep(600)
"""
    config = cluster.users.kubeconfig(f"hang-{namespace[:20]}", plugin(tmp_path, body))
    with fleet_of(tmp_path, {"east": config, "well": cluster.kubeconfig}) as fleet:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="gave no credentials in 2 s"):
            fleet.uid("east")
        assert time.monotonic() - began < 5
        assert fleet.uid("well")
        began = time.monotonic()
        with pytest.raises(Unreachable):
            fleet.uid("east")
        assert time.monotonic() - began < 1, "it is not run again at once"
        wait_until(
            lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids.read_text().split()),
            "plugin and child are gone",
            seconds=5,
        )
