"""The three-way merge of a Deployment of 200 lines, beside `kubectl patch --local` in the same run.

kubectl gets the finished patch and has only to apply it; merge3 makes the patch first. The counts
say that the same object comes of both.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.figures import Figures
from bot.cluster.merge import Merge, merge3
from bot.cluster.two_way import merge_between

ROOT = Path(__file__).resolve().parent.parent
TURNS, OBJECTS, RUNS, TARGET = 400, 50, 5, 0.001
Json = dict[str, Any]


def deployment(image: str, *, served: bool) -> Json:
    """As an author writes it; `served`: as an API server shows it, with a sidecar of others."""
    containers = [_container(name, image, served=served) for name in ("agent", "proxy", "logs")]
    if served:
        containers.append(_container("mesh", "registry.local/mesh:1", served=served))
    labels = {"app": "agent", "tier": "0", "area": "network"}
    pod: Json = {
        "serviceAccountName": "agent",
        "containers": containers,
        "volumes": [{"name": f"v-{n}", "configMap": {"name": f"c-{n}"}} for n in range(4)],
        "tolerations": [{"key": "node-role", "operator": "Exists", "effect": "NoSchedule"}],
        "nodeSelector": {"pool": "default"},
    }
    metadata: Json = {"name": "agent", "namespace": "infra", "labels": labels}
    spec: Json = {
        "replicas": 3,
        "selector": {"matchLabels": labels},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    if served:
        metadata |= {"uid": "u", "resourceVersion": "7", "generation": 3}
        spec |= {"progressDeadlineSeconds": 600, "revisionHistoryLimit": 10}
        pod |= {"dnsPolicy": "ClusterFirst", "restartPolicy": "Always"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _container(name: str, image: str, *, served: bool) -> Json:
    ports = [{"containerPort": 9000 + n, "name": f"p-{n}"} for n in range(4)]
    made: Json = {
        "name": name,
        "image": image,
        "args": ["--verbose", "--config=/etc/agent/config.yaml"],
        "env": [{"name": f"SETTING_{n}", "value": str(n)} for n in range(12)],
        "ports": ports,
        "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "0.5", "memory": "1Gi"}},
        "volumeMounts": [{"name": f"v-{n}", "mountPath": f"/etc/{n}"} for n in range(4)],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 9000}, "periodSeconds": 5},
    }
    if served:
        made |= {"imagePullPolicy": "IfNotPresent", "terminationMessagePolicy": "File"}
        made["ports"] = [{**port, "protocol": "TCP"} for port in ports]
        made["resources"]["limits"]["cpu"] = "500m"
    return made


def main() -> int:
    """Measure, print; 1 when a count is wrong or the time is over."""
    figures = Figures()
    last, live = (deployment("registry.local/agent:1", served=served) for served in (False, True))
    target = deployment("registry.local/agent:2", served=False)
    lines = len(yaml.safe_dump(target).splitlines())
    figures.count("lines of the Deployment are 200 or more", int(lines >= 200), 1)
    merge = merge3(last, live, target)
    assert merge is not None
    took = _each(lambda: merge3(last, live, target))
    still = _each(lambda: merge3(last, live, last))
    _tell(figures, f"merge3 of {lines} lines, a new image in three containers", took)
    _tell(figures, f"merge3 of {lines} lines, nothing to do", still)
    figures.count(
        "patches where there is nothing to do", int(merge3(last, live, last) is not None), 0
    )
    kubectl = _kubectl()
    if kubectl is None:
        print("  kubectl is not there (`make cluster-tools` builds it): not compared")
    else:
        _beside(figures, kubectl, live, merge, took)
    return figures.end()


def _tell(figures: Figures, what: str, took: float) -> None:
    """Milliseconds; above target they are only pointed out, as every time is."""
    over = took > TARGET
    if over:
        figures.slow.append(what)
    mark = "  ABOVE TARGET" if over else ""
    print(f"  {what:<58} {took * 1000:7.3f} ms  (target {TARGET * 1000:g}){mark}")


def _each(work: Any) -> float:
    """Seconds a turn, of the better half: other programs share the machine."""
    turns = []
    for _ in range(TURNS):
        began = perf_counter()
        work()
        turns.append(perf_counter() - began)
    return median(sorted(turns)[: TURNS // 2])


def _kubectl() -> str | None:
    folders = [os.environ.get("SLUICE_CLUSTER_TOOLS", ""), str(ROOT / "tests/cluster/.tools")]
    path = os.pathsep.join(f"{folder}/bin" for folder in folders if folder)
    return shutil.which("kubectl", path=path) or shutil.which("kubectl")


def _beside(figures: Figures, kubectl: str, live: Json, merge: Merge, took: float) -> None:
    command = [kubectl, "patch", "--local", "--type=strategic", "-o", "json"]
    command += ["-p", json.dumps(merge.patch)]
    with tempfile.TemporaryDirectory() as folder:
        for number in range(OBJECTS):
            (Path(folder) / f"{number}.json").write_text(json.dumps(live))
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": folder}

        def run(where: str) -> tuple[float, str]:
            began = perf_counter()
            said = subprocess.run(
                [*command, "-f", where], capture_output=True, text=True, check=True, env=environment
            )
            return perf_counter() - began, said.stdout

        # The shortest of some: what other programs take from one run is no object's cost.
        one, said = min(run(str(Path(folder) / "0.json")) for _ in range(RUNS))
        many = min(run(folder)[0] for _ in range(RUNS))
    other = merge_between(json.loads(said), merge.result, "apps.v1.Deployment")
    figures.count("fields that kubectl makes otherwise of the patch", len(other), 0)
    each = max(many - one, 1e-9) / (OBJECTS - 1)
    print(f"  {'kubectl patch --local, one object a process':<58} {one * 1000:7.3f} ms")
    print(f"  {f'kubectl patch --local, each further of {OBJECTS}':<58} {each * 1000:7.3f} ms")
    figures.ratio("a process of kubectl, for one object, against merge3", one, took)
    figures.least("a further object of one kubectl against merge3", each, took, 1)


if __name__ == "__main__":
    sys.exit(main())
