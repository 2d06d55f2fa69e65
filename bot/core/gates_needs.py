"""What a unit depends on and other releases bring: released before it, and never moved beside it.

Questions only. Inside one release the graph of its components says the same (`bot.core.fronts`).
"""

from __future__ import annotations

from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.gate import Wait


def elsewhere(t: Turn, u: Unit) -> Wait | None:
    """Nothing that it depends on, or that depends on it, is in flight in its cluster; and what it
    depends on has been released there, whole, if an earlier release or the last one was to.
    """
    depends = u.component.depends_on
    related = {*depends, *t.s.rules.dependents.get(u.component.name, ())}
    for flight in t.around.flights_in(u.plan.cluster):
        if flight.component in related and t.around.gives_way(u, flight):
            return Wait(code="dependency", facts={"unit": flight.unit, "release": flight.release})
    if u.state.in_flight:
        return None
    for component in depends:
        # What the release brings itself, its own graph orders.
        if (u.plan.cluster, component) not in t.s.index.inside and (
            wait := _before_it(t, component, u.plan.cluster)
        ):
            return wait
    return None


def _before_it(t: Turn, component: str, cluster: str) -> Wait | None:
    lock = f"{component}@{cluster}"
    for claim in t.s.claims.get(lock, ()):
        if not claim.done and claim.position < t.s.state.position:
            facts = {"unit": lock, "release": claim.release, "ended": claim.ended}
            who = _who_mends(t, component) if claim.ended else ()
            return Wait(code="dependency-first", facts=facts, who=who)
    applied = t.s.applied.get(lock)
    if applied is None or applied.certified:
        # What was there before the first release of ours is nobody's to judge.
        return None
    facts = {"unit": lock, "release": applied.release, "version": applied.version}
    return Wait(code="dependency-half", facts=facts, who=_who_mends(t, component))


def _who_mends(t: Turn, component: str) -> tuple[str, ...]:
    """Who may try again what was left: its own owners, whose release waits for it or not."""
    known = t.s.rules.components.get(component)
    return t.s.rules.directory.who_may("retry", known.spec.owners if known else ())
