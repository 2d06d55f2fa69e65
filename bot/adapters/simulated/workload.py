"""A simulated workload: object, revisions and pods, moved from event to event by its controller.

Time is whole seconds, handed in. Never reads a clock, never polls: between two events nothing is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Protocol

from bot.adapters.simulated.faults import Faults
from bot.adapters.simulated.pods import NEVER, Pod, iso, number_of, uid_of
from bot.model.plan import JSON

LAG = 1
"""Seconds until a controller has seen a new spec: before that, its status speaks of the old one."""


class Place(Protocol):
    """What a controller sees of its cluster."""

    nodes: tuple[str, ...]
    faults: Faults

    def next_version(self) -> int: ...

    def load_of(self, node: str) -> int: ...

    def labels_of(self, node: str) -> dict[str, str]: ...

    def crowd(self, kind: str, images: tuple[str, ...]) -> int:
        """How many pods of such images stand with that fault."""
        ...


class Revision:
    """A ReplicaSet or a ControllerRevision: a template with a hash. Only the former counts."""

    __slots__ = (
        "created",
        "hash",
        "images",
        "min_ready",
        "name",
        "number",
        "replicas",
        "rv",
        "shown",
        "shown_as",
        "template",
        "uid",
    )

    def __init__(
        self, hash_: str, template: JSON, name: str, uid: str, created: int, number: int, rv: int,
        replicas: int = 0, min_ready: int = 0,
    ) -> None:  # fmt: skip
        self.hash, self.template, self.name, self.uid = hash_, template, name, uid
        self.created, self.number, self.rv = created, number, rv
        self.replicas, self.min_ready = replicas, min_ready
        containers = template["spec"].get("containers") or ()
        self.images = tuple(str(c.get("image", "")) for c in containers)
        self.shown: JSON = None
        self.shown_as: tuple[int, ...] = ()

    def dump(self) -> list[JSON]:
        return [
            self.hash, self.template, self.name, self.uid, self.created, self.number, self.rv,
            self.replicas, self.min_ready,
        ]  # fmt: skip


class Workload:
    """One workload. `obj` has metadata and spec as written; `seen` is the spec observed."""

    def __init__(self, obj: JSON, place: Place, controller: Controller) -> None:
        self.obj = obj
        self.place = place
        self.controller = controller
        self.seen: JSON = None
        self.hash = ""
        self.observed = 0
        self.lag_at = NEVER
        self.next_at = NEVER
        self.at = 0
        self.pods: dict[str, Pod] = {}
        self.revisions: list[Revision] = []
        self.current: Revision | None = None
        self.made = 0
        self.status: JSON = {}
        self.memory: dict[str, int] = {}
        """Small numbers that a controller keeps: last progress, last desired."""
        self._view: JSON = None

    # -- what the API server does to it

    def written(self, obj: JSON, t: int) -> None:
        """A new version of the object was stored; the controller sees a new spec a moment later."""
        self.obj, self._view = obj, None
        if obj["metadata"]["generation"] != self.observed and self.lag_at == NEVER:
            self.lag_at = t + LAG
        self.next_at = min(self.next_at, self.lag_at)

    def advance(self, t: int) -> None:
        while self.next_at <= t:
            self.sync(self.next_at)

    def sync(self, t: int) -> None:
        """One round of the controller at `t`, then the second of the next event."""
        self.at = t
        if self.lag_at <= t:
            self.lag_at = NEVER
            self._observe(self.obj["spec"])
            self.observed = self.obj["metadata"]["generation"]
        for pod in [p for p in self.pods.values() if p.gone <= t]:
            del self.pods[pod.name]
        if self.seen is not None:
            self.controller.sync(self, t)
            self._forget_revisions()
            self._show(t)
        self.next_at = min(self.lag_at, self.controller.next_after(self, t) if self.seen else NEVER)

    def _observe(self, spec: JSON) -> None:
        self.seen = spec
        self.hash = self.controller.revision_of(self, spec)

    def _show(self, t: int) -> None:
        status = self.controller.status(self, t)
        if status != self.status:
            self.status = status
            version = str(self.place.next_version())
            self.obj = {
                **self.obj,
                "metadata": {**self.obj["metadata"], "resourceVersion": version},
            }
            self._view = None

    def _forget_revisions(self) -> None:
        """The oldest that nothing runs, beyond revisionHistoryLimit."""
        extra = len(self.revisions) - 1 - int(self.seen.get("revisionHistoryLimit", 10))
        if extra > 0:
            used = {p.rev for p in self.pods.values()} | {self.hash}
            idle = [r for r in self.revisions if r.hash not in used and not r.replicas]
            doomed = {r.hash for r in sorted(idle, key=lambda r: r.number)[:extra]}
            self.revisions = [r for r in self.revisions if r.hash not in doomed]

    def view(self) -> JSON:
        """The object as the API shows it."""
        if self._view is None:
            shown = {**self.obj, "status": self.status}
            notes = self.controller.notes(self)
            if notes:
                metadata = self.obj["metadata"]
                joined = {**(metadata.get("annotations") or {}), **notes}
                shown["metadata"] = {**metadata, "annotations": joined}
            self._view = shown
        return self._view

    # -- what controllers do

    @property
    def name(self) -> str:
        return str(self.obj["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.obj["metadata"].get("namespace", ""))

    @property
    def uid(self) -> str:
        return str(self.obj["metadata"]["uid"])

    def revision(self, t: int, *, make: bool = True) -> Revision | None:
        """The revision of the observed template; made, or made the newest, when needed."""
        hash_ = self.hash
        newest = max((r.number for r in self.revisions), default=0)
        found = next((r for r in self.revisions if r.hash == hash_), None)
        if found is None and make:
            name = hash_ if hash_.startswith(f"{self.name}-") else f"{self.name}-{hash_}"
            uid = uid_of(self.uid, hash_)
            version = self.place.next_version()
            template = self.controller.template_of(self.seen)
            found = Revision(hash_, template, name, uid, t, newest + 1, version)
            self.revisions.append(found)
        elif found is not None and make and found.number != newest:
            found.number = newest + 1
        self.current = found
        return found

    def start(self, revision: Revision, node: str, t: int, name: str = "") -> None:
        """A new pod, of a name drawn for it or given; faults of its images strike here."""
        self.made += 1
        uid = uid_of(self.uid, "pod", self.made)
        number = number_of(uid)
        if self.controller.owns_by_revision:
            name = f"{self.name}-{revision.hash}-{_suffix(number)}"
        name = name or f"{self.name}-{_suffix(number)}"
        ready, fault = t + 3 + number % 6, ""
        for strike in self.place.faults.pods:
            if not strike.hits(revision.images):
                continue
            if strike.do == "slow":
                if self.place.crowd("slow", revision.images) < strike.pods:
                    ready, fault = t + strike.takes, fault or "slow"
            elif strike.do == "idle":
                fault = fault or "idle"
            elif self.place.crowd(strike.do, revision.images) < strike.pods:
                ready, fault = NEVER, strike.do
        if not node:
            ready = NEVER
        version = self.place.next_version()
        self.pods[name] = Pod(name, uid, node, revision.hash, t, ready, fault, version)

    def children(self, t: int) -> list[JSON]:
        """Pods and what stands between them and the workload, by owner references."""
        if self.controller.on_nodes:
            return []
        by_hash = {r.hash: r for r in self.revisions}
        shown = [self.controller.show_revision(self, r, t) for r in self.revisions]
        me = _owner(self.obj)
        for pod in self.pods.values():
            if pod.gone <= t:
                continue
            revision = by_hash[pod.rev]
            owner = me
            if self.controller.owns_by_revision:
                owner = _owner_of("apps/v1", "ReplicaSet", revision.name, revision.uid)
            label = self.controller.label
            shown.append(pod.json(t, revision.template, label, self.namespace, owner))
        return shown

    def revision_metadata(self, revision: Revision) -> dict[str, JSON]:
        labels = dict((revision.template.get("metadata") or {}).get("labels") or {})
        labels[self.controller.label] = revision.hash
        return {
            "name": revision.name,
            "namespace": self.namespace,
            "uid": revision.uid,
            "resourceVersion": str(revision.rv + revision.number),
            "creationTimestamp": iso(revision.created),
            "labels": labels,
            "ownerReferences": [_owner(self.obj)],
        }

    # -- how it is kept

    def dump(self) -> JSON:
        return {
            "obj": self.obj,
            "seen": None if self.seen == self.obj["spec"] else self.seen,
            "same": self.seen == self.obj["spec"],
            "observed": self.observed,
            "lag": self.lag_at,
            "next": self.next_at,
            "pods": [p.dump() for p in self.pods.values()],
            "revisions": [r.dump() for r in self.revisions],
            "current": self.current.hash if self.current else "",
            "made": self.made,
            "status": self.status,
            "memory": self.memory,
        }

    def load(self, kept: JSON) -> None:
        seen = self.obj["spec"] if kept["same"] else kept["seen"]
        if seen is not None:
            self._observe(seen)
        self.observed, self.lag_at, self.next_at = kept["observed"], kept["lag"], kept["next"]
        self.pods = {row[0]: Pod(*row) for row in kept["pods"]}
        self.revisions = [Revision(*row) for row in kept["revisions"]]
        self.current = next((r for r in self.revisions if r.hash == kept["current"]), None)
        self.made, self.status, self.memory = kept["made"], kept["status"], kept["memory"]


class Controller(Protocol):
    """The rules of one kind."""

    label: str
    owns_by_revision: bool
    on_nodes: bool

    def template_of(self, spec: JSON) -> JSON: ...

    def revision_of(self, w: Workload, spec: JSON) -> str: ...

    def sync(self, w: Workload, t: int) -> None: ...

    def status(self, w: Workload, t: int) -> JSON: ...

    def next_after(self, w: Workload, t: int) -> int: ...

    def notes(self, w: Workload) -> dict[str, str]: ...

    def show_revision(self, w: Workload, revision: Revision, t: int) -> JSON: ...


def template_hash(template: JSON) -> str:
    """Like the controllers' hash: the same template, the same hash."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def scaled(value: JSON, of: int, *, up: bool) -> int:
    """An IntOrString: the number, or the percentage of `of`."""
    if isinstance(value, str) and value.endswith("%"):
        product = int(value[:-1]) * of
        return -(-product // 100) if up else product // 100
    return int(value or 0)


def without_zeros(status: dict[str, JSON], unsaid: Iterable[str]) -> dict[str, JSON]:
    """A status as its API server shows it: of these counts it leaves out those that are zero."""
    return {name: value for name, value in status.items() if value or name not in unsaid}


def label_selector(w: Workload) -> str:
    """A workload's selector as its status shows it to autoscalers."""
    labels = ((w.seen or {}).get("selector") or {}).get("matchLabels") or {}
    return ",".join(f"{name}={text}" for name, text in sorted(labels.items()))


def condition(kind: str, holds: bool | None, reason: str, since: int) -> JSON:
    status = "Unknown" if holds is None else str(holds)
    return {"type": kind, "status": status, "reason": reason, "lastTransitionTime": iso(since)}


def _suffix(number: int) -> str:
    letters = "bcdfghjklmnpqrstvwxz2456789"
    text = ""
    for _ in range(5):
        number, rest = divmod(number, len(letters))
        text += letters[rest]
    return text


def _owner(obj: JSON) -> JSON:
    metadata = obj["metadata"]
    return _owner_of(obj["apiVersion"], obj["kind"], metadata["name"], metadata["uid"])


def _owner_of(api_version: str, kind: str, name: str, uid: str) -> JSON:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
