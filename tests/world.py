"""The whole bot in a test: real Git repo, real engine and store, simulated clusters, own clock.

The verbs that stories are written in. Holds no rule of its own and patches nothing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.adapters.git import LocalGitHost
from bot.adapters.sandbox import SandboxRenderer
from bot.adapters.simulated import SimulatedFleet
from bot.adapters.sqlite import SqliteStore
from bot.core.board import Active
from bot.core.messages import as_text, why
from bot.model.gate import ReleaseView
from bot.model.message import Post
from bot.model.state import Certificate, ReleaseState, UnitState
from bot.ports import Answer
from bot.reconciler.tick import Ports, Reconciler
from bot.reconciler.views import view_of
from tests import repo_files

TICK = timedelta(seconds=5)


class WorldClock:
    """A clock that only moves when it is told to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class HeardChat:
    """A chat that remembers what was said, as people would read it."""

    def __init__(self) -> None:
        self.cards: dict[str, str] = {}
        self.threads: dict[str, list[str]] = {}
        self.transcript: list[str] = []

    def put(self, post: Post) -> None:
        text = as_text(post.message)
        if post.thread is None:
            self.cards[post.key] = text
        else:
            self.threads.setdefault(post.thread, []).append(text)
            self.transcript.append(f"{post.at:%a %H:%M:%S} {text}")


