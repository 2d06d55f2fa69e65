"""How many batches a plan says, where the clusters can tell what stands in them."""

from __future__ import annotations

from pathlib import Path

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


def by_node_sets(town: Town) -> None:
    """The agent goes to the canaries of each cluster first; of its four nodes one is a canary."""
    component = town.repo.work / "components/agent/component.yaml"
    component.write_text(component.read_text() + "  scope: nodeSet\n")
    for name in ("eu-1", "eu-2"):
        file = town.repo.work / f"fleet/clusters/{name}.yaml"
        labels = "{simulated: {nodeLabels: {n-1: {pool: canary}}, "
        sets = "  nodeSets: [{name: canary, selector: {matchLabels: {pool: canary}}}]\n"
        file.write_text(file.read_text().replace("{simulated: {", labels) + sets)
    town.repo.commit("By node sets")
    town.repo.git("push", "-q", "origin", "main")
    town.tick()


def test_the_plan_says_that_first_installs_are_asked_about(town: Town) -> None:
    """Eight questions that nobody expected are eight people called in a night."""
    by_node_sets(town)
    name = town.repo.propose("2.0.0")

    said = town.sluice("plan", "--head", f"pr/{name}").out

    assert "before the first install of agent in each of 2 clusters: 1 × approver" in said
    assert "agent is not there yet in eu-1, eu-2: its first install reaches all" in said
    (release,) = town.sluice("plan", "--head", f"pr/{name}", "--json").json["releases"]
    asked = release["approvals"][-1]
    assert (asked["when"], asked["component"], asked["times"]) == ("install", "agent", 2)


def test_where_nobody_may_look_the_plan_says_that_people_may_be_asked(town: Town) -> None:
    """Before the merge nobody asks a cluster over a connection; the questions come all the same."""
    by_node_sets(town)
    name = town.repo.propose("2.0.0")
    town.db.rename(town.db.with_name("elsewhere.db"))

    said = town.sluice("plan", "--head", f"pr/{name}").out

    assert "agent has never been released in eu-1, eu-2: where it is not there" in said
    assert "before the first install" not in said


def test_the_forecast_of_a_first_install_counts_each_node_once(town: Town) -> None:
    """Two parts of one DaemonSet are not two DaemonSets: the plan and the forecast say the same."""
    by_node_sets(town)
    name = town.repo.propose("2.0.0")
    (planned,) = town.sluice("plan", "--head", f"pr/{name}", "--json").json["releases"]
    town.tick()
    town.repo.merge(name)
    town.tick(2)

    said = town.sluice("forecast", name, "--json").json

    assert said["exposure"]["of"] == planned["exposure"]["of"]
    assert said["exposure"]["of"]["nodes"] == 8
    assert said["exposure"]["points"][-1]["nodes"] == 1.0


def test_what_was_never_there_needs_no_way_back(town: Town) -> None:
    """A pair of versions is about what runs: of a first install nothing is put back."""
    component = town.repo.work / "components/agent/component.yaml"
    pair = '  irreversible: [{from: "1.*", to: "2.*", reason: tables are dropped}]\n'
    component.write_text(component.read_text() + pair)
    town.repo.commit("A pair")
    town.repo.git("push", "-q", "origin", "main")
    town.tick()
    name = town.repo.propose("2.0.0")

    assert "declared irreversible" not in town.sluice("plan", "--head", f"pr/{name}").out

    town.db.rename(town.db.with_name("elsewhere.db"))
    assert "declared irreversible" in town.sluice("plan", "--head", f"pr/{name}").out


def test_a_release_of_two_clusters_is_not_half_of_production(tmp_path: Path) -> None:
    """The warning counts the fleet; a narrowed release would be warned of whatever it does."""
    town = Town(tmp_path)
    for number in (3, 4, 5, 6):
        text = (town.repo.work / "fleet/clusters/eu-1.yaml").read_text()
        town.repo.write(f"fleet/clusters/eu-{number}.yaml", text.replace("eu-1", f"eu-{number}"))
    town.repo.commit("Six")
    town.repo.git("push", "-q", "origin", "main")
    name = town.repo.propose("2.0.0")
    assert "5 of the 6 production units" in town.sluice("plan", "--head", f"pr/{name}").out
    file = f"releases/2026/{name}.yaml"
    text = (town.repo.work / file).read_text()
    town.repo.write(file, text + "  units: {names: [eu-1, eu-2, eu-3]}\n")
    town.repo.commit("Only three")
    town.repo.git("push", "-q", "origin", f"pr/{name}")
    assert "more than half of production" not in town.sluice("plan", "--head", f"pr/{name}").out
