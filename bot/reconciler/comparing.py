"""A restored store against the clusters: everything holds until both say the same of every write.

What the store does not know of was done after the backup. Then an admin decides; never this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from bot.cluster.fence import fence_of, numbers
from bot.core.board import Board
from bot.core.messages_endings import restored, restored_newer, restored_unseen
from bot.model.plan import ObjectRef
from bot.model.state import Applied, Event, Hold, HoldCode, Intent
from bot.ports import Fleet, PortError, Store
from bot.reconciler.lanes import Call, Lanes, Late
from bot.reconciler.ledger import Ledger

RESTORED_FROM = "restored-from"
"""The mark that every backup carries: when it was made."""
HOLD = "store/restored"
AGAIN = timedelta(seconds=30)
"""How soon clusters that did not answer are asked again."""

Fence = tuple[int, ...]
Fences = Mapping[str, Mapping[ObjectRef, Fence]]
"""Cluster → object → the newest fence that the store knows of."""


@dataclass(slots=True)
class Comparer:
    """`again`: when the clusters are asked the next time; None when there is nothing to compare."""

    store: Store
    fleet: Fleet
    board: Board
    again: datetime | None = None

    def start(self, now: datetime, ledger: Ledger) -> None:
        """Hold everything when the store is a restored one; a hold that stands is compared anew."""
        made = self.store.mark(RESTORED_FROM)
        if made is not None:
            self._hold(restored(made), now, ledger)
            ledger.marks[RESTORED_FROM] = None
        self.again = now if HOLD in self.board.holds else None

    def compare(self, now: datetime, ledger: Ledger, lanes: Lanes) -> None:
        """Ask the clusters when that is due; lift the hold when nothing is newer than the store."""
        if HOLD not in self.board.holds:
            self.again = None
        if self.again is None or now < self.again:
            return
        known = self._known()
        asked = [
            Call(cluster, ("compare", cluster), partial(self._newer, cluster, objects))
            for cluster, objects in known.items()
        ]
        lanes.came("compare")  # what was asked before is asked again
        found = lanes.run(asked)
        newer: list[str] = []
        silent: list[str] = []
        for cluster, objects in zip(known, found, strict=True):
            if objects is None or isinstance(objects, Late):
                silent.append(cluster)
            else:
                newer += [f"{ref.short} in {cluster}" for ref in objects]
        if newer:
            self.again = None
            self._hold(restored_newer(newer), now, ledger)
        elif silent:
            self.again = now + AGAIN
            self._hold(restored_unseen(silent), now, ledger)
        else:
            self.again = None
            self._lift(now, ledger)

    def _known(self) -> Fences:
        """Every object of ours that the store knows of, with the newest fence it remembers."""
        found: dict[str, dict[ObjectRef, Fence]] = {}
        for row in self.store.rows(Applied):
            for key in row.objects:
                _raise(found, row.unit, ObjectRef(*key.rsplit("/", 3)), ())
        for active in self.board.releases.values():
            for unit in active.index.plan.units:
                for planned in unit.objects:
                    _raise(found, unit.unit, planned.ref, ())
        for intent in self.store.rows(Intent):
            _raise(found, intent.unit, intent.ref, numbers(intent.fence))
        return {name: found[name] for name in sorted(found) if name in self.board.rules.clusters}

    def _newer(self, cluster: str, objects: Mapping[ObjectRef, Fence]) -> list[ObjectRef] | None:
        """Objects that somebody wrote after the backup; None when the cluster does not answer."""
        try:
            seen = {ref: self.fleet.get(cluster, ref) for ref in sorted(objects)}
        except PortError:
            return None
        return [ref for ref, live in seen.items() if live and fence_of(live) > objects[ref]]

    def _hold(self, reason: str, now: datetime, ledger: Ledger) -> None:
        before = self.board.holds.get(HOLD)
        if before is not None and before.reason == reason:
            return
        hold = Hold(
            id=HOLD, scope="all", code=HoldCode.RESTORED, reason=reason, by="sluice", at=now
        )
        hold = replace(hold, at=before.at) if before else hold
        self.board.holds[HOLD] = hold
        ledger.put(hold)
        told = {"scope": "all", "code": hold.code.value, "reason": reason, "finish_batch": False}
        ledger.events += self._events("hold.set", told, now)
        self.board.wake_all()

    def _lift(self, now: datetime, ledger: Ledger) -> None:
        del self.board.holds[HOLD]
        ledger.drop(Hold, HOLD)
        told = {"scope": "all", "code": HoldCode.RESTORED.value}
        ledger.events += self._events("hold.lifted", told, now)
        self.board.wake_all()

    def _events(self, kind: str, data: Mapping[str, object], now: datetime) -> Iterable[Event]:
        names = sorted(self.board.releases) or [""]
        return [Event(at=now, kind=kind, release=name, data=data) for name in names]


def _raise(
    found: dict[str, dict[ObjectRef, Fence]], unit: str, ref: ObjectRef, fence: Fence
) -> None:
    objects = found.setdefault(unit.partition("@")[2].partition("/")[0], {})
    objects[ref] = max(objects.get(ref, ()), fence)
