"""policy.riskRules: what a release manager forbids in one line, and what a broken line does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core import risk
from tests import repo_files
from tests.stories.test_two_releases import EU_1, EU_2, ST_1, both, other, watch
from tests.world import World

POLICY = "policy/policy.yaml"
TIER = {
    "name": "one-tier-0-at-a-time",
    "when": "release.tier == '0' && inFlight.tier0 > 0",
    "verdict": "wait",
    "reason": "One tier-0 release at a time",
}


def rules(world: World, *rules: dict[str, Any]) -> None:
    spec = {"windows": {"attended": "5m"}, "riskRules": list(rules)}
    world.changes({POLICY: repo_files.doc("Policy", "policy", spec)})


def rule(when: str, **more: Any) -> dict[str, Any]:
    return {"name": "a-rule", "when": when, "verdict": "wait", "reason": "Because"} | more


def tier_0(world: World) -> None:
    for name in ("node-agent", "dns"):
        path = f"components/{name}/component.yaml"
        world.write({path: world.files[path].replace('"tier": "1"', '"tier": "0"')})
    world.push("Both are tier 0")


def test_one_tier_0_release_at_a_time(world: World) -> None:
    """The second begins when the first has ended, not in the silence between two of its waves."""
    other(world)
    tier_0(world)
    rules(world, TIER)
    first, second = both(world)
    world.run_until("2026-11-24T09:30:00Z")
    assert world.phase(first) == "PROGRESSING"
    assert world.phase(second) == "SCHEDULED"
    assert "[risk] Waiting by risk rule one-tier-0-at-a-time: One tier-0 release at a time" in (
        world.why(second)
    )
    assert f"(under way: {first})" in world.why(second)
    world.run_to_the_end(first)
    world.run_to_the_end(second)
    assert world.phase(second) == "SUCCEEDED"


def test_two_that_are_under_way_when_the_rule_comes_do_not_wait_for_each_other(
    world: World,
) -> None:
    """Who was there first goes on; the other waits. Both waiting would be for ever."""
    other(world)
    tier_0(world)
    first, second = both(world)
    world.run_until("2026-11-24T09:01:00Z")
    assert world.phase(first) == world.phase(second) == "PROGRESSING"
    rules(world, TIER)
    world.run_to_the_end(first)
    assert world.phase(second) == "PROGRESSING"
    world.run_to_the_end(second)


def test_never_both_of_a_pair(world: World) -> None:
    """eu-1 and eu-2 are one HA pair and stand in one wave: they go one after the other."""
    rules(world, rule("has(unit.labels.haPair) && inFlight.same.haPair > 0"))
    release = world.releases()
    seen = watch(world, release, until="2026-11-24T12:30")
    assert {EU_1} in seen
    assert {EU_2} in seen
    assert {EU_1, EU_2} not in seen
    world.run_to_the_end(release)


def test_no_two_network_components_in_one_group_at_once(world: World) -> None:
    """A rule may look at each unit in flight, of every release."""
    other(world)
    rules(world, rule("inFlight.units.exists(u, u.tier == '1' && u.group == unit.group)"))
    first, second = both(world)
    seen = watch(world, first, second, until="2026-11-24T15:00")
    groups = [[ST_1.split("@")[1] in u for u in units] for units in seen if len(units) > 1]
    assert all(sorted(one) == [False, True] for one in groups), "one of staging, one of prod"
    assert any(ST_1 in units for units in seen)


def test_a_rule_of_the_hour_says_when_it_ends(world: World) -> None:
    """Nothing but the time changes: `until` is known, and the release goes on by itself."""
    rules(world, rule("now.hour < 11 && now.weekday == 'Tue'"))
    release = world.releases()
    world.run_until("2026-11-24T09:30:00Z")
    wait = next(line.wait for line in world.view(release).waiting if line.gate == "risk")
    assert wait.until is not None
    assert wait.until.isoformat() == "2026-11-24T11:00:00+00:00"
    assert wait.source is not None
    assert wait.source.startswith("policy/policy.yaml:")
    world.run_until("2026-11-24T11:00:30Z")
    assert world.phase(release) == "PROGRESSING"


def test_a_rule_that_says_stop_waits_for_a_person(world: World) -> None:
    """The condition passes, the hold stays: somebody has to have looked."""
    rules(world, rule("now.hour < 10", verdict="stop"))
    release = world.releases()
    world.run_until("2026-11-24T09:30:00Z")
    assert "[holds] Held" in world.why(release)
    assert "a-rule: Because" in world.why(release)
    refused = world.says(f"resume {release}")
    assert refused.body["refused"]["code"] == "rule-holds"
    world.run_until("2026-11-24T10:30:00Z")
    assert world.phase(release) == "SCHEDULED"
    assert world.says(f"resume {release}").code == 0
    world.run_for(minutes=1)
    assert world.phase(release) == "PROGRESSING"


def test_an_error_in_a_rule_is_not_a_yes(world: World) -> None:
    """A label that every cluster has since yesterday, and no unit that was planned before: the
    gate is closed, and names the rule and its line.
    """
    release = world.releases()
    for name, group in (("st-1", "staging"), ("eu-1", "prod"), ("eu-2", "prod")):
        text = repo_files.cluster(name, group, 2 if group == "staging" else 4, zone="z1")
        world.write({f"fleet/clusters/{name}.yaml": text})
    rules(world, rule("unit.labels.zone == 'z2'"))
    assert not world.bot.problems, "lint has nothing against it"
    world.run_until("2026-11-24T09:30:00Z")
    assert world.phase(release) == "SCHEDULED"
    wait = next(line.wait for line in world.view(release).waiting if line.unit == ST_1)
    assert wait.code == "risk-error"
    assert wait.source is not None
    assert world.files[POLICY].splitlines()[int(wait.source.partition(":")[2]) - 1].strip() == (
        '"when": "unit.labels.zone == \'z2\'",'
    )
    assert "Stopped by risk rule a-rule: it cannot be answered, no such key 'zone'" in (
        world.why(release)
    )
    rules(world, rule("has(unit.labels.zone) && unit.labels.zone == 'z2'"))
    world.run_to_the_end(release)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("release.tier ==", "it ends too soon"),
        ("release.tier", "gave str, not true or false"),
        ("pods > 3", "unknown variable pods"),
        ("release.teir == '0'", "no such key 'teir', asked for node-agent@eu-1"),
        ("unit.labels.haPair == 'a'", "no such key 'haPair', asked for node-agent@st-1"),
        ("inFlight.units.map(u, u.name).size() > 1", "`map` is not for risk rules"),
        ("unit.name.matches('(a+)+$')", "`matches` is not for risk rules"),
        ("inFlight.units.all(u, inFlight.units.all(v, u == v))", "one macro may not stand in"),
        ("inFlight.units.all(u, inFlight == {})", "`inFlight` inside a macro"),
    ],
)
def test_lint_names_the_rule_that_could_not_be_answered(world: World, when: str, said: str) -> None:
    """In the pull request, with its line, before any release depends on it."""
    spec = {"windows": {"attended": "5m"}, "riskRules": [rule(when)]}
    world.write({POLICY: repo_files.doc("Policy", "policy", spec)})
    head = world.push("A rule")
    found = [f for f in world.bot.planner.lint(head, now=world.clock.at) if f.level == "error"]
    assert [(f.path, f.code) for f in found] == [(POLICY, "wrong-condition")]
    assert said in found[0].message
    line = world.files[POLICY].splitlines()[(found[0].line or 0) - 1]
    assert line.strip().startswith('"when"')


def test_a_changed_rule_counts_at_once(world: World) -> None:
    """Risk rules are live from main, and judge the next batch too."""
    release = world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    rules(world, rule("true"))
    world.run_until("2026-11-24T11:00:00Z")
    assert world.unit(release, ST_1).batch == 1
    rules(world)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


@pytest.mark.parametrize(
    ("when", "seen"),
    [
        ("inFlight.total > 3", ()),
        ("unit.labels.region == 'eu'", ("eu",)),
        ("has(unit.labels.haPair) && inFlight.same.haPair > 0", ("a",)),
        ("inFlight.units.exists(u, u.cluster == unit.cluster)", ("c1",)),
        ("inFlight.inCluster > 0 || inFlight.inGroup > 0", ("c1", "prod")),
        ("component.tier == '0' && unit.name != 'x'", ("0", "a@c1")),
    ],
)
def test_units_that_are_alike_in_what_a_rule_names_are_asked_about_once(
    when: str, seen: tuple[str, ...]
) -> None:
    """Five hundred units of one region cost one answer, and none is given another's."""
    labels = {"region": "eu", "haPair": "a", "group": "prod"}
    asked = risk.Asked(
        now=datetime(2026, 11, 24, tzinfo=UTC),
        release=risk.release_facts(name="r", tiers=("0",), components=["a"], units=1),
        component=risk.component_facts(
            name="a", version="1", labels={"tier": "0"}, version_changed=True
        ),
        unit=risk.unit_facts(unit="a@c1", cluster="c1", labels=labels),
        cluster=risk.cluster_facts(cluster="c1", labels=labels, host=""),
    )
    assert risk.likeness(when, asked) == seen
    whole = risk.likeness("unit['labels'].region == 'eu'", asked)
    assert str(asked.unit) in whole, "what is not written plainly may look at everything"


def test_a_rule_that_will_stop_a_later_unit_does_not_read_as_a_wait(world: World) -> None:
    """Staging goes on; of production people read now that the release will be held there."""
    rules(world, rule("unit.group == 'prod'", verdict="stop"))
    release = world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    assert world.unit(release, ST_1).in_flight
    assert f"{EU_1} [risk] Stopped by risk rule a-rule: Because" in world.why(release)
    assert "the whole release is held" in world.why(release)
    world.run_until("2026-11-24T12:00:00Z")
    assert world.unit(release, ST_1).phase == "SUCCEEDED"
    assert "[holds] Held" in world.why(release)


def test_only_releases_that_the_rule_looks_at_are_named_behind_it(world: World) -> None:
    """Whoever waits asks the others to hurry: the right ones, and nobody for a rule of the hour."""
    other(world)
    first, second = both(world)
    elsewhere = "cluster.name == 'st-1' && inFlight.byComponent['dns'] > 5"
    rules(world, rule(f"{elsewhere} || component.name == 'dns' && now.hour < 11"))
    world.run_until("2026-11-24T09:30:00Z")
    assert world.phase(first) == "PROGRESSING"
    assert "Waiting by risk rule a-rule: Because" in world.why(second)
    assert "under way" not in world.why(second)
