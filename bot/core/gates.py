"""What must hold before a unit leaves its phase: the table GATES, and one small function a gate.

The first closed gate of a unit is the answer to "why is it not moving". A gate is a question about a
`Turn`: it changes nothing, asks nobody, and answers None (open), a `Wait`, a `Stop`, or `Look` when the
cluster has to be seen first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.core.asked import required
from bot.core.calendar import ROLLBACK, attended_need
from bot.core.scope import covers
from bot.core.situation import Unit, calendar_unit, covered, failures, soaks
from bot.core.turn import Turn
from bot.model.gate import Stop, Wait
from bot.model.state import UnitPhase
from checks.verdict import Verdict

Gate = Callable[[Turn, Unit], Wait | None]
UNREACHABLE_FOR = timedelta(minutes=15)
"""How long a cluster may be unreachable before a unit that has not begun is quarantined."""

ENOUGH = {Verdict.PASSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Wait):
    """Not known yet: the cluster must be asked in this tick."""


LOOK = Look(code="not-due")


def holds(t: Turn, u: Unit) -> Wait | None:
    """No person and no rule holds it."""
    for hold in t.holds:
        if covers(hold.scope, covered(t.s, u.plan)):
            return Wait(
                code="held",
                facts={
                    "scope": hold.scope,
                    "reason": hold.reason,
                    "by": hold.by,
                    "at": hold.at,
                    "code": hold.code.value,
                },
                who=t.who_lifts(hold),
            )
    return None


def releasable(t: Turn, u: Unit) -> Wait | None:
    """The version has the evidence that its component requires."""
    if not u.component.evidence_required or "evidence" in u.state.overrides:
        return None
    version = t.s.rules.versions.get((u.component.name, u.component.version))
    if version and version.spec.evidence and all(proof.passed for proof in version.spec.evidence):
        return None
    return Wait(
        code="no-evidence",
        facts={"component": u.component.name, "version": u.component.version},
        who=t.who("override"),
        source=t.s.rules.source("Component", u.component.name),
    )


def not_blocked(t: Turn, u: Unit) -> Wait | None:
    """Neither the version nor this content of it is blocked."""
    if "blocked" in u.state.overrides:
        return None
    facts = {"component": u.component.name, "version": u.component.version}
    for entry in t.s.rules.policy.spec.blocked:
        if (
            entry.component == u.component.name
            and entry.version == u.component.version
            and entry.content in (None, u.component.content)
            and entry.in_force(t.s.now)
        ):
            return Wait(
                code="blocked",
                facts=facts
                | {
                    "reason": entry.reason,
                    "blocked_until": entry.until and entry.until.isoformat(),
                },
                who=t.who("override"),
                source=t.s.rules.source("Policy", t.s.rules.policy.name),
            )
    for row in t.s.rules.blocked:
        if (row.component, row.version) == (
            u.component.name,
            u.component.version,
        ) and row.content in (
            "",
            u.component.content,
        ):
            return Wait(
                code="blocked",
                facts=facts | {"reason": row.reason, "blocked_until": None},
                who=t.who("override"),
            )
    return None


def earlier(t: Turn, u: Unit) -> Wait | None:
    """Earlier stages and waves have ended."""
    front = t.front
    if front is None or u.state.in_flight or (u.plan.stage, u.plan.wave) <= front:
        return None
    stage, wave = front
    left = t.left(stage, wave)
    if u.plan.stage != stage:
        return Wait(
            code="earlier-stage", facts={"stage": t.s.plan.stages[stage].name, "left": left}
        )
    return Wait(code="earlier-wave", facts={"wave": wave + 1, "left": left})


def dependencies(t: Turn, u: Unit) -> Wait | None:
    """Nothing it depends on, and nothing that depends on it, is in flight in its cluster."""
    related = (*u.component.depends_on, *t.s.rules.dependents.get(u.component.name, ()))
    for component in related:
        name = f"{component}@{u.plan.cluster}"
        for claim in t.s.claims.get(name, ()):
            if claim.in_flight:
                return Wait(code="dependency", facts={"unit": name, "release": claim.release})
    return None


def unit_free(t: Turn, u: Unit) -> Wait | None:
    """No other release has the unit in hand, or claimed it first."""
    for claim in t.s.claims.get(u.plan.unit, ()):
        if claim.release in t.s.supersedes:
            continue
        if claim.in_flight or claim.position < t.s.state.position:
            return Wait(code="locked", facts={"unit": u.plan.unit, "release": claim.release})
    return None


def concurrency(t: Turn, u: Unit) -> Wait | None:
    """The wave and the whole fleet have room for one more unit in flight."""
    if u.state.in_flight:
        return None
    limit = u.stage.max_concurrency
    if limit is not None and t.in_flight_of(u.plan.stage) >= limit:
        return Wait(
            code="concurrency", facts={"limit": limit, "in_flight": t.in_flight_of(u.plan.stage)}
        )
    fleet = t.s.rules.policy.spec.limits.units_in_flight
    if fleet is not None and t.in_flight >= fleet:
        return Wait(
            code="fleet-limit",
            facts={"limit": fleet, "in_flight": t.in_flight},
            source=t.s.rules.source("Policy", t.s.rules.policy.name),
        )
    return None


def failure_budget(t: Turn, u: Unit) -> Wait | None:
    """The stage has not failed more often than it tolerates."""
    failed = failures(t.s, t.units, u.plan.stage)
    if len(failed) <= u.stage.max_failures:
        return None
    return Wait(
        code="stage-failures",
        facts={"failed": list(failed), "tolerated": u.stage.max_failures, "stage": u.stage.name},
        who=t.who("retry"),
    )


def not_before(t: Turn, u: Unit) -> Wait | None:
    """The release's `notBefore` has come."""
    if t.not_before is None or t.s.now >= t.not_before:
        return None
    return Wait(code="not-before", facts={"at": t.not_before}, until=t.not_before)


