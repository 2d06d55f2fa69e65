"""Views of releases for the tests of messages: a small one and a large one, in any state.

Never reads a clock: it is Tue 24 Nov 2026, 10:00 in Berlin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from bot.model.gate import ReleaseView, Stop, Wait, Waiting
from bot.model.plan import ApprovalAsk, ComponentPlan, ReleasePlan, StagePlan, UnitPlan
from bot.model.state import (
    Decision,
    DecisionStatus,
    Event,
    Hold,
    HoldCode,
    ReleasePhase,
    ReleaseState,
    UnitPhase,
    UnitState,
    Vote,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RELEASE = "node-agent-2-5-0"


def component(**changes: Any) -> ComponentPlan:
    made = ComponentPlan(
        name="node-agent",
        version="2.5.0",
        owners=("network",),
        content="sha256:c0ffee",
        batches=(1, "50%", "100%"),
        batch_soak=timedelta(minutes=5),
        soak=timedelta(minutes=30),
        batch_takes=timedelta(minutes=5),
        batch_deadline=timedelta(minutes=20),
        checks_after=("workload",),
    )
    return replace(made, **changes)


def unit(cluster: str, stage: int, wave: int) -> UnitPlan:
    return UnitPlan(
        unit=f"node-agent@{cluster}",
        component="node-agent",
        cluster=cluster,
        stage=stage,
        wave=wave,
        reason="by name",
        labels={"cluster": cluster},
        revision="2.5.0@0123456789ab",
        objects=(),
    )


def plan(waves: Mapping[str, list[list[str]]], **changes: Any) -> ReleasePlan:
    """A plan of stages by name, each a list of waves of clusters."""
    units = [
        unit(cluster, stage, wave)
        for stage, (_, listed) in enumerate(waves.items())
        for wave, clusters in enumerate(listed)
        for cluster in clusters
    ]
    made = ReleasePlan(
        release=RELEASE,
        plan_hash="sha256:7f3a9c41e5d2b8",
        commit="a1b2c3d4e5",
        position=42,
        spec={},
        components=(component(),),
        stages=tuple(
            StagePlan(
                name=name,
                waves=tuple(tuple(f"node-agent@{c}" for c in wave) for wave in listed),
                approval=ApprovalAsk(when="before", roles=("approver",), count=2)
                if name == "production"
                else None,
            )
            for name, listed in waves.items()
        ),
        units=tuple(units),
        reason="Fixes the conntrack leak (INC-1234)",
        pull="pr/node-agent-2-5-0",
        authors=("ana@example.com",),
    )
    return replace(made, **changes)


def state(phase: ReleasePhase = ReleasePhase.PROGRESSING, **changes: Any) -> ReleaseState:
    made = ReleaseState(
        release=RELEASE,
        phase=phase,
        since=NOW,
        plan_hash="sha256:7f3a9c41e5d2b8",
        commit="a1b2c3d4e5",
        position=42,
        pull="pr/node-agent-2-5-0",
        merged=NOW - timedelta(hours=3),
        began=NOW - timedelta(hours=2),
    )
    return replace(made, **changes)


def unit_state(cluster: str, phase: UnitPhase = UnitPhase.PENDING, **changes: Any) -> UnitState:
    began = None if phase in (UnitPhase.PENDING, UnitPhase.SKIPPED) else NOW - timedelta(hours=1)
    made = UnitState(
        release=RELEASE,
        unit=f"node-agent@{cluster}",
        phase=phase,
        since=NOW,
        began=began,
        in_hand=phase.rolling,
        before_revision="2.4.1@ba9876543210",
    )
    if phase is UnitPhase.SUCCEEDED:
        made = replace(made, batch=3, step=2, updated=6, total=6)
    return replace(made, **changes)


def view(*units: UnitState, **changes: Any) -> ReleaseView:
    """A small release: 2 units in staging, 3 in production behind an approval."""
    stages = {"staging": [["st-1"], ["st-2"]], "production": [["eu-1"], ["eu-2", "eu-3"]]}
    made = ReleaseView(
        now=NOW,
        plan=plan(stages),
        state=state(),
        units={u.unit: u for u in units},
        next_close=NOW + timedelta(hours=6),
        next_open=NOW + timedelta(hours=23),
        ends=NOW + timedelta(days=1, hours=2),
        channel="network",
        zone="Europe/Berlin",
    )
    return replace(made, **changes)


def large(count: int = 1000, **changes: Any) -> ReleaseView:
    """A thousand units in one stage of 5 waves, every eleventh failed, every third in flight."""
    names = [f"c-{i:04}" for i in range(count)]
    cuts = [0, 1, count // 20, count // 5, count // 2, count]
    waves = [names[a:b] for a, b in pairwise(cuts)]
    phases = (UnitPhase.FAILED, UnitPhase.APPLYING, UnitPhase.SUCCEEDED)
    units = {}
    for i, name in enumerate(names):
        phase = phases[0] if i % 11 == 0 else phases[1] if i % 3 == 0 else phases[2]
        failure = "post-check workload: 2 of 6 pods not ready" if phase is phases[0] else None
        made = unit_state(name, phase, updated=3, total=6, batch=2, failure=failure)
        units[made.unit] = made
    made_view = ReleaseView(
        now=NOW,
        plan=plan({"production": waves}),
        state=state(),
        units=units,
        waiting=tuple(
            Waiting(unit=u, gate="converged", wait=wait("converging", updated=3, wanted=6, total=6))
            for u in units
        ),
        owed=tuple(units)[:100],
    )
    return replace(made_view, **changes)


def wait(code: str, /, **facts: Any) -> Wait:
    return Wait(code=code, facts=facts)


def stop(code: str, /, **facts: Any) -> Stop:
    return Stop(code=code, facts=facts, who=("operator", "network"))


def waiting(unit_name: str, of: Wait, gate: str = "gate") -> Waiting:
    return Waiting(unit=unit_name, gate=gate, wait=of)


def hold(code: HoldCode = HoldCode.PAUSED, **changes: Any) -> Hold:
    made = Hold(
        id="hold-1", scope=RELEASE, code=code, reason="switch upgrade in rack 4", by="ben", at=NOW
    )
    return replace(made, **changes)


def decision(**changes: Any) -> Decision:
    made = Decision(
        release=RELEASE,
        number=3,
        what="stage",
        subject="production",
        asks="Begin stage production: node-agent 2.5.0 on 3 units in 2 waves?",
        roles=("approver",),
        count=2,
        plan_hash="sha256:7f3a9c41e5d2b8",
        status=DecisionStatus.OPEN,
        votes=(Vote(by="ben", at=NOW),),
        at=NOW,
        expires=timedelta(hours=24),
    )
    return replace(made, **changes)


def event(
    kind: str, unit_name: str = "", *, who: str = "sluice", batch: int = 0, **data: Any
) -> Event:
    return Event(
        at=NOW, kind=kind, release=RELEASE, unit=unit_name, batch=batch, who=who, data=data
    )


def done(*clusters: str) -> tuple[UnitState, ...]:
    return tuple(unit_state(name, UnitPhase.SUCCEEDED) for name in clusters)
