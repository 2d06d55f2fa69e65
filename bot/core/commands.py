"""What a command does: permission first, then one small function a verb. Pure.

The same judgement serves every surface: the bot when it takes a note from its inbox, and the
command
line when no bot runs and a refusal is better said at once. Changes nothing itself: an `Outcome`
tells
what would follow.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.board import Active, Board
from bot.core.grammar import Command
from bot.core.lifecycle import Step, close
from bot.core.messages_refusal import Refusal, refusal
from bot.core.people import RIGHTS
from bot.core.scope import Covered, covers, is_part, owned, release_named
from bot.core.turn import Turn
from bot.model.plan import JSON
from bot.model.state import EmergencyStop, Event, Hold


@dataclass(slots=True)
class Outcome:
    """What follows from a command: a refusal, or steps of releases, holds, freezes, an answer."""

    refused: Refusal | None = None
    steps: dict[str, Step] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    lifted: list[Hold] = field(default_factory=list)
    stops: list[EmergencyStop] = field(default_factory=list)
    unfrozen: list[EmergencyStop] = field(default_factory=list)
    forget: list[str] = field(default_factory=list)
    """Clusters whose identity is to be learned anew."""
    events: list[Event] = field(default_factory=list)
    text: str = ""
    body: dict[str, JSON] = field(default_factory=dict)

    def step(self, t: Turn) -> None:
        """Keep what a turn changed."""
        self.steps[t.s.name] = close(t)


@dataclass(frozen=True, slots=True)
class Ask:
    """A command in its place: who asked (a member of people.yaml), when, on what board."""

    board: Board
    command: Command
    by: str
    now: datetime

    @property
    def scope(self) -> str:
        return self.command.scope

    def turn(self, active: Active) -> Turn:
        """A working copy of a release for this command."""
        return Turn(self.board.situation(active, self.now))

    def event(self, kind: str, *, release: str = "", **data: JSON) -> Event:
        return Event(at=self.now, kind=kind, release=release, who=self.by, data=data)


Verb = Callable[[Ask], Outcome]


def judge(board: Board, command: Command, now: datetime, verbs: Mapping[str, Verb]) -> Outcome:
    """What follows from the command at `now`; a refusal says why, who can, and when."""
    directory = board.rules.directory
    member = directory.find(command.by)
    if member is None:
        return Outcome(refused=refusal("not-mapped", by=command.by))
    if unknown := _unknown(board, command):
        return Outcome(refused=unknown)
    owners = owners_of(board, command.scope) if owned(command.scope) else []
    allowed = directory.may(member, command.verb) or (
        bool(owners) and all(directory.may(member, command.verb, own) for own in owners)
    )
    # A decision may ask for roles of its own; whoever holds one of them may answer it.
    if not allowed and command.verb not in ("approve", "reject"):
        every = {owner for own in owners for owner in own}
        return Outcome(
            refused=refusal(
                "role",
                by=member,
                verb=command.verb,
                needs=_roles(command.verb),
                has=sorted(directory.roles(member)),
                who=directory.who_may(command.verb, every),
            )
        )
    return verbs[command.verb](Ask(board, command, member, now))


def owners_of(board: Board, scope: str) -> list[tuple[str, ...]]:
    """Owners of each component that the scope reaches: all of them must be the asker's for an
    owner's right.
    """
    found: list[tuple[str, ...]] = []
    for active, units in board.reached(scope):
        index = active.index
        named = {id(one): one for name in units if (one := index.component(index.units[name]))}
        # A release says more of its components than its units: how it ends is everybody's.
        every = release_named(scope) is not None
        components = index.plan.components if every else named.values()
        found += [component.owners for component in components]
    return found


def _roles(verb: str) -> tuple[str, ...]:
    return tuple(RIGHTS.get(verb, ()))


def _unknown(board: Board, command: Command) -> Refusal | None:
    """A scope that names nothing is a mistake: a stop of nothing must not look like a stop.

    What stands on exactly this scope can be lifted even when main no longer has what it names.
    """
    scope = command.scope
    if {f"pause/{scope}", f"snooze/{scope}"} & board.holds.keys() or (
        f"freeze/{scope}" in board.stops
    ):
        return None
    named = release_named(scope)
    if named is not None and named not in board.releases:
        return refusal("unknown-release", release=named, near=near(named, board.releases))
    if named is not None and is_part(scope) and not any(True for _ in board.reached(scope)):
        return _no_part(board.releases[named], scope)
    if "@" in scope:
        units = {unit for active in board.releases.values() for unit in active.units}
        early = command.verb in ("pause", "freeze", "unfreeze", "resume", "snooze")
        known = _later(board, scope) if early else set()
        reached = scope in known or any(covers(scope, _unit_of(unit)) for unit in units)
        if not reached:
            return refusal("unknown-unit", unit=scope, near=near(scope, units | known))
    elif ":" in scope and not any(True for _ in board.reached(scope)):
        known = _named(board, scope.partition(":")[0])
        if scope not in known:
            return refusal("unknown-scope", scope=scope, near=near(scope, known))
    return None


def _unit_of(unit: str) -> Covered:
    return Covered("", unit, unit.partition("@")[0], {})


def _later(board: Board, scope: str) -> set[str]:
    """Units like this one that main names now, whether a release has them or not; and what they
    are parts of.
    """
    component, _, place = scope.partition("@")
    cluster = place.partition("/")[0]
    rules = board.rules
    found: set[str] = set()
    if component in rules.components:
        found |= {f"{component}@{name}" for name in rules.clusters}
        found |= set(rules.units(component))
    if cluster in rules.clusters:
        found |= {f"{name}@{cluster}" for name in rules.components}
    return found


def _no_part(active: Active, scope: str) -> Refusal:
    """A stage or wave that the release does not have: what it has, and what was probably meant."""
    stages = {stage.name: len(stage.waves) for stage in active.index.plan.stages}
    name, _, wave = scope.partition("/")[2].partition("/")
    meant = "" if name in stages else near(name, stages)
    hint = "/".join(filter(None, (active.state.release, meant, wave))) if meant else ""
    return refusal("unknown-stage", scope=scope, stages=stages, near=hint)


def _named(board: Board, kind: str) -> set[str]:
    """Every scope of this kind that main names now."""
    rules = board.rules
    match kind:
        case "component":
            return {f"{kind}:{name}" for name in rules.components}
        case "cluster":
            return {f"{kind}:{name}" for name in rules.clusters | board.clusters.keys()}
        case "group":
            return {f"{kind}:{name}" for name in rules.groups}
        case _:
            pairs = {pair for labels in rules.spots() for pair in labels.items()}
            return {f"{kind}:{key}={value}" for key, value in pairs}


def near(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant; "" when none comes close."""
    found = difflib.get_close_matches(name, sorted(known), n=1)
    return found[0] if found else ""
