"""The script of a history: all that will happen, as data. A seed makes it, a shrink cuts it.

Plain JSON, so that a failing history can be printed, kept and played again. Holds no decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.model.plan import JSON

Docs = Mapping[str, JSON]
"""Path → document of the release repo, as JSON; text where a file is meant to be broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that happens from `at` (seconds after the start) on.

    `phase`: not before some unit of a release that is ahead stands in it; "" = at `at`.
    """

    at: int
    do: str
    data: Mapping[str, JSON] = field(default_factory=dict)
    phase: str = ""

    def __str__(self) -> str:
        when = f" when {self.phase}" if self.phase else ""
        told = " ".join(f"{key}={value!r}" for key, value in self.data.items())
        return f"{self.at // 3600}:{self.at // 60 % 60:02}:{self.at % 60:02}{when} {self.do} {told}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A release repo as it begins, and everything that happens to it, its clusters and the bot."""

    seed: int
    start: datetime
    docs: Docs
    acts: tuple[Act, ...]
    lasts: int = 6 * 3600
    """Seconds that the first act lasts at most."""

    def __str__(self) -> str:
        kept = "\n".join(f"  {act}" for act in self.acts)
        return f"seed {self.seed}, from {self.start:%Y-%m-%dT%H:%MZ}\n{kept}"


PHASES = (
    "PENDING",
    "APPLYING",
    "SOAKING",
    "VERIFYING",
    "SUCCEEDED",
    "FAILED",
    "SKIPPED",
    "QUARANTINED",
    "ROLLING_BACK",
    "ROLLED_BACK",
)
"""Phases of a unit in which every fault has to strike."""

AT_PORTS = (
    *("crash-before-commit", "crash-after-commit", "disk-full"),
    *("crash-before-write", "crash-after-write", "answer-lost", "not-delivered"),
    *("conflict", "refused", "late-write"),
    *("look-fails", "stale-look"),
    *("crash-before-post", "crash-after-post", "post-lost", "chat-down"),
    *("crash-before-propose", "crash-after-propose", "propose-lost", "git-down"),
)
"""Faults that wait at a port for the call that they strike."""
RARE = ("crash-before-propose", "crash-after-propose", "propose-lost")
"""Their call is made only when a release goes back: they strike where one does."""

OF_THE_WORLD = (
    *("outage", "clock-forward", "clock-back", "bot-down", "second-process"),
    *("note-twice", "node-joins", "node-leaves", "manual-edit", "pods-sick", "slow-controller"),
    *("rules-changed", "main-broken", "rebuilt"),
)
"""Faults that strike when they happen."""

FAULTS = (*AT_PORTS, *OF_THE_WORLD)
