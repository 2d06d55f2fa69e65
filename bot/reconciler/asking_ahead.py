"""Asks clusters what they would say to a plan, long before its first batch. Never writes.

Only clusters that the base names are asked, over the connections that the base says: what a pull
request says of connections is data. One unit of each rendering in each group, and a bounded number
of those: a thousand clusters cost what a few do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from bot.cluster.goal import Goal, Mode
from bot.cluster.guard import Allowance
from bot.cluster.guard_hold import as_left
from bot.cluster.plain import create, patch
from bot.cluster.settle import pending
from bot.core.plan_asked import MOST, Said, Would, sample, told
from bot.core.plan_shown import Known, PullPlan, ReleaseShown
from bot.failures import PortError, Refused
from bot.model.effects import Purpose, Write
from bot.model.plan import JSON, UnitPlan
from bot.model.seen import ObjectSeen, UnitSeen
from bot.ports import Connection, Fleet
from bot.reconciler.dry_run import brings, can_be_asked, waits_for

AT_ONCE = 16
"""Clusters that are asked side by side."""


def ask_ahead(
    fleet: Fleet,
    connections: Iterable[Connection],
    pull: PullPlan,
    known: Known,
    *,
    position: int,
    now: datetime,
) -> PullPlan:
    """The plan with what its clusters would say. `position`: of the base among the commits of
    main; what merges next has the one after it.
    """
    connected = {one.cluster for one in connections}
    fence = f"{position + 1}.1"
    with ThreadPoolExecutor(AT_ONCE) as pool:

        def asked(shown: ReleaseShown) -> ReleaseShown:
            chosen = {one.unit for one in sample(shown.plan, connected, MOST).values()}
            clusters: dict[str, _Cluster] = {}
            for unit in shown.plan.units:
                if unit.unit in chosen:
                    here = clusters.setdefault(unit.cluster, _Cluster(fleet, fence))
                    # The store is read here: no thread beside this one may.
                    here.units[unit.unit] = unit, _goal(shown, known, unit, now)
            said: dict[str, Said] = {}
            for answer in pool.map(_Cluster.ask, clusters.values()):
                said |= answer
            return replace(shown, said=told(shown.plan, said))

        return replace(pull, releases=tuple(map(asked, pull.releases)))


def _goal(shown: ReleaseShown, known: Known, unit: UnitPlan, now: datetime) -> Goal:
    component = next(one for one in shown.plan.components if one.name == unit.component)
    last: dict[str, JSON | None] = {}
    for name in (unit.lock, unit.unit):
        row = known.applied.get(name)
        last |= {key: known.blob(digest) for key, digest in row.objects.items()} if row else {}
    return Goal(
        mode=Mode.FORWARD,
        objects=tuple((one.ref, shown.planned.blobs[one.digest]) for one in unit.objects),
        last=last,
        since=now,
        allowed=Allowance(lists=component.guard),
    )


class _Cluster:
    """The units of one release in one cluster, asked about one after the other."""

    def __init__(self, fleet: Fleet, fence: str) -> None:
        self.fleet, self.fence = fleet, fence
        self.units: dict[str, tuple[UnitPlan, Goal]] = {}
        self.made: set[str] = set()
        """What would stand by then, and does not yet: what needs it cannot be asked about."""

    def ask(self) -> Mapping[str, Said]:
        found: dict[str, Said] = {}
        for name, (unit, goal) in self.units.items():
            found[name] = self._unit(unit, goal)
            if found[name].would is Would.UNKNOWN:
                break  # who does not answer is not asked again for each of its units
        return found

    def _unit(self, unit: UnitPlan, goal: Goal) -> Said:
        about, warned = "", dict[str, str]()
        try:
            for write in self._writes(unit, goal):
                about = write.ref.short
                if can_be_asked(write) and not waits_for(write, self.made):
                    said = self.fleet.dry_run(unit.cluster, write, fence=self.fence)
                    warned |= {about: "; ".join(said)} if said else {}
                if write.verb == "create":
                    self.made |= set(brings(write))
        except Refused as refused:
            return Said(asked=unit.unit, would=Would.REFUSE, object=about, why=refused.why)
        except PortError as silent:
            return Said(asked=unit.unit, would=Would.UNKNOWN, object=about, why=silent.why)
        return Said(
            asked=unit.unit,
            would=Would.TAKE,
            object=", ".join(warned),
            why="; ".join(warned.values()),
        )

    def _writes(self, unit: UnitPlan, goal: Goal) -> Iterator[Write]:
        """All of what the unit would become, at once: batches only part it."""
        seen = self._look(unit, goal.since)
        goal = as_left(goal, seen)
        for ref, target in goal.objects:
            live = seen.objects[ref.key].live
            if live is None:
                yield create(ref, target, Purpose.FORWARD)
            elif (changes := pending(goal.last.get(ref.key), live, target)) is not None:
                yield patch(ref, live, changes, Purpose.FORWARD)

    def _look(self, unit: UnitPlan, now: datetime) -> UnitSeen:
        uid = self.fleet.uid(unit.cluster)
        seen = {
            one.ref.key: ObjectSeen(ref=one.ref, live=self.fleet.get(unit.cluster, one.ref))
            for one in unit.objects
        }
        return UnitSeen(unit=unit.unit, at=now, uid=uid, objects=seen)
