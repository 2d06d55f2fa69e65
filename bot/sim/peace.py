"""Act two: faults cease, and people answer what is asked, until every release has ended.

People here are reasonable and awake: they try again once, then leave out or take back. A release
that does not end within the bound breaks the law that everything comes to an end.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.model.state import Decision, EmergencyStop, Hold, UnitState
from bot.sim import docs as make
from bot.sim import oracle
from bot.sim.place import Blamed

if TYPE_CHECKING:
    from bot.sim.history import History

ROUNDS = 60
"""How often people look at what waits, at most."""
STEPS = 2500
"""Ticks of the second act, at most."""
QUIET = 60
"""Ticks in which nothing happened, after which people look again."""
LIFTS = {
    "unknown-pull": "accept",
    "plan-changed": "accept",
    "history-rewritten": "override",
    "store-restored": "override",
    "rejected": "approve",
    "superseded": "rollback",
    "plan-failed": "cancel",
    "bug": "resume",
}
"""What people say to a hold; `resume` to every other."""


class Peace:
    """The second act of a history."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.place = history.place
        self.tried: dict[str, int] = {}
        self.notes = 0

    def make(self) -> None:
        self._mend()
        left = STEPS
        for round_ in range(ROUNDS):
            left = self._rest(left)
            if self.history.told.blamed:
                return
            if not self.history.ahead():
                self._tidy_up()
                return
            if left <= 0:
                break
            self._answer(round_)
        self._blame()

    def _tidy_up(self) -> None:
        """What the last tick could not do any more: a post, a proposal. Then the last laws."""
        history = self.history
        for _ in range(3):
            if not history.told.blamed:
                self.place.move(self.place.true.now() + timedelta(seconds=30))
                history.step()
        if not history.told.blamed:
            history.told.blamed += history.laws.at_the_end()

    def _mend(self) -> None:
        """Nothing breaks any more; what lasts is over."""
        place = self.place
        place.weather.armed.clear()
        place.weather.outages.clear()
        place.weather.down.clear()
        place.weather.faults.clear()
        for late in place.weather.wire:
            late.due = place.true.now()
        self.history.actor.gaps.clear()
        self.history.second = None
        self.history.waiting.clear()
        documents: dict[str, object] = {}
        if not place.main.good:
            documents["checks/broken.yaml"] = None
        for name in place.clusters:
            path = f"fleet/clusters/{name}.yaml"
            if path not in place.docs:
                continue
            one = place.docs[path]
            simulated = dict(one["spec"]["connection"]["simulated"])
            if simulated.pop("faults", None):
                well = {"connection": {"simulated": simulated}}
                documents[path] = {**one, "spec": {**one["spec"], **well}}
        documents["people.yaml"] = make.people()
        place.commit(documents)
        place.fleet.reconnect()
        for name in place.clusters:
            names = [pod["metadata"]["name"] for pod in place.sim.pods(name)]
            place.sim.sicken(name, names, well=True)
        self.history.first.bot = None
        self.history.first.back = place.true.now()

    def _rest(self, left: int) -> int:
        """Until nothing moves by itself any more, or not for long."""
        place, history = self.place, self.history
        until = place.true.now() + timedelta(days=3)
        quiet, lines = 0, place.store.event_count()
        while left > 0 and quiet < QUIET:
            left -= 1
            new = place.store.events(after=lines)
            # A check that is asked again and again brings nothing forward.
            quiet = 0 if any(event.kind != "check" for event in new) else quiet + 1
            lines += len(new)
            for late in place.arrive():
                history.late(late)
            history.step()
            if history.told.blamed or not history.ahead():
                return left
            due = history.first.due()
            if due is None or due > until:
                return left
            place.move(max(due, place.true.now() + timedelta(seconds=1)))
        return left

    def _answer(self, round_: int) -> None:
        """Everybody looks at the board and does what it asks."""
        store = self.place.store
        ahead = {row.release for row in self.history.ahead()}
        for stop in store.rows(EmergencyStop):
            self._say(f"unfreeze {stop.scope}", "dan")
        if round_ % 3 == 0:
            for cluster in self.place.rebuilt:
                self._say(f"accept cluster:{cluster}", "ben")
        for unit in store.rows(UnitState):
            if unit.release in ahead:
                self._for_unit(unit)
        self._behind_siblings(ahead)
        self._half_way(round_)
        for hold in store.rows(Hold):
            self._for_hold(hold)
        self._approve(ahead)
        if round_ > 12:
            for release in sorted(ahead):
                verb = "cancel" if round_ % 2 else "rollback"
                self._say(f"{verb} {release} --reason enough", "ana")

    def _approve(self, ahead: set[str]) -> None:
        for decision in self.place.store.rows(Decision):
            if decision.release not in ahead or decision.status.value != "OPEN":
                continue
            if decision.what == "leftovers" and self.place.script.seed % 3 == 0:
                # Some keep what left the template.
                self._say(f"reject {decision.id} --reason keep", "ben")
            else:
                for name in ("ben", "cleo", "ana", "dan"):
                    self._say(f"approve {decision.id}", name)

    def _for_unit(self, unit: UnitState) -> None:
        back = unit.phase.value == "ROLLED_BACK" and unit.failure
        if unit.phase.value == "FAILED" or back:
            self._for_failed(unit)
        if unit.phase.value == "PENDING" and unit.drift_mark:
            # Some keep what they find; where that cannot be kept, it is overwritten.
            if len(unit.unit) % 2:
                self._say(f"accept {unit.unit}", "ben")
            self._say(f"override {unit.unit} --gate drift --reason ours", "dan")
        if unit.phase.value == "ROLLING_BACK" and unit.one_way:
            self._say(f"override {unit.unit} --gate irreversible --reason sure", "dan")

    def _half_way(self, round_: int) -> None:
        """What others left half-way, and releases wait for, is tried again, then taken back."""
        bot = self.history.first.bot
        waiting = (
            [line for one in bot.board.releases.values() for line in one.waiting] if bot else []
        )
        for unit in sorted(
            {w.wait.facts["unit"] for w in waiting if w.wait.code == "dependency-half"}
        ):
            verb = "retry" if round_ < 3 else "rollback"
            self._say(f"{verb} {unit} --reason half", "ana")

    def _behind_siblings(self, ahead: set[str]) -> None:
        """Parts after one that was taken back are left out: only people let them go on."""
        rows = [row for row in self.place.store.rows(UnitState) if row.release in ahead]
        back = {
            (row.release, oracle.parts(row.unit))
            for row in rows
            if row.phase.value in ("ROLLED_BACK", "QUARANTINED") and oracle.part(row.unit)[0]
        }
        for row in rows:
            if row.phase.value == "PENDING" and (row.release, oracle.parts(row.unit)) in back:
                self._say(f"skip {row.unit} --reason enough", "ben")

    def _for_failed(self, unit: UnitState) -> None:
        times = self.tried[unit.key] = self.tried.get(unit.key, 0) + 1
        if times <= 2:
            self._say(f"retry {unit.unit}", "ben")
        else:
            self._say(f"skip {unit.unit} --reason enough", "ben")

    def _for_hold(self, hold: Hold) -> None:
        verb = LIFTS.get(hold.code.value, "resume")
        name = hold.release or hold.scope
        match verb:
            case "approve":
                for by in ("ben", "cleo", "ana"):
                    number = hold.id.rpartition("/")[2]
                    self._say(f"approve {name}#{number}", by)
            case "accept":
                for by in ("ben", "ana", "cleo"):
                    self._say(f"accept {name}", by)
            case "resume":
                self._say(f"resume {hold.scope}", "ana")
            case _:
                self._say(f"{verb} {name} --reason enough", "dan" if verb == "override" else "ana")

    def _say(self, text: str, by: str) -> None:
        self.notes += 1
        self.place.say(text, by=by, key=f"peace/{self.notes}")

    def _blame(self) -> None:
        store = self.place.store
        for row in self.history.ahead():
            units = [
                f"{unit.unit} {unit.phase.value}"
                for unit in store.rows(UnitState, parent=row.release)
            ]
            holds = [f"{hold.code.value}: {hold.reason}" for hold in store.rows(Hold)]
            what = f"{row.release} is {row.phase.value} and does not end: {units}, holds {holds}"
            self.history.told.blamed.append(Blamed(law="ends", what=what))
