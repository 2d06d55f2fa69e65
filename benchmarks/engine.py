"""A bot on simulated clusters and a clock of its own, for the figures of the engine."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import yaml

from bot.adapters.git import LocalGitHost
from bot.adapters.sandbox import SandboxRenderer
from bot.adapters.simulated import SimulatedFleet
from bot.adapters.sqlite import SqliteStore
from bot.model.message import Post
from bot.model.state import ReleaseState
from bot.reconciler.tick import Ports, Reconciler

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
COUNTED = {"uid", "get", "children", "write"}


class VirtualClock:
    """Moves only when it is told to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class SilentChat:
    """Takes every post and counts them."""

    def __init__(self) -> None:
        self.posts = 0

    def put(self, post: Post) -> None:
        self.posts += 1


class CountedFleet:
    """A fleet that counts its calls."""

    def __init__(self, fleet: SimulatedFleet) -> None:
        self.fleet = fleet
        self.calls = dict.fromkeys(COUNTED, 0)
        self.first: float | None = None
        """When the first of them came, by the clock that measures."""

    def __getattr__(self, name: str) -> Any:
        if name in COUNTED:
            self.calls[name] += 1
            self.first = self.first or perf_counter()
        return getattr(self.fleet, name)

    @property
    def total(self) -> int:
        return sum(self.calls.values())


@dataclass
class Engine:
    """Everything that a bot needs, in one folder; the store is a real file."""

    folder: Path
    clock: VirtualClock
    chat: SilentChat
    fleet: CountedFleet
    store: SqliteStore
    git: LocalGitHost
    renderer: SandboxRenderer
    bot: Reconciler

    @classmethod
    def open(cls, folder: Path, *, at: datetime = START, fleet_file: bool = False) -> Engine:
        """`fleet_file`: the clusters are kept, so that who opens again finds them as they were."""
        clock, chat = VirtualClock(at), SilentChat()
        kept = str(folder / "fleet.db") if fleet_file else None
        fleet = CountedFleet(SimulatedFleet(clock, kept))
        store, git = SqliteStore(folder / "store.db"), LocalGitHost(str(folder / "repo"))
        renderer = SandboxRenderer()
        ports = Ports(git=git, chat=chat, fleet=fleet, store=store, clock=clock, renderer=renderer)
        return cls(folder, clock, chat, fleet, store, git, renderer, Reconciler(ports))

    def phase(self, release: str) -> str:
        state = self.store.get(ReleaseState, release)
        return str(state.phase) if state else ""

    def step(self) -> None:
        """One tick, then on to what is due next."""
        self.bot.tick()
        due = self.bot.next_due()
        self.clock.at = max(due or self.clock.at, self.clock.at + timedelta(seconds=1))

    def close(self) -> None:
        self.renderer.close()
        self.git.close()
        self.store.close()
        self.fleet.fleet.close()


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    quiet = ["-c", "gc.auto=0", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *quiet, *words], check=True)


def commit(folder: Path, files: Mapping[str, str], message: str, branch: str = "main") -> None:
    """Write files and commit them to a branch that begins at main."""
    if branch != "main":
        git(folder, "checkout", "-q", "-B", branch, "main")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


def doc(kind: str, name: str, spec: Any, **labels: str) -> str:
    """One document of a release repo."""
    body = {
        "apiVersion": "sluice/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }
    return yaml.safe_dump(body, sort_keys=False)


TEMPLATE = """\
apiVersion: apps.kruise.io/v1alpha1
kind: DaemonSet
metadata: {name: NAME, namespace: infra}
spec:
  selector: {matchLabels: {app: NAME}}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: agent, image: "registry.local/NAME:{{ version }}"}]}
"""


def objects(component: str, version: str) -> list[Any]:
    """What runs before a release."""
    text = TEMPLATE.replace("NAME", component).replace("{{ version }}", version)
    return list(yaml.safe_load_all(text))


def base(clusters: int, components: int, **component: Any) -> dict[str, str]:
    """A repo of one group: every component on every cluster, by one pipeline."""
    files = {
        "fleet/groups/all.yaml": doc("ClusterGroup", "all", {}),
        "pipelines/standard.yaml": doc(
            "Pipeline", "standard", {"stages": [{"name": "everywhere", "units": {}}]}
        ),
        "calendar/windows.yaml": doc("Window", "always", {"zone": "UTC"}),
        "policy/policy.yaml": doc("Policy", "policy", {"windows": {"attended": "0s"}}),
        "people.yaml": doc(
            "People",
            "people",
            {
                "members": [{"name": "ana", "emails": ["ana@example.com"]}],
                "teams": [{"name": "network", "members": ["ana"]}],
                "roles": {"operator": ["ana"], "approver": ["ana"], "admin": ["ana"]},
            },
        ),
    }
    connection = {"simulated": {"nodes": 4}}
    for number in range(clusters):
        name = f"c-{number}"
        spec = {"group": "all", "connection": connection}
        files[f"fleet/clusters/{name}.yaml"] = doc("Cluster", name, spec)
    for number in range(components):
        name = f"agent-{number}"
        own = {"owners": ["network"], "render": {"jinja": "templates/"}, **component}
        files[f"components/{name}/component.yaml"] = doc("Component", name, own)
        files[f"components/{name}/templates/ds.yaml"] = TEMPLATE.replace("NAME", name)
    return files


def release(component: str, version: str, **spec: Any) -> dict[str, str]:
    """A Release file."""
    name = f"{component}-{version.replace('.', '-')}"
    body = {
        "components": [{"name": component, "version": version}],
        "pipeline": "standard",
        "reason": "A figure",
        **spec,
    }
    return {f"releases/2026/{name}.yaml": doc("Release", name, body)}
