"""Random dependency graphs: the order inside a cluster holds at every moment, and what does not
hang on a failure always ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cluster.render import digest
from bot.core.graph import in_order, layers, reach
from bot.core.lifecycle import Step, advance
from bot.core.situation import PlanIndex, Situation
from bot.model.effects import Write
from bot.model.plan import (
    ComponentPlan,
    ObjectRef,
    PlannedObject,
    ReleasePlan,
    StagePlan,
    UnitPlan,
)
from bot.model.seen import ObjectSeen, UnitSeen
from bot.model.state import Applied, ReleasePhase, ReleaseState, UnitPhase, UnitState
from tests.properties.situations import OPEN, rules

NAMES = ("a", "b", "c", "d", "e", "f")
WAVES = (("c1",), ("c2", "c3"), ("c4",))
MINUTE = timedelta(minutes=1)
Graph = dict[str, tuple[str, ...]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A graph without a cycle: a name needs only names before it; then the names are shuffled."""
    names = draw(st.permutations(NAMES[: draw(st.integers(2, len(NAMES)))]))
    needs: Graph = {}
    for number, name in enumerate(names):
        some = st.lists(st.sampled_from(names[:number]), unique=True) if number else st.just([])
        needs[name] = tuple(draw(some))
    return {name: needs[name] for name in sorted(needs)}


def object_of(component: str, level: str) -> dict[str, Any]:
    metadata = {"name": component, "namespace": "infra"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"is": level}}


def plan_of(needs: Graph, *, concurrency: int | None, tolerated: int) -> ReleasePlan:
    components = tuple(
        ComponentPlan(
            name=name, version="2", depends_on=after, after=after, content=name,
            batches=("100%",), batch_soak=MINUTE, soak=5 * MINUTE, batch_takes=MINUTE,
            batch_deadline=20 * MINUTE,
        )
        for name, after in needs.items()
    )  # fmt: skip
    order = in_order(needs)
    units = tuple(
        UnitPlan(
            unit=f"{name}@{cluster}", component=name, cluster=cluster, stage=0, wave=wave,
            reason="", labels={"cluster": cluster}, revision="2@x",
            objects=(PlannedObject(ObjectRef("v1", "ConfigMap", "infra", name),
                                   digest(object_of(name, "new"))),),
        )
        for wave, clusters in enumerate(WAVES) for cluster in clusters for name in order
    )  # fmt: skip
    waves = tuple(tuple(u.unit for u in units if u.wave == wave) for wave in range(len(WAVES)))
    stage = StagePlan(name="all", waves=waves, max_concurrency=concurrency, max_failures=tolerated)
    return ReleasePlan(
        release="addons", plan_hash="sha256:p", commit="c1", position=5, spec={},
        components=components, stages=(stage,), units=units,
    )  # fmt: skip


