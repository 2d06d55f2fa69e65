"""The plan as people read it and as scripts read it."""

from __future__ import annotations

import json
from collections.abc import Callable

from bot.core.messages_forecast import forecast_text
from bot.core.messages_plan import plan_text
from bot.core.plan_json import plan_json
from bot.core.plan_shown import PullPlan
from tests.plan.world import BASE, NOW, PULL, World, cluster, document, release

Golden = Callable[[str, str], None]


def pulled(world: World) -> PullPlan:
    return world.planner.pull("c1", PULL, now=NOW)


def test_a_bump_reads_like_a_page(golden: Golden) -> None:
    """The text that a reviewer sees first."""
    world = World()
    world.proposes(release("node-agent-2-5-0"))

    golden("plan/bump.txt", plan_text(pulled(world)))


def test_a_pull_request_with_mistakes_reads_as_a_list_to_mend(golden: Golden) -> None:
    """Every mistake at once, each with its line and a hint."""
    world = World()
    world.proposes(
        release("node-agent-2-5-0"),
        {
            "components/node-agent/templates/ds.yaml": "kind: {{ values.kin }}\n",
            "checks/slow.yaml": document(
                """
                kind: Check
                metadata: {name: slow}
                spec: {workload: {}, intervall: 30s, count: "2"}
                """
            ),
        },
    )

    golden("plan/mistakes.txt", plan_text(pulled(world)))


def test_values_without_a_release_read_as_what_stays_behind(golden: Golden) -> None:
    """Nothing rolls out, and the text says so before it lists anything."""
    world = World()
    world.proposes({"components/node-agent/values/default.yaml": "image: other\ncpu: 90m\n"})

    golden("plan/unreleased.txt", plan_text(pulled(world)))


def many_clusters(count: int = 120) -> World:
    clusters = {
        path: text
        for n in range(count)
        for path, text in cluster(
            f"c-{n:03}", labels=f"{{size: {('small', 'large')[n % 2]}, haPair: p-{n // 2}}}"
        ).items()
    }
    values = {
        f"components/node-agent/values/clusters/c-{n:03}.yaml": f"cpu: {n + 1}m\n"
        for n in range(count)
    }
    pipeline = BASE["pipelines/standard.yaml"].replace("waves: [1, 100%]", "spread: [haPair]")
    world = World()
    world.starts_with({**BASE, **clusters, **values, "pipelines/standard.yaml": pipeline})
    return world


def test_a_fleet_stays_on_one_screen(golden: Golden) -> None:
    """Waves, not units; one change, not a hundred diffs that differ around it."""
    world = many_clusters()
    world.proposes(release("node-agent-2-5-0"))

    text = plan_text(pulled(world))

    assert text.count("\n") < 50
    golden("plan/fleet.txt", text)


def test_the_json_is_what_the_contract_promises() -> None:
    """Scripts rely on these names."""
    world = World()
    world.proposes(release("node-agent-2-5-0"))
    pull = pulled(world)

    said = json.loads(json.dumps(plan_json(pull)))

    assert set(said) >= {"base", "head", "releases", "unreleased", "findings"}
    (one,) = said["releases"]
    assert one["planHash"] == pull.hashes["node-agent-2-5-0"]
    assert one["components"][0] | {"versions": [], "content": ""} == {
        "name": "node-agent",
        "from": "2.4.0",
        "to": "2.5.0",
        "versions": [],
        "content": "",
    }
    production = one["stages"][1]
    assert production["waves"] == [
        ["node-agent@eu-1"],
        ["node-agent@eu-2", "node-agent@eu-3"],
    ]
    first = production["units"][0]
    assert {key: first[key] for key in ("unit", "batches", "counts", "start", "end")} == {
        "unit": "node-agent@eu-1",
        "batches": [1, "50%", "100%"],
        "counts": [1, 3, 6],
        "start": "2026-11-23T09:55:00Z",
        "end": "2026-11-23T11:20:00Z",
    }
    assert (one["start"], one["end"]) == ("2026-11-23T09:00:00Z", "2026-11-23T12:45:00Z")
    assert one["changes"][0]["object"] == "DaemonSet infra/node-agent"
    assert one["approvals"][0]["count"] == 2
    assert all(isinstance(warning, str) for warning in one["warnings"])


def test_the_same_question_gets_the_same_answer_to_the_letter() -> None:
    """`sluice plan` is deterministic: CI compares its output."""
    answers = set()
    for _ in range(2):
        world = many_clusters(20)
        world.proposes(release("node-agent-2-5-0"))
        pull = pulled(world)
        answers.add(json.dumps(plan_json(pull)) + plan_text(pull))

    assert len(answers) == 1


def test_a_forecast_reads_as_a_table_of_waves() -> None:
    """`sluice forecast`: when what begins, in the zone of the window."""
    world = World()
    world.proposes(release("node-agent-2-5-0"))
    shown = pulled(world).releases[0]

    assert forecast_text(shown.forecast, shown.plan).splitlines()[2:] == [
        "  stage       wave    units  begins (Europe/Berlin)  ends",
        "  staging     1 of 1  1      Mon 23 Nov 10:00        Mon 23 Nov 10:55",
        "      node-agent@st-1: 10:00 → 10:10 → 10:20, done 10:55",
        "  production  1 of 2  1      Mon 23 Nov 10:55        Mon 23 Nov 12:20",
        "      node-agent@eu-1: 10:55 → 11:05 → 11:15, done 12:20",
        "              2 of 2  2      Mon 23 Nov 12:20        Mon 23 Nov 13:45",
        "      node-agent@eu-2: 12:20 → 12:30 → 12:40, done 13:45",
        "      node-agent@eu-3: 12:20 → 12:30 → 12:40, done 13:45",
        "  Longest: soak 1h × 2 (2 h, 53 %), batchTakes 5m × 9 (45 min, 20 %), "
        "batchSoak 5m × 6 (30 min, 13 %)",
    ]
