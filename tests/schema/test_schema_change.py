"""A pull request is data: what it may not change beside a release, and what is judged again."""

from __future__ import annotations

import pytest

from release_repo_schema.rules import lint
from tests.schema.corpus_files import RELEASE, Case
from tests.schema.corpus_kinds import row
from tests.schema.repos import SOUND, codes, problems, repo

NEW: Case = {
    "releases/2026/proxy-1.yaml": "kind: Release\nmetadata: {name: proxy-1}\n"
    "spec: {components: [{name: proxy, version: 1.0.0}], pipeline: standard}\n"
}
RULES: dict[str, Case] = {
    "the policy": {"policy/policy.yaml": SOUND["policy/policy.yaml"].replace(
        "{}", "{windows: {whenNoneMatches: open}}")},
    "people.yaml": {"people.yaml": SOUND["people.yaml"].replace("admin: [ana]", "admin: [ben]")},
    "the window weekdays": {"calendar/windows.yaml": SOUND["calendar/windows.yaml"].replace(
        '"16:00"', '"23:00"')},
    "the window gone": {"calendar/windows.yaml": None},
    "the freeze xmas": {
        "calendar/freezes/x.yaml": "kind: Freeze\nmetadata: {name: xmas}\n"
        "spec: {from: 2026-12-24T00:00, to: 2026-12-27T00:00, zone: UTC, reason: x, owner: ana}\n"
    },
    "the connection of p1": {"fleet/clusters/p1.yaml": SOUND["fleet/clusters/p1.yaml"].replace(
        "nodes: 3", "nodes: 4")},
    "the workload kind widget": row(),
    "the connection of a new cluster": {"fleet/clusters/p3.yaml": SOUND[
        "fleet/clusters/p1.yaml"].replace("p1", "p3")},
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_a_pull_request_with_a_release_brings_no_rules(rule: str) -> None:
    """Else it could loosen the rule that judges it."""
    found = problems({**NEW, **RULES[rule]}, base=repo())
    assert [f.code for f in found if f.level == "error"] == ["release-with-rules"]
    assert found[0].path == "releases/2026/proxy-1.yaml"


@pytest.mark.parametrize("rule", RULES)
def test_rules_alone_may_change(rule: str) -> None:
    """The calendar and the policy are released like code: in pull requests of their own."""
    assert codes(problems(RULES[rule], base=repo())) == []


def test_a_release_may_come_with_templates_values_and_relabelled_clusters() -> None:
    """A configuration release needs exactly this."""
    changes: Case = {
        **NEW,
        "components/proxy/values/default.yaml": "a: 1\n",
        "fleet/clusters/p1.yaml": SOUND["fleet/clusters/p1.yaml"].replace("haPair: a", "haPair: b"),
    }
    assert codes(problems(changes, base=repo())) == []


def test_comments_in_the_policy_change_no_rule() -> None:
    """What is compared is what is said, not how."""
    changes: Case = {**NEW, "policy/policy.yaml": "# Reviewed.\n" + SOUND["policy/policy.yaml"]}
    assert codes(problems(changes, base=repo())) == []


def test_a_merged_release_is_never_edited() -> None:
    """What runs was planned and approved as it stood; an edit would be neither."""
    edited = SOUND[RELEASE].replace("2.0.0", "2.0.1")
    found = problems({RELEASE: edited}, base=repo())
    assert codes(found) == ["release-edited"]
    assert (found[0].path, found[0].line) == (RELEASE, 4)


def test_a_release_may_be_moved_and_commented() -> None:
    """The file's place and comments are not its spec."""
    moved: Case = {RELEASE: None, "releases/old/agent-2.yaml": "# Done.\n" + SOUND[RELEASE]}
    assert codes(problems(moved, base=repo())) == []


def test_one_merge_releases_a_component_once() -> None:
    """Two releases of one component in one merge have no order."""
    both: Case = {
        **NEW,
        "releases/2026/proxy-2.yaml": "kind: Release\nmetadata: {name: proxy-2}\n"
        "spec: {components: [{name: proxy, version: 2.0.0}], pipeline: standard}\n",
    }
    assert codes(problems(both, base=repo())) == ["component-twice"]


def test_a_release_that_stands_in_base_is_not_judged_by_what_has_moved_on() -> None:
    """Renaming a pipeline must not need the edit of a release that ended long ago."""
    renamed: Case = {
        "pipelines/standard.yaml": None,
        "pipelines/new.yaml": SOUND["pipelines/standard.yaml"].replace("standard", "new"),
    }
    assert codes(problems(renamed)) == ["unknown-pipeline"]
    assert codes(problems(renamed, base=repo())) == []
    assert codes(lint(repo(renamed), base=repo(), active=["agent-2"])) == ["unknown-pipeline"]


def test_without_a_base_only_what_has_not_ended_is_judged() -> None:
    """The bot knows which releases have ended; they stay in the repo as its record."""
    renamed: Case = {"pipelines/standard.yaml": None}
    assert codes(lint(repo(renamed), active=[])) == []
    assert codes(lint(repo(renamed), active=["agent-2", "gone"])) == ["unknown-pipeline"]