class World:
    """One release repo, one bot, some clusters."""

    def __init__(
        self, path: Path, *, at: str = "2026-11-24T08:00:00Z", db: str = ":memory:"
    ) -> None:
        self.path = path
        self.clock = WorldClock(moment(at))
        self.bare = path / "releases.git"
        self.work = path / "work"
        self.db = db
        self.chat = HeardChat()
        self._git("init", "-q", "--bare", "-b", "main", str(self.bare), cwd=path)
        self._git("clone", "-q", str(self.bare), str(self.work), cwd=path)
        self._git("checkout", "-q", "-b", "main")
        self.files: dict[str, str] = repo_files.base()
        self.renderer = SandboxRenderer()
        self.fleet = SimulatedFleet(self.clock, None)
        self.store: SqliteStore | None = None
        self.git: LocalGitHost | None = None
        self.around: Callable[[Ports], Ports] = lambda ports: ports
        """What a story puts around the ports, from the next start on."""
        self._bot: Reconciler | None = None
        self._notes = 0

    # writing the release repo

    def write(self, files: Mapping[str, str | None]) -> None:
        """Change files of the release repo; None takes one away."""
        for name, text in files.items():
            if text is None:
                self.files.pop(name, None)
            else:
                self.files[name] = text

    def push(self, message: str = "change", *, branch: str = "main", by: str = "cleo") -> str:
        """Commit the files as they are and push them."""
        for old in self._git("ls-files").split():
            if old not in self.files:
                (self.work / old).unlink()
        for name, text in self.files.items():
            there = self.work / name
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_text(text)
        self._git("add", "-A")
        self._git("commit", "-q", "--allow-empty", "-m", message, by=by)
        self._git("push", "-q", "origin", f"HEAD:{branch}")
        return self._git("rev-parse", "HEAD").strip()

    def proposes(self, branch: str, files: Mapping[str, str | None], *, by: str = "cleo") -> None:
        """Open (or push to) a pull request."""
        before = dict(self.files)
        self._git("checkout", "-q", "-B", f"pr/{branch}")
        self.write(files)
        self.push(f"Propose {branch}", branch=f"pr/{branch}", by=by)
        self._git("checkout", "-q", "main")
        self.files = before

    def merges(self, branch: str, *, by: str = "cleo") -> str:
        """Merge a pull request into main and delete its branch."""
        self._git("fetch", "-q", "origin")
        title = f"Merge pr/{branch}"
        self._git("merge", "-q", "--no-ff", "-m", title, f"origin/pr/{branch}", by=by)
        self._git("push", "-q", "origin", "HEAD:main", f":pr/{branch}")
        self.files = {
            name: (self.work / name).read_text() for name in self._git("ls-files").split()
        }
        return self._git("rev-parse", "HEAD").strip()

    def branch(self, name: str) -> dict[str, str]:
        """The files of a pull request's branch: path → text. Empty when there is no branch."""
        self._git("fetch", "-q", "--prune", "origin")
        if not self._git("branch", "-r", "--list", f"origin/pr/{name}").strip():
            return {}
        paths = self._git("ls-tree", "-r", "--name-only", f"origin/pr/{name}").split()
        return {path: self._git("show", f"origin/pr/{name}:{path}") for path in paths}

    def rewrites_main(self) -> None:
        """Somebody forces main back to its first commit, with another one on top."""
        first = self._git("rev-list", "--max-parents=0", "HEAD").split()[-1]
        self._git("reset", "-q", "--hard", first)
        self._git("commit", "-q", "--allow-empty", "-m", "Another history")
        self._git("push", "-q", "--force", "origin", "HEAD:main")
        self.files = {
            name: (self.work / name).read_text() for name in self._git("ls-files").split()
        }

    def releases(self, name: str = "node-agent-2-5-0", version: str = "2.5.0", **spec: Any) -> str:
        """A release of node-agent: proposed, seen by the bot, merged, seen again. Its name."""
        self.proposes(
            name, {f"releases/2026/{name}.yaml": repo_files.release(name, version, **spec)}
        )
        self.tick()
        self.merges(name)
        self.tick()
        return name

    def changes(self, files: Mapping[str, str | None], message: str = "Change rules") -> None:
        """Change main without a release, and let the bot notice."""
        self.write(files)
        self.push(message)
        self.tick()

    def breaks(self, cluster: str, *faults: Mapping[str, Any], group: str = "prod") -> None:
        """From now on a cluster shows these faults; none: it is well again."""
        nodes = 2 if group == "staging" else 4
        text = repo_files.cluster(cluster, group, nodes, faults, haPair="a")
        self.changes({f"fleet/clusters/{cluster}.yaml": text}, f"Faults of {cluster}")

    def heals(self, cluster: str, *, group: str = "prod") -> None:
        """The faults are over, and pods that suffered from them come up."""
        self.breaks(cluster, group=group)
        names = [pod["metadata"]["name"] for pod in self.fleet.pods(cluster)]
        self.fleet.sicken(cluster, names, well=True)

    # the bot

    @property
    def bot(self) -> Reconciler:
        if self._bot is None:
            self.start()
        assert self._bot is not None
        return self._bot

    def start(self, *, since: str | None = None) -> None:
        """Start the bot, or start it again on the same store."""
        if self.store is None or self.db != ":memory:":
            self.store = SqliteStore(self.db)
        assert self.store is not None
        if self.git is not None:
            self.git.close()
        self.git = LocalGitHost(str(self.bare))
        ports = Ports(
            git=self.git,
            chat=self.chat,
            fleet=self.fleet,
            store=self.store,
            clock=self.clock,
            renderer=self.renderer,
        )
        self._bot = Reconciler(self.around(ports), since=since)

    def dies(self) -> None:
        """The process is gone; the store and the clusters are not."""
        self._bot = None

    def close(self) -> None:
        self.renderer.close()
        self.fleet.close()
        if self.git is not None:
            self.git.close()
        if self.store is not None:
            self.store.close()

    def tick(self) -> None:
        self.bot.tick()

    def run_for(self, duration: timedelta | None = None, **parts: float) -> None:
        """Tick as time goes by: at once where something is due, else up to the next thing due."""
        self.run_until(self.clock.at + (duration or timedelta(**parts)))

    def run_until(self, at: datetime | str) -> None:
        end = moment(at) if isinstance(at, str) else at
        while True:
            self.bot.tick()
            due = self.bot.next_due()
            step = max(due, self.clock.at + timedelta(seconds=1)) if due is not None else end
            if step >= end:
                break
            self.clock.at = step
        self.clock.at = end
        self.bot.tick()

    def run_to_the_end(self, release: str, *, days: float = 30) -> None:
        """Run until the release has ended; fail when it does not."""
        end = self.clock.at + timedelta(days=days)
        while not self.phase(release, ended=True):
            self.bot.tick()
            if self.phase(release, ended=True):
                return
            due = self.bot.next_due()
            assert due is not None, f"{release} waits for people:\n{self.why(release)}"
            self.clock.at = max(due, self.clock.at + timedelta(seconds=1))
            assert self.clock.at < end, f"{release} does not end:\n{self.why(release)}"

    def says(self, text: str, *, by: str = "ana") -> Answer:
        """A person gives a command; the answer they get at the next tick."""
        self._notes += 1
        store = self.bot.ports.store
        note = store.note(
            f"test/{self._notes}", text, by=by, surface="test", at=self.clock.at, data={}
        )
        self.bot.tick()
        answer = store.answer(note)
        assert answer is not None, f"nobody answered: {text}"
        return answer

    # what is

    def active(self, release: str) -> Active:
        return self.bot.board.releases[release]

    def phase(self, release: str, *, ended: bool = False) -> str:
        """The release's phase; with `ended`, "" unless it has ended."""
        state = self.bot.ports.store.get(ReleaseState, release)
        if state is None or (ended and not state.phase.ended):
            return ""
        return str(state.phase.value)

    def unit(self, release: str, unit: str) -> UnitState:
        row = self.bot.ports.store.get(UnitState, f"{release}/{unit}")
        assert row is not None, f"no unit {unit}"
        found: UnitState = row
        return found

    def view(self, release: str) -> ReleaseView:
        """A release as people see it now."""
        return view_of(self.bot.board, self.bot.board.releases[release], self.clock.at)

    def why(self, release: str) -> str:
        """Every waiting unit with its sentence, one a line."""
        active = self.bot.board.releases.get(release)
        if active is None:
            return ""
        view = view_of(self.bot.board, active, self.clock.at)
        return "\n".join(f"{line.unit} [{line.gate}] {why(line.wait)}" for line in view.waiting)

    def running(self, component: str = "node-agent") -> dict[str, str]:
        """Cluster → versions that its pods run, with counts: `2.4.1×3 2.5.0×1`."""
        found: dict[str, str] = {}
        for cluster in sorted(self.bot.planner.load(self.bot.board.rules.commit).clusters):
            counts: dict[str, int] = {}
            for pod in self.fleet.pods(cluster):
                if pod["metadata"]["labels"].get("app") == component:
                    image = pod["spec"]["containers"][0]["image"]
                    tag = image.rpartition(":")[2]
                    counts[tag] = counts.get(tag, 0) + 1
            found[cluster] = " ".join(f"{tag}×{n}" for tag, n in sorted(counts.items()))
        return found

    def live(self, cluster: str, kind: str, name: str = "node-agent") -> Any:
        """An object as it stands in a cluster, to be changed at will; None when it is not there."""
        found = [
            obj
            for obj in self.fleet.objects(cluster)
            if obj["kind"] == kind and obj["metadata"]["name"] == name
        ]
        return deepcopy(found[0]) if found else None

    def pods(self, cluster: str, version: str, component: str = "node-agent") -> list[str]:
        """Names of the pods of a component that run a version."""
        return sorted(
            pod["metadata"]["name"]
            for pod in self.fleet.pods(cluster)
            if pod["metadata"]["labels"].get("app") == component
            and pod["spec"]["containers"][0]["image"].endswith(f":{version}")
        )

    def writes(self, cluster: str) -> list[str]:
        """What a cluster was told, in order: `patch DaemonSet`."""
        return [
            f"{write['verb']} {write['object'].split('/')[-3]}"
            for write in self.fleet.writes(cluster)
            if write["outcome"] != "conflict"
        ]

    def events(self, release: str, kind: str = "") -> list[Any]:
        """The audit of a release, or one kind of its lines."""
        found = self.bot.ports.store.events(release=release)
        return [event for event in found if not kind or event.kind == kind]

    def certificates(self, release: str) -> list[Certificate]:
        """The proofs of a release's batches."""
        return list(self.bot.ports.store.rows(Certificate, parent=release))

    def thread(self, release: str) -> str:
        """The whole thread of a release as people read it."""
        return "\n".join(self.chat.threads.get(f"card/{release}", ()))

    def _git(self, *args: str, cwd: Path | None = None, by: str = "ana") -> str:
        who = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", by), ("EMAIL", f"{by}@example.com"))
        }
        done = subprocess.run(
            ["git", *args],
            cwd=cwd or self.work,
            env=os.environ | who,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr}"
        return done.stdout


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
