"""Where nothing was before: one batch in, and on the way back a person says delete or keep."""

from __future__ import annotations

from tests import repo_files
from tests.world import World

NEW = "fleet/clusters/eu-3.yaml"
EU_3, EU_4 = "node-agent@eu-3", "node-agent@eu-4"


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


def two(world: World) -> str:
    """A release that installed the component on two clusters that had nothing."""
    world.write({"fleet/clusters/eu-4.yaml": repo_files.cluster("eu-4", "prod", 2)})
    world.changes({NEW: repo_files.cluster("eu-3", "prod", 4)}, "Two join")
    stages = [{"name": "production", "units": {}}]
    only = {"names": ["eu-3", "eu-4"]}
    release = world.releases("install", "2.4.1", units=only, pipeline=None, stages=stages)
    world.run_to_the_end(release)
    return release


def test_all_first_installs_of_a_release_are_one_question(world: World) -> None:
    """A hundred clusters are not a hundred clicks: it names the units and what would go."""
    release = two(world)
    world.says(f"rollback {release} wrong clusters")
    world.run_for(minutes=1)
    (asked,) = world.events(release, "decision.asked")
    assert EU_3 in asked.data["asks"]
    assert EU_4 in asked.data["asks"]
    assert "DaemonSet infra/node-agent" in asked.data["asks"]
    assert "ConfigMap infra/node-agent" in asked.data["asks"]
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert (world.running()["eu-3"], world.running()["eu-4"]) == ("", "")


def test_what_is_in_use_is_left_out_before_the_rest_is_deleted(world: World) -> None:
    """Each cluster's people know whether theirs is in use: skip keeps it, and the question about
    the others is asked anew; the old answer counts for nothing.
    """
    release = two(world)
    world.says(f"rollback {release} wrong clusters")
    world.run_for(minutes=1)
    assert world.says(f"skip {EU_4} --reason 'in use'").code == 0
    assert world.says(f"approve {release}#1", by="ben").body["refused"]["code"] == "void"
    assert world.says(f"approve {release}#2", by="ben").code == 0
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running()["eu-3"] == ""
    assert world.running()["eu-4"] == "2.4.1×2"


def test_a_unit_that_follows_later_is_asked_about_again(world: World) -> None:
    """Yes to one cluster is no yes to another."""
    release = two(world)
    world.says(f"rollback {EU_3} wrong cluster")
    world.run_for(minutes=1)
    world.says(f"rollback {EU_4} wrong cluster too")
    world.run_for(minutes=1)
    assert world.says(f"approve {release}#1", by="ben").body["refused"]["code"] == "void"
    assert world.running()["eu-3"] == "2.4.1×4"
    assert world.says(f"approve {release}#2", by="ben").code == 0
    world.run_for(minutes=15)
    assert (world.running()["eu-3"], world.running()["eu-4"]) == ("", "")


CLAIM = """\
apiVersion: v1
kind: Namespace
metadata: {name: agents}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: spool, namespace: agents}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


def with_data(world: World) -> str:
    world.write({"components/node-agent/templates/data.yaml": CLAIM})
    world.push("With a namespace and a claim")
    return on_an_empty_cluster(world)


def test_what_holds_data_is_asked_about_on_its_own(world: World) -> None:
    """A yes to deleting a DaemonSet is no yes to deleting a namespace with all that is in it."""
    release = with_data(world)
    world.run_to_the_end(release)
    world.says(f"rollback {release} wrong cluster")
    world.run_for(minutes=1)
    (first,) = world.events(release, "decision.asked")
    assert "Namespace" not in first.data["asks"]
    world.says(f"approve {release}", by="ben")
    world.run_for(minutes=5)
    assert world.phase(release) == "ROLLING_BACK"
    assert world.live("eu-3", "DaemonSet") is not None, "nothing goes before all is decided"
    _, second = world.events(release, "decision.asked")
    assert "Namespace agents" in second.data["asks"]
    assert "PersistentVolumeClaim agents/spool" in second.data["asks"]
    assert world.says(f"reject {release} --reason 'their spool'", by="ben").code == 0
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running()["eu-3"] == ""
    assert world.live("eu-3", "Namespace", "agents") is not None
    assert world.live("eu-3", "PersistentVolumeClaim", "spool") is not None


def test_data_goes_when_a_person_says_that_too(world: World) -> None:
    release = with_data(world)
    world.run_to_the_end(release)
    world.says(f"rollback {release} wrong cluster")
    world.run_for(minutes=1)
    world.says(f"approve {release}", by="ben")
    world.run_for(minutes=1)
    assert world.says(f"approve {release}", by="ana").code == 0
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.fleet.objects("eu-3") == ()