def window(t: Turn, u: Unit) -> Wait | None:
    """A window is open, no freeze covers it, and the batch with its attended time fits before closing."""
    if t.window_overridden(u.plan):
        return None
    calendar = t.s.rules.calendar
    place = calendar_unit(t.s, u.plan)
    between, after = soaks(t.s, u)
    attended = t.s.rules.policy.spec.windows.attended
    need = attended_need(u.component.batch_takes, after if t.next_is_last(u) else between, attended)
    opening = calendar.ask(place, t.s.now)
    start = calendar.next_start(place, t.s.now, need)
    until = start.at if start else None
    if not opening.open:
        return Wait(
            code="window",
            facts={"why": opening.why},
            until=until,
            who=t.who("override"),
            source=opening.source,
        )
    if until != t.s.now:
        return Wait(
            code="does-not-fit",
            facts={"need": need, "close": opening.next_close},
            until=until,
            who=t.who("override"),
            source=opening.source,
        )
    return None


def reachable(t: Turn, u: Unit) -> Wait | None:
    """The cluster answers, and is the one that it was at first contact."""
    seen = t.s.seen.get(u.plan.unit)
    since = u.state.unreachable_since
    if seen is None and t.must_look(u):
        return LOOK
    if (seen is None and since is not None) or (seen is not None and not seen.reachable):
        since = since or t.s.now
        facts = {"cluster": u.plan.cluster, "error": seen.error if seen else "", "since": since}
        late = u.state.deadline is not None and t.s.now >= u.state.deadline
        if late and u.state.phase is UnitPhase.APPLYING:
            return Stop(code="unreachable", facts=facts, who=t.who("retry"))
        return Wait(
            code="unreachable",
            facts=facts,
            until=None if u.state.in_flight else since + UNREACHABLE_FOR,
            who=t.who("skip"),
        )
    if seen is None:
        return None
    known = t.s.clusters.get(u.plan.cluster)
    if known is not None and known.uid != seen.uid:
        return Wait(code="rebuilt", facts={"cluster": u.plan.cluster}, who=t.who("accept"))
    return None


def checks_before(t: Turn, u: Unit) -> Wait | None:
    """Every check before the batch said PASSED, lately."""
    return _checks(t, u, "before")


def approval(t: Turn, u: Unit) -> Wait | None:
    """The people who must say yes to the release, the stage or the wave have done so."""
    for what, subject, ask in required(t.s.plan, u.plan.stage, u.plan.wave):
        decision = t.decision_on(what, subject)
        if decision is not None and t.granted(decision):
            continue
        return Wait(
            code="approval",
            facts={
                "id": decision.id if decision else t.s.name,
                "asks": decision.asks if decision else "",
                "have": len(t.valid_votes(decision)) if decision else 0,
                "count": t.need(decision) if decision else ask.count,
                "roles": list(ask.roles),
            },
            who=t.deciders(decision) if decision else (),
        )
    return None


def replaces(t: Turn, u: Unit) -> Wait | None:
    """The releases that this one supersedes have been stopped where they stand."""
    if not t.s.supersedes:
        return None
    return Wait(code="superseding", facts={"releases": sorted(t.s.supersedes)})


def not_stopped(t: Turn, u: Unit) -> Wait | None:
    """No pause and no emergency freeze stops what rolls in the cluster."""
    what = covered(t.s, u.plan)
    for hold in t.holds:
        if not hold.finish_batch and covers(hold.scope, what):
            return holds(t, u)
    for stop in t.s.stops:
        if covers(stop.scope, what) and stop.until > t.s.now and not t.window_overridden(u.plan):
            return Wait(
                code="held",
                facts={
                    "scope": stop.scope,
                    "reason": stop.reason,
                    "by": stop.by,
                    "at": stop.at,
                    "code": "freeze",
                },
                until=stop.until,
                who=t.who("unfreeze"),
            )
    return None


