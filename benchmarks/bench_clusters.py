"""A release over 1,000 clusters behind HTTP, and the same by a loop over kubectl.

Each cluster is an API server's answers over a connection of its own, in another process; the bot
is the whole bot, with the adapter for real clusters. Calls and connections are counted where they
arrive. With `SLUICE_CLUSTER_TOOLS`, or kubectl on the PATH, the loop over kubectl runs too.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import yaml

from benchmarks.engine import TEMPLATE, commit, git, release
from benchmarks.figures import Clock, Figures, timed
from benchmarks.http_engine import CONFIG, HttpEngine, kubeconfigs, repo
from benchmarks.http_fleet import FleetProcess

CLUSTERS, WAVES = 1_000, 10
PARTS, BATCHES, NODES = 200, 10, 10
SAMPLE = 50
NAME = "agent-0-2-0-0"


def main(clusters: int = CLUSTERS, parts: int = PARTS) -> int:
    """Run both rollouts, print; 1 when a count is wrong."""
    figures = Figures()
    print(f" {clusters} clusters, each written once, in {WAVES} waves")
    _once(figures, clusters)
    print(f" {parts} clusters of {NODES} nodes, {BATCHES} batches in each")
    _batches(figures, parts)
    return figures.end()


def _merge(folder: Path, engine: HttpEngine) -> None:
    """The release is proposed, seen, and merged."""
    where = folder / "repo"
    commit(where, release("agent-0", "2.0.0"), "Release 2.0.0", f"pr/{NAME}")
    git(where, "checkout", "-q", "main")
    engine.bot.tick()
    git(where, "merge", "-q", "--no-ff", f"pr/{NAME}")
    git(where, "branch", "-q", "-D", f"pr/{NAME}")


def _objects(template: str) -> list[Any]:
    text = template.replace("NAME", "agent-0").replace("{{ version }}", "1.0.0")
    return list(yaml.safe_load_all(text))


def _host(servers: FleetProcess, template: str, clusters: int, nodes: int) -> None:
    names = [f"c-{number}" for number in range(clusters)]
    # Pods are ready at once: what is counted is what a batch costs, not how long pods take.
    simulated = {"nodes": nodes, "faults": [{"do": "slow", "takes": "1s"}]}
    servers.ask("host", clusters=names, simulated=simulated, objects=_objects(template))


def _once(figures: Figures, clusters: int) -> None:
    size = -(-clusters // WAVES)
    waves = [f"{100 * (number + 1) // WAVES}%" for number in range(WAVES)]
    stage = {"name": "all", "units": {}, "maxConcurrency": size, "waves": waves}
    with tempfile.TemporaryDirectory() as folder, FleetProcess() as servers:
        where = Path(folder)
        repo(where, clusters, [stage], CONFIG, soak="0s", batchTakes="1m")
        kubeconfigs(where, servers, clusters)
        _host(servers, CONFIG, clusters, 1)
        engine = HttpEngine.open(where, servers)
        _merge(where, engine)
        before = _calls(servers)
        with timed() as clock:
            engine.run(NAME)
        calls = _since(before, _calls(servers))
        told = servers.ask("counts")
        assert engine.phase(NAME) == "SUCCEEDED", engine.phase(NAME)
        figures.count("patches", calls.get("patch", 0), clusters)
        figures.count("reads: who it is, before, after", calls.get("get", 0), 3 * clusters)
        figures.count("questions before the first write", calls.get("dry", 0), clusters)
        figures.count("connections ever made", told["made"], clusters)
        figures.seconds(f"{clusters} clusters, each written once", clock, 10)
        total = sum(calls.values())
        figures.most("ms of work a call, the bot's own included", 1000 * clock.cpu / total, 1.2)
        print(f"  calls {calls}")
        _memory(figures, clusters)
        engine.close()
        _beside_kubectl(figures, where, clock, clusters)


def _batches(figures: Figures, clusters: int) -> None:
    stage = {"name": "all", "units": {}, "maxConcurrency": clusters, "waves": ["100%"]}
    sizes = [f"{100 * (number + 1) // BATCHES}%" for number in range(BATCHES)]
    with tempfile.TemporaryDirectory() as folder, FleetProcess() as servers:
        where = Path(folder)
        quick = {"batches": sizes, "batchSoak": "0s", "soak": "0s", "batchTakes": "1m"}
        repo(where, clusters, [stage], TEMPLATE, **quick)
        kubeconfigs(where, servers, clusters)
        _host(servers, TEMPLATE, clusters, NODES)
        engine = HttpEngine.open(where, servers)
        _merge(where, engine)
        before = _calls(servers)
        with timed() as clock:
            engine.run(NAME)
        calls = _since(before, _calls(servers))
        told = servers.ask("counts")
        assert engine.phase(NAME) == "SUCCEEDED", engine.phase(NAME)
        batches = clusters * BATCHES
        total = sum(calls.values())
        figures.count("patches: one a batch", calls.get("patch", 0), batches)
        figures.most("connections a cluster", told["made"] / clusters, 4)
        # Once a unit: who the cluster is, the look before (object, pods, revisions), the question
        # before the first write, and the new revision; then a batch is a patch, the object, and
        # its pods by their selector.
        once = 6 * clusters
        figures.count("calls: 3 a batch and 6 a unit", total, 3 * batches + once)
        figures.most("calls a batch, beside those once a unit", (total - once) / batches, 3)
        figures.most("ms of work a call, the bot's own included", 1000 * clock.cpu / total, 1.2)
        figures.seconds(f"{clusters} clusters x {BATCHES} batches", clock, 60)
        print(f"  {engine.ticks} ticks; calls {calls}")
        engine.close()


def _calls(servers: FleetProcess) -> dict[str, int]:
    return dict(servers.ask("counts")["calls"])


def _since(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {verb: count - before.get(verb, 0) for verb, count in after.items()}


def _memory(figures: Figures, clusters: int) -> None:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures.most(f"MB at the most, with {clusters} clients", most, 600)


def _beside_kubectl(figures: Figures, where: Path, ours: Clock, clusters: int) -> None:
    """get + patch + get by kubectl, one cluster after the other, as a script would do it."""
    kubectl = _kubectl()
    if kubectl is None:
        print("  no kubectl: neither SLUICE_CLUSTER_TOOLS nor the PATH has one")
        return
    sample = min(SAMPLE, clusters)
    one = [str(kubectl), "--cache-dir", str(where / "cache"), "-n", "infra"]
    patch = ["patch", "configmap", "agent-0", "--type=merge", "-p"]
    with timed() as clock:
        for number in range(sample):
            named = [*one, "--kubeconfig", str(where / "kube" / f"c-{number}.yaml")]
            body = f'{{"data":{{"version":"3.0.{number}"}}}}'
            for words in (["get", "configmap", "agent-0"], [*patch, body]):
                _run([*named, *words])
            _run([*named, "get", "configmap", "agent-0", "-o", "json"])
    each, own = clock.wall / sample, ours.wall / clusters
    print(f"  kubectl: {1000 * each:.0f} ms a cluster; sluice {1000 * own:.1f} ms")
    figures.least("kubectl's time of sluice's, a cluster", each, own, 12)


def _kubectl() -> Path | None:
    tools = os.environ.get("SLUICE_CLUSTER_TOOLS", "")
    built = Path(tools, "bin", "kubectl")
    if tools and built.exists():
        return built
    found = shutil.which("kubectl")
    return Path(found) if found else None


def _run(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words[-5:])}: {done.stderr}"


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
