"""init, lint, schema, render: what authors ask about files, and their CI with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import sluice

NODE_AGENT = "components/node-agent"


def test_init_writes_a_repo_that_lints(tmp_path: Path) -> None:
    """The first two commands of a newcomer must both succeed."""
    made = sluice("init", tmp_path / "repo", "--json")
    assert made.code == 0
    assert "people.yaml" in made.json["files"]
    linted = sluice("lint", tmp_path / "repo")
    assert (linted.code, linted.out) == (0, "No findings.\n")


def test_init_never_writes_into_a_folder_that_holds_something(example: Path) -> None:
    """Somebody's work stands there."""
    again = sluice("init", example)
    assert again.code == 2
    assert "is not empty" in again.err


def test_lint_tells_all_mistakes_with_their_place_and_exits_1(example: Path) -> None:
    """Fixing one mistake at a time costs an author a CI run each."""
    file = example / f"{NODE_AGENT}/component.yaml"
    file.write_text(file.read_text().replace("batchSoak: 5m", "batchSoack: 5m"))
    (example / "checks/extra.yaml").write_text("kind: Chek\n")
    said = sluice("--json", "lint", example)
    assert said.code == 1
    found = said.json["findings"]
    assert {one["path"] for one in found} == {f"{NODE_AGENT}/component.yaml", "checks/extra.yaml"}
    soak = next(one for one in found if one["code"] == "unknown-field")
    assert soak == soak | {"level": "error", "hint": "did you mean `batchSoak`?"}
    assert isinstance(soak["line"], int)
    text = sluice("lint", example)
    assert f"{NODE_AGENT}/component.yaml:{soak['line']}:{soak['column']}: error:" in text.out


def test_lint_tries_the_templates_once_for_every_chain_of_values(example: Path) -> None:
    """A template that reads a value that one group lacks breaks only there."""
    template = example / f"{NODE_AGENT}/templates/configmap.yaml"
    template.write_text(template.read_text().replace("values.logLevel", "values.logLevl"))
    said = sluice("lint", example, "--json")
    assert said.code == 1
    (found,) = said.json["findings"]
    assert (found["path"], found["line"]) == (f"{NODE_AGENT}/templates/configmap.yaml", 9)
    assert sluice("lint", example, "--no-render").code == 0


def test_lint_of_a_place_without_a_release_repo_is_wrong_usage(tmp_path: Path) -> None:
    """A CI job with a wrong path must not be green for ever."""
    said = sluice("lint", tmp_path, "--json")
    assert said.code == 2
    assert said.json["error"]["code"] == "usage"
    assert "there is no release repo" in said.json["error"]["why"]


