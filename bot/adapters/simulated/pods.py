"""One simulated pod: its whole life is a function of time, so that nothing has to tick.

Renders itself as the API would show it. Never knows which workload decided about it.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from uuid import NAMESPACE_DNS, UUID, uuid5

from bot.model.plan import JSON

NEVER = 1 << 60
"""A second that does not come."""

CRASHES_AFTER = 2
UP_AGAIN = 2
"""Seconds until a pod that fell over is ready again."""

_BACKOFF = (10, 20, 40, 80, 160, 300)


@lru_cache(maxsize=4096)
def iso(second: int) -> str:
    """A timestamp as Kubernetes writes it: UTC, whole seconds."""
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}"


def uid_of(*parts: object) -> str:
    """A UID that is the same whenever the same things happened."""
    return str(_uuid("/".join(map(str, parts))))


def _uuid(text: str) -> UUID:
    return uuid5(NAMESPACE_DNS, text)


def number_of(text: str) -> int:
    """A number drawn from a text, always the same."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


def digest_of(image: str) -> str:
    """The digest that an image runs by."""
    _, by_digest, digest = image.partition("@")
    return digest if by_digest else "sha256:" + hashlib.sha256(image.encode()).hexdigest()


class Pod:
    """A pod of one revision. `ready`: the second it becomes ready; `fault`: crash | never | "";
    `falls`, `fell`: how often it fell over and came up again, and when the last time.
    """

    __slots__ = (
        "broken",
        "created",
        "deleted",
        "falls",
        "fault",
        "fell",
        "gone",
        "name",
        "node",
        "ready",
        "rev",
        "rv",
        "shown",
        "shown_as",
        "uid",
    )

    def __init__(
        self,
        name: str,
        uid: str,
        node: str,
        rev: str,
        created: int,
        ready: int,
        fault: str,
        rv: int,
        deleted: int = NEVER,
        gone: int = NEVER,
        broken: int = NEVER,
        falls: int = 0,
        fell: int = 0,
    ) -> None:
        self.name, self.uid, self.node, self.rev = name, uid, node, rev
        self.created, self.ready, self.fault, self.rv = created, ready, fault, rv
        self.deleted, self.gone, self.broken = deleted, gone, broken
        self.falls, self.fell = falls, fell
        self.shown: JSON = None
        self.shown_as: tuple[int, ...] = ()

    def dump(self) -> list[JSON]:
        return [
            self.name, self.uid, self.node, self.rev, self.created, self.ready,
            self.fault, self.rv, self.deleted, self.gone, self.broken, self.falls, self.fell,
        ]  # fmt: skip

    @property
    def deleting(self) -> bool:
        return self.deleted != NEVER

    def is_ready(self, t: int) -> bool:
        return self.ready <= t < self.broken

    def is_available(self, t: int, min_ready: int) -> bool:
        return self.ready + min_ready <= t < self.broken and self.deleted == NEVER

    def next_after(self, t: int, min_ready: int) -> int:
        """The next second at which its controller could see a difference."""
        soonest = NEVER
        for event in (self.ready, self.ready + min_ready, self.broken, self.gone):
            if t < event < soonest:
                soonest = event
        return soonest

    def delete(self, t: int) -> None:
        if self.deleted == NEVER:
            self.deleted = t
            self.gone = t + 1 + number_of(self.uid) % 3

    def fall(self, t: int) -> None:
        """A container of it ends; the kubelet starts it again, and soon it is ready."""
        self.falls, self.fell = self.falls + 1, t
        self.ready, self.broken = t + UP_AGAIN, NEVER

    def restarts(self, t: int) -> tuple[int, int]:
        """How often it has restarted, and when a container of it ended last."""
        if self.fault != "crash" or t < self.created + CRASHES_AFTER:
            return self.falls, self.fell
        count, ended = 1, self.created + CRASHES_AFTER
        while True:
            again = ended + _BACKOFF[min(count - 1, len(_BACKOFF) - 1)]
            if again > t:
                return count, ended
            count, ended = count + 1, again

    def json(self, t: int, template: JSON, label: str, namespace: str, owner: JSON) -> JSON:
        """As the API shows it at `t`; the same object until something about it differs."""
        ready = self.is_ready(t)
        restarts, ended = self.restarts(t)
        started = t > self.created
        state = (int(ready), int(started), restarts, int(self.deleting), int(self.broken <= t))
        if self.shown is None or self.shown_as != state:
            self.shown_as = state
            self.shown = self._render(
                template, label, namespace, owner, ready, started, restarts, ended
            )
        return self.shown

    def _render(
        self, template: JSON, label: str, namespace: str, owner: JSON,
        ready: bool, started: bool, restarts: int, ended: int,
    ) -> JSON:  # fmt: skip
        labels = dict((template.get("metadata") or {}).get("labels") or {})
        labels[label] = self.rev
        metadata: dict[str, JSON] = {
            "name": self.name,
            "namespace": namespace,
            "uid": self.uid,
            "resourceVersion": str(self.rv + sum(self.shown_as)),
            "creationTimestamp": iso(self.created),
            "labels": labels,
            "ownerReferences": [owner],
        }
        if self.deleting:
            metadata["deletionTimestamp"] = iso(self.deleted)
        since = self.fell or self.created
        if self.ready != NEVER and (ready or self.broken != NEVER):
            since = self.ready if ready else self.broken
        running = started and self.node != ""
        condition = {
            "type": "Ready",
            "status": "True" if ready else "False",
            "lastTransitionTime": iso(since),
        }
        if not ready:
            condition["reason"] = "ContainersNotReady"
        containers = template["spec"].get("containers") or ()
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {**template["spec"], "nodeName": self.node},
            "status": {
                "phase": "Running" if running else "Pending",
                "startTime": iso(self.created),
                "conditions": [condition],
                "containerStatuses": [
                    _container(c, ready, running, restarts, ended, self.created) for c in containers
                ],
            },
        }


def _container(
    container: JSON, ready: bool, running: bool, restarts: int, ended: int, created: int
) -> JSON:
    image = container.get("image", "")
    runs = f"{image.partition('@')[0].partition(':')[0]}@{digest_of(image)}"
    status: dict[str, JSON] = {
        "name": container.get("name", ""),
        "image": image,
        "imageID": runs if running else "",
        "ready": ready,
        "restartCount": restarts,
    }
    if restarts:
        status["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
        if ready:
            status["state"] = {"running": {"startedAt": iso(ended)}}
        status["lastState"] = {
            "terminated": {"exitCode": 1, "reason": "Error", "finishedAt": iso(ended)}
        }
    elif running:
        status["state"] = {"running": {"startedAt": iso(created)}}
    else:
        status["state"] = {"waiting": {"reason": "ContainerCreating"}}
    return status
