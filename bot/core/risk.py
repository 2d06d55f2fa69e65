"""What risk rules may look at, and how one is asked: policy.riskRules as questions about facts.

The same facts at lint and at run. Pure: the time is an argument, and an answer changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from bot.core.flights import Flight, UnderWay
from bot.model.plan import JSON
from checks.cel import Unclear, named_in, without_texts
from checks.rule import names, rule_holds, rule_problems

Facts = dict[str, JSON]
VARIABLES: Mapping[str, str] = {
    "release.name": "Its name.",
    "release.tier": 'The smallest `tier` label among its components: `"0"` before `"1"`; `""` when '
    "none has one.",
    "release.tiers": "All tiers of its components, the smallest first.",
    "release.components": "Names of its components.",
    "release.phase": "SCHEDULED before its first batch, PROGRESSING after.",
    "release.units": "How many units it has.",
    "release.failed": "How many of its units have failed.",
    "release.supersedes": "Names of releases that it supersedes.",
    "release.reason": "Its reason.",
    "component.name": "The component of the unit.",
    "component.version": "The version that it brings.",
    "component.tier": 'Its `tier` label, `""` without one.',
    "component.labels": "Its labels.",
    "component.versionChanged": "Whether the release changes the version, or only templates and "
    "values.",
    "unit.name": "`component@cluster…`",
    "unit.cluster": "Its cluster.",
    "unit.group": "Its group.",
    "unit.labels": "What selectors see: labels of group and cluster, and the built-in ones.",
    "unit.stage": "Its stage.",
    "unit.wave": "Its wave in the stage, counted from 1.",
    "unit.scope": "cluster, nodeSet, namespace or node.",
    "unit.place": "The node set, namespace or node; empty for a cluster.",
    "unit.batch": "The batch that would begin, counted from 1.",
    "unit.begun": "Whether its first batch has begun.",
    "cluster.name": "The cluster.",
    "cluster.group": "Its group.",
    "cluster.labels": "Its labels on main now.",
    "cluster.hostedBy": "The cluster that hosts it; empty without one.",
    "inFlight.total": "Other units in flight, over all releases.",
    "inFlight.units": "These units, each with `name`, `release`, `component`, `tier`, `area`, "
    "`componentLabels`, `cluster`, `group`, `labels`. For `exists`, `all`, `exists_one`.",
    "inFlight.releases": "Other releases under way: begun, not ended, and begun before this one.",
    "inFlight.tier0": "Those of them that have a component of tier 0.",
    "inFlight.byComponent": "Component → other units in flight; every component has a number.",
    "inFlight.inCluster": "Other units in flight in this cluster.",
    "inFlight.inGroup": "Other units in flight in this group.",
    "inFlight.same": "Label of this unit → other units in flight with the same value of it: "
    "`inFlight.same.business`.",
    "now.hour": "Hour of the day in UTC, 0 to 23.",
    "now.weekday": "Mon, Tue, Wed, Thu, Fri, Sat or Sun, in UTC.",
    "now.date": "2026-11-24, in UTC.",
}
"""Everything a rule may name, as docs/risk-rules.md tells it."""

ROOTS = tuple(dict.fromkeys(name.partition(".")[0] for name in VARIABLES))
HOLDER, MANY = "inFlight", "units"
_OF_UNIT = re.compile(r"(?<![\w.])(?:unit|component|cluster)\b(?:\.\w+)*")
_SAME = re.compile(r"\binFlight\.same(?:\.\w+)*")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOUR = timedelta(hours=1)
HOURS_AHEAD = 24 * 7
BLAMED = 8
"""Releases of which each is asked by itself whether a rule is true because of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One unit of one release that wants to begin a batch, and what else is under way."""

    now: datetime
    release: Facts
    component: Facts
    unit: Facts
    cluster: Facts
    flights: Sequence[Flight] = ()
    """Other units in flight; of a unit in flight itself only those that were there first."""
    under_way: Sequence[UnderWay] = ()
    """Other releases that began before this one."""
    components: Iterable[str] = field(default=())
    """Every component that may be asked after."""


def release_facts(
    *,
    name: str,
    tiers: Sequence[str],
    components: Iterable[str],
    units: int,
    phase: str = "SCHEDULED",
    failed: int = 0,
    supersedes: Iterable[str] = (),
    reason: str = "",
) -> Facts:
    return {
        "name": name,
        "tier": tiers[0] if tiers else "",
        "tiers": list(tiers),
        "components": list(components),
        "phase": phase,
        "units": units,
        "failed": failed,
        "supersedes": list(supersedes),
        "reason": reason,
    }


def component_facts(
    *, name: str, version: str, labels: Mapping[str, str], version_changed: bool
) -> Facts:
    return {
        "name": name,
        "version": version,
        "tier": tier_of(labels),
        "labels": dict(labels),
        "versionChanged": version_changed,
    }


def unit_facts(
    *,
    unit: str,
    cluster: str,
    labels: Mapping[str, str],
    stage: str = "",
    wave: int = 1,
    scope: str = "cluster",
    place: str = "",
    batch: int = 1,
    begun: bool = False,
) -> Facts:
    return {
        "name": unit,
        "cluster": cluster,
        "group": labels.get("group", ""),
        "labels": dict(labels),
        "stage": stage,
        "wave": wave,
        "scope": scope,
        "place": place,
        "batch": batch,
        "begun": begun,
    }


def cluster_facts(*, cluster: str, labels: Mapping[str, str], host: str) -> Facts:
    return {
        "name": cluster,
        "group": labels.get("group", ""),
        "labels": dict(labels),
        "hostedBy": host,
    }


def problems(expression: str) -> str | None:
    """What is wrong with a rule whatever the facts are; None when nothing is."""
    return rule_problems(expression, ROOTS, HOLDER, MANY)


def says(expression: str, asked: Asked) -> bool:
    """Whether the rule's condition is true. Raises `checks.cel.Unclear` when there is no answer."""
    return rule_holds(expression, _facts(expression, asked), HOLDER, MANY)


