"""The way back of what left the template, where it was a workload: it is well when its pods are."""

from __future__ import annotations

from tests.stories.test_leftovers import EVERY, leaves, there
from tests.world import World

OLD_WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: old, namespace: infra}
spec:
  replicas: 2
  selector: {matchLabels: {app: old}}
  template:
    metadata: {labels: {app: old}}
    spec:
      containers:
        - {name: old, image: "registry.local/old:1"}
"""


def test_a_rollback_waits_for_the_pods_of_a_workload_that_it_creates_again(world: World) -> None:
    """Its pods are seen as those of any other: one that counts as having none is never back."""
    release = leaves(world, OLD_WORKLOAD)
    world.says(f"approve {release}#1", by="ben")
    world.run_for(minutes=1)
    world.says(f"approve {release}#1", by="ben")
    while "eu-1" in there(world, kind="Deployment"):
        world.run_for(minutes=10)
    assert world.says(f"rollback {release} --reason slow", by="ana").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert there(world, kind="Deployment") == list(EVERY)
    assert world.live("eu-1", "Deployment", "old")["status"]["availableReplicas"] == 2
