"""What a plan says of the guard: findings, approvals to come, and what does not arrive."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.messages_plan import plan_text
from bot.core.plan_json import plan_json
from bot.core.plan_shown import Known, PullPlan
from tests.plan.world import BASE, DAEMON_SET, NOW, PULL, World, document, release

TEMPLATE, COMPONENT = (
    "components/node-agent/templates/ds.yaml",
    ("components/node-agent/component.yaml"),
)
UNITS = ["node-agent@st-1", "node-agent@eu-1", "node-agent@eu-2", "node-agent@eu-3"]


@pytest.fixture
def world() -> World:
    return World()


def guarding(text: str) -> dict[str, str]:
    spec = f"{{owners: [network], batches: [1, 50%, 100%], guard: {text}}}"
    head = 'kind: Component\nmetadata: {name: node-agent, labels: {tier: "0"}}\n'
    return {COMPONENT: document(f"{head}spec: {spec}")}


def pulled(world: World) -> PullPlan:
    return world.planner.pull("c1", PULL, now=NOW, known=Known())


def guard_of(pull: PullPlan) -> list[tuple[Any, ...]]:
    told = plan_json(pull)["releases"][0]["guard"]
    return [(g["act"], g["path"], g["from"], g["to"], len(g["units"])) for g in told]


def test_a_blocked_change_is_an_error_at_the_component_of_the_release(world: World) -> None:
    """Found before the merge: no batch would ever write it."""
    other = DAEMON_SET.replace("{app: node-agent}", "{app: other}")
    world.proposes(release("node-agent-2-5-0"), {TEMPLATE: other})

    pull = pulled(world)

    assert pull.has_errors
    (found,) = [one for one in pull.findings if one.level == "error"]
    assert (found.path, found.code) == ("releases/2026/node-agent-2-5-0.yaml", "guarded")
    assert "spec.selector.matchLabels.app: node-agent → other" in found.message
    assert "in 4 units" in found.message
    assert ("block", "spec.selector.matchLabels.app", "node-agent", "other", 4) in guard_of(pull)
    assert "blocked: DaemonSet infra/node-agent spec.selector" in plan_text(pull)


def test_what_is_asked_about_is_among_the_approvals_once_for_all_units(world: World) -> None:
    """One question for the same change: the plan says so, with path, from and to."""
    host = DAEMON_SET.replace("    spec:\n", "    spec:\n      hostNetwork: true\n")
    world.proposes(release("node-agent-2-5-0"), {TEMPLATE: host})

    pull = pulled(world)

    assert not pull.has_errors
    assert guard_of(pull) == [("ask", "spec.template.spec.hostNetwork", None, True, 4)]
    asked = plan_json(pull)["releases"][0]["approvals"][-1]
    assert (asked["when"], asked["component"], asked["times"]) == ("guard", "node-agent", 1)
    text = plan_text(pull)
    assert "before 1 guarded change of node-agent: 1 × approver" in text
    assert "asked about: DaemonSet infra/node-agent spec.template.spec.hostNetwork" in text


def test_an_ignored_change_is_told_to_not_arrive(world: World) -> None:
    """Else its author waits for it in vain."""
    path = "spec.template.spec.containers[agent].resources"
    world.starts_with(BASE | guarding(f'{{ignore: ["{path}"]}}'))
    values = {"components/node-agent/values/default.yaml": 'image: "agent:{{ version }}"\ncpu: 1\n'}
    world.proposes(release("node-agent-2-5-0"), values)

    shown = pulled(world).releases[0]

    assert guard_of(pulled(world)) == [("ignore", f"{path}.requests.cpu", "100m", "1", 3)]
    assert any("is left as it is in the cluster" in said for said in shown.warnings)


def test_another_spelling_is_no_change(world: World) -> None:
    """0.1 is 100m: nobody is asked about it."""
    path = "spec.template.spec.containers[agent].resources"
    world.starts_with(BASE | guarding(f'{{block: ["{path}"]}}'))
    values = {
        "components/node-agent/values/default.yaml": 'image: "agent:{{ version }}"\ncpu: "0.1"\n'
    }
    world.proposes(release("node-agent-2-5-0"), values)

    assert not pulled(world).has_errors
    assert guard_of(pulled(world)) == []


def test_a_path_that_guards_nothing_is_a_warning(world: World) -> None:
    """A slip in a path is found by its author, not on the night when it was to hold."""
    world.starts_with(
        BASE | guarding('{block: ["spec.template.spec.hostNetwrok", "spec.selector"]}')
    )
    world.proposes(release("node-agent-2-5-0"))

    (said,) = [w for w in pulled(world).releases[0].warnings if "guard" in w]
    assert "hostNetwrok" in said


def test_a_release_does_not_come_with_a_looser_guard(world: World) -> None:
    """What judges a release is what stood on main before it."""
    world.starts_with(BASE | guarding('{block: ["spec.updateStrategy"], ask: ["metadata.labels"]}'))
    world.proposes(release("node-agent-2-5-0"), guarding('{block: ["metadata.labels"]}'))

    (found,) = pulled(world).findings
    assert (found.code, found.path) == ("guard-loosened", COMPONENT)
    assert "spec.updateStrategy" in found.message


def test_a_release_does_not_come_with_deletions_that_nobody_is_asked_about(world: World) -> None:
    """Who takes an object out of the template does not say in the same breath that it may go."""
    world.starts_with(BASE | guarding("{delete: {keep: [Service]}}"))
    world.proposes(release("node-agent-2-5-0"), guarding("{delete: {allow: [ConfigMap]}}"))

    (found,) = pulled(world).findings
    assert (found.code, found.path) == ("guard-loosened", COMPONENT)
    assert "delete of ConfigMap" in found.message
    assert "delete of Service" in found.message


def test_the_guard_is_part_of_the_plan_hash(world: World) -> None:
    """Approvals are void when what they were given under has become looser or stricter."""
    world.proposes(release("node-agent-2-5-0"))
    before = pulled(world).hashes
    world.proposes(release("node-agent-2-5-0"), guarding('{block: ["spec.selector"]}'))
    assert pulled(world).hashes != before


@pytest.mark.parametrize(
    ("guard", "code"),
    [
        ('{block: ["spec..replicas"]}', "guard-path"),
        ('{block: ["/spec/replicas"]}', "guard-path"),
        ('{block: ["$.spec.replicas"]}', "guard-path"),
        ('{ask: ["status.phase"]}', "guard-path"),
        ('{ask: ["metadata.name"]}', "guard-path"),
        ('{ask: ["spec.containers[agent"]}', "guard-path"),
        ('{ask: ["spec.containers[]"]}', "guard-path"),
        ('{ask: ["*"]}', "guard-path"),
        ('{ask: ["spec.a"], ignore: ["spec.a"]}', "guard-path-twice"),
        ('{ask: ["Service:spec.clusterIP"]}', "guard-never-looser"),
    ],
)
def test_a_path_that_cannot_be_meant_is_a_finding_at_its_line(
    world: World, guard: str, code: str
) -> None:
    """Nothing that was written to protect something is accepted and ignored."""
    world.starts_with(BASE | guarding(guard))
    found = world.planner.lint("c1", now=NOW, active=())
    assert [one.code for one in found if one.path == COMPONENT] == [code]
    assert all(one.line == 4 for one in found if one.path == COMPONENT)
