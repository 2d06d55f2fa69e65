"""The faults that a simulated cluster shows, as its connection lists them. Never applies them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.model.plan import JSON

ALL = 1_000_000_000
"""So many pods that it is all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFault:
    """What happens to new pods of an image: crash | never | slow | idle."""

    do: str
    image: str
    pods: int
    takes: int
    """slow: seconds until a pod is ready."""

    def hits(self, images: Iterable[str]) -> bool:
        """Whether one of a pod's images is meant; a fault without an image means every pod."""
        return not self.image or any(
            image == self.image or image.startswith(f"{self.image}@") for image in images
        )


@dataclass(frozen=True, slots=True)
class Outage:
    """From when to when (seconds, half open) the cluster cannot be asked."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Faults:
    pods: tuple[PodFault, ...] = ()
    outages: tuple[Outage, ...] = ()
    lose_every: int = 0

    def unreachable(self, now: float) -> bool:
        return any(o.start <= now < o.end for o in self.outages)

    def loses(self, count: int) -> bool:
        """Whether the answer of the count-th write is lost."""
        return self.lose_every > 0 and count % self.lose_every == 0


_POD_FAULTS = {"crashLoop": "crash", "neverReady": "never", "slow": "slow", "idle": "idle"}


def faults_of(listed: Iterable[JSON]) -> Faults:
    """The faults of a connection, in the file's own field names."""
    pods: list[PodFault] = []
    outages: list[Outage] = []
    lose_every = 0
    for fault in listed:
        do = fault.get("do")
        if do in _POD_FAULTS:
            pods.append(
                PodFault(
                    do=_POD_FAULTS[do],
                    image=fault.get("image") or "",
                    pods=ALL if fault.get("pods") is None else int(fault["pods"]),
                    takes=_seconds(fault.get("takes", fault.get("seconds")), 120),
                )
            )
        elif do == "unreachable":
            start, end = _moment(fault.get("from")), _moment(fault.get("to"))
            outages.append(Outage(start or 0.0, end if end is not None else float("inf")))
        elif do == "loseAnswers":
            lose_every = int(fault.get("every") or 1)
    return Faults(tuple(pods), tuple(outages), lose_every)


def _seconds(value: JSON, default: int) -> int:
    if value is None:
        return default
    if isinstance(value, str):
        unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(value[-1:], 0)
        return int(value[:-1]) * unit if unit else int(value)
    return int(value)


def _moment(value: JSON) -> float | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.timestamp()
    return datetime.fromisoformat(str(value)).timestamp()
