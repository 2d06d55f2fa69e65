"""The loop of `sluice run` when things break: a full disk, a bug, a silent repo; and HTTP."""

from __future__ import annotations

import io
import json
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.git import LocalGitHost
from bot.adapters.sandbox import SandboxRenderer
from bot.adapters.simulated.fleet import SimulatedFleet
from bot.adapters.sqlite import SqliteStore
from bot.adapters.terminal_chat import TerminalChat
from bot.app.counted import CountedFleet
from bot.app.running import Bot
from bot.ports import Changes, GitError, StoreLocked, Unreachable
from bot.reconciler.tick import Ports
from bot.web.health import HealthServer
from bot.web.vitals import Vitals
from tests.run.processes import Desk, wait_until

TICK = timedelta(milliseconds=100)


class Store(SqliteStore):
    """A store whose disk fills up, or that breaks, when told to."""

    full = False
    broken: Exception | None = None

    def notes(self, after: int = 0) -> Any:
        if self.broken is not None:
            raise self.broken
        return super().notes(after)

    def commit(self, changes: Changes) -> Any:
        if self.full and not changes.empty:
            raise StoreLocked("The disk of the store is full; nothing was written.", "full")
        return super().commit(changes)


class Git(LocalGitHost):
    """A repo that does not answer when told so."""

    broken: GitError | None = None
    held: threading.Event | None = None
    """A question waits until it is set."""
    waits = False

    def pulls(self) -> Any:
        if self.held is not None:
            self.waits = True
            self.held.wait()
        if self.broken is not None:
            raise self.broken
        return super().pulls()


class Running:
    """A bot in this process, with everything that can break at hand."""

    def __init__(self, desk: Desk, held: ExitStack) -> None:
        clock = SystemClock()
        self.store = held.enter_context(Store(desk.db))
        self.git = held.enter_context(Git(desk.repo.bare))
        self.vitals = Vitals(started=clock.now(), tick=TICK)
        self.chat = io.StringIO()
        fleet = SimulatedFleet(clock, f"{desk.db}.fleet")
        held.callback(fleet.close)
        ports = Ports(
            git=self.git,
            chat=TerminalChat(self.chat, plain=True),
            fleet=CountedFleet(fleet, self.vitals),
            store=self.store,
            clock=clock,
            renderer=held.enter_context(SandboxRenderer()),
        )
        self.bot = Bot(ports, self.store, self.vitals, None, "")
        self.bot.start()
        held.callback(self.bot.stop)

    def ticks(self) -> None:
        """Waits until another tick has gone through whole."""
        before = self.vitals.ticks
        wait_until(lambda: self.vitals.ticks > before)

    def fails(self) -> None:
        """Waits until another tick has failed."""
        before = self.vitals.failures
        wait_until(lambda: self.vitals.failures > before)


@pytest.fixture
def running(desk: Desk) -> Iterator[Running]:
    with ExitStack() as held:
        yield Running(desk, held)


def test_a_full_disk_stops_new_writes_and_is_over_when_there_is_room(
    desk: Desk, running: Running
) -> None:
    """What cannot be recorded is not done; nobody has to restart anything afterwards."""
    running.ticks()
    name = desk.repo.propose("2.0.0")
    wait_until(lambda: "proposes" in running.chat.getvalue())
    desk.repo.merge(name)
    wait_until(lambda: desk.release(name).get("decisions"))
    running.store.full = True
    answer = desk.from_another_process("approve", name, "--as", "ana", "--json")
    assert json.loads(answer.stdout)["pending"] is True, "recorded, and not answered"
    assert running.vitals.store_problem is not None
    assert "full" in running.vitals.not_ready(SystemClock().now())[0]
    assert running.vitals.written() == {}
    running.store.full = False
    wait_until(lambda: running.vitals.written() == {("forward", "done"): 1})
    wait_until(lambda: running.vitals.store_problem is None)
    assert desk.ask("fleet", "eu-1")["clusters"][0]["writes"][0]["verb"] == "create"


