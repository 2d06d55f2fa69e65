"""Laws of what moves inside the clusters themselves: pods, and writes in the order of arrival.

Nothing here asks what the bot believes of a cluster: pods are counted where they run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.model.plan import ReleasePlan
from bot.model.state import Event, UnitState
from bot.sim import oracle
from bot.sim.docs import NO_PODS
from bot.sim.faulty import Received
from bot.sim.laws import Seen, law
from bot.sim.laws_batches import named, plan_of, rows_of, version_of
from bot.sim.laws_settled import settled

CALM_TICKS, CALM = 4, timedelta(minutes=2)
"""So many whole ticks and so long a rollout may take to stand still where nothing is in its way."""
SICK = timedelta(seconds=100)
"""Sick for so long in a silence is seen, if anybody looks every half minute."""


@dataclass(slots=True)
class Still:
    """What a stopped rollout is held against. `most`: pods on its version when it had to stand."""

    since: datetime
    ticks: int = 0
    most: int | None = None


@law("still", "What rolls inside a cluster stands still after a pause; new nodes aside.")
def still(seen: Seen) -> Iterator[str]:
    watched: dict[str, Still] = seen.keep("still", dict)
    stopped = {
        key: row
        for key, row in seen.units.items()
        if row.phase.value == "APPLYING" and _is_paused(seen, row)
    }
    for key in watched.keys() - stopped.keys():
        del watched[key]
    for key, row in stopped.items():
        one = watched.setdefault(key, Still(seen.tick.true))
        if _disturbed(seen, row):
            watched[key] = Still(seen.tick.true)
            continue
        there = seen.place.versions(row.unit)[version_of(seen, row.release, row.unit)]
        if one.most is not None and there > one.most:
            yield f"{row.unit} has {there} pods on the new version, {one.most} when it was stopped"
        one.ticks += seen.tick.whole
        if one.most is None and one.ticks >= CALM_TICKS and seen.tick.true - one.since >= CALM:
            one.most = there


def _is_paused(seen: Seen, row: UnitState) -> bool:
    return any(
        not finish and oracle.covers(seen.now, scope, row.release, row.unit)
        for scope, (finish, _) in seen.paused.items()
    )


def _disturbed(seen: Seen, row: UnitState) -> bool:
    """Whether anything but the bot moves pods there, or keeps its writes away."""
    component, cluster = oracle.parts(row.unit)
    place = seen.place
    return (
        cluster in place.resized
        or cluster in place.rebuilt
        or f"{component}@{cluster}" in place.edited
        or place.weather.out(cluster)
        or place.second
        or any(one.cluster == cluster for one in place.weather.wire)
        or any(one.cluster == cluster and one.outcome != "done" for one in seen.writes)
    )


@law("sick", "What falls sick in the silence fails: it gets no certificate.")
def sick(seen: Seen) -> Iterator[str]:
    """Held against: all was well when the silence began, then was not, and people look at it."""
    spans: dict[str, tuple[datetime, datetime] | None] = seen.keep("sick", dict)
    for event in seen.events:
        key = f"{event.release}/{event.unit}"
        span = spans.get(key)
        if event.kind == "batch.succeeded" and span and span[1] - span[0] >= SICK:
            yield f"{named(event)} is certified though pods were sick from {span[0]:%H:%M:%S}"
    for key, row in seen.units.items():
        if row.phase.value == "VERIFYING":
            continue
        if row.phase.value != "SOAKING" or oracle.parts(row.unit)[0] in NO_PODS:
            spans.pop(key, None)
            continue
        if _disturbed(seen, row) or not seen.tick.whole or row.unavailable_before:
            spans.pop(key, None)
            continue
        _sick_now(seen, spans, key, row)


def _sick_now(
    seen: Seen, spans: dict[str, tuple[datetime, datetime] | None], key: str, row: UnitState
) -> None:
    pods = seen.place.pods_of(row.unit)
    version = version_of(seen, row.release, row.unit)
    bad = any(
        not oracle.is_ready(pod) and oracle.image_of(pod).endswith(f":{version}") for pod in pods
    )
    if key not in spans:
        # What was sick when the silence began is another matter.
        if not bad:
            spans[key] = None
        return
    span = spans[key]
    if bad:
        spans[key] = (span[0] if span else seen.tick.true, seen.tick.true)
    elif span is not None and span[1] - span[0] < SICK:
        spans[key] = None


@law("arrival", "First writes arrive wave by wave: none before all that comes earlier has ended.")
def arrival(seen: Seen) -> Iterator[str]:
    over: set[str] = seen.keep("over", set)
    arrived: set[str] = seen.keep("arrived", set)
    # What ended once and was tried again, or came back, is behind those that began since.
    if seen.old_units is not seen.memory.get("over-of"):
        seen.memory["over-of"] = seen.old_units
        over |= _over(seen)
    for one in seen.writes:
        if one.manager != "sluice" or one.outcome != "done" or one.unit is None:
            continue
        if one.write.purpose.value == "forward" and one.unit.key not in arrived:
            arrived.add(one.unit.key)
            yield from _too_early(seen, one, one.unit, over)


def _over(seen: Seen) -> set[str]:
    """Units that were nobody's obstacle before this step."""
    found = set()
    for release in {row.release for row in seen.old_units.values()}:
        planned = seen.place.store.get(ReleasePlan, release)
        # What is only proposed may be withdrawn, and its plan with it.
        if planned is not None:
            names = settled(seen.now, planned, rows_of(seen.old_units, release))
            found |= {f"{release}/{name}" for name in names}
    return found


