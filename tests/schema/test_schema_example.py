"""The example repo and the JSON Schemas: what `sluice init` and `sluice schema` give to people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.core.calendar.public_holidays import holiday
from checks.cel import cel_problems
from release_repo_schema.example import FolderNotEmpty, example_files, write_example
from release_repo_schema.jsonschema import header, schema
from release_repo_schema.layout import Role, place_of
from release_repo_schema.load import load_repo
from release_repo_schema.models import KINDS
from release_repo_schema.rules import lint
from release_repo_schema.rules.holiday_codes import countries, holiday_problem
from release_repo_schema.tree import FolderTree
from tests.schema.repos import SOUND, headed

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class TextLoader(yaml.SafeLoader):
    """YAML as editors with a JSON Schema see it: dates and times of day are texts."""


TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if "timestamp" not in tag]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def documents(files: Iterator[tuple[str, str]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every document of a kind."""
    for path, text in files:
        if place_of(path).role is Role.KINDS:
            for one in yaml.load_all(text, TextLoader):
                yield path, one


def test_the_example_lints_clean(tmp_path: Path) -> None:
    """The first thing that a stranger sees of Sluice is no error."""
    write_example(tmp_path / "new")
    found = load_repo(FolderTree(tmp_path / "new"))
    assert lint(found, now=NOW) == []
    assert set(found.groups) == {"staging", "prod-eu"}
    assert len(found.clusters) == 6
    assert set(found.components) == {"node-agent", "ingress-proxy", "log-shipper"}
    assert set(found.releases) == {"node-agent-2-5-0"}
    for check in found.checks.values():
        assert cel_problems(check.spec.success_condition or "true") is None


def test_the_example_overwrites_nothing(tmp_path: Path) -> None:
    """A typed-wrong folder must not cost anybody's work; a fresh Git repo is fine."""
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(FolderNotEmpty, match=r"mine\.txt"):
        write_example(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    assert "people.yaml" in write_example(tmp_path / "repo")


def test_every_file_of_the_example_tells_editors_its_schema() -> None:
    """Completion and hover work from the first line typed."""
    files = dict(example_files())
    for path, data in files.items():
        if place_of(path).role is not Role.KINDS:
            continue
        first, *rest = data.decode().splitlines()
        kind = next(line.removeprefix("kind: ") for line in rest if line.startswith("kind: "))
        assert first == header(path, kind)
        assert f".schemas/{kind}.json" in files


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_valid_draft_07_closed_and_described(kind: str) -> None:
    """Editors show the description on hover, and underline what is not known."""
    made = schema(kind)
    jsonschema.Draft7Validator.check_schema(made)
    assert made["$schema"] == "http://json-schema.org/draft-07/schema#"
    for model in (made, *made["definitions"].values()):
        if model.get("type") != "object":
            continue
        assert model["additionalProperties"] is False
        for name, field in model.get("properties", {}).items():
            assert field["description"].strip(), f"{kind}: {name}"
            assert "_" not in name


def test_the_schemas_accept_what_the_loader_accepts() -> None:
    """An editor must not underline a file that lints clean."""
    example = ((path, data.decode()) for path, data in example_files())
    sound = ((path, str(headed(path, content))) for path, content in SOUND.items())
    seen = set()
    for path, document in (*documents(example), *documents(sound)):
        validator = jsonschema.Draft7Validator(schema(document["kind"]))
        assert not list(validator.iter_errors(document)), path
        seen.add(document["kind"])
    assert seen == set(KINDS)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"apiVersion": "v1"},
        {"metadata": {"name": "Not_A_Label"}},
        {"spec": {"zone": "UTC", "dayz": ["Mon"]}},
        {"spec": {"zone": "UTC", "from": "9am"}},
        {"spec": {"zone": "UTC", "effect": "allow"}},
        {"spec": {"zone": None}},
        {"kind": "Freeze"},
    ],
)
def test_the_schemas_refuse_the_common_slips(spoilt: dict[str, Any]) -> None:
    """A schema that accepts everything would pass every other test."""
    window = {
        "apiVersion": "sluice/v1",
        "kind": "Window",
        "metadata": {"name": "a"},
        "spec": {"zone": "UTC"},
    }
    validator = jsonschema.Draft7Validator(schema("Window"))
    assert validator.is_valid(window)
    assert not validator.is_valid(window | spoilt)
    for missing in window:
        assert not validator.is_valid({k: v for k, v in window.items() if k != missing})


def known(code: str) -> bool:
    """Whether the calendar's library takes the code."""
    try:
        holiday(code, NOW.date())
    except NotImplementedError:
        return False
    return True


def test_the_holiday_codes_are_those_of_the_calendar() -> None:
    """Lint knows them as data; the calendar computes with the library. They must agree."""
    for country in ("DE", "US", "CN", "GB", "CH", "JP"):
        assert known(country)
        for subdivision in countries()[country]:
            assert known(f"{country}-{subdivision}")
    for code in ("XX", "DE-XX"):
        assert not known(code)
        assert holiday_problem(code)
    assert holiday_problem("DE-BE") == ""