def test_a_bug_in_a_tick_is_reported_once_and_the_loop_goes_on(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """One bad tick must not end the bot for everybody."""
    running.ticks()
    running.store.broken = ZeroDivisionError("at the worst moment")
    running.fails()
    running.fails()
    reports = [line for line in caplog.messages if "the full report is in" in line]
    assert len(reports) == 1
    Path(reports[0].rpartition(" ")[2]).unlink()
    assert running.vitals.problems == ("a fault in sluice itself: ZeroDivisionError",)
    running.store.broken = None
    running.ticks()
    wait_until(lambda: running.vitals.problems == ())


def test_a_repo_that_does_not_answer_is_a_problem_of_readyz_only(running: Running) -> None:
    """What runs goes on without Git; whoever watches is told."""
    running.ticks()
    running.git.broken = GitError("the disk of the repo is gone")
    wait_until(lambda: running.vitals.problems == ("the disk of the repo is gone",))
    running.ticks()
    assert running.vitals.alive(SystemClock().now())


def test_a_main_that_does_not_lint_keeps_readyz_red(
    desk: Desk, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing new comes from it, so whoever watches is told, once in the log."""
    running.ticks()
    path = "fleet/clusters/eu-1.yaml"
    good = (desk.repo.work / path).read_text()
    desk.repo.write(path, good.replace("group: prod", "group: nowhere"))
    desk.repo.commit("A slip")
    desk.repo.git("push", "-q", "origin", "main")
    wait_until(lambda: "does not lint" in "".join(running.vitals.not_ready(SystemClock().now())))
    running.ticks()
    running.ticks()
    told = [r.levelname for r in caplog.records if "does not lint" in r.getMessage()]
    assert told == ["WARNING"]
    desk.repo.write(path, good)
    desk.repo.commit("Mended")
    desk.repo.git("push", "-q", "origin", "main")
    wait_until(lambda: running.vitals.problems == ())


def test_a_stop_that_does_not_wait_leaves_no_fault_behind(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """Who stops a bot twice is in a hurry, and must not be sent after a bug that is none."""
    running.ticks()
    running.git.held = threading.Event()
    wait_until(lambda: running.git.waits)

    def hurry(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, hurry)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(KeyboardInterrupt):
            running.bot.stop()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        ticks = [one for one in threading.enumerate() if one.name.startswith("ThreadPool")]
        running.git.broken = GitError("closed")
        running.git.held.set()
    for one in (*ticks, *threading.enumerate()):
        if one.name.startswith(("ThreadPool", "APScheduler")):
            one.join(5)
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR" and r.exc_info] == []


class Stopped:
    """A clock that stands."""

    at = datetime(2026, 11, 24, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


def test_a_silent_bot_is_noticed() -> None:
    """A process that lives and does not tick is worse than a dead one: nothing restarts it."""
    clock = Stopped()
    vitals = Vitals(started=clock.at, tick=timedelta(seconds=5))
    server = HealthServer(vitals, clock, 0)
    try:
        assert _ask(server.address, "/healthz")[0] == 200
        status, body = _ask(server.address, "/readyz")
        assert (status, body["problems"]) == (503, ["no tick has gone through yet"])
        vitals.last_tick, vitals.ticks = clock.at, 1
        assert _ask(server.address, "/readyz")[0] == 200
        clock.at += timedelta(seconds=61)
        assert _ask(server.address, "/healthz")[0] == 503
        assert _ask(server.address, "/readyz")[1]["problems"] == [
            "the last whole tick was 61 s ago"
        ]
        vitals.tick = timedelta(minutes=1)
        assert _ask(server.address, "/healthz")[0] == 200, "six ticks of its own pace"
        assert _ask(server.address, "/nothing")[0] == 404
        with pytest.raises(Unreachable, match="cannot be used"):
            HealthServer(vitals, clock, int(server.address.rpartition(":")[2]))
    finally:
        server.close()


def _ask(address: str, path: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(address + path) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else None