def behind(expression: str, asked: Asked) -> tuple[str, ...]:
    """The other releases for which a condition is true: those without which it would not be. None
    where it is true whatever they do.
    """
    if HOLDER not in expression:
        return ()
    moving = {one.release for one in asked.under_way} | {one.release for one in asked.flights}
    others = sorted(moving - {asked.release["name"]})
    if not others or _says_without(expression, asked, others):
        return ()
    each = [name for name in others[:BLAMED] if not _says_without(expression, asked, (name,))]
    return tuple(each or others)


def _says_without(expression: str, asked: Asked, releases: Sequence[str]) -> bool:
    """As if some releases were not there; without an answer it is as it was."""
    less = replace(
        asked,
        flights=tuple(one for one in asked.flights if one.release not in releases),
        under_way=tuple(one for one in asked.under_way if one.release not in releases),
    )
    try:
        return says(expression, less)
    except Unclear:
        return True


def likeness(expression: str, asked: Asked) -> tuple[str, ...]:
    """All of the unit that a rule can see: units that are alike in it have one answer."""
    facts = {"component": asked.component, "unit": asked.unit, "cluster": asked.cluster}
    return tuple(str(_at(facts, path)) for path in _paths(expression))


@lru_cache(maxsize=512)
def _paths(expression: str) -> tuple[tuple[str, ...], ...]:
    """The facts about one unit that a rule names: `unit.labels.region`, or all labels of it."""
    text = without_texts(expression)
    found = {tuple(path.split(".")) for path in _OF_UNIT.findall(text)}
    found |= {("unit", "labels", *path.split(".")[2:]) for path in _SAME.findall(text)}
    found |= {("unit", "cluster")} if names(text, "inCluster") else set()
    found |= {("unit", "group")} if names(text, "inGroup") else set()
    # `inFlight["same"]` and the like: what is not written plainly may look at everything.
    if "[" in text:
        found |= {("unit",), ("component",), ("cluster",)}
    return tuple(sorted(found))


def _at(facts: Facts, path: Sequence[str]) -> JSON:
    here: JSON = facts
    for name in path:
        if not isinstance(here, dict):
            break
        here = here.get(name)
    return here


def asks_the_time(expression: str) -> bool:
    return "now" in named_in(expression)


def clears_at(expression: str, asked: Asked) -> datetime | None:
    """The full hour at which the rule is no longer true if nothing but the time changes; None when
    nobody can know.
    """
    if HOLDER in named_in(expression):
        return None
    facts = _facts(expression, asked)
    at = asked.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    for _ in range(HOURS_AHEAD):
        at += HOUR
        facts["now"] = _now(at)
        if not rule_holds(expression, facts, HOLDER, MANY):
            return at
    return None


def next_hour(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + HOUR


def tier_of(labels: Mapping[str, str]) -> str:
    return labels.get("tier", "")


def _facts(expression: str, asked: Asked) -> dict[str, Any]:
    """What the rule names, and nothing else: a long list is not gathered for a rule about tiers."""
    return {
        "release": asked.release,
        "component": asked.component,
        "unit": asked.unit,
        "cluster": asked.cluster,
        HOLDER: _in_flight(expression, asked) if names(expression, HOLDER) else {},
        "now": _now(asked.now),
    }


def _now(at: datetime) -> Facts:
    utc = at.astimezone(UTC)
    return {
        "hour": utc.hour,
        "weekday": WEEKDAYS[utc.weekday()],
        "date": utc.date().isoformat(),
    }


def _in_flight(expression: str, asked: Asked) -> Facts:
    flights, unit = asked.flights, asked.unit
    found: Facts = {
        "total": len(flights),
        "releases": len(asked.under_way),
        "tier0": sum("0" in release.tiers for release in asked.under_way),
        "inCluster": sum(flight.cluster == unit["cluster"] for flight in flights),
        "inGroup": sum(flight.labels.get("group") == unit["group"] for flight in flights),
    }
    if names(expression, "byComponent"):
        count: dict[str, int] = dict.fromkeys(asked.components, 0)
        for flight in flights:
            count[flight.component] = count.get(flight.component, 0) + 1
        found["byComponent"] = count
    if names(expression, "same"):
        found["same"] = {
            key: sum(flight.labels.get(key) == value for flight in flights)
            for key, value in unit["labels"].items()
        }
    if names(expression, MANY):
        found[MANY] = [_flight(flight) for flight in flights]
    return found


def _flight(flight: Flight) -> Facts:
    return {
        "name": flight.unit,
        "release": flight.release,
        "component": flight.component,
        "tier": tier_of(flight.component_labels),
        "area": flight.component_labels.get("area", ""),
        "componentLabels": dict(flight.component_labels),
        "cluster": flight.cluster,
        "group": flight.labels.get("group", ""),
        "labels": dict(flight.labels),
    }
