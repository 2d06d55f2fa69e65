"""The audit in words: one sentence a line, fit for a post-mortem. Events in, words out.

Who did what, when it was for, and why; a line without a sentence of its own is told by its facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.core.messages_guard import changes, granted
from bot.core.messages_leftovers import (
    added_line,
    deleted_line,
    found_line,
    kept_line,
    undone_line,
)
from bot.core.messages_words import clause, many, moment, row, sentence, short, some
from bot.model.state import Certificate, Event

Facts = Mapping[str, Any]
Say = Callable[[Event, Facts], str]


def line_text(event: Event) -> str:
    """What happened, in one sentence."""
    say = _SAYS.get(event.kind)
    if say is not None:
        return say(event, event.data)
    kind = event.kind.replace(".", " ")
    facts = ", ".join(
        f"{key} {_plain(value)}" for key, value in sorted(event.data.items()) if value
    )
    return sentence(f"{_where(event)}{kind}{_by(event)}" + (f" ({facts})" if facts else ""))


def proof_text(one: Certificate) -> str:
    """What a certificate proves, in one sentence."""
    checks = [f"{run.name} {run.verdict.name}" + (f", overridden by {run.overridden_by}" if
              run.overridden_by else f" ({many(len(run.measurements), 'sample')})")
              for run in one.checks]  # fmt: skip
    approved = f"approved by {row(one.approvers)}" if one.approvers else "no approval was asked"
    last = ", the last batch" if one.final else ""
    return sentence(
        f"{one.unit} batch {one.batch}{last}: {one.updated} of {one.total} on {one.revision}",
        f"Healthy from {moment(one.soak_from)} to {moment(one.soak_until)}",
        f"Checks: {row(checks, most=20, joint='; ')}" if checks else "No check was asked",
        f"Plan {short(one.plan_hash, 19)}, {approved}",
    )


def _by(event: Event) -> str:
    return f" by {event.who}" if event.who and event.who != "sluice" else ""


def _where(event: Event) -> str:
    return f"{event.unit}: " if event.unit else ""


def _why(f: Facts, key: str = "reason") -> str:
    return f": {clause(f[key])}" if f.get(key) else ""


def _plain(value: Any) -> str:
    return row(value) if isinstance(value, list | tuple) else short(str(value), 60)


def _write(event: Event, f: Facts) -> str:
    to = {"forward": "to go forward", "stop": "to stop", "go-on": "to go on",
          "settle": "to settle", "restore": "to put back"}  # fmt: skip
    purpose = to.get(str(f.get("purpose")), str(f.get("purpose", "")))
    return sentence(
        f"{_where(event)}{f.get('verb')} of {_object(f)} {purpose}, batch {event.batch},"
        f" fence {f.get('fence')}"
    )


def _object(f: Facts) -> str:
    """`DaemonSet infra/node-agent` of `apps/v1/DaemonSet/infra/node-agent`."""
    parts = str(f.get("object", "")).split("/")
    if len(parts) < 3:
        return str(f.get("object", ""))
    kind, space, name = parts[-3:]
    return f"{kind} {space}/{name}" if space else f"{kind} {name}"


def _outcome(event: Event, f: Facts) -> str:
    said = {
        "DONE": "done, and the cluster warned",
        "UNKNOWN": "its answer was lost; the next look tells",
        "NOT_SENT": "it did not leave",
        "REFUSED": "the cluster refused it",
        "FENCED": "a newer plan had written there",
    }.get(str(f.get("status")), str(f.get("status")))
    return sentence(f"{_where(event)}write {f.get('seq')}: {said}{_why(f, 'why')}")


def _applying(event: Event, f: Facts) -> str:
    wanted = sum(n for n in (f.get("targets") or {}).values() if isinstance(n, int))
    aim = f", {wanted} updated in all" if wanted else ""
    place = f" (stage {f['stage']}, wave {f.get('wave')})" if f.get("stage") else ""
    return sentence(
        f"{_where(event)}batch {f.get('batch', event.batch)} of {f.get('batches', '?')}"
        f" begins{aim}{place}"
    )


def _soaking(event: Event, f: Facts) -> str:
    return sentence(
        f"{_where(event)}converged, {f.get('updated')} of {f.get('total')} updated; watched"
        f" until {moment(f.get('until'))}"
    )


def _check(event: Event, f: Facts) -> str:
    when = "before" if f.get("when") == "before" else "after"
    return sentence(
        f"{_where(event)}check {f.get('name')} {when} the batch: {f.get('verdict')}{_why(f, 'why')}"
    )


def _done(event: Event, f: Facts) -> str:
    proof = short(str(f.get("certificate") or ""), 12)
    counted = f"{f.get('updated')} of {f.get('total')} updated"
    if f.get("leak"):
        counted += f", {f.get('leak')} more than this batch wanted"
    return sentence(
        f"{_where(event)}batch {event.batch} is done, {counted}",
        f"Certificate {proof}" if proof else "",
    )


def _asked(event: Event, f: Facts) -> str:
    count = many(f.get("count", 1), "approval")
    return sentence(f"Decision {f.get('id')} is asked: {clause(f.get('asks'))}", f"Needs {count}")


def _hold(event: Event, f: Facts) -> str:
    return sentence(f"Held on {f.get('scope')} ({f.get('code')}){_by(event)}{_why(f)}")


def _refused(event: Event, f: Facts) -> str:
    return sentence(f"{event.who} was refused: {clause(f.get('text'))}", clause(f.get("why")))


def _unit(text: str, key: str = "reason") -> Say:
    return lambda event, f: sentence(f"{_where(event)}{text}{_by(event)}{_why(f, key)}")


def _release(text: str, key: str = "reason") -> Say:
    return lambda event, f: sentence(f"{event.release}: {text}{_by(event)}{_why(f, key)}")


def _said(text: str) -> Say:
    return lambda event, f: sentence(f"Decision {f.get('id')} {text}{_by(event)}{_why(f)}")


def _ended(event: Event, f: Facts) -> str:
    skipped, owed = some(f.get("skipped")), some(f.get("owed"))
    return sentence(
        f"{event.release}: succeeded on {many(some(f.get('units')), 'unit')}"
        f"; {skipped} left out, {owed} owed"
    )


def _back(event: Event, f: Facts) -> str:
    blocked = row(f.get("blocked"))
    return sentence(
        f"{event.release}: rolled back, {many(some(f.get('units')), 'unit')} as before",
        f"Blocked: {blocked}" if blocked else "",
        f"Revert: {f['branch']}" if f.get("branch") else "",
    )


_SAYS: Mapping[str, Say] = {
    "write": _write,
    "write.outcome": _outcome,
    "batch.applying": _applying,
    "batch.soaking": _soaking,
    "batch.succeeded": _done,
    "batch.again": _unit("the batch begins again", "why"),
    "check": _check,
    "command.refused": _refused,
    "decision.asked": _asked,
    "decision.vote": lambda e, f: sentence(
        f"{e.who} approves {f.get('id')}: {f.get('have')} of {f.get('count')}"
    ),
    "decision.approved": lambda e, f: sentence(
        f"Decision {f.get('id')} is approved" + (f" by {row(f.get('by'))}" if f.get("by") else "")
    ),
    "decision.rejected": _said("is rejected"),
    "decision.reopened": _said("is open again"),
    "decision.void": lambda e, f: sentence(f"Decision {f.get('id')} is void{_why(f, 'why')}"),
    "freeze.set": lambda e, f: sentence(
        f"Frozen on {f.get('scope')} until {moment(f.get('until'))}{_by(e)}{_why(f)}"
    ),
    "freeze.lifted": lambda e, f: sentence(f"The freeze on {f.get('scope')} is lifted{_by(e)}"),
    "hold.set": _hold,
    "hold.lifted": lambda e, f: sentence(
        f"The hold on {f.get('scope')} ({f.get('code')}) is lifted{_by(e)}"
    ),
    "override": lambda e, f: sentence(
        f"{_where(e)}{row(f.get('what'))} overridden{_by(e)}{_why(f)}"
    ),
    "cluster.accepted": lambda e, f: sentence(
        f"Cluster {f.get('cluster')} is taken as it is{_by(e)}"
    ),
    "release.proposed": _release("proposed"),
    "release.scheduled": _release("merged and scheduled"),
    "release.name-taken": _release("not taken: a release of this name has been on main before"),
    "release.began": _release("begins"),
    "release.succeeded": _ended,
    "release.rolling-back": _release("goes back"),
    "release.rolled-back": _back,
    "release.cancelled": _release("cancelled"),
    "release.superseded": lambda e, f: sentence(f"{e.release}: replaced by {f.get('by')}"),
    "soak.extended": lambda e, f: sentence(
        f"{_where(e)}nobody watched for a while; watched until {moment(f.get('until'))}"
    ),
    "unit.succeeded": lambda e, f: sentence(
        f"{_where(e)}done" + (" without a write: it ran this already" if f.get("unchanged") else "")
    ),
    "unit.guarded": lambda e, f: sentence(
        f"{_where(e)}stopped by the guard: {changes(f.get('changes'))}"
    ),
    "guard.granted": lambda e, f: (
        _where(e) + granted(f.get("changes"), str(f.get("id")), f.get("by"))
    ),
    "leftovers.found": lambda e, f: sentence(_where(e) + found_line(f)),
    "leftovers.deleted": lambda e, f: sentence(_where(e) + deleted_line(f)),
    "object.met": lambda e, f: sentence(
        f"{_where(e)}{f.get('object')} was created by somebody else meanwhile: it is adopted as it"
        " is, and a rollback does not delete it"
    ),
    "added.found": lambda e, f: sentence(_where(e) + added_line(f)),
    "added.deleted": lambda e, f: sentence(_where(e) + undone_line(f)),
    "leftover.kept": lambda e, f: sentence(_where(e) + kept_line(f)),
    "leftovers.handed-over": lambda e, f: sentence(
        f"{e.release}: {f.get('release')} waits, and asks about what left the template itself"
    ),
    "unit.failed": _unit("failed", "why"),
    "unit.retry": _unit("tried again"),
    "unit.skipped": _unit("left out, and owed"),
    "unit.quarantined": _unit("its cluster does not answer; quarantined, and owed", "error"),
    "unit.back": _unit("its cluster answers again; it catches up"),
    "unit.rolling-back": _unit("goes back"),
    "unit.rolled-back": lambda e, f: sentence(
        f"{_where(e)}{'deleted again' if f.get('deleted') else 'runs what it ran before'}"
        + (f" ({f['revision']})" if f.get("revision") else "")
    ),
}

KINDS = tuple(_SAYS)
"""Every kind of line that has a sentence of its own."""


def people(events: Iterable[Event]) -> tuple[str, ...]:
    """Everybody who did something, in the order of their first deed."""
    return tuple(dict.fromkeys(e.who for e in events if e.who and e.who != "sluice"))