@dataclass
class Run:
    """The engine alone, on clusters that are a dict: a broken unit takes no write."""

    plan: ReleasePlan
    broken: set[str]
    now: datetime = OPEN - timedelta(hours=1)
    live: dict[str, Any] = field(default_factory=dict)
    applied: dict[str, Applied] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.index = PlanIndex(self.plan)
        self.state = ReleaseState(release="addons", phase=ReleasePhase.SCHEDULED, since=self.now,
                                  plan_hash="sha256:p", position=5)  # fmt: skip
        self.units = {u.unit: UnitState(release="addons", unit=u.unit, since=self.now)
                      for u in self.plan.units}  # fmt: skip
        self.holds: tuple[Any, ...] = ()
        self.blobs = {digest(o): o for n in self.index.needs
                      for o in (object_of(n, "new"), object_of(n, "old"))}  # fmt: skip

    def see(self, name: str) -> UnitSeen:
        (planned,) = self.index.units[name].objects
        found = self.live.setdefault(name, self._first(planned.ref.name))
        objects = {planned.ref.key: ObjectSeen(ref=planned.ref, live=found)}
        cluster = self.index.units[name].cluster
        return UnitSeen(unit=name, at=self.now, uid=cluster, objects=objects)

    def _first(self, component: str) -> dict[str, Any]:
        obj = object_of(component, "old")
        return {**obj, "metadata": {**obj["metadata"], "resourceVersion": "1", "uid": "u"}}

    def tick(self) -> None:
        seen: dict[str, UnitSeen] = {}
        for _ in range(5):
            s = Situation(
                now=self.now, index=self.index, state=self.state, units=self.units,
                rules=rules(None), holds=self.holds, seen=seen, blobs=self.blobs,
                applied=self.applied,
            )  # fmt: skip
            step = advance(s)
            missing = step.asks - set(seen)
            if not missing:
                break
            seen |= {name: self.see(name) for name in missing}
        self._take(step)

    def _take(self, step: Step) -> None:
        self.state = replace(step.state)
        self.units = {**self.units, **step.units}
        self.holds = (*self.holds, *step.holds)
        self.blobs |= step.blobs
        self.applied |= {row.unit: row for row in step.puts if isinstance(row, Applied)}
        for unit, write in step.writes:
            if unit not in self.broken:
                self._write(unit, write)

    def _write(self, unit: str, write: Write) -> None:
        def merged(was: Any, patch: Any) -> Any:
            if not isinstance(was, dict) or not isinstance(patch, dict):
                return patch
            both = {key: merged(was.get(key), value) for key, value in patch.items()}
            return {k: v for k, v in {**was, **both}.items() if v is not None}

        self.live[unit] = merged(self.live[unit], write.body)


UNITS = [f"{name}@{cluster}" for name in NAMES for wave in WAVES for cluster in wave]


@settings(max_examples=40, deadline=None)
@given(
    needs=graphs(),
    broken=st.sets(
        st.sampled_from([f"{n}@{c}" for n in NAMES for w in WAVES for c in w]), max_size=2
    ),
    concurrency=st.sampled_from([None, 1, 3]),
    tolerated=st.sampled_from([0, 1]),
)
def test_the_graph_is_kept_and_what_is_independent_ends(
    needs: Graph, broken: set[str], concurrency: int | None, tolerated: int
) -> None:
    """At no moment are two units that lean on each other in flight in a cluster; none begins before
    what it needs has ended well; and a failure keeps nothing but what hangs on it.
    """
    broken = {unit for unit in broken if unit.partition("@")[0] in needs}
    run = Run(plan_of(needs, concurrency=concurrency, tolerated=tolerated), broken)
    known: set[str] = set()
    for _ in range(400):
        run.tick()
        flying = {name for name, unit in run.units.items() if unit.in_flight}
        assert concurrency is None or len(flying) <= concurrency
        for name in flying:
            component, _, cluster = name.partition("@")
            assert not flying & {f"{other}@{cluster}" for other in needs[component]}
        for name in {n for n, unit in run.units.items() if unit.began} - known:
            component, _, cluster = name.partition("@")
            known.add(name)
            for other in needs[component]:
                assert run.units[f"{other}@{cluster}"].phase is UnitPhase.SUCCEEDED, name
        if run.state.phase.ended:
            break
        run.now += 2 * MINUTE
    bad = {unit.partition("@")[0] for unit in broken}
    for name, unit in run.units.items():
        component = name.partition("@")[0]
        if component not in bad and not bad & set(reach(needs)[component]):
            assert unit.phase is UnitPhase.SUCCEEDED, f"{name} is {unit.phase}"
    assert run.state.phase.ended == (not broken)


@given(graphs())
def test_layers_hold_every_name_after_what_it_needs(needs: Graph) -> None:
    """Each name once, and never before what it needs."""
    order = [name for layer in layers(needs) for name in layer]
    assert sorted(order) == sorted(needs)
    for name, after in needs.items():
        assert all(order.index(one) < order.index(name) for one in after)
