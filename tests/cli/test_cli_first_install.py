"""How many batches a plan says, where the clusters can tell what stands in them."""

from __future__ import annotations

from tests.cli.terminal import Said, Town


def batches(said: Said) -> list[tuple[object, object]]:
    (release,) = said.json["releases"]
    return [(u["batches"], u["counts"]) for one in release["stages"] for u in one["units"]]


def test_a_first_install_is_planned_as_the_one_batch_that_it_is(town: Town) -> None:
    """Nothing stands in the clusters: all pods are new, and come at once."""
    town.tick()
    name = town.repo.propose("2.0.0")

    said = town.sluice("plan", "--head", f"pr/{name}", "--json")

    assert {tuple(written) for written, _ in batches(said)} == {("100%",)}
    told = town.sluice("forecast", name, "--ref", f"pr/{name}", "--json")
    assert {len(unit["batches"]) for unit in told.json["units"]} == {1}


def test_where_nobody_knows_what_stands_there_the_batches_are_as_written(town: Town) -> None:
    """Without a store nobody has looked: the plan says what would happen to something there."""
    name = town.repo.propose("2.0.0")

    found = batches(town.sluice("plan", "--head", f"pr/{name}", "--json"))

    assert all(len(written) > 1 for written, _ in found)
