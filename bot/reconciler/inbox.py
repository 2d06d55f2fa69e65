"""Takes the notes that people left: judges each, makes what follows true, and answers.

A note is judged once. A pause is heard before anything else of its tick.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from bot.core.board import Board
from bot.core.commands import Outcome, judge
from bot.core.commands_decide import VERBS
from bot.core.grammar import Command
from bot.core.messages_refusal import Refusal, refusal
from bot.model.state import Applied, ClusterSeen, EmergencyStop, Event, Hold, HoldCode, Tally
from bot.ports import Answer, Note, PortError, Store, StoreLocked
from bot.reconciler.hearing import Heard
from bot.reconciler.ledger import Ledger, Versions
from bot.reconciler.loading import fetch, fetch_applied, fetch_needed, fetch_rows, load_release
from bot.reconciler.naming import better, over, release_of
from bot.reconciler.noticing import REWRITTEN

log = logging.getLogger(__name__)
REFUSED, USAGE, DONE, BUG = 3, 2, 0, 70


def consider(
    store: Store, board: Board, versions: Versions, text: Command | Refusal, now: datetime
) -> Outcome:
    """What would follow from a command; an ended release that it names is read in first."""
    if isinstance(text, Refusal):
        return Outcome(refused=text)
    name = release_of(store, board, text)
    if name and name not in board.releases:
        active = load_release(store, versions, name, now)
        if active is not None:
            board.add(active)
            fetch_needed(store, board, active)
    _fetch_for(store, board, text)
    outcome = judge(board, text, now, VERBS)
    told = outcome.refused
    if told is not None and told.code in ("not-mapped", "role"):
        return outcome
    if (ended := over(store, board, text, name, told)) is not None:
        return Outcome(refused=ended)
    return outcome if told is None else Outcome(refused=better(store, board, text, told))


def _fetch_for(store: Store, board: Board, command: Command) -> None:
    """What a command is judged by, or is written down in, and nobody needed before."""
    match command.verb:
        case "rollback" | "retry":
            for active, units in board.reached(command.scope):
                fetch_applied(store, board, active)
                for unit in units:
                    if active.units[unit].began or active.state.phase.ended:
                        fetch(store, board, active, unit)
        case "approve" | "reject" | "skip":
            for active, _ in board.reached(command.scope.partition("#")[0]):
                if any(unit.leftovers for unit in active.units.values()):
                    fetch_rows(store, board, active)


def take_note(
    store: Store, board: Board, versions: Versions, heard: Heard, now: datetime, ledger: Ledger
) -> Outcome:
    """Judge one note, make what follows true on the board, and answer it.

    A bug in judging is the answer of this note; the notes after it are judged all the same.
    """
    note, command = heard.note, heard.command
    try:
        outcome = consider(store, board, versions, command, now)
    except StoreLocked as locked:
        if locked.kind != "broken":
            raise
        # Rows that only this command needs are damaged: a stop behind it must still be heard.
        outcome = Outcome(refused=refusal("locked-store", why=locked.why))
    except PortError:
        raise
    except Exception:
        log.exception("a bug in judging note %s", note.id)
        outcome = Outcome(refused=refusal("bug", text=note.text))
    ledger.answers[note.id] = answer_of(outcome)
    first = len(ledger.events)
    if outcome.refused is not None:
        data = {"text": note.text, "why": outcome.refused.why, "code": outcome.refused.code}
        ledger.events.append(
            Event(
                at=now, kind="command.refused", who=note.by, data=data | {"surface": note.surface}
            )
        )
    else:
        apply(outcome, board, ledger)
    ledger.events[first:] = [_with_user(event, note) for event in ledger.events[first:]]
    return outcome


def _with_user(event: Event, note: Note) -> Event:
    """A terminal lets people say who they are: the record keeps the system's user beside it."""
    user = note.data.get("os")
    if not user or event.who == "sluice":
        return event
    return replace(event, data={**event.data, "os": user})


def apply(outcome: Outcome, board: Board, ledger: Ledger) -> None:
    """Make an outcome true: rows into the ledger, the board as it is now."""
    for name, step in outcome.steps.items():
        active = board.releases[name]
        before = active.state
        board.take(active, step)
        active.dirty = True
        ledger.put(*step.units.values(), *step.decisions, *step.holds, *step.puts)
        if step.state != before:
            ledger.put(step.state)
        ledger.events += step.events
    for hold in outcome.holds:
        board.holds[hold.id] = hold
        ledger.put(hold)
    _let_go(outcome, board, ledger)
    for stop in outcome.stops:
        board.stops[stop.id] = stop
        ledger.put(stop)
    for stop in outcome.unfrozen:
        board.stops.pop(stop.id, None)
        ledger.drop(EmergencyStop, stop.id)
    for cluster in outcome.forget:
        _forget_cluster(cluster, board, ledger)
    ledger.events += outcome.events
    board.wake_all()


def _let_go(outcome: Outcome, board: Board, ledger: Ledger) -> None:
    for hold in outcome.lifted:
        board.holds.pop(hold.id, None)
        ledger.drop(Hold, hold.id)
        if hold.code is HoldCode.REWRITTEN:
            ledger.marks[REWRITTEN] = "accepted"
        if hold.code is HoldCode.BUDGET:
            _forget_failures(board, ledger)


def _forget_failures(board: Board, ledger: Ledger) -> None:
    """Who lets everything go on has seen these failures: the count begins anew."""
    for key in board.tally.failed():
        board.tally.forget(key)
        ledger.drop(Tally, key)


def answer_of(outcome: Outcome) -> Answer:
    """What the asker gets: exit code, JSON, one sentence."""
    refused = outcome.refused
    if refused is None:
        return Answer(code=DONE, body={**outcome.body, "done": outcome.text}, text=outcome.text)
    if refused.code == "bug":
        # Nobody refused it: a fault of ours is no answer to what was asked (contract §2).
        fault = {"error": {"code": refused.code, "why": refused.why}}
        return Answer(code=BUG, body=fault, text=refused.text)
    until = refused.until.isoformat().replace("+00:00", "Z") if refused.until else None
    body = {
        "refused": {
            "code": refused.code,
            "why": refused.why,
            "who": list(refused.who),
            "until": until,
        }
    }
    if refused.candidates:
        body["refused"]["candidates"] = list(refused.candidates)
    return Answer(code=USAGE if refused.usage else REFUSED, body=body, text=refused.text)


def _forget_cluster(cluster: str, board: Board, ledger: Ledger) -> None:
    """The cluster is another one now: what was applied to the old one says nothing of it."""
    board.clusters.pop(cluster, None)
    ledger.drop(ClusterSeen, cluster)
    for active in board.releases.values():
        for unit in active.index.plan.units:
            if unit.cluster == cluster:
                for key in {unit.unit, unit.lock}:
                    board.applied.pop(key, None)
                    ledger.drop(Applied, key)
