"""The gates that look over the fence: risk rules, host clusters, limits over all releases.

Questions only. A unit in flight gives way only to what was in flight before it: two that wait for
each other would wait for ever.
"""

from __future__ import annotations

from bot.core import risk as rules
from bot.core.flights import UnderWay, first, tiers_of
from bot.core.gates_begin import earlier
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.gate import Wait
from bot.model.record import BEGAN
from bot.model.state import Hold, HoldCode, UnitPhase
from checks.cel import Unclear
from release_repo_schema.models import RiskRule


def risk(t: Turn, u: Unit) -> Wait | None:
    """No risk rule of the policy of now says wait or stop; a rule without an answer is no yes."""
    for number, rule in enumerate(t.s.rules.policy.spec.risk_rules):
        if (wait := _asked(t, u, number, rule)) is not None:
            return wait
    return None


def host_free(t: Turn, u: Unit) -> Wait | None:
    """Neither the cluster that hosts its cluster nor one hosted by it is in flight."""
    for cluster in t.s.rules.kin.get(u.plan.cluster, ()):
        for flight in t.around.flights_in(cluster):
            if not t.around.gives_way(u, flight):
                continue
            return Wait(
                code="host",
                facts={
                    "unit": flight.unit,
                    "release": flight.release,
                    "cluster": cluster,
                    "hosts": t.s.rules.hosts.get(u.plan.cluster) == cluster,
                },
            )
    return None


def units_per_day(t: Turn, u: Unit) -> Wait | None:
    """Fewer units than the policy's `limits.unitsPerDay` began in the last 24 hours, everywhere."""
    limit = t.s.rules.policy.spec.limits.units_per_day
    if limit is None or u.state.began is not None:
        return None
    began = t.s.tally.count(BEGAN, t.s.now) + t.around.begun
    if began < limit:
        return None
    return Wait(
        code="day-limit",
        facts={"limit": limit, "began": began},
        until=t.s.tally.fewer_at(BEGAN, t.s.now, limit - t.around.begun),
        source=t.s.rules.source("Policy", t.s.rules.policy.name, "spec", "limits", "unitsPerDay"),
    )


def ruled(t: Turn, hold: Hold) -> bool:
    """Whether the rule that made a hold would hold the release again at once."""
    waiting = (
        risk(t, t.unit(name))
        for name, state in t.units.items()
        if state.phase is UnitPhase.PENDING and earlier(t, t.unit(name)) is None
    )
    return any(wait is not None and rule_hold(t, wait) == hold.id for wait in waiting)


def rule_hold(t: Turn, wait: Wait) -> str:
    """Id of the hold that a rule with the verdict stop makes; "" of any other answer."""
    return f"{t.s.name}/{HoldCode.RISK.value}/{wait.facts['rule']}" if _stops(wait) else ""


def _stops(wait: Wait) -> bool:
    return wait.code == "risk" and wait.facts.get("verdict") == "stop"


def _asked(t: Turn, u: Unit, number: int, rule: RiskRule) -> Wait | None:
    """A rule is asked once a turn for units that are alike in all that it names, and again when
    more or less is in flight.
    """
    asked = _of(t, u)
    # What was there before a unit in flight is another thing for each of them.
    own = (u.plan.unit,) if u.state.in_flight else ()
    try:
        alike = (*own, *rules.likeness(rule.when, asked))
    except Unclear:
        alike = (u.plan.unit,)
    key = (number, alike, t.around.changes)
    if key not in t.around.ruled:
        t.around.ruled[key] = _answer(t, asked, number, rule)
    return t.around.ruled[key]


def _answer(t: Turn, asked: rules.Asked, number: int, rule: RiskRule) -> Wait | None:
    source = t.s.rules.source("Policy", t.s.rules.policy.name, "spec", "riskRules", number, "when")
    facts = {"rule": rule.name, "reason": rule.reason, "verdict": rule.verdict}
    try:
        if not rules.says(rule.when, asked):
            return None
        timed = rules.asks_the_time(rule.when)
        until = rules.clears_at(rule.when, asked) if timed else None
    except Unclear as unclear:
        return Wait(code="risk-error", facts=facts | {"why": str(unclear)}, source=source)
    return Wait(
        code="risk",
        facts=facts | {"under_way": list(rules.behind(rule.when, asked)[:3])},
        until=until,
        again=rules.next_hour(t.s.now) if timed else None,
        source=source,
    )


def _of(t: Turn, u: Unit) -> rules.Asked:
    """The unit and all that is under way, as a rule sees them."""
    plan, state, index = u.plan, u.state, t.s.index
    spec = t.s.plan.spec or {}
    return rules.Asked(
        now=t.s.now,
        release=rules.release_facts(
            name=t.s.name,
            tiers=tiers_of(index),
            components=dict.fromkeys(c.name for c in t.s.plan.components),
            units=len(t.units),
            phase=t.state.phase.value,
            failed=sum(t.failures.number(stage) for stage in range(len(t.s.plan.stages))),
            supersedes=spec.get("supersedes") or (),
            reason=t.s.plan.reason,
        ),
        component=rules.component_facts(
            name=u.component.name,
            version=u.component.version,
            labels=u.component.labels,
            version_changed=u.component.version_changed,
        ),
        unit=rules.unit_facts(
            unit=plan.unit,
            cluster=plan.cluster,
            labels=plan.labels,
            stage=u.stage.name,
            wave=plan.wave + 1,
            scope=plan.scope,
            place=plan.place,
            batch=state.batch + 1,
            begun=state.began is not None,
        ),
        cluster=rules.cluster_facts(
            cluster=plan.cluster,
            labels=t.s.rules.labels.get(plan.cluster, plan.labels),
            host=t.s.rules.hosts.get(plan.cluster, ""),
        ),
        flights=t.around.before(u),
        under_way=[other for other in t.s.flights.releases.values() if _began_before(t, other)],
        components=t.s.rules.components,
    )


def _began_before(t: Turn, other: UnderWay) -> bool:
    if other.release == t.s.name:
        return False
    return t.state.began is None or first(other) < (t.state.began, t.state.position)
