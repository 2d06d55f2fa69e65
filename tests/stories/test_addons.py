"""Add-on releases: the graph orders the components of each cluster, and a failure stops what
depends on it and nothing else.
"""

from __future__ import annotations

from tests import repo_files
from tests.addons import (
    CLUSTERS,
    NAMES,
    addons,
    began,
    brings,
    crashes,
    in_flight,
    mended,
    phases,
    until,
)
from tests.world import World

OVER = ("SUCCEEDED", "FAILED")


def test_it_ends_with_every_component_everywhere(world: World) -> None:
    """The plain case: four components, three clusters, one merge."""
    brings(world)
    release = addons(world)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    for name in NAMES:
        assert set(world.running(name).values()) == {"1.1×2", "1.1×4"}


def test_what_is_needed_ends_well_before_what_needs_it_begins(world: World) -> None:
    """In each cluster coredns first, soak and checks included; then both that need it, side by
    side; logs waits for nobody.
    """
    brings(world)
    release = addons(world)
    world.run_until("2026-11-24T09:05:00Z")
    assert in_flight(world, release) == {"coredns@st-1", "logs@st-1"}
    why = world.why(release)
    assert "mesh@st-1 [dependencies] Waiting for coredns@st-1" in why
    together: set[frozenset[str]] = set()
    while release in world.bot.board.releases:
        world.run_for(minutes=1)
        together.add(frozenset(in_flight(world, release)))
    for cluster in CLUSTERS:
        assert any({f"mesh@{cluster}", f"ingress@{cluster}"} <= seen for seen in together)
        assert not any(
            f"coredns@{cluster}" in seen and {f"mesh@{cluster}", f"ingress@{cluster}"} & seen
            for seen in together
        )
    ended = {event.unit: event.seq for event in world.events(release, "unit.succeeded")}
    first: dict[str, int] = {}
    for event in world.events(release, "batch.applying"):
        first.setdefault(event.unit, event.seq)
    for cluster in CLUSTERS:
        for name in ("mesh", "ingress"):
            assert ended[f"coredns@{cluster}"] < first[f"{name}@{cluster}"]


def test_the_limit_of_a_stage_counts_units_of_all_components(world: World) -> None:
    """`maxConcurrency: 1`: one unit at a time, whatever it is of."""
    brings(world, waves=None)
    text = repo_files.pipeline(waves=[1, "100%"], maxConcurrency=1)
    world.changes({"pipelines/standard.yaml": text})
    release = addons(world)
    until(world, lambda: world.unit(release, "logs@st-1").phase == "SUCCEEDED")
    while release in world.bot.board.releases:
        world.run_for(minutes=1)
        production = [unit for unit in in_flight(world, release) if not unit.endswith("st-1")]
        assert len(production) <= 1
    assert world.phase(release) == "SUCCEEDED"


def failed_in_eu_1(world: World) -> str:
    """coredns fails in the first cluster of production; all else has gone as far as it can."""
    brings(world)
    crashes(world, "coredns", "eu-1")
    release = addons(world)
    until(world, lambda: world.unit(release, "coredns@eu-1").phase == "FAILED")
    until(world, lambda: world.unit(release, "logs@eu-2").phase == "SUCCEEDED")
    world.run_for(hours=1)
    return release


def test_a_failure_stops_what_depends_on_it_and_nothing_else(world: World) -> None:
    """mesh and ingress wait in that cluster and the next wave; logs goes through all waves."""
    release = failed_in_eu_1(world)
    assert phases(world, release, "eu-1") == {
        "coredns@eu-1": "FAILED",
        "mesh@eu-1": "PENDING",
        "ingress@eu-1": "PENDING",
        "logs@eu-1": "SUCCEEDED",
    }
    assert phases(world, release, "eu-2") == {
        "coredns@eu-2": "PENDING",
        "mesh@eu-2": "PENDING",
        "ingress@eu-2": "PENDING",
        "logs@eu-2": "SUCCEEDED",
    }
    assert world.phase(release) == "PROGRESSING"
    assert "mesh@eu-1 [holds] Waiting for coredns@eu-1, which failed" in world.why(release)
    (hold,) = world.view(release).holds
    assert hold.scope == "component:coredns"
    assert "component:coredns" in world.chat.cards[f"card/{release}"]


