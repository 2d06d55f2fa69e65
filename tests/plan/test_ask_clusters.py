"""`plan --ask-clusters`: what servers would say, on the line of each unit, long before a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.core.messages_plan import plan_text
from bot.core.plan_asked import MOST
from bot.core.plan_json import plan_json
from bot.core.plan_shown import NOTHING_KNOWN, PullPlan
from bot.model.effects import Write
from bot.model.plan import JSON, ObjectRef
from bot.ports import Refused, Unreachable
from bot.reconciler.asking_ahead import ask_ahead
from bot.reconciler.rules import connections
from tests.plan.world import BASE, NOW, PULL, World, cluster, release

NO = 'admission webhook "guard" denied the request: not signed'
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: infra}\n"
TEMPLATES = "components/node-agent/templates"


@dataclass
class Servers:
    """A fleet in which nothing stands, and which says what it is told to say."""

    says: dict[str, Exception | tuple[str, ...]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def uid(self, cluster: str) -> str:
        if isinstance(said := self.says.get(cluster), Unreachable):
            raise said
        return cluster

    def get(self, cluster: str, ref: ObjectRef) -> JSON | None:
        return None

    def dry_run(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> tuple[str, ...]:
        self.asked.append((cluster, write.ref.kind))
        said = self.says.get(cluster, ())
        if isinstance(said, Exception):
            raise said
        return said

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"nothing but looking and dry runs is asked of a cluster: {name}")


@pytest.fixture
def world() -> World:
    return World()


def planned(world: World, servers: Servers, without: str = "") -> PullPlan:
    pull = world.planner.pull("c1", PULL, now=NOW, known=NOTHING_KNOWN)
    links = [one for one in connections(world.planner.load("c1")) if one.cluster != without]
    return ask_ahead(servers, links, pull, NOTHING_KNOWN, position=1, now=NOW)  # type: ignore[arg-type]


def lines_of(pull: PullPlan) -> dict[str, Any]:
    """Unit → what its line in the JSON says of the dry run."""
    (told,) = plan_json(pull)["releases"]
    return {unit["unit"]: unit["dryRun"] for stage in told["stages"] for unit in stage["units"]}


def test_the_reason_of_the_server_stands_on_the_line_of_the_unit(world: World) -> None:
    """Who reviews learns today what the first batch would learn at night."""
    world.proposes(release("node-agent-2-5-0"))
    pull = planned(world, Servers(says={"st-1": Refused(NO)}))
    assert pull.refused
    assert lines_of(pull)["node-agent@st-1"] == {
        "asked": "node-agent@st-1",
        "verdict": "refused",
        "object": "DaemonSet infra/node-agent",
        "why": NO,
    }
    (line,) = [
        one for one in plan_text(pull).split("\n") if one.strip().startswith("node-agent@st")
    ]
    assert line.endswith(f"would be refused: DaemonSet infra/node-agent: {NO}")
    assert lines_of(pull)["node-agent@eu-1"]["verdict"] == "accepted"


def test_a_plan_that_asks_nobody_says_nothing_of_it(world: World) -> None:
    """Without the flag nothing is contacted, and a plan is what it was."""
    world.proposes(release("node-agent-2-5-0"))
    pull = world.planner.pull("c1", PULL, now=NOW, known=NOTHING_KNOWN)
    assert "dryRun" not in str(plan_json(pull))
    assert "Clusters asked" not in plan_text(pull)


def test_one_of_each_rendering_in_a_group_answers_for_those_like_it(world: World) -> None:
    """Two clusters of a group get the same: one is asked, two lines are told. eu-3 gets another."""
    world.proposes(release("node-agent-2-5-0"))
    servers = Servers(says={"eu-1": Refused(NO), "eu-2": Refused(NO)})
    pull = planned(world, servers)
    (asked,) = {name for name, _ in servers.asked} - {"st-1", "eu-3"}
    told = lines_of(pull)
    assert told["node-agent@eu-3"]["verdict"] == "accepted"
    for name in ("eu-1", "eu-2"):
        assert told[f"node-agent@{name}"]["verdict"] == "refused"
        assert told[f"node-agent@{name}"]["asked"] == f"node-agent@{asked}"
    assert "(and 1 unit like it), refused" in plan_text(pull)


def test_a_large_fleet_of_which_each_renders_another_is_asked_within_a_bound() -> None:
    """A thousand clusters cost what twenty do, and every group has its turn."""
    files = dict(BASE)
    for number in range(60):
        name = f"x-{number:02}"
        files |= cluster(name, group="prod" if number else "staging")
        values = f"cpu: {number + 1}m\n"
        files[f"components/node-agent/values/clusters/{name}.yaml"] = values
    world = World()
    world.starts_with(files)
    world.proposes(release("node-agent-2-5-0"))
    servers = Servers()
    told = lines_of(planned(world, servers))
    assert len({name for name, _ in servers.asked}) == MOST
    assert any(name in ("st-1", "x-00") for name, _ in servers.asked)
    assert None in told.values(), "who was not asked, and is like nobody, is not called accepted"


def test_a_cluster_is_asked_only_where_main_says_how_to_reach_it(world: World) -> None:
    """What a pull request says of connections is data: a cluster that only it has is left out."""
    world.proposes(release("node-agent-2-5-0"))
    servers = Servers()
    told = lines_of(planned(world, servers, without="st-1"))
    assert "st-1" not in {name for name, _ in servers.asked}
    assert told["node-agent@st-1"] is None


def test_a_cluster_that_does_not_answer_is_not_known_and_refuses_nothing(world: World) -> None:
    """Silence is no refusal and no acceptance."""
    world.proposes(release("node-agent-2-5-0"))
    pull = planned(world, Servers(says={"st-1": Unreachable("st-1: no route")}))
    assert not pull.refused
    assert lines_of(pull)["node-agent@st-1"]["verdict"] == "unknown"
    assert "node-agent@st-1, not known: st-1: no route" in plan_text(pull)


def test_what_a_server_warns_of_is_told_and_refuses_nothing(world: World) -> None:
    """A deprecated field goes through today."""
    world.proposes(release("node-agent-2-5-0"))
    pull = planned(world, Servers(says={"st-1": ("spec.old is deprecated",)}))
    assert not pull.refused
    assert "warns: DaemonSet infra/node-agent: spec.old is deprecated" in plan_text(pull)


def test_what_stands_in_a_namespace_that_comes_with_it_is_not_asked_about(world: World) -> None:
    """A server would refuse it for the namespace alone, which the release brings."""
    world.proposes(release("node-agent-2-5-0"), {f"{TEMPLATES}/a.yaml": NAMESPACE})
    servers = Servers()
    planned(world, servers)
    assert {kind for _, kind in servers.asked} == {"Namespace"}
