"""Where nothing was before: one batch in, and on the way back a person says delete or keep."""

from __future__ import annotations

from tests import repo_files
from tests.world import World

NEW = "fleet/clusters/eu-3.yaml"
EU_3 = "node-agent@eu-3"


def on_an_empty_cluster(world: World) -> str:
    """A release of a cluster that has joined and runs nothing yet."""
    world.changes({NEW: repo_files.cluster("eu-3", "prod", 4, haPair="b")}, "eu-3 joins")
    only = {"names": ["eu-3"]}
    production = {"stages": [{"name": "production", "units": {}}]}
    release = world.releases("install-eu-3", "2.4.1", units=only, pipeline=None, **production)
    return release


def test_a_first_install_is_one_batch(world: World) -> None:
    """There is no old pod to go slowly for."""
    release = on_an_empty_cluster(world)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    unit = world.unit(release, EU_3)
    assert (unit.batch, unit.batches) == (1, 1)
    assert world.running()["eu-3"] == "2.4.1×4"
    assert world.writes("eu-3") == ["create ConfigMap", "create DaemonSet"]


def test_undoing_a_first_install_waits_for_a_person(world: World) -> None:
    """Deleting what other people may use by now is nobody's default."""
    release = on_an_empty_cluster(world)
    world.run_to_the_end(release)
    world.says(f"rollback {release} wrong cluster")
    world.run_for(hours=5)
    assert world.phase(release) == "ROLLING_BACK"
    assert world.running()["eu-3"] == "2.4.1×4"
    assert "[undo_decided]" in world.why(release)
    assert f"{release}#1" in world.thread(release)


def test_yes_deletes_it(world: World) -> None:
    """Approved: what the release created goes, newest first, and nothing else."""
    release = on_an_empty_cluster(world)
    world.run_to_the_end(release)
    world.says(f"rollback {release} wrong cluster")
    world.run_for(minutes=1)
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.fleet.objects("eu-3") == ()
    assert world.writes("eu-3")[2:] == ["delete DaemonSet", "delete ConfigMap"]
    assert "deleted" in world.thread(release)
    assert world.running()["eu-1"] == "2.4.1×4"


def test_no_keeps_it(world: World) -> None:
    """Rejected: the cluster keeps running it, and the release is over all the same."""
    release = on_an_empty_cluster(world)
    world.run_to_the_end(release)
    world.says(f"rollback {release} wrong cluster")
    world.run_for(minutes=1)
    assert world.says(f"reject {release} --reason 'in use by now'", by="ben").code == 0
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running()["eu-3"] == "2.4.1×4"
    assert len(world.writes("eu-3")) == 2
    assert "keep" in world.thread(release) or "kept" in world.thread(release)


def test_an_object_that_is_new_beside_old_ones_stays_on_the_way_back(world: World) -> None:
    """The workload goes back; a ConfigMap that nobody had before harms nobody."""
    extra = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: infra}\ndata: {}\n"
    world.write({"components/node-agent/templates/extra.yaml": extra})
    world.push("One more object")
    release = world.releases()
    world.run_until("2026-11-24T09:22:00Z")
    assert world.live("st-1", "ConfigMap", "extra")
    world.says(f"rollback {release} slow")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running()["st-1"] == "2.4.1×2"
    assert world.live("st-1", "ConfigMap", "extra")


def test_several_first_installs_are_decided_one_by_one(world: World) -> None:
    """Each cluster's people know whether theirs is in use."""
    world.write({"fleet/clusters/eu-4.yaml": repo_files.cluster("eu-4", "prod", 2)})
    world.changes({NEW: repo_files.cluster("eu-3", "prod", 4)}, "Two join")
    stages = [{"name": "production", "units": {}}]
    only = {"names": ["eu-3", "eu-4"]}
    release = world.releases("install", "2.4.1", units=only, pipeline=None, stages=stages)
    world.run_to_the_end(release)
    world.says(f"rollback {release} wrong clusters")
    world.run_for(minutes=1)
    several = world.says(f"approve {release}", by="ben")
    assert several.code == 2
    assert several.body["refused"]["code"] == "several-open"
    asked = {e.data["id"]: e.data["asks"] for e in world.events(release, "decision.asked")}
    eu_3 = next(number for number, asks in asked.items() if "eu-3" in asks)
    eu_4 = next(number for number, asks in asked.items() if "eu-4" in asks)
    assert world.says(f"approve {eu_3}", by="ben").code == 0
    assert world.says(f"reject {eu_4} --reason 'in use'", by="ben").code == 0
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running()["eu-3"] == ""
    assert world.running()["eu-4"] == "2.4.1×2"
