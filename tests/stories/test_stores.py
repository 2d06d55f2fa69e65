"""The store is lost, restored or too old; main was rewritten; a cluster is another one now.

Contract §4: starting, and starting again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.sqlite import SqliteStore
from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.model.state import ClusterSeen
from tests import repo_files
from tests.world import World

ST_1 = "node-agent@st-1"


@pytest.fixture
def filed(tmp_path: Path) -> Iterator[World]:
    """A world whose store is a file that can be backed up and lost."""
    found = World(tmp_path, db=str(tmp_path / "store.db"))
    found.push("The fleet as it is")
    found.start()
    for cluster in ("st-1", "eu-1", "eu-2"):
        found.fleet.seed(cluster, repo_files.running())
    yield found
    found.close()


def store_of(world: World) -> SqliteStore:
    assert world.store is not None
    return world.store


def restore(world: World, backup: Path) -> None:
    """The process ends; the backup takes the place of the store; the bot starts."""
    world.dies()
    store_of(world).close()
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (world.path / name).unlink(missing_ok=True)
    backup.rename(world.path / "store.db")
    world.start()


def test_a_restored_store_that_knows_everything_goes_on_by_itself(filed: World) -> None:
    """Held until it is compared with the clusters; they show nothing newer."""
    release = filed.releases()
    filed.run_until("2026-11-24T09:20:00Z")
    backup = filed.path / "backup.db"
    store_of(filed).backup(backup, at=filed.clock.at)
    restore(filed, backup)
    assert [hold.id for hold in filed.bot.board.holds.values()] == ["store/restored"]
    filed.tick()
    assert filed.bot.board.holds == {}
    assert filed.events(release, "hold.lifted")
    filed.run_to_the_end(release)
    assert filed.phase(release) == "SUCCEEDED"


def test_a_restored_store_that_is_behind_waits_for_an_admin(filed: World) -> None:
    """Clusters show writes that it does not know of: nothing moves before somebody has looked."""
    release = filed.releases(units={"names": ["st-1"]})
    filed.run_until("2026-11-24T08:59:00Z")
    backup = filed.path / "backup.db"
    store_of(filed).backup(backup, at=filed.clock.at)
    filed.run_until("2026-11-24T09:20:00Z")
    before = len(filed.fleet.writes("st-1"))
    assert before > 0
    restore(filed, backup)
    filed.run_for(hours=1)
    assert len(filed.fleet.writes("st-1")) == before
    assert "DaemonSet infra/node-agent in st-1" in filed.why(release)
    assert filed.says("resume all", by="ana").code == 3
    assert filed.says("override all --reason 'looked at st-1'", by="dan").code == 0
    filed.run_to_the_end(release)
    assert filed.phase(release) == "SUCCEEDED"
    assert filed.running()["st-1"] == "2.5.0×2"
    new = [entry for entry in filed.fleet.writes("st-1") if "2.5.0" in str(entry["patch"])]
    assert len(new) == 1, "the new image was there already"


def test_a_restored_store_waits_for_clusters_that_do_not_answer(filed: World) -> None:
    """Unknown is not equal: the comparison is made when they are back."""
    release = filed.releases()
    filed.run_until("2026-11-24T09:20:00Z")
    fault = {
        "do": "unreachable",
        "from": "2026-11-24T09:20:00Z",
        "to": "2026-11-24T09:40:00Z",
    }
    filed.breaks("eu-2", fault)
    backup = filed.path / "backup.db"
    store_of(filed).backup(backup, at=filed.clock.at)
    restore(filed, backup)
    filed.run_until("2026-11-24T09:39:00Z")
    assert "eu-2" in filed.why(release)
    assert "store/restored" in filed.bot.board.holds
    filed.run_until("2026-11-24T09:41:00Z")
    assert filed.bot.board.holds == {}
    filed.run_to_the_end(release)


def test_an_empty_store_runs_nothing_that_stood_on_main_before(filed: World) -> None:
    """The present head is the starting line; what stands there is listed and never run."""
    release = filed.releases()
    filed.run_until("2026-11-24T09:01:00Z")
    restore_nothing(filed)
    filed.start()
    filed.run_for(hours=2)
    assert filed.phase(release) == "BEFORE_US"
    assert "2.4.1" in filed.running()["st-1"]


def test_since_runs_them_by_name_of_the_commit_before(filed: World) -> None:
    """`run --since`: explicit, and the fences of the lost store do not stand in its way."""
    before = filed.git.head() if filed.git else None
    release = filed.releases(units={"names": ["st-1"]})
    filed.run_until("2026-11-24T09:20:00Z")
    assert filed.unit(release, ST_1).batch >= 1
    restore_nothing(filed)
    filed.start(since=before)
    filed.run_for(minutes=1)
    filed.says(f"accept {release}", by="ana")
    filed.run_to_the_end(release)
    assert filed.phase(release) == "SUCCEEDED"
    assert filed.running()["st-1"] == "2.5.0×2"
    new = [entry for entry in filed.fleet.writes("st-1") if "2.5.0" in str(entry["patch"])]
    assert len(new) == 1


def restore_nothing(world: World) -> None:
    world.dies()
    store_of(world).close()
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (world.path / name).unlink(missing_ok=True)


def test_a_rewritten_main_holds_everything_until_an_admin_goes_on(world: World) -> None:
    """The commit that was processed last is gone: nobody knows what was merged in between."""
    release = world.releases(units={"names": ["st-1"]})
    world.run_until("2026-11-24T08:59:00Z")
    world._git("commit", "-q", "--amend", "-m", "History, as somebody would like it")
    world._git("push", "-q", "--force", "origin", "HEAD:main")
    world.run_until("2026-11-24T10:00:00Z")
    assert world.fleet.writes("st-1") == []
    assert "[holds]" in world.why(release)
    assert world.says("override all --reason 'it was me'", by="ana").code == 0
    window = {"calendar/windows.yaml": repo_files.window(to="11:00")}
    world.changes(window, "Shorter days")
    world.run_for(minutes=2)
    assert world.phase(release) == "PROGRESSING"
    assert world.bot.board.rules.commit == (world.git.head() if world.git else "")
    world.run_to_the_end(release)


def test_after_a_rewrite_the_rules_of_the_new_main_are_in_force(world: World) -> None:
    """Whoever overrides takes main as it is now, calendar and all."""
    release = world.releases(units={"names": ["st-1"]})
    world.write({"calendar/windows.yaml": repo_files.window(**{"from": "15:00"})})
    for name, text in world.files.items():
        (world.work / name).write_text(text)
    world._git("add", "-A")
    world._git("commit", "-q", "--amend", "-m", "History, as somebody would like it")
    world._git("push", "-q", "--force", "origin", "HEAD:main")
    world.tick()
    assert world.says("override all --reason 'it was me'", by="ana").code == 0
    world.run_until("2026-11-24T14:59:00Z")
    assert "[window]" in world.why(release)
    world.run_until("2026-11-24T15:01:00Z")
    assert world.phase(release) == "PROGRESSING"


def test_a_rebuilt_cluster_is_held_until_somebody_accepts_it(world: World) -> None:
    """Another identity: rebuilt, or the connection points elsewhere. Nothing is written there."""
    first = world.releases("node-agent-2-5-0", "2.5.0")
    world.run_to_the_end(first)
    world.fleet.rebuild("eu-1")
    second = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_for(days=1)
    assert len(world.fleet.writes("eu-1")) == writes_before_rebuild(world)
    unit = world.unit(second, "node-agent@eu-1")
    assert unit.phase == "PENDING"
    waiting = {line.unit: line.wait.code for line in world.active(second).waiting}
    assert waiting["node-agent@eu-1"] == "rebuilt"
    assert world.running()["eu-2"] == "2.6.0×4", "other clusters go on"
    assert world.says("accept cluster:eu-1 --reason 'it is ours'", by="ben").code == 0
    world.run_to_the_end(second)
    assert world.running()["eu-1"] == "2.6.0×4"
    seen = world.bot.ports.store.get(ClusterSeen, "eu-1")
    assert seen is not None
    assert seen.uid == world.fleet.uid("eu-1")


def writes_before_rebuild(world: World) -> int:
    return sum("2.6.0" not in str(e["patch"]) for e in world.fleet.writes("eu-1"))


def test_a_cluster_rebuilt_under_a_batch_is_not_written_to(world: World) -> None:
    """It had begun: the batch waits where it is, and goes on when the cluster is accepted."""
    release = world.releases(units={"names": ["st-1"]})
    world.run_until("2026-11-24T09:00:02Z")
    assert world.unit(release, ST_1).phase == "APPLYING"
    before = len(world.fleet.writes("st-1"))
    world.fleet.rebuild("st-1")
    world.run_for(minutes=30)
    assert len(world.fleet.writes("st-1")) == before
    assert world.unit(release, ST_1).phase == "APPLYING"
    due = world.bot.next_due()
    assert due is not None
    assert due > world.clock.at, "waiting for a person is no reason to ask without a break"
    world.says("accept cluster:st-1 --reason 'rebuilt on purpose'", by="ben")
    world.run_to_the_end(release)
    assert world.running()["st-1"] == "2.5.0×2"


def test_a_cluster_rebuilt_under_a_paused_batch_is_not_even_told_to_stop(world: World) -> None:
    """The rollout in it is not the one that we began: it is left alone until somebody accepts."""
    release = world.releases(units={"names": ["st-1"]})
    world.run_until("2026-11-24T09:00:02Z")
    before = rebuilt_as_it_was(world, "st-1")
    world.says(f"pause {release} --reason 'let me look'", by="ben")
    world.run_for(minutes=30)
    assert len(world.fleet.writes("st-1")) == before
    world.says("accept cluster:st-1 --reason 'rebuilt on purpose'", by="ben")
    world.says(f"resume {release}", by="ben")
    world.run_to_the_end(release)
    assert world.running()["st-1"] == "2.5.0×2"


def test_a_cluster_rebuilt_after_its_batch_failed_is_not_told_to_stop(world: World) -> None:
    """A failed batch is stopped where it stands, but only in the cluster in which it failed."""
    release = world.releases(units={"names": ["st-1"]})
    world.run_until("2026-11-24T09:00:02Z")
    gone = {"do": "unreachable", "from": "2026-11-24T09:00:00Z", "to": "2026-11-24T15:00:00Z"}
    world.breaks("st-1", gone, group="staging")
    world.run_until("2026-11-24T14:59:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    world.clock.at += timedelta(minutes=1)
    before = rebuilt_as_it_was(world, "st-1")
    world.run_until("2026-11-24T18:00:00Z")
    assert len(world.fleet.writes("st-1")) == before


def rebuilt_as_it_was(world: World, cluster: str) -> int:
    """Another cluster under the same name, in which somebody else rolls the same out, to all nodes
    one after another; the writes that it received so far.
    """
    live = dict(world.live(cluster, "DaemonSet"))
    live["metadata"] = {key: live["metadata"][key] for key in ("name", "namespace")}
    live.pop("status", None)
    spec = live["spec"]
    new = {"template": spec["template"], "updateStrategy": {"rollingUpdate": {"partition": 0}}}
    old = json.loads(json.dumps(spec).replace("2.5.0", "2.4.1"))
    world.fleet.rebuild(cluster)
    world.fleet.seed(cluster, [live | {"spec": old}])
    ref = ObjectRef("apps.kruise.io/v1beta1", "DaemonSet", "infra", "node-agent")
    roll = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body={"spec": new})
    world.fleet.write(cluster, roll, fence="", manager="kubectl")
    return len(world.fleet.writes(cluster))


def test_an_older_plan_never_overwrites_a_newer_one(world: World) -> None:
    """A newer plan has written there: the cluster itself says no, and the release stops."""
    release = world.releases(units={"names": ["st-1"]})
    ref = ObjectRef("apps.kruise.io/v1beta1", "DaemonSet", "infra", "node-agent")
    body = {"metadata": {"annotations": {"by": "another store"}}}
    note = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body=body)
    world.fleet.write("st-1", note, fence="999.1")
    world.run_until("2026-11-24T10:00:00Z")
    assert world.running()["st-1"] == "2.4.1×2"
    assert "newer plan" in world.why(release)
    assert "fenced" in {hold.code for hold in world.bot.board.holds.values()}
