"""The bot of the demo: the same engine, store and clusters as under `sluice run`, on a virtual
clock.

Wires and reads; holds no rule of its own. Time moves only where the story moves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.adapters.git import LocalGitHost
from bot.adapters.sandbox import SandboxRenderer
from bot.adapters.simulated import SimulatedFleet
from bot.adapters.sqlite import SqliteStore
from bot.core.messages import as_text, why_text
from bot.core.plan_shown import PullPlan
from bot.model.gate import ReleaseView
from bot.model.message import Post
from bot.model.state import Intent, Pull, ReleaseState, UnitState
from bot.ports import Answer
from bot.reconciler.known import known
from bot.reconciler.tick import Ports, Reconciler
from bot.reconciler.views import view_of

SECOND = timedelta(seconds=1)
LONG = timedelta(days=5)


class VirtualClock:
    """A clock that only moves when it is told to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the thread, as it was posted."""

    at: datetime
    text: str


class HeardChat:
    """A chat that keeps what it is told, as people would read it; the story shows it when it is
    time.
    """

    def __init__(self) -> None:
        self.cards: dict[str, str] = {}
        self._news: list[Told] = []

    def put(self, post: Post) -> None:
        text = as_text(post.message)
        if post.thread is None:
            self.cards[post.key] = text
        else:
            self._news.append(Told(post.at, text))

    def news(self) -> tuple[Told, ...]:
        """What was said in threads since this was asked last."""
        told, self._news = tuple(self._news), []
        return told


class Engine:
    """One bot over one bare repo, with clusters of its own."""

    def __init__(self, folder: Path, bare: Path, clock: VirtualClock) -> None:
        self.clock = clock
        self.chat = HeardChat()
        self.fleet = SimulatedFleet(clock, None)
        self.store = SqliteStore(str(folder / "sluice.db"))
        self.renderer = SandboxRenderer()
        self.git = LocalGitHost(str(bare))
        self.bot = Reconciler(
            Ports(
                git=self.git,
                chat=self.chat,
                fleet=self.fleet,
                store=self.store,
                clock=clock,
                renderer=self.renderer,
            )
        )
        self._notes = 0

    def close(self) -> None:
        self.renderer.close()
        self.git.close()
        self.fleet.close()
        self.store.close()

    # time

    def tick(self) -> None:
        self.bot.tick()

    def jump(self, at: datetime) -> None:
        """Time goes by up to a moment; the bot ticks whenever something is due."""
        self.run(lambda: False, until=at)
        self.clock.at = at
        self.tick()

    def run(self, done: Callable[[], bool], *, until: datetime | None = None) -> bool:
        """Time goes by until something is so; False when it did not become so in time."""
        end = until or self.clock.at + LONG
        while True:
            self.tick()
            if done():
                return True
            due = self.bot.next_due()
            if due is None or max(due, self.clock.at + SECOND) >= end:
                return False
            self.clock.at = max(due, self.clock.at + SECOND)

    # people

    def says(self, person: str, command: str) -> Answer:
        """A command that a person gives, and the bot's answer at its next tick."""
        self._notes += 1
        note = self.store.note(
            f"demo/{self._notes}", command, by=person, surface="cli", at=self.clock.at, data={}
        )
        self.tick()
        answer = self.store.answer(note)
        return answer if answer is not None else Answer(code=70, body={}, text="No answer.")

    # what is

    def plan(self, head: str) -> PullPlan:
        """What merging a commit would do, as `sluice plan` tells it."""
        base = self.git.head()
        assert base is not None, "the demo's repo has a main"
        has = known(self.store, self.bot.board)
        return self.bot.planner.pull(base, head, now=self.clock.at, known=has)

    def pull(self, branch: str) -> Pull | None:
        found: Pull | None = self.store.get(Pull, branch)
        return found

    def state(self, release: str) -> ReleaseState | None:
        found: ReleaseState | None = self.store.get(ReleaseState, release)
        return found

    def phase(self, release: str) -> str:
        state = self.state(release)
        return state.phase.value if state is not None else ""

    def unit(self, release: str, cluster: str) -> UnitState:
        """A unit's row; the release has one component, so the cluster names it."""
        rows: tuple[UnitState, ...] = self.store.rows(UnitState, parent=release)
        return next(row for row in rows if row.unit.endswith(f"@{cluster}"))

    def intents(self, release: str, *, since: datetime | None = None) -> tuple[Intent, ...]:
        rows: tuple[Intent, ...] = self.store.rows(Intent, parent=release)
        return tuple(row for row in rows if since is None or row.at >= since)

    def view(self, release: str) -> ReleaseView:
        return view_of(self.bot.board, self.bot.board.releases[release], self.clock.at)

    def card(self, release: str) -> str:
        return self.chat.cards.get(f"card/{release}", "")

    def why(self, release: str) -> str:
        view = self.view(release)
        return why_text(view.waiting, view.zone)

    def running(self, component: str) -> dict[str, dict[str, int]]:
        """Cluster → version → pods that run it, as the clusters themselves tell."""
        found: dict[str, dict[str, int]] = {}
        for cluster in self.fleet.clusters():
            counts: dict[str, int] = {}
            for pod in self.fleet.pods(cluster):
                if pod["metadata"]["labels"].get("app") == component:
                    version = pod["spec"]["containers"][0]["image"].rpartition(":")[2]
                    counts[version] = counts.get(version, 0) + 1
            found[cluster] = dict(sorted(counts.items()))
        return found
