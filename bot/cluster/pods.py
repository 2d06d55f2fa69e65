"""Reads pods as a cluster shows them: revision, availability, restarts. Never counts or decides."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.cluster.fields import at
from bot.model.plan import JSON


def moment(text: str) -> datetime:
    """A Kubernetes timestamp, aware."""
    return datetime.fromisoformat(text)


RECOVERY = timedelta(minutes=10)
"""A pod that was not ready for so long does not become ready by itself."""

IN_PLACE = timedelta(seconds=60)
"""How long an update in place may take to end the old container: a later end is a crash."""

_IN_PLACE = "apps.kruise.io/inplace-update-state"

_BROKEN = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod. `reason`: the first word of why it is not ready, as the kubelet says it."""

    name: str
    uid: str
    node: str
    revision: str
    images: tuple[str, ...]
    image_ids: tuple[str, ...]
    created: str
    ready: bool
    ready_since: str
    deleting: bool
    restarts: int
    restarted: str
    """When a container of it ended last, other than by an update in place; "" when none did."""
    replaced: int
    """Restarts that were updates in place, as far as anybody can still see."""
    reason: str
    raw: JSON
    proof: Mapping[str, JSON] = field(default_factory=dict)
    """What else a certificate keeps of it."""

    def available(self, now: datetime, min_ready: int) -> bool:
        """Ready for `minReadySeconds`, and not on its way out."""
        if not self.ready or self.deleting:
            return False
        if min_ready <= 0 or not self.ready_since:
            return True
        return now - moment(self.ready_since) >= timedelta(seconds=min_ready)

    def may_come_back(self, now: datetime) -> bool:
        """Not available, but not for long and not crashing: it is worth waiting for."""
        if self.restarts > self.replaced or self.reason in _BROKEN:
            return False
        return now - moment(self.ready_since or self.created) < RECOVERY

    def restarted_since(self, since: datetime) -> bool:
        """Whether a container ended at or after `since`."""
        if self.restarts <= self.replaced:
            return False
        # Kubernetes writes whole seconds: what ended in the second of `since` ended since.
        floor = since.replace(microsecond=0)
        return moment(self.restarted or self.created) >= floor

    @property
    def digests(self) -> tuple[str, ...]:
        """`sha256:…` of what its containers really run, as its node says; "" where it does not."""
        found = (text.rpartition("@")[2] for text in self.image_ids)
        return tuple(text if text.startswith("sha256:") else "" for text in found)

    def runs_digests(self) -> bool:
        """Images named by digest really run by that digest.

        A runtime that tells only its own id of the image (no `@`) does not tell by which digest it
        was pulled: that is no proof of another image.
        """
        for image, image_id in zip(self.images, self.image_ids, strict=False):
            _, by_digest, digest = image.partition("@")
            if by_digest and "@" in image_id and not image_id.endswith(digest):
                return False
        return True

    def evidence(self) -> JSON:
        """What a certificate keeps of it."""
        return {
            "name": self.name,
            "node": self.node,
            "revision": self.revision,
            "images": list(self.images),
            "digests": list(self.digests),
            "ready": self.ready,
            "restarts": self.restarts,
            **self.proof,
        }


def pods_of(children: Iterable[JSON], label: str) -> tuple[Pod, ...]:
    """The pods among a workload's children, by name."""
    pods = [_pod(c, label) for c in children if c.get("kind") == "Pod"]
    return tuple(sorted(pods, key=lambda p: p.name))


def _by_update(metadata: JSON, ended: str) -> bool:
    """Whether a container ended because OpenKruise gave it the new image in its old pod."""
    try:
        state = json.loads((metadata.get("annotations") or {}).get(_IN_PLACE, "{}"))
        updated = moment(state["updateTimestamp"])
    except (ValueError, KeyError, TypeError):
        return False
    return updated.replace(microsecond=0) <= moment(ended) <= updated + IN_PLACE


def ready_condition(raw: JSON) -> dict[str, JSON]:
    """The condition Ready of a pod or node; {} when there is none."""
    conditions = at(raw, ("status", "conditions")) or ()
    return next((c for c in conditions if c.get("type") == "Ready"), {})


def _pod(raw: JSON, label: str) -> Pod:
    metadata, status = raw["metadata"], raw.get("status") or {}
    ready = ready_condition(raw)
    containers = status.get("containerStatuses") or ()
    ended = [at(c, ("lastState", "terminated", "finishedAt"), "") for c in containers]
    ended += [at(c, ("state", "terminated", "finishedAt"), "") for c in containers]
    ended = [when for when in ended if when]
    by_itself = [when for when in ended if not _by_update(metadata, when)]
    return Pod(
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        node=at(raw, ("spec", "nodeName"), ""),
        revision=(metadata.get("labels") or {}).get(label, ""),
        images=tuple(c.get("image", "") for c in at(raw, ("spec", "containers"), ())),
        image_ids=tuple(c.get("imageID", "") for c in containers),
        created=metadata.get("creationTimestamp", ""),
        ready=ready.get("status") == "True",
        ready_since=ready.get("lastTransitionTime", ""),
        deleting="deletionTimestamp" in metadata,
        restarts=sum(c.get("restartCount", 0) for c in containers),
        restarted=max(by_itself, default=""),
        replaced=len(ended) - len(by_itself),
        reason=_reason(ready, containers, status),
        raw=raw,
    )


def _reason(ready: JSON, containers: Iterable[JSON], status: JSON) -> str:
    if ready.get("status") == "True":
        return ""
    for container in containers:
        for state in ("waiting", "terminated"):
            reason = at(container, ("state", state, "reason"), "")
            if reason:
                return str(reason)
    return str(status.get("reason") or ready.get("reason") or status.get("phase") or "NoStatus")