def converged(t: Turn, u: Unit) -> Wait | None:
    """Every pod or node of the batch runs this revision and is available, seen after our write."""
    progress = t.progress(u)
    if progress is None:
        return LOOK if t.look_is_due(u) else _as_last_seen(u, "converging")
    if progress.converged:
        return None
    if u.state.refused:
        return Stop(code="refused", facts={"why": u.state.refused}, who=t.who("retry"))
    facts = {
        "updated": progress.updated,
        "wanted": sum(u.state.targets.values()),
        "total": progress.total,
        "waiting": progress.waiting,
        "detail": dict(progress.detail),
    }
    if progress.failed or (u.state.deadline is not None and t.s.now >= u.state.deadline):
        return Stop(code="converging", facts=facts, who=t.who("retry"))
    return Wait(code="converging", facts=facts, until=None)


def healthy(t: Turn, u: Unit) -> Wait | None:
    """What the batch brought stays available, all the while."""
    progress = t.progress(u)
    if progress is None:
        return LOOK if t.look_is_due(u) else None
    if progress.healthy:
        return None
    return Stop(
        code="sick",
        facts={"why": progress.waiting, "detail": dict(progress.detail)},
        who=t.who("retry"),
    )


def soaked(t: Turn, u: Unit) -> Wait | None:
    """The silence after the batch is over, and the cluster was seen healthy at its end."""
    until = u.state.soak_until
    if until is not None and t.s.now < until:
        return Wait(code="soaking", facts={"until": until}, until=until)
    return LOOK if t.progress(u) is None else None


def checks_after(t: Turn, u: Unit) -> Wait | None:
    """Every check after the batch said PASSED."""
    return _checks(t, u, "after")


def rollback_window(t: Turn, u: Unit) -> Wait | None:
    """No Deny window and no freeze that names rollback covers it; Allow windows do not matter."""
    place = calendar_unit(t.s, u.plan)
    opening = t.s.rules.calendar.ask(place, t.s.now, ROLLBACK)
    if opening.open or t.window_overridden(u.plan):
        return None
    return Wait(
        code="rollback-window",
        facts={"why": opening.why},
        until=opening.next_open,
        who=t.who("override"),
        source=opening.source,
    )


def newer_first(t: Turn, u: Unit) -> Wait | None:
    """Newer waves are back where they were."""
    left = t.newer_left(u.plan)
    return Wait(code="rollback-order", facts={"left": left}) if left else None


def undo_decided(t: Turn, u: Unit) -> Wait | None:
    """A first install is deleted or kept only when a person said which."""
    if not t.is_first_install(u) or u.state.undo or "keep" in u.state.overrides:
        return None
    return Wait(code="undo", facts={"unit": u.plan.unit}, who=t.who("approve"))


def restored(t: Turn, u: Unit) -> Wait | None:
    """Every pod or node is back on what ran before, and available."""
    if t.is_first_install(u) and "keep" in u.state.overrides:
        return None
    progress = t.progress(u)
    if progress is None:
        return LOOK if t.look_is_due(u) else _as_last_seen(u, "restoring")
    if progress.converged:
        return None
    facts = {"updated": progress.updated, "total": progress.total}
    if u.state.deadline is not None and t.s.now >= u.state.deadline:
        return Stop(code="restoring", facts=facts, who=t.who("retry"))
    return Wait(code="restoring", facts=facts)


GATES: Mapping[UnitPhase, tuple[Gate, ...]] = {
    UnitPhase.PENDING: (
        holds,
        releasable,
        not_blocked,
        earlier,
        dependencies,
        unit_free,
        concurrency,
        failure_budget,
        not_before,
        window,
        reachable,
        checks_before,
        approval,
        replaces,
    ),
    UnitPhase.APPLYING: (not_stopped, reachable, converged),
    UnitPhase.SOAKING: (reachable, healthy, soaked),
    UnitPhase.VERIFYING: (reachable, checks_after),
    UnitPhase.ROLLING_BACK: (rollback_window, newer_first, undo_decided, reachable, restored),
}
"""Phase → what must hold to leave it, in this order."""


def _checks(t: Turn, u: Unit, when: str) -> Wait | None:
    for run in t.runs(u, when):
        if run.verdict in ENOUGH or run.overridden_by:
            continue
        facts = {"name": run.name, "when": when, "verdict": run.verdict.name, "why": run.why}
        if run.verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE):
            return Stop(code="check", facts=facts, who=t.who("override"))
        late = u.state.deadline is not None and when == "after" and t.s.now >= u.state.deadline
        kind = Stop if late and run.verdict is Verdict.ERRORED else Wait
        return kind(code="check", facts=facts, until=t.next_measurement(u, run))
    return None


def _as_last_seen(u: Unit, code: str) -> Wait:
    facts = {
        "updated": u.state.updated,
        "wanted": sum(u.state.targets.values()),
        "total": u.state.total,
        "waiting": "progress",
        "detail": {},
    }
    return Wait(code=code, facts=facts)
