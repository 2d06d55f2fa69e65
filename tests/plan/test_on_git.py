"""The planner on a real repository and the real sandbox, with the generated fleet in small."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.generate_repo import BUMPED, VARIED, release, write
from bot.adapters.git import LocalGitHost
from bot.adapters.sandbox import SandboxRenderer
from bot.reconciler.planner import Planner
from tests.plan.world import NOW

CLUSTERS = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Main with a small fleet, and a pull request for each of two components."""
    path = tmp_path_factory.mktemp("fleet")
    write(path, clusters=CLUSTERS, components=3)
    git(path, "init", "-q", "-b", "main")
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "A fleet")
    for component in (BUMPED, VARIED):
        git(path, "checkout", "-q", "-b", f"pr/{component}", "main")
        (path / f"releases/2026/{component}-new.yaml").write_text(release(component, "2.5.0"))
        git(path, "add", "-A")
        git(path, "commit", "-q", "-m", component)
    git(path, "checkout", "-q", "main")
    return path


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True)


@pytest.fixture
def host(folder: Path) -> Iterator[LocalGitHost]:
    with LocalGitHost(folder) as found:
        yield found


@pytest.fixture(scope="module")
def renderer() -> Iterator[SandboxRenderer]:
    with SandboxRenderer() as found:
        yield found


@pytest.mark.parametrize(("component", "distinct"), [(BUMPED, 4), (VARIED, CLUSTERS)])
def test_a_bump_is_planned_from_git_objects_and_the_merge_keeps_its_hash(
    host: LocalGitHost, renderer: SandboxRenderer, folder: Path, component: str, distinct: int
) -> None:
    """Before the merge in memory, after it from main: the same plan, to the last digest."""
    planner = Planner(host, renderer)
    main, head = host.head(), host.head(f"pr/{component}")
    assert main
    assert head

    pull = planner.pull(main, head, now=NOW)

    assert pull.findings == ()
    (shown,) = pull.releases
    assert len(shown.plan.units) == CLUSTERS
    assert planner.renderings.made == 2 * distinct
    git(folder, "checkout", "-q", "main")
    git(folder, "merge", "-q", "--no-ff", "--no-edit", f"pr/{component}")
    merged = Planner(host, renderer).merge(host.head() or "", now=NOW)
    assert {one.plan.release: one.plan.plan_hash for one in merged.releases} == pull.hashes


def test_a_plan_of_an_endless_template_is_a_finding_and_not_a_hang(
    host: LocalGitHost, folder: Path
) -> None:
    """A pull request is data: it cannot stop the bot that reads it."""
    git(folder, "checkout", "-q", "-b", "pr/endless", "main")
    template = folder / f"components/{BUMPED}/templates/workload.yaml"
    template.write_text(
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    )
    (folder / "releases/2026/endless.yaml").write_text(release(BUMPED, "2.7.0"))
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "endless")
    git(folder, "checkout", "-q", "main")
    main, head = host.head(), host.head("pr/endless")
    assert main
    assert head

    with SandboxRenderer(deadline=0.3) as renderer:
        pull = Planner(host, renderer).pull(main, head, now=NOW)

    assert pull.releases == ()
    assert {finding.path for finding in pull.findings} == {
        f"components/{BUMPED}/templates/workload.yaml"
    }
