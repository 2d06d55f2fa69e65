"""Loading: one index of the repo, each content read once, links not followed out of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from release_repo_schema.load import Cache, load_repo
from release_repo_schema.models import Policy
from release_repo_schema.rules import lint
from release_repo_schema.tree import FolderTree
from tests.schema.repos import SOUND, codes, headed, repo, tree


def test_the_repo_knows_everything_by_name() -> None:
    """The rest of Sluice asks by kind and name, never by path."""
    found = repo({"components/agent/values/groups/prod.yaml": "a: 1\n"})
    assert set(found.clusters) == {"s1", "p1", "p2"}
    assert set(found.groups) == {"staging", "prod"}
    assert set(found.releases) == {"agent-2"}
    assert found.values["agent"] == {
        "default": {"image": "agent:{{ version }}"},
        "groups/prod": {"a": 1},
    }
    assert found.component_files("agent") == {
        "templates/ds.yaml": "components/agent/templates/ds.yaml"
    }
    assert found.component_files("nobody") == {}


def test_labels_of_a_cluster_win_over_those_of_its_group_and_built_ins_over_both() -> None:
    """Nobody may hide a cluster behind a label called `cluster`."""
    found = repo(
        {
            "fleet/clusters/p1.yaml": "kind: Cluster\n"
            "metadata: {name: p1, labels: {environment: canary, cluster: x, group: y}}\n"
            "spec: {group: prod, connection: {simulated: {nodes: 3}}}\n"
        }
    )
    assert found.labels_of("p1") == {"environment": "canary", "cluster": "p1", "group": "prod"}
    assert found.labels_of("p2")["environment"] == "production"


def test_a_repo_without_policy_and_people_has_the_cautious_defaults() -> None:
    """Nothing written means closed windows, and nobody who could approve."""
    found = repo({"policy/policy.yaml": None, "people.yaml": None})
    assert isinstance(found.policy, Policy)
    assert found.policy.spec.windows.when_none_matches == "closed"
    assert found.people.spec.holders("approver") == frozenset()


def test_every_answer_can_name_its_source() -> None:
    """`why` ends in file:line, also of a field that was left to its default."""
    found = repo()
    assert (
        found.source("Pipeline", "standard", ("spec", "stages", 1)) == "pipelines/standard.yaml:7"
    )
    assert found.source("Component", "agent", ("spec", "soak")) == (
        "components/agent/component.yaml:4"
    )
    assert found.source("Component", "nobody") == ""


def test_equal_content_is_read_once() -> None:
    """A pull request that changes one file of seven thousand costs one file."""
    cache: Cache = {}
    repo(cache=cache)
    again = tree({"components/agent/values/default.yaml": "image: other\n"})
    found = load_repo(again, cache)
    assert again.reads == ["components/agent/values/default.yaml"]
    assert found.values["agent"]["default"] == {"image": "other"}
    assert found.clusters["s1"] is load_repo(tree(), cache).clusters["s1"]


def test_a_broken_document_is_not_in_the_repo_and_the_others_are() -> None:
    """What has errors goes nowhere; what stands beside it is not its fault."""
    found = repo(
        {
            "checks/ready.yaml": "kind: Check\nmetadata: {name: ready}\nspec: {workload: []}\n"
            "---\nkind: Check\nmetadata: {name: other}\nspec: {workload: {}}\n"
        }
    )
    assert set(found.checks) == {"other"}
    assert found.broken_names == {"ready"}


def test_a_file_with_broken_yaml_gives_nothing_at_all() -> None:
    """With a key twice nobody knows which one was meant: neither counts."""
    found = repo(
        {
            "policy/policy.yaml": "kind: Policy\nmetadata: {name: policy}\n"
            "spec: {windows: {whenNoneMatches: open, whenNoneMatches: closed}}\n"
        }
    )
    assert codes(list(found.findings)) == ["duplicate-key"]
    assert found.policy.spec.windows.when_none_matches == "closed"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The sound repo on disk."""
    for path, content in SOUND.items():
        target = tmp_path / "repo" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        text = headed(path, content)
        target.write_text(text if isinstance(text, str) else text.decode())
    return tmp_path / "repo"


def test_a_folder_loads_like_any_tree(folder: Path) -> None:
    """`sluice lint` takes a folder as it is, Git repo or not."""
    found = load_repo(FolderTree(folder))
    assert found.findings == ()
    assert set(found.clusters) == {"s1", "p1", "p2"}


def test_a_folder_gives_the_content_ids_of_git(folder: Path) -> None:
    """So a folder and a commit share one cache."""
    (folder / "checks/empty.yaml").write_bytes(b"")
    entries = FolderTree(folder).entries()
    assert entries["checks/empty.yaml"].key == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def test_links_inside_the_repo_are_read_and_links_out_of_it_are_not(
    folder: Path, tmp_path: Path
) -> None:
    """A pull request must not make the bot print what stands beside the repo."""
    (tmp_path / "secret.yaml").write_text("token: hunter2\n")
    values = folder / "components/agent/values/clusters"
    values.mkdir()
    (values / "p1.yaml").symlink_to("../default.yaml")
    (values / "p2.yaml").symlink_to("../../../../../secret.yaml")
    (folder / "checks/passwd.yaml").symlink_to("/etc/passwd")
    (folder / "calendar/freezes").symlink_to(tmp_path)
    found = load_repo(FolderTree(folder))
    assert found.values["agent"]["clusters/p1"] == found.values["agent"]["default"]
    assert "clusters/p2" not in found.values["agent"]
    assert codes(list(found.findings)) == ["link-leaves-repo"] * 3
    assert "hunter2" not in str(found.values)


def test_what_is_no_regular_file_is_a_finding_and_no_hang(folder: Path) -> None:
    """Opening a pipe waits for somebody to write into it."""
    os.mkfifo(folder / "checks/pipe.yaml")
    (folder / "checks" / "caf\udce9.yaml").write_bytes(b"kind: Check\n")
    assert set(codes(list(load_repo(FolderTree(folder)).findings))) == {"not-a-file"}


def test_a_file_that_cannot_be_read_is_a_finding() -> None:
    """It may vanish between listing and reading."""

    class Vanishing(type(tree())):  # type: ignore[misc]
        def read(self, path: str) -> bytes:
            if path == "checks/ready.yaml":
                raise FileNotFoundError(2, "No such file or directory", path)
            return bytes(super().read(path))

    files = Vanishing({path: headed(path, content) for path, content in SOUND.items()})
    found = load_repo(files)
    assert codes(list(found.findings)) == ["unreadable-file"]


def test_lint_of_a_large_repo_reads_and_matches_no_more_than_it_must() -> None:
    """Selectors that many releases share are matched against the fleet once."""
    many: dict[str, str | bytes | None] = {}
    for n in range(50):
        many[f"fleet/clusters/x{n}.yaml"] = (
            f"kind: Cluster\nmetadata: {{name: x{n}}}\n"
            "spec: {group: prod, connection: {simulated: {nodes: 1}}}\n"
        )
        many[f"releases/r{n}.yaml"] = (
            f"kind: Release\nmetadata: {{name: r{n}}}\n"
            "spec: {components: [{name: agent, version: 1}], pipeline: standard}\n"
        )
    cache: Cache = {}
    first = repo(many, cache)
    assert lint(first) == []
    again = tree(many | {"components/agent/values/default.yaml": "image: other\n"})
    assert lint(load_repo(again, cache)) == []
    assert again.reads == ["components/agent/values/default.yaml"]
