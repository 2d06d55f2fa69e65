"""Kube-on-Kube: a cluster and the one that hosts it are never in flight together."""

from __future__ import annotations

import json

import pytest

from tests import repo_files
from tests.stories.test_two_releases import EU_1, EU_2, both, other, watch
from tests.world import World


def hosted(world: World, guest: str, host: str, group: str = "prod") -> None:
    """From now on `guest` runs on `host`."""
    made = json.loads(repo_files.cluster(guest, group, 4, haPair="a"))
    made["spec"]["hostedBy"] = host
    world.changes({f"fleet/clusters/{guest}.yaml": json.dumps(made)})


@pytest.mark.parametrize(("guest", "host"), [("eu-2", "eu-1"), ("eu-1", "eu-2")])
def test_host_and_guest_of_one_wave_go_one_after_the_other(
    world: World, guest: str, host: str
) -> None:
    """They stand in one wave, and each begins only when the other has ended, whichever is first."""
    hosted(world, guest, host)
    release = world.releases()
    seen = watch(world, release, until="2026-11-24T12:30")
    assert {EU_1} in seen
    assert {EU_2} in seen
    assert {EU_1, EU_2} not in seen
    world.run_to_the_end(release)


def test_why_names_the_host_and_what_is_at_work_there(world: World) -> None:
    hosted(world, "eu-2", "eu-1")
    release = world.releases()
    world.run_until("2026-11-24T09:20:00Z")
    assert world.unit(release, EU_1).in_flight
    assert f"[host_free] Waiting for {EU_1} (release {release}): cluster eu-1 hosts this one" in (
        world.why(release)
    )


def test_it_holds_over_components_and_releases_and_both_ways(world: World) -> None:
    """dns on the guest keeps node-agent from the host, and the other way round."""
    other(world)
    hosted(world, "eu-1", "st-1")
    hosted(world, "eu-2", "st-1")
    first, second = both(world)
    seen = watch(world, first, second, until="2026-11-24T16:00")
    clusters = [{unit.partition("@")[2] for unit in units} for units in seen]
    assert {"st-1"} in clusters
    assert {"eu-1", "eu-2"} in clusters, "guests of one host do not keep each other"
    assert not [c for c in clusters if "st-1" in c and len(c) > 1]


def test_a_host_that_is_named_in_flight_stops_nobody_for_ever(world: World) -> None:
    """Both are in flight already: who began first goes on to the end, then the other."""
    release = world.releases()
    world.run_until("2026-11-24T09:20:00Z")
    assert world.unit(release, EU_1).in_flight
    assert world.unit(release, EU_2).in_flight
    hosted(world, "eu-2", "eu-1")
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_lint_finds_a_host_that_is_none(world: World) -> None:
    """Unknown, itself, and clusters that host each other in a circle."""

    def found(**hosts: str) -> list[str]:
        for guest, host in hosts.items():
            name = guest.replace("_", "-")
            made = json.loads(repo_files.cluster(name, "prod", 4))
            made["spec"]["hostedBy"] = host
            world.write({f"fleet/clusters/{name}.yaml": json.dumps(made)})
        head = world.push("Hosts")
        return [
            f"{f.path} {f.code}: {f.message}"
            for f in world.bot.planner.lint(head, now=world.clock.at)
            if f.level == "error"
        ]

    assert "unknown-cluster" in found(eu_1="nowhere")[0]
    assert found(eu_1="eu-1") == ["fleet/clusters/eu-1.yaml host-cycle: the cluster hosts itself"]
    assert found(eu_1="eu-2", eu_2="eu-1") == [
        "fleet/clusters/eu-1.yaml host-cycle: the clusters host each other in a circle:"
        " eu-1 → eu-2 → eu-1"
    ]
