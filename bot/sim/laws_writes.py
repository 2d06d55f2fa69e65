"""Laws of what clusters receive: intents, fences, stops, locks, identity. Read off the tape."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime

from bot.sim import oracle
from bot.sim.faulty import Received
from bot.sim.laws import Seen, law


def _ours(seen: Seen) -> Iterator[Received]:
    return (one for one in seen.writes if one.manager == "sluice")


def _forward(one: Received) -> bool:
    return one.write.purpose.value in ("forward", "go-on")


def _named(one: Received) -> str:
    of = one.intent.unit if one.intent else one.cluster
    return f"{one.write.verb} {one.write.ref.short} of {of} (fence {one.fence})"


@law("intent", "Every write has a durable intent that is earlier, and says exactly this write.")
def intent(seen: Seen) -> Iterator[str]:
    for one in _ours(seen):
        row = one.intent
        if row is None:
            yield f"{_named(one)} has no intent"
            continue
        body = json.dumps(one.write.body, sort_keys=True, default=str).encode()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if (row.verb, row.digest) != (one.write.verb, digest):
            yield f"{_named(one)} is another write than its intent"
        if row.purpose != one.write.purpose.value:
            yield f"{_named(one)} is sent as {one.write.purpose} and intended as {row.purpose}"
        if not one.late and row.status.value != "INTENDED":
            yield f"{_named(one)} is sent though its intent is {row.status}"
        state = one.release
        if state is None or (row.commit, row.plan_hash) != (state.commit, state.plan_hash):
            yield f"{_named(one)} names another commit or plan than its release"
        if row.batch != (one.unit.batch if one.unit else -1) and not one.late:
            yield f"{_named(one)} names batch {row.batch}"


@law("once", "No intent is sent twice, and no two writes of one object have one fence.")
def once(seen: Seen) -> Iterator[str]:
    sent: dict[tuple[str, str, str], str] = seen.keep("sent", dict)
    for one in _ours(seen):
        key = (one.cluster, one.write.ref.key, one.fence)
        if key in sent:
            yield f"{_named(one)} was sent before"
        sent[key] = one.outcome


@law("fence", "Fences of one object only grow: an older plan never overwrites a newer one.")
def fence(seen: Seen) -> Iterator[str]:
    highest: dict[tuple[str, str], tuple[int, ...]] = seen.keep("fences", dict)
    for one in _ours(seen):
        # A call leaves no object behind that could have a fence: its key tells it apart.
        if one.outcome != "done" or one.write.ref.kind in ("Pod", "Webhook"):
            continue
        key = (one.uid, one.write.ref.key)
        numbers = tuple(int(part) for part in one.fence.split("."))
        if numbers <= highest.get(key, ()):
            yield f"{_named(one)} follows fence {highest[key]}"
        highest[key] = max(numbers, highest.get(key, ()))
        if one.write.verb == "delete":
            del highest[key]


@law("stopped", "After a pause or a freeze was taken, no forward write begins in its scope.")
def stopped(seen: Seen) -> Iterator[str]:
    # Of the audit: a batch that stood still is given its time anew when it goes on.
    begun: dict[str, datetime] = seen.keep("begun-at", dict)
    for event in seen.events:
        if event.kind == "batch.applying":
            begun[f"{event.release}/{event.unit}"] = event.at
    for one in _ours(seen):
        if one.late or not _forward(one) or one.intent is None or one.unit is None:
            continue
        release, unit = one.intent.release, one.intent.unit
        began = begun.get(one.unit.key)
        for scope, (finish, since) in seen.paused.items():
            free = finish and began is not None and began < since
            if not free and oracle.covers(seen.now, scope, release, unit):
                yield f"{_named(one)} although {scope} is paused since {since:%H:%M:%S}"
        if _overridden(seen, release, unit):
            continue
        for scope in seen.frozen:
            if oracle.covers(seen.now, scope, release, unit):
                yield f"{_named(one)} although {scope} is frozen"


@law("held", "While a hold stands, no forward write begins in its scope.")
def held(seen: Seen) -> Iterator[str]:
    for one in _ours(seen):
        if one.late or not _forward(one) or one.intent is None:
            continue
        for hold in one.holds:
            # What one release is held for stops no other, whatever its scope.
            other = hold.release and hold.release != one.intent.release
            if hold.finish_batch or other:
                continue
            if oracle.covers(seen.now, hold.scope, one.intent.release, one.intent.unit):
                yield f"{_named(one)} although {hold.scope} is held: {hold.reason}"


@law("in-hand", "A forward write belongs to a batch in hand of a release that goes forward.")
def in_hand(seen: Seen) -> Iterator[str]:
    for one in _ours(seen):
        if one.late or not _forward(one) or one.unit is None or one.release is None:
            continue
        if one.unit.phase.value != "APPLYING":
            yield f"{_named(one)} while the unit is {one.unit.phase.value}"
        if one.release.phase.value not in ("SCHEDULED", "PROGRESSING"):
            yield f"{_named(one)} while the release is {one.release.phase.value}"
        if one.unit.back:
            yield f"{_named(one)} while the unit is on its way back"


@law("way-back", "What is restored belongs to a unit that goes back.")
def way_back(seen: Seen) -> Iterator[str]:
    for one in _ours(seen):
        if one.late or one.write.purpose.value != "restore" or one.unit is None:
            continue
        if one.unit.phase.value != "ROLLING_BACK":
            yield f"{_named(one)} restores while the unit is {one.unit.phase.value}"
        why = [oracle.closed(docs, one.unit.unit, one.at, "rollback") for docs in seen.rules]
        if all(why) and not _overridden(seen, one.unit.release, one.unit.unit):
            yield f"{_named(one)} goes back in {why[-1]}"


@law("lock", "Never two releases on one component in one cluster.")
def lock(seen: Seen) -> Iterator[str]:
    for one in _ours(seen):
        if one.late or one.intent is None or one.outcome != "done":
            continue
        lock_ = "@".join(oracle.parts(one.intent.unit))
        for row in seen.units.values():
            other = seen.releases.get(row.release)
            if row.release == one.intent.release or other is None:
                continue
            if other.phase.value not in ("SCHEDULED", "PROGRESSING", "ROLLING_BACK"):
                continue
            busy = row.in_hand and row.phase.value in (
                "PENDING", "APPLYING", "SOAKING", "VERIFYING"
            )  # fmt: skip
            before = seen.old_units.get(row.key)
            still = before is not None and before.in_hand and not before.phase.ended
            if busy and still and "@".join(oracle.parts(row.unit)) == lock_:
                yield f"{_named(one)} of {one.intent.release} while {row.release} is at work there"


@law("identity", "Nothing is written to a cluster that became another one before it was accepted.")
def identity(seen: Seen) -> Iterator[str]:
    known: dict[str, str] = seen.keep("identity", dict)
    for asked in seen.answered:
        verb, scope, _ = oracle.words(asked.text)
        if verb == "accept" and asked.answer and asked.answer.code == 0:
            known.pop(scope.removeprefix("cluster:"), None)
    for one in _ours(seen):
        if known.setdefault(one.cluster, one.uid) != one.uid and not one.late:
            yield f"{_named(one)} goes to another cluster of this name"


@law("merged", "Nothing is written for a release before its merge, nor after another content.")
def merged(seen: Seen) -> Iterator[str]:
    for one in _ours(seen):
        if one.release is None:
            continue
        commit = one.release.commit
        if not commit or not seen.place.git.is_ancestor(commit, "main"):
            yield f"{_named(one)} of {one.release.release}, which is not on main"


@law("force", "Patches of objects are conditional, and of nothing that the release does not have.")
def force(seen: Seen) -> Iterator[str]:
    for one in _ours(seen):
        if one.write.verb == "patch" and one.write.resource_version is None:
            yield f"{_named(one)} is not conditional"
        if one.write.verb == "delete" and one.write.uid is None:
            yield f"{_named(one)} is not conditional"


def _overridden(seen: Seen, release: str, unit: str) -> bool:
    """Two admins overrode windows and freezes, and it has not run out."""
    from bot.sim.laws_batches import window_overridden

    return window_overridden(seen, release, unit)
