"""What every adapter of the `Fleet` port shows of a workload that is at rest: counts and revisions.

A subclass gives `StatusStories` the fixture `world`, as in `tests/contracts/fleet_suite.py`.
"""

from __future__ import annotations

from typing import Any

from tests.contracts.fleet_suite import World, creating, daemon_set, deployment, ref_of


class StatusStories:
    """One subclass an adapter; each was seen on a real API server first."""

    def at_rest(self, world: World, obj: dict[str, Any], ready: str) -> Any:
        world.fleet.write(world.cluster, creating(obj), fence="1.1")

        def live() -> Any:
            return world.fleet.get(world.cluster, ref_of(obj))

        def rests() -> bool:
            status = live().get("status", {})
            wanted = obj["spec"].get("replicas", status.get("desiredNumberScheduled", 0))
            return bool(wanted and status.get(ready) == wanted)

        world.until(rests)
        return live()

    def test_counts_of_zero_are_left_out(self, world: World) -> None:
        """Who reads them without a default falls over on the best of days."""
        status = self.at_rest(world, daemon_set(world), "numberAvailable")["status"]
        assert "numberUnavailable" not in status
        assert status["numberMisscheduled"] == 0

    def test_a_stateful_set_s_revision_is_known_by_its_name(self, world: World) -> None:
        """Not by the label that its pods have: there is none on the revision."""
        obj = deployment(world) | {"kind": "StatefulSet"}
        obj["spec"]["serviceName"] = "web"
        live = self.at_rest(world, obj, "readyReplicas")
        children = world.fleet.children(world.cluster, live)
        (revision,) = [c for c in children if c["kind"] == "ControllerRevision"]
        assert revision["metadata"]["name"] == live["status"]["updateRevision"]
        labels = revision["metadata"]["labels"]
        assert "controller-revision-hash" not in labels
        assert revision["metadata"]["name"].endswith(labels["controller.kubernetes.io/hash"])
        pods = [c for c in children if c["kind"] == "Pod"]
        hashes = {p["metadata"]["labels"]["controller-revision-hash"] for p in pods}
        assert hashes == {revision["metadata"]["name"]}
