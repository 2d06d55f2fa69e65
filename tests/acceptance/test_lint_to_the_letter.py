"""lint: what an author writes is taken as written, refused with its place, or not read at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import sluice

HEAD = "apiVersion: sluice/v1\n"
WINDOW = HEAD + "kind: Window\nmetadata: {name: w}\nspec:\n  zone: UTC\n"
CLUSTER = HEAD + "kind: Cluster\nmetadata: {name: k1, labels: {}}\nspec:\n  group: staging\n"


def lint(repo: Path, path: str, text: str | bytes) -> list[dict[str, Any]]:
    """The findings with one file more."""
    file = repo / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    said = sluice("lint", repo, "--no-render", "--json")
    found: list[dict[str, Any]] = said.json["findings"]
    assert said.code == (1 if any(one["level"] == "error" for one in found) else 0)
    return found


def places(found: list[dict[str, Any]]) -> list[tuple[str, int, int, str]]:
    return [(one["path"], one["line"], one["column"], one["code"]) for one in found]


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ("from: 9:00", 9, "wrong-time"),
        ("days: [on]", 10, "wrong-days"),
        ("starts: 2026-02-30", 11, "wrong-date"),
        ("from: !!str 09:00", 9, "explicit-tag"),
        ("units: {matchLabels: {1: a}}", 25, "key-not-a-string"),
        ("units: {matchLabels: {a: no}}", 28, "label-not-a-string"),
        ("units: {matchLabels: {a: 1_000}}", 28, "label-not-a-string"),
        ("units: {matchLabels: {a: 0o7}}", 28, "label-not-a-string"),
        ("units: {matchLabels: {a: 1e3}}", 28, "label-not-a-string"),
        ("components: {<<: {}}", 16, "merge-key"),
        ("zone: UTC", 3, "duplicate-key"),
        ("fron: '09:00'", 3, "unknown-field"),
        ("holidays: DE-XX", 13, "unknown-holidays"),
    ],
)
def test_a_trap_is_refused_at_its_line_and_column(
    repo: Path, line: str, column: int, code: str
) -> None:
    """An editor jumps to the place: one off is another word."""
    found = lint(repo, "calendar/x.yaml", WINDOW + f"  {line}\n")
    assert ("calendar/x.yaml", 6, column, code) in places(found)


def test_the_text_counts_where_yaml_would_read_another_value(repo: Path) -> None:
    """12:30 is 750 to a reader of YAML 1.1, and half past twelve to everybody else."""
    times = "  from: 09:00\n  to: 12:30\n  starts: 2026-01-01\n"
    (repo / "calendar/windows.yaml").unlink()
    (repo / "calendar/freezes/year-end.yaml").unlink()
    assert lint(repo, "calendar/x.yaml", WINDOW + times) == []
    for at, is_open in (("2026-01-01T12:29:59Z", True), ("2026-01-01T12:30:00Z", False)):
        said = sluice("--repo", repo, "windows", "--unit", "node-agent@eu-1", "--at", at, "--json")
        assert said.json["open"] is is_open


@pytest.mark.parametrize("name", [".x.yaml", "x.txt", "x.yaml.bak", ".hidden/x.yaml"])
def test_hidden_and_other_files_are_ignored(repo: Path, name: str) -> None:
    """Editors and tools leave files of their own."""
    assert lint(repo, f"calendar/{name}", "{{{ no yaml") == []


def test_several_documents_each_tell_their_own_line(repo: Path) -> None:
    """Counting from the document's start would send people to another window."""
    text = WINDOW + "  fron: a\n---\n" + WINDOW.replace("name: w", "name: v") + "  too: b\n"
    assert [(one["line"], one["hint"]) for one in lint(repo, "calendar/x.yml", text)] == [
        (6, "did you mean `from`?"),
        (13, "did you mean `to`?"),
    ]


