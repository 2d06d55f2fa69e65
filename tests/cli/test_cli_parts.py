"""render and windows of a part of a cluster, from the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import repo_files
from tests.cli.terminal import sluice
from tests.stories.scopes import cluster

OWN = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: node-agent, namespace: "{{ unit.namespace }}"}
data: {of: "{{ unit.place }} in {{ unit.scope }}"}
"""
SPACES = [{"name": "team-a", "labels": {"wave": "1"}}, {"name": "team-b"}]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A folder in which node-agent is released by namespaces."""
    early = {"from": "09:00", "to": "10:00", "units": {"matchLabels": {"wave": "1"}}}
    late = {"from": "14:00", "to": "15:00", "units": {"matchLabels": {"namespace": "team-b"}}}
    files = repo_files.base() | {
        "fleet/clusters/eu-1.yaml": cluster(namespaces=SPACES),
        "components/node-agent/component.yaml": repo_files.component(scope="namespace"),
        "components/node-agent/templates/node-agent.yaml": OWN,
        "calendar/windows.yaml": repo_files.window("early", **early)
        + "---\n"
        + repo_files.window("late", **late),
    }
    for name, text in files.items():
        there = tmp_path / "repo" / name
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text(text)
    return tmp_path / "repo"


def test_each_part_has_its_own_window(repo: Path) -> None:
    """A selector sees the labels of the namespace, and its name."""
    said = sluice("--repo", repo, "--at", "2026-11-24T09:30:00Z", "windows", "--json")
    units = {one["unit"]: one["open"] for one in said.json["units"]}
    a, b = (f"node-agent@eu-1/namespace:{name}" for name in ("team-a", "team-b"))
    assert units == {a: True, b: False}
    one = sluice("--repo", repo, "--at", "2026-11-24T14:30:00Z", "windows", "--unit", b, "--json")
    assert (one.code, one.json["open"]) == (0, True)


def test_a_part_is_asked_for_by_its_name(repo: Path) -> None:
    """And one that there is not by the name that was probably meant."""
    said = sluice("--repo", repo, "windows", "--unit", "node-agent@eu-1/namespace:team-c")
    assert said.code == 2
    assert "node-agent@eu-1/namespace:team-" in said.err


def test_a_part_is_rendered_as_itself(repo: Path) -> None:
    unit = "node-agent@eu-1/namespace:team-a"
    said = sluice("--repo", repo, "render", unit, "--version", "2.5.0", "--json")
    assert said.code == 0, said.err
    (obj,) = said.json["objects"]
    assert obj["metadata"]["namespace"] == "team-a"
    assert obj["data"] == {"of": "team-a in namespace"}


@pytest.mark.parametrize("asked", [["windows", "--unit"], ["render"]])
def test_who_names_the_cluster_alone_is_told_the_parts_in_it(repo: Path, asked: list[str]) -> None:
    """A component that goes by namespaces has no unit of the whole cluster."""
    said = sluice("--repo", repo, *asked, "node-agent@eu-1")
    assert said.code == 2
    assert "It may be node-agent@eu-1/namespace:team-a or node-agent@eu-1/name" in said.err
