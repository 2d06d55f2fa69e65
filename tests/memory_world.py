"""The world of a story without files and processes: repo, store and renderer in memory, for runs by
the thousand. The verbs are those of `World`; the ports pass the same suites as the real ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from bot.adapters.simulated import SimulatedFleet
from bot.model.message import Post
from bot.reconciler.planner import Planner
from bot.reconciler.tick import Ports, Reconciler
from bot.sim.memory_git import MemoryGit
from bot.sim.memory_store import MemoryStore
from bot.sim.renderer import InProcessRenderer
from release_repo_schema.load import Cache
from tests import repo_files
from tests.world import HeardChat, World, WorldClock, moment

RENDERER = InProcessRenderer()
FILES: Cache = {}
"""Shared by all worlds: the same text is parsed and rendered once."""


class KeyedChat(HeardChat):
    """A chat that knows a message that comes again by its key, as Slack does."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: dict[str, Post] = {}
        self.times: Counter[str] = Counter()
        """Line of a thread → how often it came."""

    def put(self, post: Post) -> None:
        there = self.posts.setdefault(post.key, post)
        if post.thread is not None:
            self.times[post.key] += 1
            assert there.message == post.message, f"{post.key} says something else the second time"
        self.posts[post.key] = post


class MemoryWorld(World):
    """One release repo, one bot, some clusters; nothing of it outlives the process."""

    def __init__(self, *, at: str = "2026-11-24T08:00:00Z") -> None:
        self.clock = WorldClock(moment(at))
        self.chat: KeyedChat = KeyedChat()
        self.files = repo_files.base()
        self.fleet = SimulatedFleet(self.clock, None)
        self.memory = MemoryStore()
        self.host: MemoryGit | None = None
        self.around: Callable[[Ports], Ports] = lambda ports: ports
        self._pushed: dict[str, bytes] = {}
        self._bot: Reconciler | None = None
        self._notes = 0

    def push(self, message: str = "change", *, branch: str = "main", by: str = "cleo") -> str:
        data = {name: text.encode() for name, text in self.files.items()}
        author = f"{by}@example.com"
        if self.host is None:
            self.host = MemoryGit(data, author=author, at=self.clock.at, title=message)
            self._pushed = data
            return self.host.refs["main"]
        gone: dict[str, bytes | None] = {name: None for name in self._pushed if name not in data}
        pushed = self.host.push(branch, data | gone, by=author, title=message)
        if branch == "main":
            self._pushed = data
        return pushed

    def proposes(self, branch: str, files: Mapping[str, str | None], *, by: str = "cleo") -> None:
        before = dict(self.files)
        self.write(files)
        self.push(f"Propose {branch}", branch=f"pr/{branch}", by=by)
        self.files = before

    def merges(self, branch: str, *, by: str = "cleo") -> str:
        assert self.host is not None
        merged = self.host.merge(f"pr/{branch}", by=f"{by}@example.com")
        self.host.close(f"pr/{branch}")
        self._pushed = dict(self.host.tree(merged).files)
        self.files = {name: data.decode() for name, data in self._pushed.items()}
        return merged

    def branches(self) -> dict[str, str]:
        """Every branch → what its tree holds, as one name."""
        assert self.host is not None
        return {name: self.host.commit(head).tree for name, head in self.host.refs.items()}

    def start(self, *, since: str | None = None) -> None:
        assert self.host is not None
        ports = Ports(
            git=self.host,
            chat=self.chat,
            fleet=self.fleet,
            store=self.memory,
            clock=self.clock,
            renderer=RENDERER,
        )
        ports = self.around(ports)
        planner = Planner(ports.git, RENDERER, files=FILES)
        self._bot = Reconciler(ports, since=since, planner=planner)

    def close(self) -> None:
        self.fleet.close()