def test_what_waits_for_a_failure_says_which_and_who_clears_it(world: World) -> None:
    """Tolerated, the failure holds nobody: then its dependents name it themselves."""
    brings(world, waves=None)
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(
        waves=[1, "100%"], maxFailures=1)})  # fmt: skip
    crashes(world, "coredns", "eu-1")
    release = addons(world)
    until(world, lambda: world.unit(release, "coredns@eu-1").phase == "FAILED")
    world.run_for(minutes=1)
    lines = {line.unit: line.wait for line in world.view(release).waiting}
    wait = lines["mesh@eu-1"]
    assert (wait.code, wait.facts["root"]) == ("needs", "coredns@eu-1")
    assert "ana" in wait.who
    assert "Waiting for coredns@eu-1, which failed" in world.why(release)
    # The later wave goes on, coredns too: one failure is tolerated.
    until(world, lambda: world.unit(release, "mesh@eu-2").phase == "SUCCEEDED")
    world.run_for(hours=2)
    assert [hold.scope for hold in world.view(release).holds] == ["component:coredns"]
    assert world.phase(release) == "PROGRESSING"
    mended(world, "eu-1")
    assert world.says("retry coredns@eu-1").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.unit(release, "mesh@eu-1").phase == "SUCCEEDED"


def test_a_retry_frees_what_waited(world: World) -> None:
    """The cluster is mended, coredns is tried again, and the rest follows by itself."""
    release = failed_in_eu_1(world)
    mended(world, "eu-1")
    assert world.says("retry coredns@eu-1").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert set(phases_of_store(world, release).values()) == {"SUCCEEDED"}


def phases_of_store(world: World, release: str) -> dict[str, str]:
    return {
        f"{name}@{cluster}": world.unit(release, f"{name}@{cluster}").phase.value
        for name in NAMES
        for cluster in CLUSTERS
    }


def test_a_skip_of_what_was_left_half_way_leaves_out_what_needs_it(world: World) -> None:
    """coredns stands half-way in eu-1: nothing is brought on top of it there. Elsewhere all goes
    on, and the answer says both.
    """
    release = failed_in_eu_1(world)
    answer = world.says("skip coredns@eu-1 --reason known-bad")
    assert answer.code == 0
    assert "is left out with it: mesh@eu-1, ingress@eu-1" in answer.text
    world.run_for(minutes=1)
    assert "Waiting for coredns@eu-1, which was left half-way" in world.why(release)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.unit(release, "coredns@eu-1").phase == "SKIPPED"
    assert world.unit(release, "mesh@eu-1").phase == "SKIPPED"
    assert world.running("mesh")["eu-1"] == "1.0×4"
    assert world.unit(release, "mesh@eu-2").phase == "SUCCEEDED"


def test_a_skip_of_what_was_not_touched_frees_what_needs_it(world: World) -> None:
    """coredns stays as it was in eu-2, by a person's word: mesh goes on without the new one."""
    brings(world)
    release = addons(world)
    answer = world.says("skip coredns@eu-2 --reason later")
    assert "goes on without it: mesh@eu-2, ingress@eu-2" in answer.text
    world.run_to_the_end(release)
    assert world.unit(release, "coredns@eu-2").phase == "SKIPPED"
    assert world.unit(release, "mesh@eu-2").phase == "SUCCEEDED"


def test_what_needs_a_skipped_one_still_waits_for_what_that_needs(world: World) -> None:
    """logs needs mesh, mesh needs coredns: without the new mesh, coredns still goes first."""
    brings(world, {"coredns": (), "mesh": ("coredns",), "logs": ("mesh",)})
    release = addons(world, "coredns", "mesh", "logs")
    assert world.says("skip mesh@st-1 --reason later").code == 0
    world.run_until("2026-11-24T09:05:00Z")
    assert in_flight(world, release) == {"coredns@st-1"}
    assert "logs@st-1 [dependencies] Waiting for coredns@st-1" in world.why(release)
    world.run_to_the_end(release)
    assert world.unit(release, "mesh@st-1").phase == "SKIPPED"
    assert world.unit(release, "logs@st-1").phase == "SUCCEEDED"


def test_a_failure_of_what_nobody_needs_stops_only_itself(world: World) -> None:
    """mesh fails in staging: coredns, ingress and logs end everywhere."""
    brings(world)
    crashes(world, "mesh", "st-1")
    release = addons(world)
    until(world, lambda: world.unit(release, "ingress@eu-2").phase == "SUCCEEDED")
    assert world.unit(release, "mesh@st-1").phase == "FAILED"
    assert world.unit(release, "mesh@eu-1").phase == "PENDING"
    assert world.unit(release, "logs@eu-2").phase == "SUCCEEDED"
    assert "mesh" not in " ".join(began(world, release)[1:]).replace("mesh@st-1", "")


def test_a_restart_in_the_middle_changes_nothing(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The order inside a cluster is in the plan and the rows, not in the process."""
    world = World(tmp_path, db=str(tmp_path / "sluice.db"))
    world.push("The fleet as it is")
    world.start()
    brings(world)
    release = addons(world)
    while not world.phase(release, ended=True):
        world.run_for(minutes=7)
        world.dies()
        world.start()
        for cluster in CLUSTERS:
            flying = in_flight(world, release)
            assert not (
                f"coredns@{cluster}" in flying
                and {f"mesh@{cluster}", f"ingress@{cluster}"} & flying
            )
    assert set(phases_of_store(world, release).values()) == {"SUCCEEDED"}
    world.close()
