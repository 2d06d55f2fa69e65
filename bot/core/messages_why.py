"""Why something waits: one sentence for each code a gate can give, from the facts it names.

State first, cause second, next step third, time last. Never decides, never asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.core import (
    messages_graph,
    messages_guard,
    messages_leftovers,
    messages_rolling,
    messages_siblings,
)
from bot.core.messages_drift import drifted
from bot.core.messages_holds import held
from bot.core.messages_progress import uncounted
from bot.core.messages_why_back import BACK
from bot.core.messages_words import clause, length, many, moment, row, sentence, some
from bot.model.gate import Stop, Wait

Facts = Mapping[str, Any]
Say = Callable[[Facts, str], str]


def why(wait: Wait, zone: str = "UTC") -> str:
    """The sentence of a closed gate. Times are named in `zone`."""
    say = _SENTENCES.get(wait.code)
    if say is None:
        return _unknown(wait, zone)
    stopped = isinstance(wait, Stop) and wait.code in _CAUSES
    if not stopped:
        return say(wait.facts, zone)
    step = _STEPS.get(wait.code, "Retry, skip or roll back")
    return sentence(f"Stopped: {cause(wait)}", "Nothing more begins", step)


def cause(wait: Wait) -> str:
    """Only what went wrong, for a longer sentence to name: no state, no next step, no full stop."""
    say = _CAUSES.get(wait.code)
    return clause(say(wait.facts) if say is not None else headline(wait))


def headline(wait: Wait, zone: str = "UTC") -> str:
    """Only the state and its cause: the first sentence, for a phone and a table."""
    text = why(wait, zone)
    head, stop, rest = text.partition(". ")
    return head if stop and rest else text.rstrip(".")


def _no_evidence(f: Facts, _: str) -> str:
    failed = row(f.get("failed"))
    said = f"{failed} has not passed" if failed else "has no evidence that it passed"
    return sentence(
        f"Not releasable: {_version(f)}{': ' if failed else ' '}{said}",
        "Its ComponentVersion file must bring it, or an admin overrides",
    )


def _blocked(f: Facts, zone: str) -> str:
    reason = clause(f.get("reason"))
    until = f.get("blocked_until")
    return sentence(
        f"Blocked: {_version(f)} may not go forward" + (f", {reason}" if reason else ""),
        "Release another version, or an admin overrides",
        f"Until {moment(until, zone, year=0)}" if until else "",
    )


def _earlier_stage(f: Facts, _: str) -> str:
    return f"Waiting for stage {f.get('stage', '')}: {_left(f)}."


def _earlier_wave(f: Facts, _: str) -> str:
    return f"Waiting for wave {f.get('wave', '')}: {_left(f)}."


def _dependency(f: Facts, _: str) -> str:
    by = f" (release {f['release']})" if f.get("release") else ""
    return f"Waiting for the dependency {f.get('unit', '')}{by}: it goes first and alone."


def _dependency_first(f: Facts, _: str) -> str:
    ended = f.get("ended")
    return sentence(
        f"Waiting for the dependency {f.get('unit', '')}: release {f.get('release', '')} was merged"
        f" earlier and {'has not brought it to a good end' if ended else 'brings it first'}",
        "Retry or skip it there" if ended else "",
    )


def _dependency_half(f: Facts, _: str) -> str:
    return sentence(
        f"Waiting for the dependency {f.get('unit', '')}: release {f.get('release', '')} left it"
        f" half-way to {f.get('version', '')}",
        "Retry it, roll it back, or release it again",
    )


def _risk(f: Facts, zone: str) -> str:
    behind = f" (under way: {row(f['under_way'], most=3)})" if f.get("under_way") else ""
    rule, reason = f.get("rule", ""), f"{clause(f.get('reason'))}{behind}"
    if f.get("verdict") != "stop":
        return sentence(f"Waiting by risk rule {rule}: {reason}")
    return sentence(
        f"Stopped by risk rule {rule}: {reason}",
        "When its turn comes the whole release is held, until somebody resumes it",
    )


def _risk_error(f: Facts, _: str) -> str:
    return sentence(
        f"Stopped by risk rule {f.get('rule', '')}: it cannot be answered, {clause(f.get('why'))}",
        "No answer is no yes; mend the rule on main",
    )


def _host(f: Facts, _: str) -> str:
    cluster, here = f.get("cluster", ""), "hosts this one" if f.get("hosts") else "is hosted here"
    by = f" (release {f['release']})" if f.get("release") else ""
    return (
        f"Waiting for {f.get('unit', '')}{by}: cluster {cluster} {here},"
        " and the two are never in flight together."
    )


def _day_limit(f: Facts, _: str) -> str:
    began = f"{f.get('began')} of {f.get('limit')} units began in the last 24 hours"
    return f"Waiting for a place in the day: {began} over all releases (limits.unitsPerDay)."


def _locked(f: Facts, _: str) -> str:
    return sentence(
        f"Waiting: release {f.get('release', '')} is at work on {f.get('unit', '')}",
        "Free when that release has ended; a newer release may name it in supersedes",
    )


def _first_wave(f: Facts, _: str) -> str:
    return sentence(
        f"Waiting: the first wave of stage {f.get('stage', '')} has"
        f" {many(some(f.get('planned')), 'unit')}, and the policy of now allows {f.get('most')}",
        "Cancel it and release with a smaller first wave, or change floors.firstWave",
    )


def _concurrency(f: Facts, _: str) -> str:
    return f"Waiting for a place: {f.get('in_flight')} of {f.get('limit')} units are in flight."


def _fleet_limit(f: Facts, _: str) -> str:
    taken = f"{f.get('in_flight')} of {f.get('limit')} units are in flight"
    stand = row(f.get("standing"), most=3)
    return sentence(
        f"Waiting for a place in the fleet: {taken} over all releases (limits.unitsInFlight)",
        f"Units of {stand} stand on their way back: its `why` says for whom" if stand else "",
    )


def _stage_failures(f: Facts, _: str) -> str:
    stage = f" in stage {f['stage']}" if f.get("stage") else ""
    return sentence(
        f"Stopped: {many(some(f.get('failed')), 'unit')} failed{stage},"
        f" {some(f.get('tolerated'))} tolerated",
        "Nothing more begins there",
        "Retry, skip or roll back",
    )


def _not_merged(f: Facts, _: str) -> str:
    return sentence(f"Waiting for its merge: {f.get('pull') or 'the pull request'} is open")


def _not_before(f: Facts, zone: str) -> str:
    return f"Waiting for notBefore: {moment(f.get('at'), zone)}."


def _window(f: Facts, _: str) -> str:
    return sentence(f"Waiting for a window: {clause(f.get('why'))}")


def _does_not_fit(f: Facts, zone: str) -> str:
    close = f" {moment(f['close'], zone)}" if f.get("close") else ""
    return (
        f"Waiting for a window: the next batch needs {length(f.get('need'))} with people"
        f" watching, and the open window closes{close}."
    )


def _unreachable(f: Facts, zone: str) -> str:
    return sentence(
        f"Unreachable: {messages_rolling.unreachable_cause(f)}",
        "It is asked again by itself",
        _since(f.get("since"), zone),
    )


def _unreachable_many(f: Facts, zone: str) -> str:
    asked = f" (approve {f['id']} leaves them out)" if f.get("id") else ""
    return sentence(
        f"Needs decision: {messages_rolling.unreachable_cause(f)}, and stage {f.get('stage', '')}"
        f" has {f.get('out')} left out already, {f.get('most')} tolerated{asked}",
        "The release may have made them silent: look first, or skip it",
        _since(f.get("since"), zone),
    )


def _rebuilt(f: Facts, _: str) -> str:
    return sentence(
        f"Stopped: cluster {f.get('cluster', '')} has another identity than at first contact",
        "It was rebuilt, or the connection points elsewhere",
        "Look at the cluster, then accept or skip",
    )


def _check(f: Facts, _: str) -> str:
    match _verdict(f.get("verdict")):
        case "FAILED":
            step = "Retry, override or roll back"
        case "INCONCLUSIVE":
            step = "Look at the evidence, then retry, override or roll back"
        case "ERRORED":
            return sentence(f"Waiting: {_check_cause(f)}", "It is asked again by itself")
        case _:
            seen = clause(f.get("why"))
            return sentence(f"Waiting for {_check_name(f)}" + (f": {seen}" if seen else ""))
    return sentence(f"Stopped: {_check_cause(f)}", "Nothing more begins", step)


def _check_name(f: Facts) -> str:
    return f"{'pre-check' if f.get('when') == 'before' else 'post-check'} {f.get('name', '')}"


def _check_cause(f: Facts) -> str:
    said = {
        "FAILED": "failed",
        "INCONCLUSIVE": "neither passed nor failed",
        "ERRORED": "could not be asked",
    }.get(_verdict(f.get("verdict")), "is not answered")
    seen = clause(f.get("why"))
    return f"{_check_name(f)} {said}" + (f": {seen}" if seen else "")


def _approval(f: Facts, _: str) -> str:
    roles = row(f.get("roles"), joint=" or ")
    by = f" of role {roles}" if roles else ""
    asks = clause(f.get("asks")) or "approval"
    how = f" (approve {f['id']})" if f.get("id") else ""
    return sentence(
        f"Needs decision: {asks}",
        f"{some(f.get('have'))} of {f.get('count', 1)} approvals{by}{how}",
        f"Asked anew: {clause(f['anew'])}" if f.get("anew") else "",
    )


def _superseding(f: Facts, _: str) -> str:
    return f"Waiting for {row(f.get('releases'))} to stop: this release supersedes it."


def _main_broken(f: Facts, _: str) -> str:
    path = f.get("path") or "a file on main"
    return sentence(f"Held: {path} does not lint on main", "Mend it there; this goes on by itself")


def _rollback_order(f: Facts, _: str) -> str:
    return f"The rollback waits for newer units: {_left(f)}."


def _plan_changed(_f: Facts, _: str) -> str:
    return held({"code": "plan-changed"}, "UTC")


def _not_due(_f: Facts, _: str) -> str:
    return "Nothing to wait for: the next look at the cluster is not due yet."


def _unknown(wait: Wait, zone: str) -> str:
    facts = ", ".join(
        f"{key} {moment(value, zone)}" for key, value in sorted(wait.facts.items()) if value
    )
    return sentence(f"Waiting: {wait.code}" + (f" ({facts})" if facts else ""))


def _left(f: Facts) -> str:
    left = f.get("left")
    names = "" if isinstance(left, int | str) or not left else f" ({row(left, most=3)})"
    return f"{many(some(left), 'unit')} left{names}"


def _version(f: Facts) -> str:
    return f"{f.get('component', '')} {f.get('version', '')}".strip()


def _since(at: Any, zone: str) -> str:
    return f"Since {moment(at, zone)}" if at else ""


def _verdict(value: Any) -> str:
    name = getattr(value, "name", None)
    if isinstance(name, str):
        return name
    numbers = ("PASSED", "PENDING", "ERRORED", "INCONCLUSIVE", "FAILED")
    if isinstance(value, int) and 0 <= value < len(numbers):
        return numbers[value]
    return str(value).upper()


_CAUSES: Mapping[str, Callable[[Facts], str]] = {
    "check": _check_cause,
    "converging": messages_rolling.converging_cause,
    "guarded": messages_guard.blocked_cause,
    "refused": messages_rolling.refused_cause,
    "restoring": messages_rolling.restoring_cause,
    "sick": messages_rolling.sick_cause,
    "unreachable": messages_rolling.unreachable_cause,
}
"""Gates that can become a failure of the unit."""

_STEPS = {"check": "Retry, override or roll back", "restoring": "Look at the cluster, then retry"}

_SENTENCES: Mapping[str, Say] = {
    "held": held,
    "leftovers": messages_leftovers.waits,
    "no-evidence": _no_evidence,
    "blocked": _blocked,
    "earlier-stage": _earlier_stage,
    "earlier-wave": _earlier_wave,
    "dependency": _dependency,
    "needs": messages_graph.needs,
    "dependents-first": messages_graph.dependents_first,
    "locked": _locked,
    "dependency-first": _dependency_first,
    "dependency-half": _dependency_half,
    "risk": _risk,
    "risk-error": _risk_error,
    "host": _host,
    "day-limit": _day_limit,
    "first-wave": _first_wave,
    "concurrency": _concurrency,
    "fleet-limit": _fleet_limit,
    "stage-failures": _stage_failures,
    "not-merged": _not_merged,
    "not-before": _not_before,
    "window": _window,
    "does-not-fit": _does_not_fit,
    "unreachable": _unreachable,
    "unreachable-many": _unreachable_many,
    "drift": drifted,
    "guarded": messages_guard.blocked,
    "guard-asks": messages_guard.asked,
    "rebuilt": _rebuilt,
    "uncounted": uncounted,
    "check": _check,
    "approval": _approval,
    "converging": messages_rolling.converging,
    "refused": messages_rolling.refused,
    "soaking": messages_rolling.soaking,
    "sick": messages_rolling.sick,
    "superseding": _superseding,
    "main-broken": _main_broken,
    "rollback-order": _rollback_order,
    **BACK,
    "plan-changed": _plan_changed,
    "not-due": _not_due,
    "shared-object": messages_siblings.shared_object,
    "node-sets": messages_siblings.node_sets,
}

CODES = tuple(_SENTENCES)
"""Every code a gate may give."""
