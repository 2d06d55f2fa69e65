"""kill -9 of `sluice run` in the middle of a release, again and again: nothing lost or twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.adapters.clock import SystemClock
from bot.adapters.simulated.fleet import SimulatedFleet
from bot.adapters.sqlite import SqliteStore
from bot.ports import Connection
from tests.run.processes import Desk, RunningBot, wait_until
from tests.run.release_repo import ReleaseRepo

KILLED_AFTER = ("batch.applying", "batch.soaking", "write", "batch.succeeded", "write")
"""The bot is killed as soon as one more line of this kind stands in the record."""


def test_a_bot_that_is_killed_again_and_again_ends_the_release_and_writes_nothing_twice(
    tmp_path: Path,
) -> None:
    """A machine can die at any moment of a release; the clusters must not notice."""
    desk = Desk(tmp_path, ReleaseRepo(tmp_path, clusters=1))
    _runs(desk, "1.0.0")
    with desk.bot() as bot:
        bot.begun()
        release = desk.repo.propose("2.0.0")
        wait_until(lambda: "proposes" in bot.chat)
        desk.repo.merge(release)
        wait_until(lambda: desk.release(release).get("decisions"))
        assert desk.ask("approve", release, "--as", "ana")["exit"] == 0
        _killed_after(desk, bot, "release.began", 1)
    for kind in KILLED_AFTER:
        before = _lines(desk, kind)
        if desk.phase(release) == "SUCCEEDED":
            break
        with desk.bot() as bot:
            _killed_after(desk, bot, kind, before + 1)
    with desk.bot() as bot:
        bot.begun()
        wait_until(lambda: desk.phase(release) == "SUCCEEDED")
        assert bot.stop() == 0

    writes = _writes(desk)
    assert len(writes) >= 3, "one write a batch at least"
    assert len({_text(one) for one in writes}) == len(writes), "nothing is written twice"
    assert {one["outcome"] for one in writes} == {"done"}
    (cluster,) = desk.ask("fleet", "eu-1")["clusters"]
    assert cluster["objects"][0]["spec"]["template"]["spec"]["containers"][0]["image"] == (
        "registry.local/agent:2.0.0"
    )
    audit = desk.ask("audit", release, "--verify")
    assert audit["verified"] is True
    assert [one["batch"] for one in audit["certificates"]] == [1, 2, 3]
    assert desk.ask("status", release)["releases"][0]["units"][0]["batch"] == 3


def _runs(desk: Desk, version: str) -> None:
    """The cluster runs a version that somebody else brought long ago."""
    fleet = SimulatedFleet(SystemClock(), f"{desk.db}.fleet")
    fleet.connect([Connection(cluster="eu-1", connection={"simulated": {"nodes": 4}})])
    rendered = desk.ask("render", "agent@eu-1", "--version", version)
    fleet.seed("eu-1", rendered["objects"])
    fleet.close()


def _killed_after(desk: Desk, bot: RunningBot, kind: str, count: int) -> None:
    """kill -9 once the record has so many lines of a kind, or the release has ended."""
    wait_until(lambda: _lines(desk, kind) >= count or _lines(desk, "release.succeeded"))
    bot.kill()


def _lines(desk: Desk, kind: str) -> int:
    with SqliteStore.reader(desk.db) as store:
        return sum(event.kind == kind for event in store.events())


def _writes(desk: Desk) -> list[Any]:
    (cluster,) = desk.ask("fleet", "eu-1")["clusters"]
    found: list[Any] = cluster["writes"]
    return found


def _text(write: Any) -> str:
    return json.dumps([write["verb"], write["object"], write["patch"]], sort_keys=True)
