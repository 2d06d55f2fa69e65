"""What a batch in a cluster waits for, in words: from the driver's code and its facts.

Pods are named with their reason, so that nobody has to look them up. Never decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.core.messages_guard import kept_back
from bot.core.messages_words import clause, many, row, sentence, some

Detail = Mapping[str, Any]


def waits_for(waiting: Any, detail: Any) -> str:
    """The cause as a clause without a full stop; foreign texts pass as they are; "" when none."""
    facts: Detail = detail if isinstance(detail, Mapping) else {}
    foreign = "" if isinstance(detail, Mapping) else clause(row(detail))
    if isinstance(waiting, str) and waiting in _CAUSES:
        return "; ".join(part for part in (_CAUSES[waiting](facts), foreign, _leak(facts)) if part)
    named = "" if isinstance(waiting, int) else clause(row(waiting))
    return "; ".join(part for part in (named, foreign) if part)


def noun(d: Any) -> str:
    """What is counted: pods, unless the driver says otherwise."""
    return str(d.get("noun", "pod")) if isinstance(d, Mapping) else "pod"


def _unreachable(d: Detail) -> str:
    error = clause(d.get("error"))
    return "the cluster did not answer" + (f" ({error})" if error else "")


def _not_applied(d: Detail) -> str:
    return f"{_object(d)} is being written"


def _not_established(d: Detail) -> str:
    what, reason = clause(d.get("definition")), clause(d.get("reason"))
    said = f" ({reason})" if reason else ""
    return f"{_object(d)} waits until the API server has established CRD {what}{said}"


def _old_unavailable(d: Detail) -> str:
    return f"pods that were there before are not available{_pods(d)}"


def _controller_lag(d: Detail) -> str:
    return f"the controller of {_object(d)} has not seen the change yet"


def _other_revision(d: Detail) -> str:
    return f"{_object(d)} does not carry this revision yet"


def _progress(d: Detail) -> str:
    if "good" in d and "want" in d and some(d["good"]) < some(d["want"]):
        return f"{d['good']} of {many(d['want'], noun(d))} good{_pods(d)}"
    if some(d.get("old")):
        return f"{many(d['old'], f'old {noun(d)}')} to replace{_pods(d)}"
    reason = clause(d.get("reason"))
    return f"{_object(d)} is {reason}" if reason else ""


def _collateral(d: Detail) -> str:
    count = some(d.get("unavailable"))
    return (
        f"{many(count, noun(d))} became unavailable{_pods(d)}" if count else f"pods fail{_pods(d)}"
    )


def _leak(d: Detail) -> str:
    leak = some(d.get("leak"))
    return f"{many(leak, noun(d))} more than wanted on the new version" if leak else ""


def _pods(d: Detail) -> str:
    """`: node-agent-x and 2 more CrashLoopBackOff`."""
    named, reason = row(d.get("pods"), most=3), clause(d.get("reason"))
    text = " ".join(part for part in (named, reason) if part)
    return f": {text}" if text else ""


def _object(d: Detail) -> str:
    return clause(d.get("object") or d.get("workload")) or "an object"


_CAUSES: Mapping[str, Callable[[Detail], str]] = {
    "unreachable": _unreachable,
    "not-applied": _not_applied,
    "not-established": _not_established,
    "old-unavailable": _old_unavailable,
    "controller-lag": _controller_lag,
    "other-revision": _other_revision,
    "progress": _progress,
    "collateral": _collateral,
    "guarded": kept_back,
}


def uncounted(f: Detail, _: str) -> str:
    """Why no batch begins while a total is not known."""
    return sentence(
        f"Waiting: nobody says how many {f.get('object', '')} is to have",
        f"Nothing stands at {f.get('path', '')}: its controller has not reported, or its row names "
        "another field",
        "Without the number a batch would be all of it; it is asked again by itself",
    )