def test_lint_in_a_folder_below_the_top_finds_the_top(
    example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People stand in releases/2026 when they type."""
    (example / ".git").mkdir()
    monkeypatch.chdir(example / "releases/2026")
    assert sluice("lint").code == 0
    assert sluice("windows", "--unit", "node-agent@eu-1").code == 0


def test_lint_of_one_file_says_what_to_name_instead(example: Path) -> None:
    """The answer to a slip is the command that was meant."""
    said = sluice("lint", example / "people.yaml")
    assert said.code == 2
    assert "its files refer to each other: name its folder" in said.err


def test_schema_prints_one_kind_or_all_of_them() -> None:
    """Editors want one file a kind; scripts want the map."""
    one = sluice("schema", "Window").json
    assert one["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert "Release" in sluice("schema", "--json").json
    wrong = sluice("schema", "window")
    assert wrong.code == 2
    assert "did you mean `Window`?" in wrong.err


def test_render_shows_the_yaml_of_a_unit_and_no_secret(example: Path) -> None:
    """What a release would bring, before there is one; literal secrets are shown to nobody."""
    said = sluice("--repo", example, "render", "node-agent@eu-1", "--version", "2.4.1", "--json")
    assert said.code == 0
    config, workload = said.json["objects"]
    assert config["kind"] == "ConfigMap"
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.local/node-agent:2.4.1"
    assert container["resources"]["requests"]["memory"] == "256Mi"
    secret = example / f"{NODE_AGENT}/templates/secret.yaml"
    secret.write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
        "stringData: {key: {{ values.logLevel }}}\n"
    )
    shown = sluice("--repo", example, "render", "node-agent@eu-1")
    assert "(not shown)" in shown.out
    assert "key: info" not in shown.out


def test_render_of_an_unknown_unit_names_the_near_ones(example: Path) -> None:
    """A slip of the finger is answered with what was meant."""
    said = sluice("--repo", example, "render", "node-agent@eu1", "--json")
    assert said.code == 2
    assert said.json["refused"]["code"] == "unknown-unit"
    assert "node-agent@eu-1" in said.json["refused"]["why"]


TASK = """\
apiVersion: sluice/v1
kind: Task
metadata: {name: odd}
spec:
  job: {image: registry.local/ops:1, args: ["%s"]}
  undo: {job: {image: registry.local/ops:1}}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ nope }}", "nope"),
        ("{%% for", "spec.job.args[0]: unexpected"),
        ("{{ cluster.nmae }}", "nmae"),
    ],
)
def test_lint_tries_the_texts_of_tasks_too(example: Path, text: str, said: str) -> None:
    """They are rendered like those of components; a slip would show when it is to be done."""
    (example / "tasks").mkdir(exist_ok=True)
    (example / "tasks/odd.yaml").write_text(TASK % text.replace("%%", "%"))
    found = sluice("lint", example)
    assert found.code == 1
    (line,) = [line for line in found.out.splitlines() if "error" in line and "tasks/odd" in line]
    assert said in line
    (example / "tasks/odd.yaml").write_text(TASK % "{{ cluster.name }} {{ unit.name }}")
    assert sluice("lint", example).code == 0


def test_one_wrong_field_hides_no_other_mistake(example: Path) -> None:
    """All findings in one run: who mends one and is told the next has run it ten times by noon."""
    policy = example / "policy/policy.yaml"
    rule = '{name: one, when: "release.tier ==", verdict: wait, reason: x}'
    policy.write_text(
        "apiVersion: sluice/v1\nkind: Policy\nmetadata: {name: policy}\n"
        f"spec:\n  limits: {{unitsPerDay: 0}}\n  riskRules: [{rule}]\n"
    )
    (example / "checks/odd.yaml").write_text(
        "apiVersion: sluice/v1\nkind: Check\nmetadata: {name: odd}\n"
        'spec: {cel: {}, successCondition: "batch ==", count: 0}\n'
    )
    (example / "pipelines/odd.yaml").write_text(
        "apiVersion: sluice/v1\nkind: Pipeline\nmetadata: {name: odd}\nspec:\n  stages:\n"
        "    - {name: one, units: {names: [eu-*]}, tasks: {before: [nope]}}\n"
        "    - {name: one, units: {}, order: name, coverage: [kernel]}\n"
        "    - {name: one, units: {matchLabels: {environment: prodction}}}\n"
    )
    found = sluice("lint", example, "--no-render", "--json").json["findings"]
    codes = [(one["path"], one["code"]) for one in found if one["level"] == "error"]
    assert codes.count(("pipelines/odd.yaml", "duplicate-name")) == 2
    expected = {
        ("policy/policy.yaml", "out-of-range"),
        ("policy/policy.yaml", "wrong-condition"),
        ("checks/odd.yaml", "out-of-range"),
        ("checks/odd.yaml", "wrong-condition"),
        ("pipelines/odd.yaml", "unknown-task"),
        ("pipelines/odd.yaml", "coverage-by-hand"),
        ("pipelines/odd.yaml", "stage-selects-nothing"),
    }
    assert expected <= set(codes), expected - set(codes)
