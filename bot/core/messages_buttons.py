"""The buttons of a card: commands that fit its state, at most four, at most one of them primary.

Each is a command in the one grammar; whether a person may give it is decided when it is given.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.messages_figures import in_phase, open_decisions, stopping
from bot.model.gate import ReleaseView
from bot.model.message import Button
from bot.model.state import Decision, Hold, HoldCode, ReleasePhase, UnitPhase

MOST = 4

# What lifts a hold that resuming does not. A rollback has its own button, so it has none here.
_LIFTED_BY = {
    HoldCode.UNKNOWN_PULL: "accept",
    HoldCode.PLAN_CHANGED: "accept",
    HoldCode.REBUILT: "accept",
    HoldCode.REWRITTEN: "override",
    HoldCode.RESTORED: "override",
    HoldCode.DAMAGED: "override",
    HoldCode.REJECTED: "approve",
    HoldCode.FAILED: "retry",
    HoldCode.SUPERSEDED: "",
    HoldCode.ROLLED_BACK: "retry",
    HoldCode.PLAN_FAILED: "cancel",
}


def buttons(view: ReleaseView) -> tuple[Button, ...]:
    """None once the release has ended: nothing that is shown may be void."""
    phase = view.state.phase
    if phase.ended or phase is ReleasePhase.PROPOSED:
        return ()
    first = _first(view)
    asked = {button.command for button in first}
    return (*first, *(one for one in _always(view) if one.command not in asked))[:MOST]


def _first(view: ReleaseView) -> tuple[Button, ...]:
    """What the state asks for, before what is always possible."""
    hold = stopping(view)
    if hold is not None and hold.code is not HoldCode.PAUSED:
        return _stopped(view, hold)
    decisions = open_decisions(view)
    if decisions:
        # The decision is the one primary; a pause can still be lifted beside it.
        lift = () if hold is None else (Button(label="Resume", command=f"resume {hold.scope}"),)
        return (*_decision(decisions[0]), *lift)
    if hold is not None:
        return (Button(label="Resume", command=f"resume {hold.scope}", style="primary"),)
    return ()


def _decision(decision: Decision) -> tuple[Button, ...]:
    yes, no = _VOTES.get(decision.what, ("Approve", "Reject"))
    marks = decision.what in ("guard", "leftovers")  # what they are about, the question says
    name = "" if marks else decision.subject.partition(" ")[0].replace("/", " wave ")
    return (
        Button(label=f"{yes} {name}".strip(), command=f"approve {decision.id}", style="primary"),
        Button(label=no, command=f"reject {decision.id}"),
    )


_VOTES = {
    "release": ("Approve the release", "Reject"),
    "stage": ("Approve stage", "Reject"),
    "wave": ("Approve stage", "Reject"),
    "after-stage": ("Approve stage", "Reject"),
    "install": ("Install", "Reject"),
    "undo": ("Delete", "Keep it"),
    "unreachable": ("Leave them out of", "Reject"),
    "undo-data": ("Delete data too", "Keep data"),
    "leftovers": ("Delete them", "Keep them"),
}


def _stopped(view: ReleaseView, hold: Hold) -> tuple[Button, ...]:
    release = view.plan.release
    match _LIFTED_BY.get(hold.code, "resume"):
        case "":
            return ()
        case "retry" if hold.code is HoldCode.ROLLED_BACK:
            part = hold.part or release
            own = part if ":" in part else part.partition("/")[2].replace("/", " wave ")
            label = f"Retry {own}".strip()
            return (Button(label=label, command=f"retry {part}", style="primary"),)
        case "retry":
            return _failed(release, in_phase(view, UnitPhase.FAILED))
        case "override":
            return (Button(label="Override…", command=f"override {release}", style="primary"),)
        case "resume":
            return (Button(label="Resume", command=f"resume {hold.scope}", style="primary"),)
        case verb:
            return (Button(label=verb.capitalize(), command=f"{verb} {release}", style="primary"),)


def _failed(release: str, units: Sequence[str]) -> tuple[Button, ...]:
    if len(units) == 1:
        return (
            Button(label=f"Retry {units[0]}", command=f"retry {units[0]}", style="primary"),
            Button(label=f"Skip {units[0]}…", command=f"skip {units[0]}"),
        )
    label = f"Retry {len(units)} failed units" if units else "Retry"
    return (Button(label=label, command=f"retry {release}", style="primary"),)


def _always(view: ReleaseView) -> tuple[Button, ...]:
    release = view.plan.release
    why = Button(label="Why?", command=f"why {release}")
    held = bool(view.holds)
    pause = () if held else (Button(label="Pause", command=f"pause {release}"),)
    if view.state.phase is ReleasePhase.ROLLING_BACK:
        return (*pause, why)
    if view.state.began is None:
        return (*pause, Button(label="Cancel…", command=f"cancel {release}"), why)
    units = sum(state.began is not None for state in view.units.values())
    count = f" {units} {'unit' if units == 1 else 'units'}" if units else ""
    back = Button(label=f"Roll back{count}…", command=f"rollback {release}", style="danger")
    return (*pause, back, why)
