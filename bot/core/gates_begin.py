"""The gates before a batch: what must hold for a unit to leave PENDING. Questions only."""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.batch_ahead import is_last
from bot.core.calendar import attended_need
from bot.core.floors import floor_first_wave, soaks
from bot.core.fronts import Obstacle, Place, in_the_way, neighbours_in_flight, obstacle
from bot.core.gates_needs import elsewhere
from bot.core.gates_shared import Look, ask_checks, frozen, held
from bot.core.messages_void import asked_anew
from bot.core.scope import covers, release_named
from bot.core.situation import Unit, calendar_unit, covered, reaches
from bot.core.turn import Turn
from bot.model.gate import Wait
from bot.model.plan import ApprovalAsk, StagePlan
from bot.model.state import Hold, ReleasePhase, UnitPhase


def merged(t: Turn, u: Unit) -> Wait | None:
    """The release is on main."""
    if t.state.phase is not ReleasePhase.PROPOSED:
        return None
    return Wait(code="not-merged", facts={"pull": t.state.pull or ""})


def holds(t: Turn, u: Unit) -> Wait | None:
    """No person and no rule holds it."""
    for hold in t.holds:
        if reaches(hold, covered(t.s, u.plan)):
            return _hangs_on(t, u, hold) or held(t, hold)
    return None


def _hangs_on(t: Turn, u: Unit, hold: Hold) -> Wait | None:
    """Of a hold on what it depends on it says which unit of its own cluster it hangs on."""
    if not t.s.index.several or covers(hold.scope, covered(t.s, u.plan)):
        return None
    ahead = None if u.state.in_flight else obstacle(t.s.index, t.units, u.plan)
    return _waits_for(t, ahead) if ahead is not None and in_the_way(ahead.root) else None


def releasable(t: Turn, u: Unit) -> Wait | None:
    """The version has the evidence that its component requires."""
    if not u.component.evidence_required:
        return None
    version = t.s.rules.versions.get((u.component.name, u.component.version))
    proofs = version.spec.evidence if version else ()
    failed = [proof.name for proof in proofs if not proof.passed]
    if proofs and not failed:
        return None
    wait = Wait(
        code="no-evidence",
        facts={
            "component": u.component.name,
            "version": u.component.version,
            "failed": failed,
        },
        who=t.who("override"),
        source=t.s.rules.source("Component", u.component.name),
    )
    return None if seen_evidence(wait) in u.state.overrides else wait


def not_blocked(t: Turn, u: Unit) -> Wait | None:
    """Neither the version nor this content of it is blocked."""
    closed = [wait for wait in _blocks(t, u) if seen_block(wait) not in u.state.overrides]
    # What lasts longest is the answer: when a shorter one is over, nothing has opened.
    return max(closed, key=lambda wait: (wait.until is None, wait.until or t.s.now), default=None)


def seen_evidence(wait: Wait) -> str:
    """How an override of evidence is written down: of what was missing, or had not passed, then."""
    failed = wait.facts["failed"]
    return f"evidence: {', '.join(failed)}" if failed else "evidence"


def seen_block(wait: Wait) -> str:
    """How an override of a block is written down: it is of this one, and of no later one."""
    return f"blocked: {wait.facts['reason']}"


def _blocks(t: Turn, u: Unit) -> Iterator[Wait]:
    facts = {"component": u.component.name, "version": u.component.version}
    for number, entry in enumerate(t.s.rules.policy.spec.blocked):
        if (
            entry.component == u.component.name
            and entry.version == u.component.version
            and entry.content in (None, u.component.content)
            and entry.in_force(t.s.now)
        ):
            until = entry.until and entry.until.isoformat()
            yield Wait(
                code="blocked",
                facts=facts | {"reason": entry.reason, "blocked_until": until},
                until=entry.over,
                who=t.who("override"),
                source=t.s.rules.source("Policy", t.s.rules.policy.name, "spec", "blocked", number),
            )
    for row in t.s.rules.blocked:
        known = (row.component, row.version) == (u.component.name, u.component.version)
        # What main has too is judged by what main says of it: until when, or not at all any more.
        if known and not row.on_main and row.content in ("", u.component.content):
            yield Wait(
                code="blocked",
                facts=facts | {"reason": row.reason, "blocked_until": None},
                who=t.who("override"),
            )


