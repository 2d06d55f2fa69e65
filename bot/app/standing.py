"""What the store and main say together: the board as it stands, for a question or a judgement.

Reads only, and works while a bot runs and while none does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.app.opening import fleet_file, fleet_for_looking, git_host, reader, renderer
from bot.cluster.kinds import guess_total
from bot.core.board import Active, Board
from bot.core.calendar import Calendar
from bot.core.lifecycle import explain
from bot.core.plan_places import nodes_known
from bot.core.plan_shown import Known
from bot.core.plan_weigh import is_workload, summed_counts
from bot.model.gate import ReleaseView, Waiting
from bot.model.plan import ObjectRef, UnitPlan
from bot.model.state import Applied, EmergencyStop, Hold, ReleaseState, UnitPhase
from bot.ports import GitError, PortError, Unreachable
from bot.reconciler.known import known
from bot.reconciler.lanes import Lanes
from bot.reconciler.ledger import Versions
from bot.reconciler.loading import fetch, load_board, load_release
from bot.reconciler.looking import look
from bot.reconciler.noticing import BROKEN, GOOD, MAIN
from bot.reconciler.planner import Planner
from bot.reconciler.rules import connections, freeze_of, rules_of
from bot.reconciler.views import view_of
from release_repo_schema.load import load_repo

if TYPE_CHECKING:
    from bot.adapters.sqlite import SqliteStore
    from bot.app.routed import LookedAtFleet
    from bot.config import Settings
    from release_repo_schema.repo import Repo
    from release_repo_schema.tree import Entry

LOOKED_AT = 50
"""Units in a roll that a question asks its clusters about; beyond it takes too long."""


@dataclass(slots=True)
class Standing:
    """The board of this moment, and what it was made from."""

    store: SqliteStore
    repo: Repo
    board: Board
    versions: Versions
    now: datetime
    settings: Settings
    main: str
    """The commit of main that was processed last."""
    unread: str = ""
    """Why the release repo cannot be read: then the rows of the store are all that is known."""
    held: ExitStack = field(default_factory=ExitStack)
    """What is closed when the question is answered."""
    _fleet: LookedAtFleet | None = None

    def holds(self) -> list[Hold]:
        """Standing holds that are no release's own: they stop what comes, too. Oldest first."""
        found = [hold for hold in self.board.holds.values() if hold.release is None]
        return sorted(found, key=lambda hold: (hold.at, hold.id))

    def freezes(self) -> list[EmergencyStop]:
        """Emergency freezes that are not over. Oldest first."""
        found = [stop for stop in self.board.stops.values() if stop.until > self.now]
        return sorted(found, key=lambda stop: (stop.at, stop.id))

    def states(self) -> dict[str, ReleaseState]:
        """Every release that the store knows, ended or not."""
        return {state.release: state for state in self.store.rows(ReleaseState)}

    def active(self, name: str) -> Active | None:
        """A release by its name, read in when it has ended; None when it has no plan."""
        known = self.board.releases.get(name)
        return known or load_release(self.store, self.versions, name, self.now)

    def view(self, active: Active) -> ReleaseView:
        """A release as people see it, with what its clusters show now."""
        view = view_of(self.board, active, self.now, waiting=self.waiting(active))
        if not self.unread:
            return view
        # Without rules no time is known, and a decision needs what it needed when it was asked.
        asked = {one.id: one.count for one in view.decisions}
        return replace(view, next_open=None, next_close=None, ends=None, needs=asked)

    def waiting(self, active: Active) -> tuple[Waiting, ...]:
        """The first closed gate of each unit. Units that roll are looked at, as a tick would."""
        if active.state.phase.ended or self.unread:
            return ()
        rolling = self._rolling(active)
        for unit in rolling:
            fetch(self.store, self.board, active, unit.unit)
        seen = {}
        if rolling:
            try:
                fleet = fleet_for_looking(self.settings, connections(self.repo))
                try:
                    rows = active.index.rows
                    lanes = Lanes(None)
                    looked = look(fleet, lanes, rolling, self.now, rows=lambda unit: rows)
                    seen = dict(looked.seen)
                finally:
                    fleet.close()
            except PortError:
                seen = {}  # the gates then say what needs no look
        return explain(self.board.situation(active, self.now, seen))

    def known(self) -> Known:
        """What the store adds to a plan."""
        stops = tuple(freeze_of(stop) for stop in self.board.stops.values())
        return replace(known(self.store, self.board), emergency=stops, stands=self._stands)

    def _stands(self, cluster: str, ref: ObjectRef) -> bool | None:
        """Whether an embedded cluster has an object: its file may be read before a merge, while
        nobody may be asked over a connection.
        """
        found = self.repo.clusters.get(cluster)
        if found is None or found.spec.connection.simulated is None:
            return None
        try:
            if self._fleet is None and fleet_file(self.settings.db).exists():
                self._fleet = fleet_for_looking(self.settings, connections(self.repo))
                self.held.callback(self._fleet.close)
            return None if self._fleet is None else self._fleet.get(cluster, ref) is not None
        except PortError:
            return None

    def applied(self, unit: str) -> Applied | None:
        found: Applied | None = self.store.get(Applied, unit)
        return found

    def sizes(self, active: Active) -> dict[str, tuple[int, ...] | None]:
        """Unit → cumulative nodes of its batches: as its cluster counted them when it began, else
        what its objects and its cluster on main say; None where neither does.
        """
        found: dict[str, tuple[int, ...] | None] = {}
        rows = active.index.rows
        for unit in active.index.plan.units:
            state = active.units[unit.unit]
            written = active.index.component(unit).batches
            if state.before and all(one.digest is None for one in state.before):
                written = ("100%",)  # nothing was there: all of it comes in one batch
            totals = [*state.totals.values()]
            if not totals:
                there = unit.cluster in self.repo.clusters
                nodes = nodes_known(self.repo, unit.cluster, unit.nodes) if there else None
                objects = (self.store.blob(one.digest) for one in unit.objects)
                known = [
                    guess_total(obj, nodes, rows)
                    for obj in objects
                    if obj and is_workload(obj, rows)
                ]
                totals = [total for total in known if total is not None]
                totals = totals if len(totals) == len(known) else []
            found[unit.unit] = summed_counts(written, totals) if totals else None
        return found

    @staticmethod
    def _rolling(active: Active) -> list[UnitPlan]:
        moving = (UnitPhase.ROLLING_BACK, UnitPhase.QUARANTINED)
        return [
            unit
            for unit in active.index.plan.units
            if (state := active.units[unit.unit]).phase.rolling or state.phase in moving
        ][:LOOKED_AT]


