"""bump, plan, forecast: from a version to a pull request, and what it would do."""

from __future__ import annotations

from pathlib import Path

from tests.cli.terminal import Town, sluice


def test_bump_writes_a_release_that_lints_and_plan_shows_it(town: Town) -> None:
    """The two commands between a new version and a pull request."""
    work = town.repo.work
    town.repo.git("switch", "-q", "-c", "pr/agent-2-0-0")
    made = sluice(
        "--repo",
        work,
        "bump",
        "agent",
        "2.0.0",
        "--units",
        "cluster=eu-1",
        "--reason",
        'It: "better"',
        "--json",
    )
    assert made.code == 0
    assert made.json["release"] == "agent-2-0-0"
    text = (work / made.json["path"]).read_text()
    assert 'reason: "It: \\"better\\""' in text
    town.repo.commit("Release agent 2.0.0")
    plan = sluice("--repo", work, "plan", "--json")
    assert plan.code == 0
    (release,) = plan.json["releases"]
    assert release["planHash"].startswith("sha256:")
    assert release["components"][0]["to"] == "2.0.0"
    assert release["stages"][0]["waves"] == [["agent@eu-1"]]
    assert release["stages"][0]["units"][0]["batches"] == [1, "50%", "100%"]
    assert (
        sluice("--repo", work, "plan", "--json").json["releases"][0]["planHash"]
        == release["planHash"]
    )
    assert "Release agent-2-0-0: agent" in sluice("--repo", work, "plan").out


def test_bump_on_a_bare_repo_opens_the_pull_request(town: Town) -> None:
    """Where the Git host is a bare repo, a branch under pr/ is the pull request."""
    made = town.sluice("bump", "agent", "2.0.0", "--as", "chris", "--json")
    assert made.json["branch"] == "pr/agent-2-0-0"
    assert town.sluice("plan", "--head", "pr/agent-2-0-0", "--json").json["releases"]
    town.repo.git("fetch", "-q", "origin")
    assert (
        town.repo.git("log", "-1", "--format=%ae", "origin/pr/agent-2-0-0") == "chris@example.com"
    )


def test_bump_refuses_what_nothing_knows_with_the_near_name(town: Town) -> None:
    """A Release that names nothing would only be found in the pull request."""
    for words, near in (
        (("agnt", "2.0.0"), "agent"),
        (("agent", "2.0.0", "--pipeline", "standrd"), "standard"),
    ):
        said = town.sluice("bump", *words, "--json")
        assert said.code == 2
        assert near in said.json["refused"]["why"]


def test_bump_takes_no_name_that_is_a_path(town: Town) -> None:
    """A name becomes a path: one that climbs would write outside of the repo."""
    before = set(town.repo.work.parent.rglob("*.yaml"))
    for name in ("../../x", "a/b", "", "Agent", "x" * 64):
        said = sluice("--repo", town.repo.work, "bump", "agent", "2.0.0", "--name", name, "--json")
        assert said.code == 2, name
        assert "--name" in said.json["error"]["why"]
    assert set(town.repo.work.parent.rglob("*.yaml")) == before


def test_bump_warns_of_a_version_that_is_not_among_the_known_ones(town: Town) -> None:
    """Where evidence is optional a version may go out without a file; mostly it is a slip."""
    said = sluice("--repo", town.repo.work, "bump", "agent", "2.0.1", "--json")
    assert said.code == 0
    (found,) = said.json["findings"]
    assert (found["level"], found["code"]) == ("warning", "unknown-version")
    assert "2.0.0" in found["hint"]
    assert "unknown-version" in said.err


def test_bump_writes_nothing_that_does_not_lint(town: Town) -> None:
    """An empty release is a mistake of the selector, and no file of it is left behind."""
    said = sluice(
        "--repo", town.repo.work, "bump", "agent", "2.0.0", "--units", "group=prd", "--json"
    )
    assert said.code == 1
    assert said.json["findings"][0]["code"] == "selects-nothing"
    assert not (town.repo.work / "releases").exists()


def test_a_name_stands_for_ever(town: Town) -> None:
    """The same release twice is a second release, and asks for a name of its own."""
    work = town.repo.work
    assert sluice("--repo", work, "bump", "agent", "2.0.0").code == 0
    again = sluice("--repo", work, "bump", "agent", "2.0.0", "--json")
    assert (again.code, again.json["refused"]["code"]) == (3, "exists")
    assert sluice("--repo", work, "bump", "agent", "2.0.0", "--name", "agent-again").code == 0


