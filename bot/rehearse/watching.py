"""What is seen and heard while a rehearsal runs: the chat, the cards at the end of a stage, and how
far the new version has come.

Keeps what would be said; nobody reads it there and nothing leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.core.board import Active
from bot.core.exposure import Exposure, Reached, curve, exposing, tier_0
from bot.core.messages import as_text
from bot.model.message import Message, Post
from bot.model.state import UnitPhase, UnitState
from bot.rehearse.told import Line


class HeardChat:
    """A chat that keeps what it is told. Cards are kept as they are now."""

    def __init__(self) -> None:
        self.cards: dict[str, Message] = {}
        self._news: list[tuple[datetime, bool, Line]] = []

    def put(self, post: Post) -> None:
        if post.thread is not None:
            text = as_text(post.message)
            line = Line(at=post.at, kind="thread", text=text, release=post.release)
            self._news.append((post.at, post.urgent, line))
        elif post.release:
            self.cards[post.release] = post.message

    def news(self) -> list[Line]:
        """What was said in threads since this was asked last, in the order in which it came to be:
        what is urgent leaves first, and reads better after what it follows from.
        """
        told, self._news = sorted(self._news, key=lambda one: one[:2]), []
        return [line for _, _, line in told]


class Watched:
    """One release while it is rehearsed: which stages are complete, and the steps of its curve."""

    def __init__(self, active: Active, counts: Mapping[str, tuple[int, ...] | None]) -> None:
        self.active = active
        self._counts = counts
        self._seen: dict[str, UnitState] = {}
        self._steps: list[Reached] = []
        self._on: dict[str, tuple[int, bool]] = {}
        self._complete = 0

    def look(self, at: datetime) -> bool:
        """Take in what has changed; whether a stage has come to its end since."""
        minute = at.replace(second=0)
        changed = False
        for name, state in self.active.units.items():
            if self._seen.get(name) is not state:
                self._seen[name] = state
                changed = True
                reached = self._reached(name, state)
                if reached != self._on.get(name, (0, False)):
                    self._on[name] = reached
                    self._steps.append(Reached(minute, name, *reached))
        if not changed:
            return False
        stages = self.active.index.plan.stages
        complete = sum(
            all(self.active.units[name].phase.ended for wave in stage.waves for name in wave)
            for stage in stages
        )
        before, self._complete = self._complete, complete
        return complete > before

    def exposure(self) -> Exposure:
        """The curve of what really happened in the rehearsal."""
        plan = self.active.index.plan
        units = exposing(plan)
        sizes = {unit.unit: (self._size(unit.unit),) for unit in units}
        steps = [one for one in self._steps if one.unit in sizes]
        return curve(units, steps, sizes, tier_0(plan))

    def _reached(self, name: str, state: UnitState) -> tuple[int, bool]:
        """(nodes on the new version, whether anything is)."""
        match state.phase:
            case UnitPhase.ROLLED_BACK:
                return 0, False
            case UnitPhase.SUCCEEDED:
                return self._size(name), True
            case UnitPhase.ROLLING_BACK:
                left = max(0, state.total - state.updated)
                return min(left, self._on.get(name, (0, False))[0]), True
            case _:
                return state.updated, state.began is not None

    def _size(self, name: str) -> int:
        total = self.active.units[name].total
        counts = self._counts.get(name)
        return total or (counts[-1] if counts else 0)
