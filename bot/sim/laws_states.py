"""Laws of what was reached: silence, certificates, success, the way back, and why one waits.

Read off the clusters themselves, and off what the store holds of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.model.state import Blocked, Certificate, Event, UnitState
from bot.sim import oracle
from bot.sim.docs import NO_PODS
from bot.sim.laws import Seen, a_while, law
from bot.sim.laws_batches import named, plan_of, version_of

FORWARD_JUMP = timedelta(seconds=150)
"""So much of a silence may pass unwatched before it counts as none."""


def ready(seen: Seen, unit: str, version: str) -> int:
    found = 0
    for pod in seen.place.pods_of(unit):
        found += oracle.is_ready(pod) and oracle.image_of(pod).endswith(f":{version}")
    return found


def most(seen: Seen, unit: str, wanted: int) -> int:
    """What can be wanted where nodes have left since the batch began."""
    if oracle.parts(unit)[1] not in seen.place.resized:
        return wanted
    return min(wanted, len(seen.place.pods_of(unit)))


def edited(seen: Seen, unit: str) -> bool:
    """Whether somebody else has written there: then counts are no longer only ours."""
    return "@".join(oracle.parts(unit)) in seen.place.edited


@law("converged", "A silence begins when every pod of the batch runs the version and is ready.")
def converged(seen: Seen) -> Iterator[str]:
    for event in seen.events:
        if event.kind != "batch.soaking":
            continue
        row = seen.units.get(f"{event.release}/{event.unit}")
        if row is None or row.phase.value != "SOAKING":
            continue
        wanted = sum(row.targets.values())
        there = ready(seen, row.unit, version_of(seen, row.release, row.unit))
        if there < most(seen, row.unit, wanted) and not edited(seen, row.unit):
            yield f"{named(event)} soaks with {there} of {wanted} pods ready"


@law("soak", "The silence after a batch is as long as it was asked, in time that really passed.")
def soak(seen: Seen) -> Iterator[str]:
    began: dict[str, tuple[datetime, int]] = seen.keep("soaking", dict)
    whole: set[str] = seen.keep("whole", set)
    for event in seen.events:
        key = f"{event.release}/{event.unit}"
        if event.kind == "unit.succeeded":
            whole.add(key)
        if event.kind in ("unit.rolling-back", "unit.retry"):
            whole.discard(key)
        if event.kind != "batch.succeeded":
            continue
        proof = seen.place.store.get(Certificate, f"{key}/{event.batch}")
        if proof is not None:
            # What deletes leftovers comes after all that arrives, and is silent as between batches.
            final = proof.final and key not in whole
            yield from _short(seen, event, proof, began.get(key), final=final)
    for key, row in seen.units.items():
        if row.phase.value == "SOAKING":
            before = seen.old_units.get(key)
            if key not in began or before is None or before.converged != row.converged:
                began[key] = (seen.tick.true, len(seen.place.jumps))
        elif row.phase.value != "VERIFYING":
            began.pop(key, None)


def _short(
    seen: Seen,
    event: Event,
    proof: Certificate,
    began: tuple[datetime, int] | None,
    *,
    final: bool,
) -> Iterator[str]:
    """Where the silence before a certificate was shorter than it was asked."""
    need = min(oracle.soak(docs, docs, event.unit, final=final) for docs in _lately(seen))
    if proof.soak_until - proof.soak_from < need:
        yield f"{named(event)} is certified after {proof.soak_until - proof.soak_from}"
    if event.at < proof.soak_until:
        yield f"{named(event)} is certified before its silence is over"
    if began is None:
        if need and not _overridden(seen, f"{event.release}/{event.unit}"):
            yield f"{named(event)} is certified without a silence"
        return
    since, jumps = began
    forward = [by for _, by in seen.place.jumps[jumps:] if by > timedelta()]
    passed = seen.tick.true - since
    if passed < need - len(forward) * FORWARD_JUMP:
        yield f"{named(event)} is certified after {passed} of {need} really passed"


def _lately(seen: Seen) -> list[oracle.Docs]:
    """Rules that held at some time of this history: a floor may have come and gone."""
    return [seen.view(main.docs) for main in seen.place.mains if main.good]


def _overridden(seen: Seen, key: str) -> bool:
    row = seen.units.get(key)
    return row is not None and any(run.overridden_by for run in row.checks)


@law("success", "A unit succeeds only while every pod runs the version and is ready.")
def success(seen: Seen) -> Iterator[str]:
    for event in seen.events:
        if event.kind != "unit.succeeded":
            continue
        component, cluster = oracle.parts(event.unit)
        if component in NO_PODS:
            continue
        version = version_of(seen, event.release, event.unit)
        pods = seen.place.pods_of(event.unit)
        there = ready(seen, event.unit, version)
        lately = a_while(seen.tick.true, seen.place.resized.get(cluster), 120)
        if there < len(pods) and not lately and not edited(seen, event.unit):
            yield f"{event.unit} succeeded with {there} of {len(pods)} pods on {version}"


@law("ended-well", "No release has succeeded while a unit of it failed or is still on its way.")
def ended_well(seen: Seen) -> Iterator[str]:
    good = ("SUCCEEDED", "SKIPPED", "QUARANTINED", "ROLLED_BACK")
    for event in seen.events:
        state = seen.releases.get(event.release)
        if event.kind != "release.succeeded" or state is None or state.phase.value != "SUCCEEDED":
            continue
        for row in seen.units.values():
            if row.release == event.release and row.phase.value not in good:
                yield f"{event.release} succeeded while {row.unit} is {row.phase.value}"


@law("sticks", "A release that went back is blocked, and its revert is proposed.")
def sticks(seen: Seen) -> Iterator[str]:
    for event in seen.events:
        state = seen.releases.get(event.release)
        if event.kind != "release.rolled-back" or state is None or not state.sticks:
            continue
        rows = seen.place.store.rows(Blocked)
        for one in plan_of(seen, event.release).components:
            if not one.task and not any(
                (row.component, row.version) == (one.name, one.version) for row in rows
            ):
                yield f"{one.name} {one.version} of {event.release} is not blocked"


@law("back", "A unit is back when every pod runs what ran there before, and is ready.")
def back(seen: Seen) -> Iterator[str]:
    for event in seen.events:
        if event.kind != "unit.rolled-back" or event.data.get("deleted"):
            continue
        row = seen.units.get(f"{event.release}/{event.unit}")
        component, cluster = oracle.parts(event.unit)
        if row is None or component in NO_PODS or row.phase.value != "ROLLED_BACK":
            continue
        if "keep" in row.overrides:
            continue
        version = version_of(seen, event.release, event.unit)
        there = seen.place.versions(event.unit)[version]
        lately = a_while(seen.tick.true, seen.place.resized.get(cluster), 120)
        if there and not lately and not edited(seen, event.unit):
            yield f"{event.unit} is back with {there} pods on {version}"


@law("no-return", "A release that ended never goes forward again, unless somebody tries it again.")
def no_return(seen: Seen) -> Iterator[str]:
    for name, state in seen.releases.items():
        old = seen.old_releases.get(name)
        if old is None or old.phase is state.phase:
            continue
        gone = old.phase.value in ("ROLLED_BACK", "CANCELLED", "SUPERSEDED")
        if gone and state.phase.value not in ("ROLLING_BACK", "ROLLED_BACK"):
            yield f"{name} was {old.phase.value} and is {state.phase.value}"
        if old.phase.value == "ROLLING_BACK" and state.phase.value == "PROGRESSING":
            yield f"{name} went back and is {state.phase.value}"


@law("why", "Everything that waits says why; what nobody wakes says who can clear it.")
def why(seen: Seen) -> Iterator[str]:
    if seen.bot is None or not seen.tick.whole:
        return
    for name, active in seen.bot.board.releases.items():
        state = active.state
        if state.phase.value not in ("SCHEDULED", "PROGRESSING", "ROLLING_BACK"):
            continue
        if active.dirty or active.wake is not None:
            continue
        if not active.waiting:
            yield f"{name} waits and does not say why: {_units(active.units.values())}"
        elif not any(line.wait.code == "approval" for line in active.waiting) and not any(
            line.wait.who or line.wait.until or line.gate in ("earlier", "unit_free")
            or line.wait.code in ("locked", "superseding", "dependency", "fleet-limit",
                                  "dependency-first", "needs", "dependents-first",
                                  "concurrency", "not-merged", "rollback-order", "host", "risk")
            for line in active.waiting
        ):  # fmt: skip
            yield f"{name} waits for {[line.wait.code for line in active.waiting]} and nobody"


def _units(rows: object) -> str:
    assert hasattr(rows, "__iter__")
    return ", ".join(f"{row.unit} {row.phase.value}" for row in rows if isinstance(row, UnitState))


@law("no-rush", "A tick wants the next one only when something can have changed.")
def no_rush(seen: Seen) -> Iterator[str]:
    quiet: list[int] = seen.keep("quiet", lambda: [0])
    busy = seen.writes or seen.events or seen.puts or not seen.tick.whole or seen.bot is None
    if busy:
        quiet[0] = 0
        return
    due = seen.bot.next_due()
    quiet[0] = quiet[0] + 1 if due is not None and due <= seen.tick.at else 0
    if quiet[0] > 30:
        waits = {name: active.wake for name, active in seen.bot.board.releases.items()}
        yield f"due at {due} again and again, and nothing happens: {waits}"
