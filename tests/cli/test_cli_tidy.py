"""tidy: old Release files go by a pull request; what runs, and what stands beside others, stays."""

from __future__ import annotations

from pathlib import Path

from tests.cli.terminal import Town


def cancelled(town: Town, version: str) -> str:
    """A release that has ended, and whose file still stands on main."""
    name = town.merged(version)
    town.sluice("cancel", name, "--as", "ana", "--reason", "not today")
    town.tick(2)
    return name


def test_what_ended_long_ago_is_proposed_for_deletion(town: Town) -> None:
    """Nobody deletes by hand what a thousand releases left; and nothing is deleted unasked."""
    old = cancelled(town, "2.0.0")
    kept = town.merged("3.0.0")
    nothing = town.sluice("tidy", "--as", "ana", "--json")
    assert (nothing.code, nothing.json["releases"], nothing.json["branch"]) == (0, [], None)
    dry = town.sluice("tidy", "--older-than", "0s", "--dry-run", "--as", "ana", "--json").json
    assert [one["release"] for one in dry["releases"]] == [old]
    assert (dry["branch"], dry["dryRun"]) == (None, True)
    assert town.repo.git("ls-remote", "--heads", "origin", "pr/tidy-*") == ""
    said = town.sluice("tidy", "--older-than", "0s", "--as", "ana", "--json")
    assert said.code == 0
    (gone,) = said.json["releases"]
    assert (gone["release"], gone["phase"]) == (old, "CANCELLED")
    branch = said.json["branch"]
    town.repo.git("fetch", "-q", "origin", f"{branch}:{branch}", "main:seen")
    assert town.repo.git("diff", "--name-status", "seen", branch) == f"D\t{gone['path']}"
    again = town.sluice("tidy", "--older-than", "0s", "--as", "ana", "--json").json
    assert again["branch"] == branch, "asked twice it is one proposal"
    plan = town.sluice("plan", "--head", branch, "--json")
    assert (plan.code, plan.json["releases"], plan.json["findings"]) == (0, [], [])
    assert kept not in str(said.json)


def test_the_record_stays_and_the_name_stays_taken(town: Town) -> None:
    """A file is only a file: merging its deletion plans nothing, ends nothing, forgets nothing."""
    old = cancelled(town, "2.0.0")
    branch = town.sluice("tidy", "--older-than", "0s", "--as", "ana", "--json").json["branch"]
    with town.bot() as bot:
        bot.tick()
        town.repo.git("fetch", "-q", "origin", f"{branch}:{branch}", "main")
        town.repo.git("merge", "-q", "--no-ff", "-m", "Tidy", branch)
        town.repo.git("push", "-q", "origin", "HEAD:main", f":{branch}")
        bot.tick()
        assert bot.problems == []
        assert bot.board.holds == {}
    (state,) = town.sluice("status", old, "--json").json["releases"]
    assert state["phase"] == "CANCELLED"
    assert town.sluice("audit", old, "--json").json["events"]


def test_what_stands_beside_others_or_is_named_by_them_stays(town: Town) -> None:
    """Main must lint without the file, and nothing else may go with it."""
    old = cancelled(town, "2.0.0")
    path = next(Path(town.repo.work).glob(f"releases/*/{old}.yaml"))
    beside = """---
apiVersion: sluice/v1
kind: Pipeline
metadata: {name: other}
spec: {stages: [{name: all, units: {}}]}
"""
    path.write_text(path.read_text() + beside)
    town.repo.commit("Two in one file")
    town.repo.git("push", "-q", "origin", "HEAD:main")
    said = town.sluice("tidy", "--older-than", "0s", "--as", "ana", "--json").json
    assert (said["releases"], said["branch"]) == ([], None)
    assert [one["why"] for one in said["left"]] == ["something else stands in the same file"]


def test_an_age_that_is_none_is_wrong_usage(town: Town) -> None:
    """`--older-than 90` could be minutes."""
    town.tick()
    said = town.sluice("tidy", "--older-than", "90", "--as", "ana", "--json")
    assert said.code == 2