@pytest.mark.parametrize(
    ("connection", "code"),
    [
        ("kubeconfig: {name: ../eu-1}", "wrong-name"),
        ("kubeconfig: {name: /etc/passwd}", "wrong-name"),
        ("kubeconfig: {name: eu-1, path: x}", "unknown-field"),
        ("inCluster: {namespace: x}", "unknown-field"),
        ("simulated: {nodes: 2}, inCluster: {}", "exactly-one"),
        ("simulated: {nodes: 2, faults: [{do: crashLoop, every: 3}]}", "not-allowed-here"),
        ("simulated: {nodes: 2, faults: [{do: unreachable, pods: 1}]}", "not-allowed-here"),
        ("simulated: {nodes: 2, faults: [{do: explode}]}", "not-one-of"),
    ],
)  # fmt: skip
def test_nothing_of_a_connection_is_accepted_and_ignored(
    repo: Path, connection: str, code: str
) -> None:
    """What a field does not do yet, or not here, must be said before somebody relies on it."""
    found = lint(repo, "fleet/clusters/k1.yaml", CLUSTER + f"  connection: {{{connection}}}\n")
    assert [one["code"] for one in found] == [code]


def test_a_label_behind_a_built_in_one_is_refused(repo: Path) -> None:
    """Selectors see the built-in `group`; the written one would select nothing, silently."""
    text = CLUSTER.replace("labels: {}", "labels: {group: payments, cluster: k1}")
    found = lint(repo, "fleet/clusters/k1.yaml", text + "  connection: {simulated: {nodes: 1}}\n")
    assert places(found) == [("fleet/clusters/k1.yaml", 3, 31, "reserved-label")]


def test_a_broken_version_file_is_not_told_as_a_missing_one_too(repo: Path) -> None:
    """One mistake, one line: whoever names the version is not wrong."""
    file = repo / "components/ingress-proxy/versions/1.9.0.yaml"
    release = HEAD + (
        "kind: Release\nmetadata: {name: r}\n"
        "spec: {components: [{name: ingress-proxy, version: 1.9.0}], pipeline: standard}\n"
    )
    assert lint(repo, "releases/2026/r.yaml", release) == []
    found = lint(repo, str(file.relative_to(repo)), file.read_text().replace("sha256:", "md5:"))
    assert [one["code"] for one in found] == ["wrong-digest"]


def test_a_condition_that_is_no_cel_is_found_with_its_line(repo: Path) -> None:
    """Otherwise it is found at night, after the first batch, as an error of the check."""
    text = HEAD + "kind: Check\nmetadata: {name: k}\nspec:\n  cel: {}\n  successCondition: a b\n"
    assert places(lint(repo, "checks/k.yaml", text)) == [
        ("checks/k.yaml", 6, 21, "wrong-condition")
    ]


def test_the_built_in_check_cannot_be_written_anew(repo: Path) -> None:
    """`workload` redefined as `true` would pass every floor that asks for it."""
    text = HEAD + "kind: Check\nmetadata: {name: workload}\nspec: {workload: {}}\n"
    assert places(lint(repo, "checks/k.yaml", text)) == [("checks/k.yaml", 3, 18, "reserved-name")]


def test_a_template_mistake_has_line_and_column_and_a_built_secret_is_found(repo: Path) -> None:
    """`column` is null only where a file as a whole is meant; a Secret is one by any spelling."""
    folder = repo / "components/log-shipper/templates"
    (folder / "x.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: '{{ values.imag }}'}\n"
    )
    (broken,) = sluice("lint", repo, "--json").json["findings"]
    assert (broken["line"], broken["column"]) == (4, 1)
    assert "did you mean `image`" in broken["hint"]
    (folder / "x.yaml").write_text(
        "apiVersion: v1\nkind: {{ 'Sec' ~ 'ret' }}\nmetadata: {name: x}\nstringData: {a: hunter2}\n"
    )
    said = sluice("lint", repo, "--json")
    assert [one["code"] for one in said.json["findings"]] == ["literal-secret"]
    assert "hunter2" not in said.out


def test_a_workload_that_nobody_knows_how_to_roll_is_an_error_with_a_way_out(repo: Path) -> None:
    """A kind without batches would reach every pod at once, and be called done."""
    folder = repo / "components/log-shipper/templates"
    (folder / "x.yaml").write_text(
        "apiVersion: example.com/v1\nkind: Fleetlet\nmetadata: {name: x}\n"
        "spec: {replicas: 3, template: {spec: {}}}\n"
    )
    (found,) = sluice("lint", repo, "--json").json["findings"]
    assert (found["level"], found["code"]) == ("error", "unknown-workload")
    assert "Fleetlet" in found["message"]
    assert "WorkloadKind" in found["hint"]
