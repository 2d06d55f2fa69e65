"""What a tick is given, and what it tells of itself. Data only."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime

from bot.ports import Chat, Clock, Fleet, GitHost, Renderer, Store
from bot.reconciler.lanes import Lanes


@dataclass(slots=True)
class Ports:
    """Everything outside that a tick uses."""

    git: GitHost
    chat: Chat
    fleet: Fleet
    store: Store
    clock: Clock
    renderer: Renderer
    pool: Executor | None = None
    """For calls to clusters; without one they are made one after the other."""
    lanes: Lanes = field(init=False)

    def __post_init__(self) -> None:
        self.lanes = Lanes(self.pool)


@dataclass(slots=True)
class Ticked:
    """What a tick did, for logs and metrics."""

    at: datetime
    notes: int = 0
    released: int = 0
    looks: int = 0
    writes: int = 0
    problems: list[str] = field(default_factory=list)
