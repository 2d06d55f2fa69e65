"""The page of checks: its variables, its kinds and its examples are those of the code."""

from __future__ import annotations

import re

import yaml

from bot.cluster import facts as facts_module
from checks.cel import VARIABLES, cel_problems
from checks.frame import KINDS
from release_repo_schema.models import CHECK_KINDS
from tests.docs.pages import code, read, table

PAGE = "checks.md"


def test_the_variables_of_an_expression_are_all_told() -> None:
    """An author can name only what he knows of."""
    named = [code(row[0])[0] for row in table(read(PAGE), "<!-- variables -->")]
    assert sorted(named) == sorted(VARIABLES)


def test_the_fields_of_a_workload_are_all_told() -> None:
    """Facts are part of the contract: names are added, never changed."""
    named = {name for row in table(read(PAGE), "<!-- workload facts -->") for name in code(row[0])}
    source = (facts_module.__file__ or "").strip()
    with open(source, encoding="utf-8") as file:
        body = file.read().partition("def _workload")[2]
    assert named == set(re.findall(r'^        "(\w+)":', body, re.MULTILINE))


def test_the_kinds_of_this_version_are_told_as_such() -> None:
    """The others are known, and an error."""
    rows = table(read(PAGE), "## Kinds of this version")
    assert {code(row[0])[0].partition(":")[0] for row in rows} == set(KINDS)
    later = re.search(r"\n\n(`.*) are known and not in this version", read(PAGE))
    assert later is not None
    assert set(code(later[1])) == set(CHECK_KINDS) - set(KINDS)


def test_the_examples_are_checks_that_lint_takes() -> None:
    """Examples are copied."""
    from release_repo_schema.models import Check

    blocks = re.findall(r"^```yaml\n(.*?)^```$", read(PAGE), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        check = Check.model_validate(yaml.safe_load(block))
        for condition in (check.spec.success_condition, check.spec.failure_condition):
            assert condition is None or cel_problems(condition) is None, condition
