"""What every scene of the demo works with: the narrator, the place, the bot, and the proof of
each step.

A step that is not so in the store, the clusters or Git ends the demo: nothing is told that did
not happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.core.messages_text import table
from bot.demo.engine import Engine, VirtualClock
from bot.demo.files import COMPONENT
from bot.demo.place import Place
from bot.demo.teller import Teller
from bot.ports import Answer

RELEASE = "node-agent-2-5-0"
BRANCH = f"pr/{RELEASE}"
YOU = "ana"
"""Whom the person at the terminal plays: an approver and operator."""

Running = Mapping[str, Mapping[str, int]]


class NotSo(Exception):
    """A step of the story did not happen; its text is the step."""


class Over(Exception):
    """The person at the terminal chose an end of the story that comes before the last scene."""


@dataclass(slots=True)
class Play:
    """One showing of the demo."""

    teller: Teller
    place: Place
    engine: Engine
    clock: VirtualClock
    steps: list[str] = field(default_factory=list)
    """What was proved, in order."""
    before: Running = field(default_factory=dict)
    """What the clusters ran when the story began."""
    widest: dict[str, int] = field(default_factory=dict)
    """Cluster → most pods that were seen on the new version."""
    decided: list[str] = field(default_factory=list)
    """What people decided, as the story tells it at its end."""
    stopped_at: datetime | None = None

    def proves(self, step: str, holds: bool) -> None:
        """Go on only if it is so."""
        if not holds:
            raise NotSo(step)
        self.steps.append(step)

    def running(self) -> Running:
        return self.engine.running(COMPONENT)

    def says(self, person: str, command: str, *, code: int = 0) -> Answer:
        """A person types a command; the bot's answer is shown, and has to be of this kind."""
        self.teller.types(person, f"sluice {command}")
        answer = self.engine.says(person, command)
        self.teller.shows(answer.text)
        wanted = "is done" if code == 0 else "is refused"
        self.proves(f"`{command}` by {person} {wanted}", answer.code == code)
        return answer

    def hears(self, *, brief: bool = False) -> None:
        """The thread since the last time. `brief`: without the lines of single batches."""
        for told in self.engine.chat.news():
            if brief and (": batch " in told.text or " soaking until " in told.text):
                continue
            self.teller.posts(told.at, told.text)

    def fleet(self, *columns: tuple[str, Running]) -> None:
        """Pods by version and cluster, side by side, as the clusters themselves tell."""
        rows = [
            ("Cluster", *(name for name, _ in columns)),
            *(
                (cluster, *(versions(running[cluster]) for _, running in columns))
                for cluster in columns[0][1]
            ),
        ]
        self.teller.shows(table(rows))


def versions(counts: Mapping[str, int]) -> str:
    """`2.4.1 ×5, 2.5.0 ×1`."""
    return ", ".join(f"{version} ×{count}" for version, count in counts.items()) or "nothing"


def berlin(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026, as clocks in Berlin show it: one hour before UTC."""
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


def pods_on(running: Running, version: str, clusters: Iterable[str] | None = None) -> int:
    """How many pods run a version, in all clusters or in some."""
    chosen = running if clusters is None else clusters
    return sum(running[cluster].get(version, 0) for cluster in chosen)
