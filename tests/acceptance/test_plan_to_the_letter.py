"""plan, bump, render: what a merge would do, from real Git repositories."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import sluice

AT = "2026-11-23T08:00:00Z"
HEAD = "apiVersion: sluice/v1\n"
RELEASE = "releases/2026/node-agent-2-5-0.yaml"


def git(folder: Path, *words: str) -> str:
    names = {f"GIT_{who}_{what}": "eve@example.com" for who in ("AUTHOR", "COMMITTER")
             for what in ("NAME", "EMAIL")}  # fmt: skip
    done = subprocess.run(
        ["git", *words], cwd=folder, env={**os.environ, **names}, capture_output=True, check=True
    )
    return done.stdout.decode()


@pytest.fixture
def main(repo: Path) -> Path:
    """main without the example's release, and the branch pr/x checked out."""
    (repo / RELEASE).rename(repo.parent / "release.yaml")
    git(repo, "init", "-q", "-b", "main")
    commit(repo)
    git(repo, "switch", "-q", "-c", "pr/x")
    return repo


def commit(repo: Path, **files: str) -> None:
    for path, text in files.items():
        (repo / path).write_text(text)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "--allow-empty", "-m", "change")


def bring(repo: Path) -> None:
    shutil.copy(repo.parent / "release.yaml", repo / RELEASE)
    commit(repo)


def plan(repo: Path) -> Any:
    return sluice("--repo", repo, "plan", "--at", AT, "--json").json


def test_a_plan_has_the_contract_s_shape_is_read_only_and_says_the_same_twice(main: Path) -> None:
    """CI keeps it as an artifact and compares it; a plan that writes would be a back door."""
    bring(main)
    before = sorted((f, f.stat().st_mtime_ns) for f in main.rglob("*"))
    first, second = (sluice("--repo", main, "plan", "--at", AT, "--json").out for _ in range(2))
    assert first == second
    assert before == sorted((f, f.stat().st_mtime_ns) for f in main.rglob("*"))
    found = json.loads(first)
    assert set(found) >= {"base", "head", "releases", "unreleased", "findings"}
    (release,) = found["releases"]
    assert set(release) >= {"release", "planHash", "components", "stages", "start", "end",
                            "changes", "approvals", "warnings"}  # fmt: skip
    assert set(release["components"][0]) >= {"name", "from", "to"}
    for stage in release["stages"]:
        assert set(stage) >= {"name", "waves", "units"}
        assert [u["unit"] for u in stage["units"]] == [u for wave in stage["waves"] for u in wave]
        for unit in stage["units"]:
            assert set(unit) >= {"unit", "reason", "batches", "counts", "start", "end"}
            assert unit["reason"]
            assert "\n" not in unit["reason"]
    diffs = [(one["object"], one["diff"]) for one in release["changes"]]
    assert len(diffs) == len(set(diffs)), "identical diffs are one entry"


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("policy/policy.yaml", "count: 2", "count: 1"),
        ("people.yaml", "admin: [ana, chris]", "admin: [ana, ben]"),
        ("calendar/windows.yaml", "16:00", "18:00"),
        ("calendar/freezes/year-end.yaml", "2026-12-18", "2026-12-19"),
        ("fleet/clusters/eu-1.yaml", "nodes: 12", "nodes: 13"),
    ],
)
def test_a_release_comes_without_rules_of_its_own(
    main: Path, file: str, before: str, after: str
) -> None:
    """A pull request loosens no rule that judges it."""
    (main / file).write_text((main / file).read_text().replace(before, after))
    bring(main)
    found = plan(main)
    assert [one["code"] for one in found["findings"]] == ["release-with-rules"]
    assert found["releases"] == []


def test_a_conflict_with_main_is_a_finding(main: Path) -> None:
    """Exit 1 with the file, and no crash."""
    values = "components/node-agent/values/default.yaml"
    commit(main, **{values: "image: b\n"})
    git(main, "switch", "-q", "main")
    commit(main, **{values: "image: a\n"})
    git(main, "switch", "-q", "pr/x")
    (found,) = plan(main)["findings"]
    assert (found["code"], found["path"]) == ("conflict", values)


def test_a_stage_that_writes_no_waves_keeps_to_the_floor(main: Path) -> None:
    """The policy's first wave holds whatever the pipeline says, or leaves out."""
    text = HEAD + (
        "kind: Release\nmetadata: {name: r}\nspec:\n"
        "  components: [{name: node-agent, version: 2.5.0}]\n"
        "  stages: [{name: all, units: {}}]\n"
    )
    commit(main, **{RELEASE: text})
    (release,) = plan(main)["releases"]
    assert [len(wave) for wave in release["stages"][0]["waves"]] == [1, 5]


def test_bump_takes_a_selector_as_a_file_writes_it(main: Path) -> None:
    """The contract's selector is what people copy from a pipeline."""
    for selector in (
        "{matchLabels: {environment: staging}}",
        '{"matchLabels": {"environment": "staging"}}',
        "environment=staging",
        "{matchExpressions: [{key: group, operator: In, values: [staging]}]}",
    ):
        said = sluice("--repo", main, "bump", "node-agent", "2.5.0", "--units", selector, "--json")
        assert said.code == 0
        assert sluice("lint", main, "--no-render").code == 0
        (main / said.json["path"]).unlink()
    wrong = sluice("--repo", main, "bump", "node-agent", "2.5.0", "--units", "{matchLabel: {}}")
    assert wrong.code == 2


def test_a_repo_is_read_by_its_address_from_any_folder(
    main: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--repo takes a URL; the copy of it stands beside the store, wherever one is."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    address = f"file://{main}"
    assert sluice("--repo", address, "lint", "--no-render").out == "No findings.\n"
    assert sluice("--repo", address, "--ref", "pr/none", "lint", "--json").code == 2


def test_render_refuses_what_could_be_no_version(repo: Path) -> None:
    """A version is a valid image tag: anything else would be rendered into an image name."""
    assert sluice("--repo", repo, "render", "node-agent@eu-1", "--version", "a b").code == 2
