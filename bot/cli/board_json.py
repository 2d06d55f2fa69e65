"""Releases, units and waits in the JSON of the contract. A change of shape only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.cli.telling import instant
from bot.core.messages_figures import done_units
from bot.core.messages_why import why
from bot.model.gate import ReleaseView, Waiting
from bot.model.state import (
    Decision,
    DecisionStatus,
    EmergencyStop,
    Hold,
    ReleaseState,
    UnitState,
)

if TYPE_CHECKING:
    from bot.app.standing import Standing


def release_json(state: ReleaseState, view: ReleaseView | None) -> dict[str, Any]:
    """One release of `status`."""
    return {
        **_head(state),
        "holds": [hold_json(hold) for hold in (view.holds if view else ())],
        "decisions": open_decisions_json(view) if view else [],
        "units": list(_units(view)) if view else [],
        "waiting": [waiting_json(state.release, line) for line in (view.waiting if view else ())],
        "outcome": state.outcome,
        "revert": state.revert,
        "pull": state.pull,
        "owed": list(view.owed) if view else [],
        "additions": [
            {"digest": one.digest, "at": instant(one.at), "units": list(one.units)}
            for one in (view.plan.additions if view else ())
        ],
    }


def open_decisions_json(view: ReleaseView) -> list[dict[str, Any]]:
    return [
        decision_json(one, view.deciders.get(one.id, ()), view.needs[one.id])
        for one in view.decisions
        if one.status is DecisionStatus.OPEN
    ]


def summary_json(state: ReleaseState, view: ReleaseView | None) -> dict[str, Any]:
    """One release of `list`."""
    components = view.plan.components if view else ()
    return {
        **_head(state),
        "components": [{"name": one.name, "version": one.version} for one in components],
        "reason": view.plan.reason if view else "",
        "units": len(view.units) if view else 0,
        "done": done_units(view) if view else 0,
        "outcome": state.outcome,
    }


def _head(state: ReleaseState) -> dict[str, Any]:
    return {
        "release": state.release,
        "phase": state.phase.value,
        "commit": state.commit,
        "planHash": state.plan_hash,
        "since": instant(state.since),
        "merged": instant(state.merged),
        "began": instant(state.began),
        "ended": instant(state.ended),
    }


def hold_json(hold: Hold) -> dict[str, Any]:
    return {
        "scope": hold.scope,
        "reason": hold.reason,
        "by": hold.by,
        "at": instant(hold.at),
        "code": hold.code.value,
        "until": instant(hold.until),
    }


def freeze_json(stop: EmergencyStop) -> dict[str, Any]:
    return {
        "scope": stop.scope,
        "reason": stop.reason,
        "by": stop.by,
        "at": instant(stop.at),
        "until": instant(stop.until),
    }


def standing_json(here: Standing) -> dict[str, Any]:
    """What stops more than one release, and whether main is good: no release needs to be open.

    `commit`: main as the bot has processed it. `broken`: its first mistake, None while it lints.
    """
    return {
        "holds": [hold_json(hold) for hold in here.holds()],
        "freezes": [freeze_json(stop) for stop in here.freezes()],
        "main": {"commit": here.main, "broken": here.board.rules.broken},
    }


def decision_json(decision: Decision, who: tuple[str, ...], count: int) -> dict[str, Any]:
    """`by`: who has said yes so far. `who`: those who still may. `count`: how many must."""
    return {
        "id": decision.id,
        "asks": decision.asks,
        "roles": list(decision.roles),
        "count": count,
        "by": [vote.by for vote in decision.votes],
        "who": list(who),
        "at": instant(decision.at),
    }


def waiting_json(release: str, line: Waiting) -> dict[str, Any]:
    """One line of `why`."""
    return {
        "release": release,
        "unit": line.unit,
        "gate": line.gate,
        "code": line.wait.code,
        "why": why(line.wait),
        "until": instant(line.wait.until),
        "who": list(line.wait.who),
        "source": line.wait.source,
    }


def beside_json(here: Standing) -> dict[str, Any]:
    """What every answer about the board says beside it.

    `bot`: who runs on the store, None when nobody does. `recorded`: commands that nobody has taken
    yet; what they stop is not stopped on this board.
    """
    from bot.adapters.sqlite_guard import holder

    who = holder(here.settings.db)
    return {
        "bot": {"pid": who.pid, "host": who.host, "since": instant(who.since)} if who else None,
        "recorded": [note.text for note in here.store.notes()],
    }


def _units(view: ReleaseView) -> Any:
    plan = view.plan
    for unit in plan.units:
        state = view.units[unit.unit]
        component = next(one for one in plan.components if one.name == unit.component)
        yield {
            "unit": unit.unit,
            "stage": plan.stages[unit.stage].name,
            "wave": unit.wave + 1,
            "phase": state.phase.value,
            "batch": state.batch,
            "batches": _batches(component.batches, state),
            "updated": state.updated,
            "total": state.total,
            "since": instant(state.since),
            "soakUntil": instant(state.soak_until),
            "failure": state.failure,
        }


def _batches(written: tuple[int | str, ...], state: UnitState) -> int:
    """How many batches it takes: equal steps merged once they are counted, before as written."""
    if state.batches:
        return state.batches
    return state.batch if state.phase.ended else len(written)
