"""Laws of batches, silences and fleets see that their gate is gone, each in a small history."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from bot.core import additions
from bot.core import baseline as baselines
from bot.core.baseline import Certified
from bot.model.plan import ReleasePlan
from bot.model.state import UnitPhase
from bot.reconciler import joining
from bot.sim import docs as make
from bot.sim.script import Act
from tests.sim.planted import broken, brought, documents, released, says
from tests.sim.test_laws_see import Break, two_waves, without

History = tuple[Any, Any]


def one_release() -> History:
    return documents(), released(0, "dns", "2.5.0")


def only_at_noon() -> History:
    """Merged at nine in the morning."""
    docs = documents()
    spec = {"from": "12:00", "to": "18:00", "zone": "UTC"}
    docs["calendar/day.yaml"] = make.doc("Window", "day", spec)
    return docs, released(0, "dns", "2.5.0")


def blocked_meanwhile() -> History:
    """The first wave is done when main says that the version is no good."""
    docs, acts = two_waves()
    spec = docs["policy/policy.yaml"]["spec"]
    block = {"component": "dns", "version": "2.5.0", "reason": "INC"}
    policy = make.doc("Policy", "policy", {**spec, "blocked": [block]})
    changed = {"docs": {"policy/policy.yaml": policy}}
    return docs, [*acts, Act(at=120, do="rules-changed", data=changed)]


def paused_between_waves() -> History:
    docs, acts = two_waves()
    return docs, [*acts, says(120, "pause all --reason look")]


def one_by_one() -> History:
    stage = {"name": "all", "units": {}, "order": "name", "maxConcurrency": 1}
    return documents(stages=[stage]), released(0, "dns", "2.5.0")


def asked_first() -> History:
    approvals = [{"components": {}, "count": 1, "roles": ["approver"]}]
    return documents(approvals=approvals), released(0, "dns", "2.5.0")


def one_a_day() -> History:
    return documents(limits={"unitsPerDay": 1}), released(0, "dns", "2.5.0")


def on_top() -> History:
    return documents(), [*released(0, "dns", "2.5.0"), *released(60, "dns", "2.6.0")]


def sick_in_silence() -> History:
    data = {"of": "SOAKING", "seconds": 170}
    sick = Act(at=60, do="pods-sick", data=data, phase="SOAKING")
    return documents(), [*released(0, "dns", "2.5.0"), sick]


def back_in_a_freeze() -> History:
    docs = documents()
    spec = {"from": "2026-11-24T09:10", "to": "2026-11-24T10:00", "zone": "UTC",
            "actions": ["advance", "rollback"], "reason": "INC", "owner": "ana"}  # fmt: skip
    docs["calendar/freezes/early.yaml"] = make.doc("Freeze", "early", spec)
    return docs, [*released(0, "dns", "2.5.0"), says(900, "rollback dns-2-5-0 --reason odd")]


def taken_back() -> History:
    acts = [*released(0, "dns", "2.5.0"), says(900, "rollback dns-2-5-0 --reason odd")]
    return documents(), acts


def somebody_joins() -> History:
    new = make.cluster("eu-9", "prod", 2, {})
    data = {"path": "fleet/clusters/eu-9.yaml", "doc": new}
    acts = released(0, "dns", "2.5.0", lateJoiners="join")
    return documents(), [*acts, Act(at=60, do="fleet", data=data)]


def first_day() -> History:
    """Only one cluster has it when the other one is to get what its group runs."""
    document = make.release("first-day", "", "", baseline=True)
    del document["spec"]["components"]
    first = released(0, "dns", "2.5.0", units={"names": ["eu-1"]})
    return documents(), [*first, *brought(900, document)]


def healthy_or_not(patch: pytest.MonkeyPatch) -> None:
    for phase in (UnitPhase.SOAKING, UnitPhase.VERIFYING):
        without(phase, "healthy")(patch)
    without(UnitPhase.VERIFYING, "still_converged")(patch)
    without(UnitPhase.VERIFYING, "checks_after")(patch)


def beside_the_others(patch: pytest.MonkeyPatch) -> None:
    """Who joins does not wait behind those that were planned."""

    def first(
        plan: ReleasePlan, again: ReleasePlan, names: Collection[str], at: datetime, commit: str
    ) -> ReleasePlan | None:
        grown = additions.amended(plan, again, names, at, commit)
        if grown is None:
            return None
        return replace(grown, units=tuple(replace(one, wave=0) for one in grown.units))

    patch.setattr(joining, "amended", first)


def any_version(patch: pytest.MonkeyPatch) -> None:
    """What no cluster ever ran is taken for certified."""

    def found(*_: object) -> Mapping[tuple[str, str], Certified]:
        return {("prod", "dns"): Certified("2.9.0", 1, 2)}

    patch.setattr(baselines, "certified", found)


PENDING, SOAKING, BACK = UnitPhase.PENDING, UnitPhase.SOAKING, UnitPhase.ROLLING_BACK
BREAKS: dict[str, tuple[Break, Any]] = {
    "window": (without(PENDING, "window"), only_at_noon),
    "blocked": (without(PENDING, "not_blocked"), blocked_meanwhile),
    "not-stopped": (without(PENDING, "holds"), paused_between_waves),
    "concurrency": (without(PENDING, "concurrency"), one_by_one),
    "approval": (without(PENDING, "approval"), asked_first),
    "day": (without(PENDING, "units_per_day"), one_a_day),
    "lock": (without(PENDING, "unit_free"), on_top),
    "sick": (healthy_or_not, sick_in_silence),
    "soak": (without(SOAKING, "soaked"), one_release),
    "way-back": (without(BACK, "rollback_window"), back_in_a_freeze),
    "back": (without(BACK, "restored"), taken_back),
    "frozen": (beside_the_others, somebody_joins),
    "baseline": (any_version, first_day),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_law_sees_that_its_gate_is_gone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A law that nothing can break says nothing when it holds."""
    plant, history = BREAKS[name]
    assert broken(*history()) == set(), "the history itself has to be lawful"
    plant(monkeypatch)
    assert name in broken(*history())