class _NoFiles:
    """The tree of a release repo that cannot be read."""

    def entries(self) -> Mapping[str, Entry]:
        return {}

    def read(self, path: str) -> bytes:
        raise FileNotFoundError(path)


@contextmanager
def standing(settings: Settings, now: datetime, *, unread: bool = False) -> Iterator[Standing]:
    """The board of the store by the rules of the main that the bot has processed.

    `unread`: where Git cannot be read, the store alone answers, and says why; else GitError.
    """
    with ExitStack() as held:
        store = held.enter_context(reader(settings.db))
        held.enter_context(store.snapshot())
        why = ""
        try:
            git = held.enter_context(git_host(settings))
            planner = Planner(git, held.enter_context(renderer()))
            head = store.mark(GOOD) or store.mark(MAIN) or git.head()
            if head is None:
                raise GitError(f"{settings.repo} has no branch main")
            repo = planner.load(head)
            calendar = planner.calendar(repo)
        except (GitError, Unreachable) as gone:
            if not unread:
                raise
            why, head, repo = gone.why, "", load_repo(_NoFiles())
            calendar = Calendar.of((), (), repo.policy)
        versions = Versions()
        board = load_board(store, rules_of(repo, head, calendar), versions, now)
        stops = [stop for stop in board.stops.values() if stop.until > now]
        board.rules = rules_of(
            repo,
            head,
            calendar,
            stops=stops,
            blocked=board.rules.blocked,
            broken=store.mark(BROKEN),
        )
        main = store.mark(MAIN) or head
        yield Standing(store, repo, board, versions, now, settings, main, why, held)
