"""Situations of a small release, drawn: where its units stand, what holds, what was seen, when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from bot.cluster.render import digest
from bot.core.calendar import Calendar
from bot.core.flights import Flight, Flights
from bot.core.lifecycle import Step
from bot.core.situation import Claim, PlanIndex, Rules, Situation
from bot.core.tallies import Tallies
from bot.model.plan import (
    ApprovalAsk,
    ComponentPlan,
    ObjectRef,
    PlannedObject,
    ReleasePlan,
    StagePlan,
    UnitPlan,
)
from bot.model.record import BEGAN, Tally
from bot.model.seen import ObjectSeen, UnitSeen
from bot.model.state import Before, Hold, HoldCode, ReleasePhase, ReleaseState, UnitPhase, UnitState
from bot.reconciler.rules import rules_of
from release_repo_schema.load import load_repo
from tests import repo_files
from tests.plan.world import FileTree

NAME, OPEN = "node-agent-2-5-0", datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
TIMES = [OPEN, OPEN.replace(hour=3), OPEN.replace(hour=16, minute=58), OPEN + timedelta(days=4)]
REF = ObjectRef("v1", "ConfigMap", "infra", "node-agent")
WAVES = (("st-1", "st-2"),), (("eu-1",), ("eu-2", "eu-3"))
CLUSTERS = [name for stage in WAVES for wave in stage for name in wave]
UNITS = [f"node-agent@{name}" for name in CLUSTERS]


def config_map(level: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "node-agent", "namespace": "infra"},
        "data": {"level": level},
    }


def live(level: str) -> dict[str, Any]:
    obj = config_map(level)
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": "7", "uid": "u"}}


TARGET = config_map("new")
BLOBS = {digest(obj): obj for obj in (TARGET, config_map("old"))}


class Case:
    """A drawn situation, short to print when a property fails."""

    def __init__(self, s: Situation) -> None:
        self.s = s

    def __repr__(self) -> str:
        s = self.s
        units = {
            name.partition("@")[2]: f"{unit.phase} since {unit.since:%H:%M} look {unit.look_at}"
            for name, unit in s.units.items()
        }
        seen = {
            name.partition("@")[2]: [o.live and o.live["data"] for o in one.objects.values()]
            for name, one in s.seen.items()
        }
        holds = [(hold.scope, hold.finish_batch) for hold in s.holds]
        limits = (s.rules.policy.spec, s.plan.stages[0].max_concurrency, s.tally.rows)
        asks = (bool(s.plan.stages[0].approval), s.plan.components[0].checks_before)
        return f"{s.now} {units} {seen} {holds} {dict(s.claims)} limits {limits} asks {asks}"


RULE = "inFlight.total >= 2"
PER_DAY = 4
HOSTED = {"eu-3": "eu-2", "st-2": "st-1"}


@cache
def rules(limit: int | None, per_day: bool = False, ruled: bool = False) -> Rules:
    policy: dict[str, Any] = {"windows": {"attended": "5m"}}
    limits = {"unitsInFlight": limit, "unitsPerDay": PER_DAY if per_day else None}
    policy["limits"] = {name: value for name, value in limits.items() if value is not None}
    if ruled:
        rule = {"name": "two", "when": RULE, "verdict": "wait", "reason": "Two at a time"}
        policy["riskRules"] = [rule]
    files = repo_files.base() | {"policy/policy.yaml": repo_files.doc("Policy", "policy", policy)}
    repo = load_repo(FileTree(files), {})
    calendar = Calendar.of(repo.windows, repo.freezes, repo.policy, sources=repo.source)
    return rules_of(repo, "c1", calendar)


def plan(*, concurrency: int | None, ask: bool, before: bool) -> ReleasePlan:
    component = ComponentPlan(
        name="node-agent",
        version="2.5.0",
        owners=("network",),
        content="sha256:c",
        batches=("100%",),
        batch_soak=timedelta(minutes=5),
        soak=timedelta(minutes=10),
        batch_takes=timedelta(minutes=5),
        batch_deadline=timedelta(minutes=20),
        checks_before=("workload",) if before else (),
        checks_after=("workload",),
    )
    approval = ApprovalAsk(when="before", roles=("approver",), count=1) if ask else None
    stages = tuple(
        StagePlan(
            name=name,
            waves=tuple(tuple(f"node-agent@{c}" for c in wave) for wave in waves),
            max_concurrency=concurrency,
            approval=approval,
        )
        for name, waves in zip(("staging", "production"), WAVES, strict=True)
    )
    units = tuple(
        UnitPlan(
            unit=f"node-agent@{cluster}",
            component="node-agent",
            cluster=cluster,
            stage=stage,
            wave=wave,
            reason="",
            labels={"cluster": cluster, "group": "prod"},
            revision="2.5.0@aaaa",
            objects=(PlannedObject(REF, digest(TARGET)),),
        )
        for stage, waves in enumerate(WAVES)
        for wave, clusters in enumerate(waves)
        for cluster in clusters
    )
    return ReleasePlan(
        release=NAME,
        plan_hash="sha256:p",
        commit="c1",
        position=5,
        spec={},
        components=(component,),
        stages=stages,
        units=units,
    )


def unit_of(name: str, phase: UnitPhase, now: datetime, ago: int, quiet: bool) -> UnitState:
    """A unit in a phase that it could really be in."""
    since = now - timedelta(minutes=ago)
    row = UnitState(release=NAME, unit=name, phase=phase, since=since)
    if phase in (UnitPhase.PENDING, UnitPhase.SKIPPED):
        return row
    look = None if quiet else now
    if phase is UnitPhase.QUARANTINED:
        return replace(row, look_at=look, unreachable_since=since)
    old = Before(ref=REF, digest=digest(config_map("old")), source="baseline")
    begun = replace(
        row,
        batch=1,
        batches=1,
        step=0,
        began=since,
        in_hand=phase.rolling,
        batch_began=since,
        before=(old,),
        deadline=since + timedelta(minutes=20),
        look_at=look,
    )
    if phase in (UnitPhase.SOAKING, UnitPhase.VERIFYING):
        return replace(begun, converged=since, soak_until=since + timedelta(minutes=10))
    if phase is UnitPhase.FAILED:
        return replace(begun, failure="it broke", deadline=None)
    if phase is UnitPhase.SUCCEEDED:
        return replace(begun, look_at=None, deadline=None)
    return begun


PHASES = [
    UnitPhase.PENDING,
    UnitPhase.APPLYING,
    UnitPhase.SOAKING,
    UnitPhase.VERIFYING,
    UnitPhase.SUCCEEDED,
    UnitPhase.FAILED,
    UnitPhase.SKIPPED,
    UnitPhase.QUARANTINED,
]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    now = draw(st.sampled_from(TIMES))
    calm = draw(st.booleans())
    phases = {name: draw(st.sampled_from(PHASES[:1] if calm else PHASES)) for name in UNITS}
    units = {
        name: unit_of(name, phase, now, draw(st.integers(0, 30)), draw(st.booleans()))
        for name, phase in phases.items()
    }
    begun = any(unit.began for unit in units.values())
    state = ReleaseState(
        release=NAME,
        phase=ReleasePhase.PROGRESSING if begun else ReleasePhase.SCHEDULED,
        since=now,
        plan_hash="sha256:p",
        position=5,
        began=now if begun else None,
    )
    scopes = draw(st.lists(st.sampled_from(["all", NAME, UNITS[0], "cluster:eu-1"]), max_size=2))
    holds = tuple(
        Hold(
            id=f"pause/{scope}",
            scope=scope,
            code=HoldCode.PAUSED,
            reason="because",
            by="ana",
            at=now,
            finish_batch=draw(st.booleans()),
            release=NAME if scope == NAME else None,
        )
        for scope in dict.fromkeys(scopes)
    )
    shown = st.sampled_from(["absent", "old", "new", "unreachable", "unseen"])
    seen = {name: found for name in UNITS if (found := _seen(name, draw(shown), now)) is not None}
    claimed = draw(st.dictionaries(st.sampled_from(UNITS), st.booleans(), max_size=2))
    limit = draw(st.sampled_from([None, 1, 2]))
    s = Situation(
        now=now,
        index=PlanIndex(
            plan(
                concurrency=draw(st.sampled_from([None, 1])),
                ask=draw(st.booleans()),
                before=draw(st.booleans()),
            )
        ),
        state=state,
        units=units,
        rules=rules(limit, draw(st.booleans()), draw(st.booleans())),
        holds=holds,
        claims={
            name: (Claim("other", draw(st.sampled_from([3, 9])), in_flight),)
            for name, in_flight in claimed.items()
        },
        in_flight=sum(claimed.values()),
        flights=_flights(name for name, in_flight in claimed.items() if in_flight),
        tally=_tally(draw(st.integers(0, PER_DAY + 1)), now),
        seen=seen,
        blobs=BLOBS,
    )
    return Case(s)


@st.composite
def eager_cases(draw: st.DrawFn) -> Case:
    """Situations in which nearly all could begin: what keeps a unit is a rule over all releases."""
    s = draw(cases()).s
    ended = UNITS[:3] if draw(st.booleans()) else []
    phases = [UnitPhase.PENDING, UnitPhase.PENDING, UnitPhase.SOAKING, UnitPhase.VERIFYING]
    units = {
        name: unit_of(
            name,
            UnitPhase.SUCCEEDED if name in ended else draw(st.sampled_from(phases)),
            OPEN,
            15,
            False,
        )
        for name in UNITS
    }
    begun = any(unit.began for unit in units.values())
    ruled = rules(None, draw(st.booleans()), draw(st.booleans()))
    shown = {name: draw(st.sampled_from(["old", "new"])) for name in UNITS}
    seen = {name: found for name in UNITS if (found := _seen(name, shown[name], OPEN)) is not None}
    return Case(
        replace(
            s,
            now=OPEN,
            index=PlanIndex(plan(concurrency=None, ask=False, before=False)),
            state=replace(
                s.state,
                phase=ReleasePhase.PROGRESSING if begun else ReleasePhase.SCHEDULED,
                since=OPEN,
                began=OPEN if begun else None,
            ),
            units=units,
            rules=replace(ruled, hosts=HOSTED if draw(st.booleans()) else {}),
            holds=(),
            tally=_tally(draw(st.integers(2, PER_DAY + 1)), OPEN),
            seen=seen,
        )
    )


def _flights(names: Iterable[str]) -> Flights:
    """What another release has in flight."""
    found = Flights()
    for name in names:
        flight = Flight(
            release="other",
            position=3,
            unit=name,
            component="node-agent",
            component_labels={},
            cluster=name.partition("@")[2],
            labels={"group": "prod"},
            began=OPEN - timedelta(days=1),
        )
        found.by_release.setdefault("other", {})[name] = flight
        found.by_cluster.setdefault(flight.cluster, {})["other", name] = flight
    return found


def _tally(count: int, now: datetime) -> Tallies:
    """So many units of other releases began today, and one yesterday."""
    ages = [timedelta(hours=hour) for hour in range(count)] + [timedelta(days=1)]
    return Tallies.of(
        Tally(what=BEGAN, release="other", unit=f"a@{n}", at=now - age)
        for n, age in enumerate(ages)
    )


def _seen(name: str, shown: str, now: datetime) -> UnitSeen | None:
    match shown:
        case "unseen":
            return None
        case "unreachable":
            return UnitSeen(unit=name, at=now, reachable=False, error="timed out")
    there = None if shown == "absent" else live(shown)
    objects = {REF.key: ObjectSeen(ref=REF, live=there)}
    return UnitSeen(unit=name, at=now, uid=f"uid-{name}", objects=objects)


def after(s: Situation, step: Step) -> Situation:
    """The same moment once the step is true."""
    decisions = {d.number: d for d in s.decisions} | {d.number: d for d in step.decisions}
    return replace(
        s,
        state=step.state,
        units={**s.units, **step.units},
        decisions=tuple(decisions.values()),
        holds=(*s.holds, *step.holds),
        blobs={**s.blobs, **step.blobs},
        tally=Tallies.of(
            (*s.tally.rows.values(), *(row for row in step.puts if isinstance(row, Tally)))
        ),
    )


__all__ = ["NAME", "UNITS", "Case", "after", "cases", "eager_cases"]