def earlier(t: Turn, u: Unit) -> Wait | None:
    """Earlier stages and waves have ended."""
    front = waits_for_wave(t, u)
    if front is None:
        return None
    stage, wave = front
    left = t.fronts.left(front, u.plan.component)
    if u.plan.stage != stage:
        return Wait(
            code="earlier-stage", facts={"stage": t.s.plan.stages[stage].name, "left": left}
        )
    return Wait(code="earlier-wave", facts={"wave": wave + 1, "left": left})


def waits_for_wave(t: Turn, u: Unit) -> Place | None:
    """(stage, wave) that has to end before a unit begins; None: its turn has come."""
    front = t.fronts.of(u.plan.component)
    if front is None or u.state.in_flight or (u.plan.stage, u.plan.wave) <= front:
        return None
    return front


def dependencies(t: Turn, u: Unit) -> Wait | None:
    """What it depends on has ended well in its cluster if this release or an earlier one brings it,
    and was not left half-way; nothing that it depends on, or that depends on it, is in flight.
    """
    if t.s.index.several and (wait := _own_dependencies(t, u)) is not None:
        return wait
    return elsewhere(t, u)


def _own_dependencies(t: Turn, u: Unit) -> Wait | None:
    """The order inside a cluster that the components of one release keep."""
    ahead = None if u.state.in_flight else obstacle(t.s.index, t.units, u.plan)
    if ahead is not None:
        return _waits_for(t, ahead)
    beside = neighbours_in_flight(t.s.index, t.units, u.plan)
    if beside is not None:
        return Wait(code="dependency", facts={"unit": beside, "release": ""})
    return None


def _waits_for(t: Turn, ahead: Obstacle) -> Wait:
    return Wait(
        code="needs",
        facts={
            "unit": ahead.unit,
            "root": ahead.root.unit,
            "phase": ahead.root.phase.value,
            "why": ahead.root.failure or "",
        },
        who=t.who("retry") if in_the_way(ahead.root) else (),
    )


def unit_free(t: Turn, u: Unit) -> Wait | None:
    """No other release has the unit in hand, or claimed it first and has not ended."""
    if u.state.phase is UnitPhase.ROLLING_BACK:
        return _newer_has_it(t, u)
    for claim in t.s.claims.get(u.plan.lock, ()):
        if claim.release in t.s.supersedes or (claim.ended and u.state.began is not None):
            continue
        if claim.in_flight or claim.position < t.s.state.position:
            return Wait(code="locked", facts={"unit": u.plan.unit, "release": claim.release})
    return None


def first_wave(t: Turn, u: Unit) -> Wait | None:
    """The first wave of its stage is no larger than the floor of now. A plan is frozen: while
    nothing of the stage began, a policy that has become stricter asks for a new release.
    """
    most = floor_first_wave(t.s, u.component)
    planned = u.stage.waves[0]
    if u.plan.wave > 0 or most is None or t.s.index.seats(planned) <= most:
        return None
    # A successor heals in its first wave whatever its predecessor broke.
    if (t.s.plan.spec or {}).get("supersedes") or any(t.units[n].began for n in planned):
        return None
    return Wait(
        code="first-wave",
        facts={"stage": u.stage.name, "planned": t.s.index.seats(planned), "most": most},
        who=t.who("cancel"),
        source=t.s.rules.source("Policy", t.s.rules.policy.name),
    )


