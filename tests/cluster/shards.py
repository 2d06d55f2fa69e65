"""An operator in shards in a test cluster: what routes to its versions, each version, a release.

No such mesh is public and kept up. A version here is a Deployment, whose ready pod lets a thread of
the test reconcile what the routing object gives to that version: as real operators do, it writes
only what differs, and under its own user agent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes_fleet import KubernetesFleet
from bot.cluster.drive import Goal, Mode, Progress, drive
from bot.cluster.own_kinds import rows_of
from bot.model.effects import Write
from bot.model.plan import ObjectRef, PlannedObject, UnitPlan
from bot.model.seen import UnitSeen
from bot.ports import Conflict, Connection
from bot.reconciler.looking import look_at
from tests.cluster.api import Api, Object, is_ready
from tests.cluster.control_plane import Cluster
from tests.cluster.definitions import define
from tests.cluster.driven import Driven
from tests.cluster.rounds import Rounds

MESH, TENANTS = "mesh.example.com/v1", "example.com/v1"
OF = "sluice.test/of"
TEAMS = ("a", "b", "c", "d", "e", "f")
EACH = ("main", "side")
"""The tenants of every team."""


def router(namespace: str, version: str) -> Object:
    limits = [{"selector": {"key": "namespace", "operator": "NotIn", "values": []}}]
    return {
        "apiVersion": MESH,
        "kind": "Router",
        "metadata": {"name": "op", "namespace": namespace},
        "spec": {"version": f"op-{version}", "limits": limits},
    }


def shard(namespace: str, version: str) -> Object:
    """The workload of one version; a tag may say that it never gets ready."""
    labels = {"app": "op", "version": f"op-{version}"}
    pod: Object = {
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "op", "image": f"op:{version}"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"op-{version}", "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def row(namespace: str, **changed: Any) -> Object:
    sharded = {
        "namespaces": {"matchLabels": {OF: namespace}},
        "list": ["spec", "limits", 0, "selector", "values"],
        "means": "keptOld",
        "manager": "spec.version",
        "resources": [{"apiVersion": TENANTS, "kind": "Tenant"}],
        "shards": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "matchLabels": {"app": "op"},
            "identity": "metadata.labels.version",
        },
    }
    return {"target": {"apiVersion": MESH, "kind": "Router"}, "shardedOperator": sharded | changed}


class Version:
    """One version of the operator: reconciles its namespaces while a pod of it is ready."""

    def __init__(self, api: Api, namespace: str, name: str) -> None:
        self.api, self.namespace, self.name = api.called(f"{name}/v9 (linux)"), namespace, name
        self.rounds = Rounds(self._sync)

    def _sync(self) -> None:
        pods = self.api.pods(self.namespace, f"version={self.name}")
        if not any(map(is_ready, pods)):
            return
        told = self.api.get("Router", "op", self.namespace, MESH)["spec"]
        kept = told["limits"][0]["selector"]["values"]
        for space in self.api.listed("Namespace", labels=f"{OF}={self.namespace}"):
            name = space["metadata"]["name"]
            if (name in kept) is (told["version"] != self.name):
                self._reconcile(name)

    def _reconcile(self, namespace: str) -> None:
        for one in self.api.listed("Tenant", namespace, TENANTS):
            status = {"seen": one["metadata"]["generation"], "by": self.name}
            if one.get("status") != status:
                path = f"/apis/{TENANTS}/namespaces/{namespace}/tenants"
                path += f"/{one['metadata']['name']}/status"
                body = {"status": status}
                self.api.call("PATCH", path, body, "application/merge-patch+json")


class Shards(Driven):
    """Six teams are served by op-1; op-2 is to have them."""

    def __init__(self, cluster: Cluster, namespace: str, version: str = "2") -> None:
        self.cluster, self.namespace = cluster, namespace
        define(cluster, "Router", MESH)
        define(cluster, "Tenant", TENANTS)
        self.names = [f"{namespace}-{team}" for team in TEAMS]
        for name in self.names:
            self.add_team(name)
        self.old, self.new = router(namespace, "1"), router(namespace, version)
        self.ref = ObjectRef(MESH, "Router", namespace, "op")
        cluster.api.create(shard(namespace, "1"), self.old)
        self.versions = {
            name: Version(cluster.api, namespace, name) for name in ("op-1", f"op-{version}")
        }
        self.fleet = KubernetesFleet(SystemClock(), str(cluster.folder))
        link = {"kubeconfig": {"name": "admin"}}
        self.fleet.connect([Connection(cluster=cluster.name, connection=link)])
        self.until(lambda: self.by() == {"op-1": len(TEAMS)})
        new = shard(namespace, version)
        self.shard = ObjectRef("apps/v1", "Deployment", namespace, f"op-{version}")
        self.objects = ((self.shard, new), (self.ref, self.new))
        self.last = {self.ref.key: self.old, self.shard.key: None}
        self.before = dict(self.last)
        self.applied = frozenset([self.ref.key])
        self.rows = rows_of([row(namespace)])
        self.off = timedelta()
        """How far the bot's clock is ahead of the cluster's."""
        self.sent: list[Write] = []
        self.generation, self.fenced, self.most_new = 1, 0, 0
        self.since = self.now()

    def add_team(self, name: str) -> None:
        meta = {"name": name, "labels": {OF: self.namespace}}
        self.cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        for tenant in EACH:
            about = {"name": tenant, "namespace": name}
            self.cluster.api.create(
                {"apiVersion": TENANTS, "kind": "Tenant", "metadata": about, "spec": {}}
            )

    def close(self) -> None:
        for one in self.versions.values():
            one.rounds.close()
        for space in self.cluster.api.listed("Namespace", labels=f"{OF}={self.namespace}"):
            self.cluster.api.delete("Namespace", space["metadata"]["name"])
        super().close()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off

    # -- what is wanted

    def goal(self, mode: Mode, updated: int = 0, **changed: Any) -> Goal:
        wanted = {
            "objects": self.objects,
            "totals": {self.ref.key: len(TEAMS)},
            "targets": {self.ref.key: updated, self.shard.key: 1},
            "final": updated == len(TEAMS),
            "rows": self.rows,
            "undo_installs": True,
        }
        return super().goal(mode, updated, **wanted | changed)

    def forward(self, updated: int, seconds: float = 40, **changed: Any) -> Progress:
        self.since = self.now()
        return self.run(self.goal(Mode.FORWARD, updated, **changed), seconds)

    def step(self, goal: Goal) -> Progress:
        progress = drive(goal, self.look(), self.now())
        for write in progress.writes:
            self.sent.append(write)
            fence = f"{self.generation}.{len(self.sent)}"
            try:
                self.fleet.write(self.cluster.name, write, fence=fence)
            except Conflict:
                break
        self.most_new = max(self.most_new, len(self.names) - self.by().get("op-1", 0))
        return progress

    def look(self) -> UnitSeen:
        """As the bot looks at any unit: with what the row says is to be seen."""
        plan = UnitPlan(
            unit=f"op@{self.cluster.name}",
            component="op",
            cluster=self.cluster.name,
            stage=0,
            wave=0,
            reason="",
            labels={},
            revision="",
            objects=tuple(PlannedObject(ref, "") for ref, _ in self.objects),
        )
        seen = look_at(self.fleet, plan, self.now(), rows=self.rows)
        assert seen.reachable, seen.error
        return seen

    # -- what is there, seen with other eyes

    def by(self) -> dict[str, int]:
        """Version → namespaces of which it wrote every tenant last."""
        found: dict[str, int] = {}
        for name in self.names:
            tenants = self.cluster.api.listed("Tenant", name, TENANTS)
            who = "+".join(sorted({str((t.get("status") or {}).get("by")) for t in tenants}))
            found[who] = found.get(who, 0) + 1
        return found

    def counts(self) -> dict[str, int]:
        return self.by()

    def kept(self) -> list[str]:
        listed: list[str] = self.live()["spec"]["limits"][0]["selector"]["values"]
        return [name.rpartition("-")[2] for name in listed]

    def replicas(self, version: str) -> int | None:
        one = self.cluster.api.look("Deployment", version, self.namespace, "apps/v1")
        return None if one is None else int(one["spec"]["replicas"])
