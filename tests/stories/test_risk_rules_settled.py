"""Risk rules that are answered, and always the same: lint says so, since nothing else would."""

from __future__ import annotations

import pytest

from bot.core.risk_atoms import settled
from release_repo_schema.findings import Finding
from tests import repo_files
from tests.world import World

POLICY = "policy/policy.yaml"


def told(world: World, when: str, verdict: str = "wait") -> list[Finding]:
    """What the pull request that brings the rule is told of it."""
    rule = {"name": "a-rule", "when": when, "verdict": verdict, "reason": "x"}
    spec = {"windows": {"attended": "5m"}, "riskRules": [rule]}
    world.write({POLICY: repo_files.doc("Policy", "policy", spec)})
    head = world.push("A rule")
    return [f for f in world.bot.planner.lint(head, now=world.clock.at) if f.path == POLICY]


@pytest.mark.parametrize(
    ("when", "said", "hint"),
    [
        ("release.tier == 0", "never true: release.tier is a text, and 0 is not", "write '0'"),
        ("inFlight.total == '1'", "inFlight.total is a whole number, and '1' is not", "write 1"),
        ("unit.begun == 'true'", "unit.begun is true or false", "protects nothing"),
        ("now.weekday == 'Friday'", "never true: now.weekday is Mon or Tue or Wed", "`Fri`"),
        ("'friday' != now.weekday", "is always true: now.weekday is Mon or Tue", "protects"),
        ("now.weekday in ['Sat', 'sun']", "now.weekday in ['sun']` is never true", "`Sun`"),
        ("now.hour >= 24", "never true: now.hour is a number from 0 to 23", "protects"),
        ("now.hour < 24 && release.tier == '0'", "`now.hour < 24` is always true", "protects"),
        ("24 <= now.hour", "never true", "protects"),
        ("unit.wave < 1", "never true: unit.wave is never below 1", "protects"),
        ("release.phase == 'BEGUN'", "is SCHEDULED or PROGRESSING", "protects"),
        ("component.name == 'node-agnt'", "component.name is node-agent", "`node-agent`"),
        ("unit.group == 'stagin'", "unit.group is prod or staging", "`staging`"),
        ("inFlight.units.exists(u, u.tier == 0)", "u.tier is a text, and 0 is not", "write '0'"),
        ("unit.labels.environment == 1", "unit.labels.environment is a text", "write '1'"),
    ],
)
def test_a_comparison_with_one_answer_is_a_slip(
    world: World, when: str, said: str, hint: str
) -> None:
    """The protection that somebody believes in would never hold, and no run would tell."""
    (found,) = told(world, when)
    assert (found.code, found.level) == ("settled-condition", "warning")
    assert said in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("when", "verdict", "said"),
    [
        ("true", "stop", "is always true: every release stops until the rule is taken out"),
        ("1 < 2", "wait", "is always true: every release waits until the rule is taken out"),
        ("1 > 2", "wait", "is never true: it protects nothing"),
    ],
)
def test_a_rule_that_looks_at_nothing_is_told(
    world: World, when: str, verdict: str, said: str
) -> None:
    """It may be meant; more likely it is what was left of an experiment."""
    (found,) = told(world, when, verdict)
    assert (found.code, found.level) == ("settled-condition", "warning")
    assert said in found.message


@pytest.mark.parametrize(
    "when",
    [
        "release.tier == '0' && inFlight.tier0 > 0",
        "now.hour >= 9 && now.hour < 17 || now.weekday == 'Sun'",
        "now.weekday in ['Sat', 'Sun'] && now.date >= '2026-12-24'",
        'release.reason == "now.hour == 99 and release.tier == 0"',
        "inFlight.total + inFlight.inCluster == 7 && inFlight.total - 1 == 0",
        "inFlight.units.exists(u, u.tier == '0' && u.labels.environment == 'x')",
        "size(release.tiers) == 2 || release.name.size() == 0",
        "release.tiers[0] == '0' && component.labels['tier'] == '0'",
        "inFlight.byComponent['node-agent'] > 0 && inFlight.total >= 1",
        "release.failed > 0 && unit.begun == false && !unit.begun",
        "unit.cluster == 'eu-1' && cluster.hostedBy == ''",
    ],
)
def test_a_rule_that_can_be_either_is_not_told(when: str) -> None:
    """A false alarm in every pull request would teach people to look past the true one."""
    known = {"unit.cluster": ["eu-1"], "cluster.hostedBy": ["", "eu-1"]}
    assert settled(when, known) == []