def _too_early(seen: Seen, one: Received, unit: UnitState, over: set[str]) -> Iterator[str]:
    planned = plan_of(seen, unit.release)
    places = {other.unit: (other.stage, other.wave) for other in planned.units}
    ended = settled(seen.now, planned, one.peers)
    for other in one.peers:
        ahead = places.get(other.unit, (99, 0)) < places[unit.unit]
        if ahead and other.unit not in ended and other.key not in over:
            yield f"{unit.unit} of {unit.release} is written to while {other.unit} is {other.phase}"


@law("newer", "A way back never overwrites what a newer release has brought since.")
def newer(seen: Seen) -> Iterator[str]:
    last: dict[tuple[str, str], tuple[str, datetime]] = seen.keep("brought", dict)
    for one in seen.writes:
        if one.manager != "sluice" or one.outcome != "done" or one.release is None:
            continue
        if one.write.ref.kind == "Pod" or one.release.merged is None:
            continue
        key = (one.uid, one.write.ref.key)
        if one.write.purpose.value == "forward" and not one.late:
            last[key] = (one.release.release, one.release.merged)
        elif one.write.purpose.value == "restore" and key in last:
            name, merged = last[key]
            if name == one.release.release:
                del last[key]
            if name != one.release.release and merged > one.release.merged and not one.late:
                yield f"{one.release.release} puts {one.write.ref.short} back, which {name} brought"
            elif name != one.release.release and one.late:
                yield f"a late write of {one.release.release} was taken after {name}"


@law("budget", "With more failures in a day than the policy tolerates nothing begins unasked.")
def budget(seen: Seen) -> Iterator[str]:
    failed: dict[str, datetime] = seen.keep("failed-units", dict)
    if _forgiven(seen):
        failed.clear()
    for event in seen.events:
        if event.kind == "batch.applying":
            yield from _over_budget(seen, event, failed)
    for event in seen.events:
        if event.kind == "unit.failed":
            failed[f"{event.release}/{event.unit}"] = event.at


def _forgiven(seen: Seen) -> bool:
    """Whether somebody let everything go on after too many failures: then they count anew."""
    asked = any(
        oracle.words(one.text)[:2] == ("resume", "all") and one.answer and one.answer.code == 0
        for one in seen.answered
    )
    return asked and any(
        event.kind == "hold.lifted" and event.data.get("code") == "failure-budget"
        for event in seen.events
    )


def _over_budget(seen: Seen, event: Event, failed: dict[str, datetime]) -> Iterator[str]:
    budgets = [
        oracle.policy(docs).get("limits", {}).get("failureBudget", 999) for docs in seen.rules
    ]
    times = (at for at in failed.values() if at < event.at)
    lately = [at for at in times if event.at - at < timedelta(hours=24)]
    if len(lately) > max(budgets):
        yield f"{named(event)} begins after {len(lately)} failures, tolerated are {max(budgets)}"


@law("day", "No more units begin in 24 hours than the policy allows.")
def day(seen: Seen) -> Iterator[str]:
    began: dict[str, datetime] = seen.keep("began-today", dict)
    for event in seen.events:
        key = f"{event.release}/{event.unit}"
        if event.kind != "batch.applying" or key in began:
            continue
        lately = [at for at in began.values() if event.at - at < timedelta(hours=24)]
        began[key] = event.at
        limits = [oracle.policy(d).get("limits", {}).get("unitsPerDay", 999) for d in seen.rules]
        if len(lately) >= max(limits):
            yield f"{named(event)} is number {len(lately) + 1} in a day, most is {max(limits)}"


@law("one-way", "What is declared irreversible is put back only when an admin has said so.")
def one_way(seen: Seen) -> Iterator[str]:
    for one in seen.writes:
        if one.manager != "sluice" or one.write.purpose.value != "restore" or one.unit is None:
            continue
        pairs = oracle.component_spec(seen.now, one.unit.unit).get("irreversible", ())
        version = version_of(seen, one.unit.release, one.unit.unit)
        old = any(
            pair["to"] == version and pair["from"].rstrip("*") in str(one.write.body)
            for pair in pairs
        )
        if old and "irreversible" not in one.unit.overrides:
            yield f"{one.unit.unit} goes back from {version}, which nobody allowed"
