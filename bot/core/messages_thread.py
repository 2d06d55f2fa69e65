"""The thread of a release: which events are told there, and in which words.

Quiet by default: what a card shows is not told again. Mentions stand only where a decision is
awaited, and never name the person who acted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.core.messages_answers import after_no
from bot.core.messages_card import what
from bot.core.messages_figures import in_phase
from bot.core.messages_units import UNIT_STORIES
from bot.core.messages_why import why
from bot.core.messages_words import clause, exact, length, many, moment, row, sentence, some, where
from bot.model.gate import ReleaseView, Wait
from bot.model.message import Button, Message, Tone
from bot.model.state import Event, HoldCode, ReleasePhase, UnitPhase

Say = Callable[[Event, ReleaseView], Message | None]


def story(event: Event, view: ReleaseView) -> Message | None:
    """What the thread says of an event; None where the card is enough."""
    say = _STORIES.get(event.kind)
    return say(event, view) if say is not None else None


def _proposed(event: Event, view: ReleaseView) -> Message:
    errors = some(event.data.get("errors"))
    title = clause(event.data.get("title"))
    units = many(len(view.plan.units), "unit")
    said = f"{many(errors, 'error')} to mend before it can merge" if errors else f"plan for {units}"
    return Message(text=sentence(f"Proposed: {what(view)}, {said}", title))


def _scheduled(event: Event, view: ReleaseView) -> Message:
    data = event.data
    start = f"First batch {_at(data['start'], view)}" if data.get("start") else ""
    end = f"forecast end {_at(data['end'], view)}" if data.get("end") else ""
    commit = f" as {str(data['commit'])[:8]}" if data.get("commit") else ""
    waves = sum(len(stage.waves) for stage in view.plan.stages)
    how = f"{many(len(view.plan.units), 'unit')} in {many(waves, 'wave')}"
    times = ", ".join(part for part in (start, end) if part)
    return Message(text=sentence(f"Merged{commit}: {what(view)} on {how}", times))


def _began(_event: Event, view: ReleaseView) -> Message:
    return Message(text=sentence(f"Began: {what(view)} on {many(len(view.plan.units), 'unit')}"))


def _succeeded(event: Event, view: ReleaseView) -> Message:
    data = event.data
    count = some(data.get("units")) or len(in_phase(view, UnitPhase.SUCCEEDED))
    skipped, owed = some(data.get("skipped")), some(data.get("owed"))
    rest = ", ".join(
        part
        for part in (f"{skipped} skipped" if skipped else "", f"{owed} owed" if owed else "")
        if part
    )
    text = f"Succeeded: {what(view)} on {many(count, 'unit')}"
    return Message(text=sentence(text, rest, _took(event, view)), tone=Tone.HEALTHY)


def _rolling_back(event: Event, view: ReleaseView) -> Message:
    data = event.data
    count = some(data.get("units"))
    return Message(
        text=sentence(
            f"Rolling back {_by(data.get('by') or event.who)}: {clause(data.get('reason'))}",
            f"{many(count, 'unit')}, newest first; what was there before is put back",
        ),
        tone=Tone.ROLLING_BACK,
    )


def _rolled_back(event: Event, view: ReleaseView) -> Message:
    data = event.data
    blocked = row(data.get("blocked"))
    branch = data.get("branch")
    return Message(
        text=sentence(
            f"Rolled back: {many(some(data.get('units')), 'unit')} are what they were before"
            if some(data.get("units")) != 1
            else "Rolled back: 1 unit is what it was before",
            f"Blocked: {blocked}" if blocked and data.get("blocked") is not True else "",
            f"The revert is {branch}; merge it if main still has the release" if branch else "",
        ),
        tone=Tone.DONE,
    )


def _cancelled(event: Event, view: ReleaseView) -> Message:
    reason = clause(event.data.get("reason"))
    text = f"Cancelled{_person(event)}" + (f": {reason}" if reason else "")
    return Message(text=sentence(text, "Nothing more begins"), tone=Tone.DONE)


def _superseded(event: Event, _view: ReleaseView) -> Message:
    by = event.data.get("by") or "a newer release"
    return Message(text=f"Superseded by {by}: it takes over these units.", tone=Tone.DONE)


def _asked(event: Event, view: ReleaseView) -> Message:
    data = event.data
    asked = str(data.get("id", ""))
    wanted = view.deciders.get(asked) or _names(data.get("who"))
    roles = row(data.get("roles"), joint=" or ")
    count = many(some(data.get("count")) or 1, "approval")
    return Message(
        text=sentence(
            f"Needs decision {asked}: {clause(data.get('asks'))}",
            f"{count}{f' of role {roles}' if roles else ''}",
        ),
        tone=Tone.DECISION,
        buttons=(
            Button(label="Approve", command=f"approve {asked}", style="primary"),
            Button(label="Reject", command=f"reject {asked}"),
        ),
        mentions=tuple(name for name in wanted if name != event.who),
    )


def _vote(event: Event, _view: ReleaseView) -> Message | None:
    data = event.data
    have, count = data.get("have"), data.get("count")
    if some(have) >= (some(count) or 1):
        return None  # the last one needed is told as the approval itself
    return Message(text=f"{event.who} approved {data.get('id', '')}: {have} of {count} approvals.")


def _approved(event: Event, view: ReleaseView) -> Message:
    asked = str(event.data.get("id", ""))
    votes = next((d.votes for d in view.decisions if d.id == asked), ())
    by = row(event.data.get("by")) or row([vote.by for vote in votes]) or event.who
    return Message(text=f"Approved {asked} by {by}. It goes on by its gates.")


def _rejected(event: Event, _view: ReleaseView) -> Message:
    reason = clause(event.data.get("reason"))
    text = f"Rejected {event.data.get('id', '')} by {event.who}" + (f": {reason}" if reason else "")
    held = event.data.get("what") not in ("override-window", "undo", "undo-data", "leftovers")
    tone = Tone.STOPPED if held else None
    return Message(text=sentence(text, after_no(event.data)), tone=tone)


def _void(event: Event, _view: ReleaseView) -> Message:
    cause = clause(event.data.get("why"))
    text = f"Decision {event.data.get('id', '')} is void" + (f": {cause}" if cause else "")
    return Message(text=sentence(text, "It is asked again where needed"))


def _reopened(event: Event, view: ReleaseView) -> Message:
    data = event.data
    asked = str(data.get("id", ""))
    wanted = view.deciders.get(asked) or _names(data.get("who"))
    return Message(
        text=sentence(
            f"Decision {asked} is open again: {some(data.get('have'))} of"
            f" {many(some(data.get('count')) or 1, 'approval')} count now"
        ),
        tone=Tone.DECISION,
        buttons=(
            Button(label="Approve", command=f"approve {asked}", style="primary"),
            Button(label="Reject", command=f"reject {asked}"),
        ),
        mentions=tuple(wanted),
    )


def _hold(event: Event, view: ReleaseView) -> Message:
    data = event.data
    code = str(data.get("code", "paused"))
    scope = data.get("scope")
    facts = {**data, "by": data.get("by") or event.who}
    facts["scope"] = "" if scope == event.release else scope
    wire = data.get("in_flight")
    extra = f"{many(some(wire), 'call')} on the wire: {row(wire)}" if some(wire) else ""
    finish = "Batches that began go on to their end" if data.get("finish_batch") else ""
    if code == "paused":
        reason = clause(data.get("reason"))
        text = sentence(
            f"Paused {where(data.get('scope'))} by {event.who}" + (f": {reason}" if reason else ""),
            f"No forward write begins from {exact(event.at)}",
            extra,
            finish,
        )
        return Message(text=text, tone=Tone.PAUSED)
    if code == "snoozed":
        text = why(Wait(code="held", facts={**facts, "scope": scope}), view.zone)
        return Message(text=text, tone=Tone.PAUSED)
    # A failure or a rule stopped it: somebody must decide, so those who own it are called.
    owners = dict.fromkeys(o for c in view.plan.components for o in c.owners if o != event.who)
    return Message(
        text=sentence(why(Wait(code="held", facts=facts), view.zone), extra),
        tone=Tone.STOPPED,
        mentions=tuple(owners),
    )


def _lifted(event: Event, view: ReleaseView) -> Message | None:
    if view.state.phase is ReleasePhase.ROLLING_BACK:
        return None  # the rollback lifted it, and nothing goes on by its gates
    if event.data.get("code") in (HoldCode.FAILED, HoldCode.REJECTED):
        return None  # what lifted it is told: a retry, a skip, an override, a yes
    scope = where(event.data.get("scope"))
    if event.data.get("code") == HoldCode.SNOOZED and event.who == "sluice":
        return _awake(event, view)
    return Message(text=f"Resumed {scope} by {event.who}. It goes on by its gates.")


def _awake(event: Event, view: ReleaseView) -> Message:
    """The snooze is over: who can decide what was asked before it is called again."""
    asked = _names(event.data.get("decisions"))
    wanted = dict.fromkeys(name for one in asked for name in view.deciders.get(one, ()))
    return Message(
        text=sentence(
            f"The snooze of {where(event.data.get('scope'))} is over; it goes on by its gates",
            f"Still to decide: {row(asked)}" if asked else "",
        ),
        tone=Tone.DECISION if asked else None,
        mentions=tuple(wanted),
    )


def _frozen(event: Event, view: ReleaseView) -> Message:
    data = event.data
    until = f" until {_at(data['until'], view)}" if data.get("until") else ""
    reason = clause(data.get("reason"))
    text = f"Frozen {where(data.get('scope'))}{until} by {event.who}"
    return Message(
        text=sentence(text + (f": {reason}" if reason else ""), "No batch of it begins"),
        tone=Tone.PAUSED,
    )


def _unfrozen(event: Event, _view: ReleaseView) -> Message:
    return Message(text=f"Unfrozen {where(event.data.get('scope'))} by {event.who}.")


def _override(event: Event, _view: ReleaseView) -> Message:
    data = event.data
    reason = clause(data.get("reason"))
    unit = f" of {event.unit}" if event.unit else ""
    because = f": {reason}" if reason else ""
    if (scope := data.get("scope")) is not None:
        voices = f"{data.get('have')} of {data.get('count')}"
        text = f"{event.who} asks to override windows of {where(scope)}: {voices}"
        return Message(text=sentence(text, f"Reason: {reason}" if reason else ""))
    return Message(text=f"{event.who} overrode {row(data.get('what'))}{unit}{because}.")


def _accepted(event: Event, _view: ReleaseView) -> Message:
    cluster = event.data.get("cluster", "")
    return Message(text=f"Accepted by {event.who}: cluster {cluster} as it is now.")


def _window_closed(event: Event, view: ReleaseView) -> Message:
    again = event.data.get("next_open")
    then = f"The next batch begins {_at(again, view)} or later" if again else "No opening is known"
    return Message(text=sentence("The window closed; nothing new begins", then))


def _amended(event: Event, _view: ReleaseView) -> Message:
    units = row(event.data.get("units"))
    return Message(
        text=sentence(
            f"Joined: {units or 'a unit'}, as the last wave of its stage",
            "Planned from the release's own commit; nothing else changed",
        )
    )


_STORIES: Mapping[str, Say] = {
    **UNIT_STORIES,
    "release.proposed": _proposed,
    "release.scheduled": _scheduled,
    "release.amended": _amended,
    "release.began": _began,
    "release.succeeded": _succeeded,
    "release.rolling-back": _rolling_back,
    "release.rolled-back": _rolled_back,
    "release.cancelled": _cancelled,
    "release.superseded": _superseded,
    "decision.asked": _asked,
    "decision.vote": _vote,
    "decision.approved": _approved,
    "decision.rejected": _rejected,
    "decision.void": _void,
    "decision.reopened": _reopened,
    "hold.set": _hold,
    "hold.lifted": _lifted,
    "freeze.set": _frozen,
    "freeze.lifted": _unfrozen,
    "override": _override,
    "cluster.accepted": _accepted,
    "window.closed": _window_closed,
}

KINDS = tuple(_STORIES)
"""Kinds that may be told. A check is told by the failure it makes; a write never is."""


def _took(event: Event, view: ReleaseView) -> str:
    began = view.state.began
    return f"It took {length(event.at - began)}" if began is not None else ""


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(name) for name in value or ())


def _by(who: Any) -> str:
    return f"by {who}" if who and who != "sluice" else "by its own rules"


def _person(event: Event) -> str:
    return f" by {event.who}" if event.who and event.who != "sluice" else ""


def _at(at: Any, view: ReleaseView) -> str:
    return moment(at, view.zone, year=view.now.year)