def _newer_has_it(t: Turn, u: Unit) -> Wait | None:
    """The way back asks only that nobody newer is at work there."""
    for claim in t.s.claims.get(u.plan.lock, ()):
        if claim.in_flight and claim.position > t.s.state.position:
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
            facts={"limit": fleet, "in_flight": t.in_flight, "standing": _standing(t)},
            source=t.s.rules.source("Policy", t.s.rules.policy.name),
        )
    return None


def _standing(t: Turn) -> list[str]:
    """Releases whose places do not become free by themselves."""
    own = (t.s.name,) if any(unit.stands_back for unit in t.units.values()) else ()
    return [*own, *t.s.standing]


def failure_budget(t: Turn, u: Unit) -> Wait | None:
    """The stage has not failed more often than it tolerates, in its component or in one that it
    depends on.
    """
    for component in (u.plan.component, *t.s.index.upstream.get(u.plan.component, ())):
        failed = t.failures.of(u.plan.stage, component)
        if len(failed) > u.stage.max_failures:
            facts = {
                "failed": list(failed),
                "tolerated": u.stage.max_failures,
                "stage": u.stage.name,
            }
            return Wait(code="stage-failures", facts=facts, who=t.who("retry"))
    return None


def not_before(t: Turn, u: Unit) -> Wait | None:
    """The release's `notBefore` has come."""
    if t.not_before is None or t.s.now >= t.not_before:
        return None
    return Wait(code="not-before", facts={"at": t.not_before}, until=t.not_before)


def window(t: Turn, u: Unit) -> Wait | None:
    """A window is open, no freeze covers it, and the batch with its attended time fits before
    closing.
    """
    if t.window_overridden(u.plan):
        return None
    # The calendar knows freezes by unit; a freeze of one release is known only here.
    if (wait := frozen(t, u)) is not None and release_named(wait.facts["scope"]) == t.s.name:
        return wait
    calendar = t.s.rules.calendar
    place = calendar_unit(t.s, u.plan)
    between, after = soaks(t.s, u)
    attended = t.s.rules.policy.spec.windows.attended
    last = is_last(t, u)
    soak = max(between, after) if last is None else after if last else between
    need = attended_need(u.component.batch_takes, soak, attended)
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
    if until == t.s.now or (last is None and u.plan.unit in t.s.seen):
        return None
    return (Look if last is None else Wait)(
        code="does-not-fit",
        facts={"need": need, "close": opening.next_close},
        until=until,
        who=t.who("override"),
        source=opening.source,
    )


def checks_before(t: Turn, u: Unit) -> Wait | None:
    """Every check before the batch said PASSED, lately."""
    return ask_checks(t, u, "before")


def approval(t: Turn, u: Unit) -> Wait | None:
    """The people who must say yes to the release, the stage or the wave have done so."""
    for what, subject, ask in t.required(u.plan.stage, u.plan.wave):
        if (wait := asked(t, what, subject, ask)) is not None:
            return wait
    return None


def after_last(t: Turn, stage: StagePlan) -> Wait | None:
    """The yes that a stage asks for after it has ended: the release does not end before."""
    ask = stage.approval
    if ask is None or ask.when != "after":
        return None
    return asked(t, "after-stage", stage.name, ask)


def asked(t: Turn, what: str, subject: str, ask: ApprovalAsk) -> Wait | None:
    decision = t.decision_on(what, subject)
    if decision is not None and t.granted(decision):
        return None
    return Wait(
        code="approval",
        facts={
            "id": decision.id if decision else t.s.name,
            "asks": decision.asks if decision else "",
            "have": len(t.valid_votes(decision)) if decision else 0,
            "count": t.need(decision) if decision else ask.count,
            "roles": list(ask.roles),
            "anew": asked_anew(t.decisions.values(), what, subject),
        },
        who=t.deciders(decision) if decision else (),
    )


def replaces(t: Turn, u: Unit) -> Wait | None:
    """The releases that this one supersedes have been stopped where they stand."""
    if not t.s.supersedes:
        return None
    return Wait(code="superseding", facts={"releases": sorted(t.s.supersedes)})
