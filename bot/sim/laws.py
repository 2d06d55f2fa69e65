"""The laws, read after every step: what each needs to remember, and the list of them all.

Shares nothing with the engine but the nouns and the hash chain of the audit. Each law stands in one
of the files `laws_*`; breaking one is told with the moment and what was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.model.message import Post
from bot.model.plan import JSON
from bot.model.state import Event, ReleaseState, UnitState
from bot.sim import oracle
from bot.sim.faulty import Received
from bot.sim.place import Asked, Blamed, Place, Tick

Docs = Mapping[str, JSON]


@dataclass(slots=True)
class Seen:
    """What the laws remember of a history, and what one step added."""

    place: Place
    tick: Tick
    bot: Any = None
    writes: list[Received] = field(default_factory=list)
    events: tuple[Event, ...] = ()
    puts: list[Post] = field(default_factory=list)
    answered: list[Asked] = field(default_factory=list)
    before: Docs = field(default_factory=dict)
    """The rules that held when the step began: people's notes are judged by them."""
    now: Docs = field(default_factory=dict)
    """The rules that hold for what begins in this step."""
    merged: dict[str, Docs] = field(default_factory=dict)
    fleets: dict[str, list[str]] = field(default_factory=dict)
    """Release → the clusters that main had at its merge."""
    paused: dict[str, tuple[bool, datetime]] = field(default_factory=dict)
    """Scope → whether batches may finish, since when: by notes that were taken."""
    frozen: dict[str, datetime] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)
    units: dict[str, UnitState] = field(default_factory=dict)
    old_units: dict[str, UnitState] = field(default_factory=dict)
    releases: dict[str, ReleaseState] = field(default_factory=dict)
    old_releases: dict[str, ReleaseState] = field(default_factory=dict)

    @property
    def rules(self) -> tuple[Docs, ...]:
        """All rules that may have been in force in this step."""
        return (self.now,) if self.before is self.now else (self.before, self.now)

    def view(self, docs: Docs) -> Docs:
        """Rules of main, with every cluster as it was described first: plans keep it so."""
        known = self.place.known
        views: dict[tuple[int, int], tuple[Docs, Docs]] = self.keep("views", dict)
        key = (id(docs), len(known))
        if key not in views:
            # The documents are kept with their view: their number is not given to others.
            views[key] = (docs, {**docs, **known})
        return views[key][1]

    def keep(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self.memory:
            self.memory[name] = make()
        return self.memory[name]

    def at(self) -> str:
        return f"{self.tick.at:%a %H:%M:%S}"


Law = Callable[[Seen], Iterator[str]]
LAWS: dict[str, tuple[str, Law]] = {}
"""Id → what it says in one line, and how it is checked."""
AT_THE_END: dict[str, tuple[str, Law]] = {}
"""Laws that can only be judged when everything has ended."""


def law(id_: str, says: str, *, end: bool = False) -> Callable[[Law], Law]:
    def keep(check: Law) -> Law:
        (AT_THE_END if end else LAWS)[id_] = (says, check)
        return check

    return keep


class Laws:
    """All laws over one history."""

    def __init__(self, place: Place) -> None:
        from bot.sim import laws_all

        assert laws_all
        first = Tick(place.true.at, place.true.at, True, True, 0, 0, 0)
        self.seen = Seen(place, first)
        self._main = place.main.docs
        self.seen.before = self.seen.now = self.seen.view(self._main)
        self._known = 0
        self._writes = self._events = self._puts = 0
        self._open: list[Asked] = []
        self._notes = 0

    def check(self, tick: Tick, bot: Any) -> list[Blamed]:
        self._look(tick, bot)
        found: list[Blamed] = []
        for name, (_, check) in LAWS.items():
            for what in check(self.seen):
                found.append(Blamed(law=name, what=f"{self.seen.at()} {what}"))
                break
        return found

    def at_the_end(self) -> list[Blamed]:
        return [
            Blamed(law=name, what=what)
            for name, (_, check) in AT_THE_END.items()
            for what in list(check(self.seen))[:1]
        ]

    def _look(self, tick: Tick, bot: Any) -> None:
        seen, place = self.seen, self.seen.place
        seen.tick, seen.bot = tick, bot
        seen.writes, self._writes = place.writes[self._writes :], len(place.writes)
        seen.events = place.store.events(after=self._events)
        self._events += len(seen.events)
        seen.puts, self._puts = place.chat.puts[self._puts :], len(place.chat.puts)
        seen.old_units, seen.old_releases = seen.units, seen.releases
        if place.store.commits != seen.memory.get("commits"):
            seen.memory["commits"] = place.store.commits
            seen.units = {row.key: row for row in place.store.rows(UnitState)}
            seen.releases = {row.release: row for row in place.store.rows(ReleaseState)}
        self._rules(tick)
        self._merged()
        self._heard()

    def _rules(self, tick: Tick) -> None:
        """What main said last that could be read, as far as the bot could ask."""
        place, seen = self.seen.place, self.seen
        # Anew, though they are the same: a cluster that has joined since has its labels in both.
        seen.before = seen.view(self._main)
        if tick.git:
            self._known = len(place.mains)
        good = [main for main in place.mains[: self._known] if main.good]
        self._main = good[-1].docs if good else self._main
        seen.now = seen.view(self._main)

    def _merged(self) -> None:
        """What main said at the merge of each release: of that its plan was made."""
        mains = {main.commit: main for main in self.seen.place.mains}
        for event in self.seen.events:
            if event.kind == "release.scheduled":
                commit = self.seen.releases[event.release].commit
                good = commit in mains and mains[commit].good
                # What could not be read at its merge is planned of the first main that can be.
                docs = mains[commit].docs if good else self._main
                self.seen.fleets[event.release] = oracle.clusters_of(docs)
                if good:
                    self.seen.merged[event.release] = self.seen.view(mains[commit].docs)

    def _heard(self) -> None:
        """Notes that were taken since: pauses and freezes are in force from here on."""
        seen, place = self.seen, self.seen.place
        seen.answered = []
        for asked in place.notes.values():
            if asked.answer is not None:
                continue
            answer = place.store.answer(asked.note)
            if answer is None:
                continue
            asked.answer, asked.answered = answer, seen.tick.at
            seen.answered.append(asked)
            if answer.code == 0:
                self._taken(asked)
        for event in seen.events:
            if event.kind == "unit.drift-kept":
                # What a person keeps as it was found is no longer as it was written.
                place.edited.add("@".join(oracle.parts(event.unit)))
            if event.kind in ("release.succeeded", "release.rolled-back", "release.cancelled",
                              "release.superseded"):  # fmt: skip
                seen.paused.pop(event.release, None)
        for scope, until in list(seen.frozen.items()):
            if until <= seen.tick.at:
                del seen.frozen[scope]

    def _taken(self, asked: Asked) -> None:
        verb, scope, flags = oracle.words(asked.text)
        seen = self.seen
        assert asked.answer is not None
        match verb:
            case "pause":
                seen.paused[scope] = (flags["finish"], seen.tick.at)
            case "resume":
                seen.paused.pop(scope, None)
            case "freeze":
                seen.frozen[scope] = datetime.fromisoformat(asked.answer.body["until"])
            case "unfreeze":
                seen.frozen.pop(scope, None)


def a_while(true: datetime, since: datetime | None, seconds: int) -> bool:
    """Whether something happened within the last seconds."""
    return since is not None and true - since < timedelta(seconds=seconds)
