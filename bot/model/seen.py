"""What a cluster showed when it was asked: raw objects as its API gives them. Never interpreted
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.model.plan import JSON, ObjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSeen:
    """One object, None when it is not there, with what it owns (pods, ReplicaSets,
    ControllerRevisions).
    """

    ref: ObjectRef
    live: JSON | None
    children: tuple[JSON, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSeen:
    """A unit as seen at one moment. Not reachable: everything else is unknown, `error` says why."""

    unit: str
    at: datetime
    reachable: bool = True
    error: str = ""
    uid: str = ""
    """UID of the cluster's kube-system namespace."""
    objects: Mapping[str, ObjectSeen] = field(default_factory=dict)
    """Object key → what was seen."""
    nodes: Mapping[str, Mapping[str, str]] | None = None
    """Node → its labels; None where the unit does not choose among them."""
    taints: Mapping[str, tuple[JSON, ...]] = field(default_factory=dict)
    """Node → its taints, of those that have any."""
