"""One simulated cluster: nodes, objects, and what its API server does with a write.

Moved to a moment, then asked or written. Never reads a clock, never keeps a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.adapters.simulated.api_rules import (
    CONTROLLERS,
    KEPT,
    accepted,
    as_version,
    check_conditions,
    check_fence,
    fenced,
    finalizers_of,
    group_of,
    taken_up,
    written,
)
from bot.adapters.simulated.faults import Faults, faults_of
from bot.adapters.simulated.jobs import JOB, job_json
from bot.adapters.simulated.leaving import remove
from bot.adapters.simulated.nodes import kube_system, node_json, node_labels
from bot.adapters.simulated.patches import patched
from bot.adapters.simulated.pods import Pod, iso, uid_of
from bot.adapters.simulated.row_controller import RowController
from bot.adapters.simulated.sharded_operator import reconcile
from bot.adapters.simulated.workload import Controller, Workload
from bot.cluster.kinds import Sharding
from bot.cluster.own_kinds import row_from
from bot.model.effects import Write
from bot.model.plan import JSON, ObjectRef
from bot.ports import Conflict, Refused

Address = tuple[str, str, str, str]
"""(group, kind, namespace, name): two versions of a group show one object."""


def address_of(ref: ObjectRef) -> Address:
    return (group_of(ref.api_version), ref.kind, ref.namespace, ref.name)


class Cluster:
    """The state of one cluster; `Place` of its workloads' controllers."""

    def __init__(self, name: str, created: int, rebuilds: int = 0) -> None:
        self.name, self.created, self.rebuilds = name, created, rebuilds
        self.nodes: tuple[str, ...] = ()
        self.joined: dict[str, int] = {}
        self.labels: dict[str, dict[str, str]] = {}
        self.faults = Faults()
        self.listed: JSON = []
        self.version = 1
        self.received = 0
        self.kinds: JSON = []
        self.own: dict[tuple[str, str], RowController] = {}
        self.shardings: dict[tuple[str, str], Sharding] = {}
        self.reconciled: dict[str, str] = {}
        self.plain: dict[Address, JSON] = {}
        self.workloads: dict[Address, Workload] = {}

    @property
    def uid(self) -> str:
        return uid_of("kube-system", self.name, self.created, self.rebuilds)

    # -- time and nodes

    def advance(self, t: int) -> None:
        for workload in self.workloads.values():
            if workload.next_at <= t:
                workload.advance(t)
        for address, obj in self.plain.items():
            if address[:2] == JOB:
                # How it ended is not changed by what the cluster is like later.
                self.plain[address] = job_json(obj, self.faults, t)
        if self.shardings:
            reconcile(self.shardings, self.plain, self.workloads.values(), self.reconciled, t)

    def runs_controllers(self, kinds: JSON, t: int) -> bool:
        """Controllers for custom resources, by their rows; whether some are new.

        One whose row has gone stays: no operator leaves a cluster because a file did.
        """
        named = [spec["target"] for spec in kinds]
        kinds = [*kinds, *(spec for spec in self.kinds if spec["target"] not in named)]
        if kinds == self.kinds:
            return False
        self.advance(t)
        self.kinds = kinds
        self._by_rows(kinds)
        for address, controller in self._of_own():
            if (workload := self.workloads.get(address)) is not None:
                workload.controller = controller
                continue
            obj = self.plain.pop(address)
            obj["metadata"].setdefault("generation", 1)
            workload = self.workloads[address] = Workload(obj, self, controller)
            workload.written(obj, t)
        return True

    def _by_rows(self, kinds: JSON) -> None:
        for row in map(row_from, kinds):
            kind = (group_of(row.api_version), row.kind)
            if row.sharding is not None:
                self.shardings[kind] = row.sharding
            else:
                self.own[kind] = RowController(row)

    def _of_own(self) -> list[tuple[Address, RowController]]:
        """Objects of the kinds of `own` that can be worked on, with their controller."""
        there = {**{a: w.obj for a, w in self.workloads.items()}, **self.plain}
        return [
            (address, self.own[address[:2]])
            for address, obj in there.items()
            if address[:2] in self.own and isinstance(obj.get("spec"), dict)
        ]

    def controller(self, address: Address) -> Controller | None:
        return CONTROLLERS.get(address[:2]) or self.own.get(address[:2])

    def resize(self, count: int, listed: JSON, t: int, labels: JSON = None) -> bool:
        """What main says of it now; whether that is new. `labels`: of its nodes, by name."""
        same = (count, listed, labels or {}) == (len(self.nodes), self.listed, self.labels)
        if same and self.joined:
            return False
        self.advance(t)
        self.labels = labels or {}
        self.listed, self.faults = listed, faults_of(listed)
        self.nodes = tuple(f"n-{number}" for number in range(1, count + 1))
        self.joined = {node: self.joined.get(node, t) for node in self.nodes}
        there = {*self.nodes, ""}
        for workload in self.workloads.values():
            for pod in [p for p in workload.pods.values() if p.node not in there]:
                del workload.pods[pod.name]
            workload.sync(t)
        return True

    def next_version(self) -> int:
        self.version += 8  # a pod shows a few versions of itself in between
        return self.version

    def load_of(self, node: str) -> int:
        return sum(p.node == node for w in self.workloads.values() for p in w.pods.values())

    def labels_of(self, node: str) -> dict[str, str]:
        return node_labels(node) | self.labels.get(node, {})

    def crowd(self, kind: str, images: tuple[str, ...]) -> int:
        found = 0
        for workload in self.workloads.values():
            struck = [p for p in workload.pods.values() if p.fault == kind and not p.deleting]
            if struck:
                same = {r.hash for r in workload.revisions if set(r.images) & set(images)}
                found += sum(p.rev in same for p in struck)
        return found

    # -- reading

    def get(self, ref: ObjectRef, t: int) -> JSON | None:
        address = address_of(ref)
        workload = self.workloads.get(address)
        if workload is not None:
            return as_version(workload.view(), ref.api_version)
        if address in self.plain and address[:2] == JOB:
            return job_json(self.plain[address], self.faults, t)
        if address in self.plain:
            return as_version(self.plain[address], ref.api_version)
        if address[0] == "" and ref.kind == "Node" and ref.name in self.joined:
            return self.node(ref.name, t)
        if address == ("", "Namespace", "", "kube-system"):
            return kube_system(self.uid, self.created)
        if ref.kind in ("Pod", "ReplicaSet", "ControllerRevision"):
            for workload in self.workloads.values():
                for child in workload.children(t):
                    told = (
                        child["kind"],
                        child["metadata"]["namespace"],
                        child["metadata"]["name"],
                    )
                    if told == address[1:]:
                        return child
        return None

    def children(self, owner: JSON, t: int) -> tuple[JSON, ...]:
        metadata = owner["metadata"]
        group = group_of(owner["apiVersion"])
        address = (group, owner["kind"], metadata.get("namespace", ""), metadata["name"])
        workload = self.workloads.get(address)
        if workload is None or workload.uid != metadata.get("uid"):
            return ()
        if workload.controller.on_nodes:
            return tuple(self.node(node, t) for node in self.nodes)
        return tuple(workload.children(t))

    def every(self, api_version: str, kind: str, t: int) -> tuple[JSON, ...]:
        """All objects of a kind, those that nobody wrote as well."""
        if (api_version, kind) == ("v1", "Node"):
            return tuple(self.node(name, t) for name in sorted(self.nodes))
        group = (group_of(api_version), kind)
        shown = {a: w.view() for a, w in self.workloads.items()} | self.plain
        if group == ("", "Namespace"):
            shown[("", "Namespace", "", "kube-system")] = kube_system(self.uid, self.created)
        if group in (("", "Pod"), ("apps", "ReplicaSet"), ("apps", "ControllerRevision")):
            children = [c for w in self.workloads.values() for c in w.children(t)]
            found = [c for c in children if c["kind"] == kind]
            return tuple(sorted(found, key=_place))
        found = [as_version(obj, api_version) for a, obj in shown.items() if a[:2] == group]
        return tuple(sorted(found, key=_place))

    def objects(self) -> tuple[JSON, ...]:
        shown = {p: w.view() for p, w in self.workloads.items()} | self.plain
        return tuple(shown[address] for address in sorted(shown))

    def node(self, name: str, t: int) -> JSON:
        """One node as the API shows it."""
        uid = uid_of(self.uid, "node", name, self.joined[name])
        components = [w for w in self.workloads.values() if w.controller.on_nodes]
        return node_json(name, uid, self.joined[name], self.labels_of(name), components, t)

    # -- writing

    def write(self, write: Write, t: int, *, fence: str, manager: str) -> JSON | None:
        if write.ref.kind == "Pod":
            self._delete_pod(write, t)
            return None
        live = self.get(write.ref, t)
        match write.verb:
            case "create":
                return self._create(write, live, t, fence=fence, manager=manager)
            case "patch":
                return self._patch(write, live, t, fence=fence, manager=manager)
            case "delete":
                self._delete(write, live, t, fence=fence)
                return None
            case verb:
                raise Refused(f"{write.ref.short}: unknown verb {verb!r}")

    def judge(self, write: Write, t: int, *, fence: str) -> None:
        """Refuse what a create or a patch would be refused for; store nothing."""
        live = self.get(write.ref, t)
        if write.verb == "create":
            self._created(write, live, fence)
        else:
            self._patched(write, live, fence)

    def _created(self, write: Write, live: JSON | None, fence: str) -> JSON:
        if live is not None:
            raise Conflict(f"{write.ref.short} already exists")
        if not isinstance(write.body, dict):
            raise Refused(f"{write.ref.short}: no object to create")
        return self._accepted(write.ref, fenced(written(write.body), fence), None)

    def _create(self, write: Write, live: JSON | None, t: int, *, fence: str, manager: str) -> JSON:
        obj = self._created(write, live, fence)
        self.version += 8
        uid = uid_of(self.uid, *address_of(write.ref), self.version)
        return self._store(write.ref, obj, {"uid": uid, "creationTimestamp": iso(t)}, 1, t, manager)

    def _patched(self, write: Write, live: JSON | None, fence: str) -> JSON:
        ref = write.ref
        if live is None:
            raise Refused(f"{ref.short} not found")
        metadata = live["metadata"]
        check_conditions(write, metadata)
        check_fence(ref, live, fence)
        stored = self._stored(ref)
        merged = patched(ref, written(stored), write)
        return self._accepted(ref, fenced(merged, fence), stored)

    def _patch(self, write: Write, live: JSON | None, t: int, *, fence: str, manager: str) -> JSON:
        ref, obj = write.ref, self._patched(write, live, fence)
        assert live is not None
        metadata, stored = live["metadata"], self._stored(ref)
        if obj == written(stored):
            return live  # nothing of it is new: no version of its own
        kept = {name: metadata[name] for name in KEPT if name in metadata}
        generation = metadata.get("generation", 1)
        moved = obj.get("spec") != stored.get("spec")
        if address_of(ref)[:2] == ("apps", "Deployment"):
            # Its server counts annotations, too: a fence alone is a new generation.
            moved |= obj["metadata"].get("annotations") != stored["metadata"].get("annotations")
        answer = self._store(ref, obj, kept, generation + moved, t, manager)
        if "deletionTimestamp" in kept and not finalizers_of(obj):
            remove(self, address_of(ref), t)
        return answer

    def _accepted(self, ref: ObjectRef, obj: JSON, before: JSON | None) -> JSON:
        found = accepted(ref, obj, before)
        own = self.own.get(address_of(ref)[:2])
        return own.accepted(ref, found) if own is not None else found

    def _store(
        self, ref: ObjectRef, obj: JSON, kept: JSON, generation: int, t: int, manager: str
    ) -> JSON:
        address = address_of(ref)
        managed = {"manager": manager, "operation": "Update", "apiVersion": ref.api_version}
        obj = {**obj, "metadata": {**obj["metadata"], **kept}}
        obj["metadata"]["resourceVersion"] = str(self.next_version())
        obj["metadata"]["managedFields"] = [managed | {"time": iso(t), "fieldsType": "FieldsV1"}]
        controller = self.controller(address)
        if controller is None:
            self.plain[address] = taken_up(address, obj)
            return self.plain[address]
        obj["metadata"]["generation"] = generation
        workload = self.workloads.get(address)
        if workload is None:
            workload = self.workloads[address] = Workload(obj, self, controller)
        workload.written(obj, t)
        return as_version(workload.view(), ref.api_version)

    def _delete(self, write: Write, live: JSON | None, t: int, *, fence: str) -> None:
        ref, address = write.ref, address_of(write.ref)
        if live is None:
            if write.uid is not None:
                raise Conflict(f"{ref.short} is already gone")
            raise Refused(f"{ref.short} not found")
        check_conditions(write, live["metadata"])
        check_fence(ref, live, fence)
        if address not in self.plain and address not in self.workloads:
            raise Refused(f"{ref.short} may not be deleted")
        doomed: set[Address] = {address}
        if address[:2] == ("", "Namespace"):
            doomed |= {p for p in (*self.plain, *self.workloads) if p[2] == ref.name}
        for gone in doomed:
            remove(self, gone, t)

    def _delete_pod(self, write: Write, t: int) -> None:
        if write.verb != "delete":
            raise Refused(f"{write.ref.short}: pods are made by their controllers")
        workload, pod = self.pod(write.ref.namespace, write.ref.name)
        if pod is None or workload is None or pod.gone <= t:
            raise Conflict(f"{write.ref.short} is already gone")
        if write.uid not in (None, pod.uid):
            raise Conflict(f"{write.ref.short} is another object of this name")
        pod.delete(t)
        workload.sync(t)

    def pod(self, namespace: str, name: str) -> tuple[Workload | None, Pod | None]:
        for workload in self.workloads.values():
            if workload.namespace == namespace and name in workload.pods:
                return workload, workload.pods[name]
        return None, None

    def _stored(self, ref: ObjectRef) -> JSON:
        address = address_of(ref)
        workload = self.workloads.get(address)
        return as_version(workload.obj if workload else self.plain[address], ref.api_version)

    # -- how it is kept

    def dump(self) -> JSON:
        return {
            "created": self.created,
            "rebuilds": self.rebuilds,
            "nodes": len(self.nodes),
            "joined": self.joined,
            "labels": self.labels,
            "faults": self.listed,
            "kinds": self.kinds,
            "reconciled": self.reconciled,
            "version": self.version,
            "received": self.received,
            "plain": [[list(address), obj] for address, obj in self.plain.items()],
            "workloads": [[list(address), w.dump()] for address, w in self.workloads.items()],
        }

    @classmethod
    def load(cls, name: str, kept: JSON) -> Cluster:
        cluster = cls(name, kept["created"], kept["rebuilds"])
        cluster.nodes = tuple(f"n-{number}" for number in range(1, kept["nodes"] + 1))
        cluster.joined, cluster.version = kept["joined"], kept["version"]
        cluster.labels = kept.get("labels", {})
        cluster.listed, cluster.faults = kept["faults"], faults_of(kept["faults"])
        cluster.kinds = kept.get("kinds", [])
        cluster._by_rows(cluster.kinds)
        cluster.reconciled = kept.get("reconciled", {})
        cluster.received = kept["received"]
        cluster.plain = {_address(address): obj for address, obj in kept["plain"]}
        for address, state in kept["workloads"]:
            where = _address(address)
            controller = cluster.controller(where)
            assert controller is not None
            workload = Workload(state["obj"], cluster, controller)
            workload.load(state)
            cluster.workloads[where] = workload
        return cluster


def _place(obj: JSON) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _address(parts: Iterable[Any]) -> Address:
    group, kind, namespace, name = parts
    return (group, kind, namespace, name)