def test_a_plan_with_errors_exits_1_and_plans_nothing(town: Town) -> None:
    """CI stops there, with every finding."""
    town.repo.git("switch", "-q", "-c", "pr/bad")
    town.repo.write(
        "releases/2026/bad.yaml",
        "apiVersion: sluice/v1\nkind: Release\nmetadata: {name: bad}\nspec: {}\n",
    )
    town.repo.commit("Release bad")
    said = sluice("--repo", town.repo.work, "plan", "--json")
    assert said.code == 1
    assert said.json["findings"]
    assert said.json["releases"] == []


def test_an_unknown_ref_is_wrong_usage(town: Town) -> None:
    """Nothing outside failed: the name is wrong."""
    assert town.sluice("plan", "--head", "pr/nothing").code == 2
    assert town.sluice("lint", "--ref", "nothing").code != 0


def test_plan_outside_a_git_repo_says_how_to_get_one(example: Path) -> None:
    """A folder has no main to merge into."""
    said = sluice("--repo", example, "plan", "--json")
    assert said.code == 4
    assert "git init" in said.json["error"]["why"]


def test_forecast_of_a_proposed_a_standing_and_an_unknown_release(town: Town) -> None:
    """When would it begin, and when end: before anything is merged, and after."""
    name = town.repo.propose("2.0.0")
    proposed = town.sluice("forecast", name, "--ref", f"pr/{name}", "--json")
    assert proposed.code == 0
    assert proposed.json["units"][0]["batches"][0]["start"]
    town.repo.merge(name)
    assert town.sluice("forecast", name, "--json").json["release"] == name
    unknown = town.sluice("forecast", "agent-2-0", "--json")
    assert unknown.code == 2
    assert name in unknown.json["refused"]["why"]


def test_plan_with_a_store_knows_the_names_that_were_on_main_before(town: Town) -> None:
    """The same error as in the bot's own answer to the pull request, before it is opened."""
    name = town.merged()
    merged = town.repo.git("rev-parse", "main")
    (path,) = town.repo.git("ls-tree", "-r", "--name-only", "main", "releases").split()
    town.repo.git("rm", "-q", path)
    town.repo.commit("Taken away before it began")
    town.repo.git("push", "-q", "origin", "HEAD:main")
    town.tick()
    town.repo.git("switch", "-q", "-c", "pr/again")
    town.repo.git("checkout", "-q", merged, "--", path)
    town.repo.commit("The same name again")
    town.repo.git("push", "-q", "origin", "HEAD:pr/again")
    plan = town.sluice("plan", "--head", "pr/again", "--json")
    assert plan.code == 1
    assert plan.json["releases"] == []
    (finding,) = [one for one in plan.json["findings"] if one["code"] == "name-taken"]
    assert name in finding["message"]
    before = town.sluice("plan", "--base", f"{merged}^", "--head", merged, "--json")
    assert [one["release"] for one in before.json["releases"]] == [name]


def test_plan_asks_the_clusters_where_told_to_and_shows_what_they_would_refuse(town: Town) -> None:
    """A label that no server takes: found in the review, on the unit's line, with exit 1."""
    town.tick()
    town.repo.git("switch", "-q", "-c", "pr/agent-2-0-0")
    sheet = town.repo.work / "components/agent/templates/daemonset.yaml"
    spoilt = sheet.read_text().replace("namespace: infra}", 'namespace: infra, labels: {a: "b c"}}')
    sheet.write_text(spoilt)
    made = sluice("--repo", town.repo.work, "bump", "agent", "2.0.0", "--reason", "Faster")
    assert made.code == 0
    town.repo.commit("Release agent 2.0.0")
    town.repo.git("push", "-q", "origin", "pr/agent-2-0-0")
    asked = ("plan", "--head", "pr/agent-2-0-0")
    assert town.sluice(*asked).code == 0, "a plan that asks nobody cannot know it"
    told = town.sluice(*asked, "--ask-clusters")
    assert told.code == 1
    assert "would be refused: DaemonSet infra/agent" in told.out
    (release,) = town.sluice(*asked, "--ask-clusters", "--json").json["releases"]
    verdicts = [unit["dryRun"]["verdict"] for unit in release["stages"][0]["units"]]
    assert verdicts == ["refused", "refused"]
    assert town.sluice("fleet", "--json").json["clusters"][0]["writes"] == []
