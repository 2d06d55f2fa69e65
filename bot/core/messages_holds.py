"""Holds in words: what holds, who and why, and what lifts it.

One sentence for each code of a hold, the same on the card, in the thread and in `why`. Never lifts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.messages_words import clause, moment, sentence, where
from bot.model.state import EmergencyStop

Facts = Mapping[str, Any]


def held(f: Facts, zone: str) -> str:
    """The sentence of a hold, from its scope, reason, person and time."""
    known = _HOLDS.get(str(f.get("code", "paused")), ("Held", "", "Resume lifts it"))
    state, usual, step = known
    by, scope = f.get("by"), f.get("scope")
    named = f"{state} on {where(scope)}" if scope else state
    person = f" by {by}" if by and by != "sluice" else ""
    reason = clause(f.get("reason")) or usual
    if until := f.get("until"):
        person += f" until {moment(until, zone)}"
    head = f"{named}{person}: {reason}" if reason else f"{named}{person}"
    return sentence(head, step, f"Since {moment(f['at'], zone)}" if f.get("at") else "")


def frozen(stop: EmergencyStop, zone: str) -> str:
    """The sentence of an emergency freeze: who froze what, why, until when."""
    head = f"Frozen on {where(stop.scope)} by {stop.by} until {moment(stop.until, zone)}"
    reason = clause(stop.reason)
    step = f"Unfreeze lifts it. Since {moment(stop.at, zone)}"
    return sentence(f"{head}: {reason}" if reason else head, step)


def budget_spent(failed: int, budget: int) -> str:
    """Why everything is held: how many units failed, and how many the policy tolerates."""
    units = f"{failed} units" if failed != 1 else "1 unit"
    return (
        f"{units} failed in the last 24 hours over all releases, and limits.failureBudget"
        f" tolerates {budget}"
    )


# Code → state, the reason where none was written down, and the next step.
_HOLDS = {
    "paused": ("Paused", "", "Resume lifts it"),
    "freeze": ("Frozen", "", "Unfreeze lifts it"),
    "node-sets": (
        "Held",
        "a node is in two node sets at once",
        "Change a selector, or the labels of the node; then resume",
    ),
    "snoozed": ("Snoozed", "", "It goes on by itself then; resume lets it go on at once"),
    "failed": (
        "Stopped",
        "a unit failed",
        "Retry, skip or roll back; an admin can override a check",
    ),
    "risk-rule": (
        "Held",
        "a risk rule says stop",
        "Batches that began go on to their end. Resume, once the rule says so no more",
    ),
    "failure-budget": (
        "Stopped",
        "the failure budget over all releases is used up",
        "Nothing new begins anywhere. Look at the failures; resume all lets everything go on and"
        " begins the count anew",
    ),
    "expired": ("Held", "no first write within the time it gives", "Resume or cancel"),
    "edited": ("Held", "its file was edited after the merge", "Resume, or roll back"),
    "deleted": ("Held", "its file was deleted after the first write", "Resume, or roll back"),
    "unknown-pull": (
        "Held",
        "it came to main without a known pull request",
        "An approver accepts it, or cancel",
    ),
    "plan-changed": (
        "Held",
        "the merge gave another plan than the pull request showed, so approvals are void",
        "Look at the new plan, then accept or cancel",
    ),
    "plan-failed": ("Held", "the merge gave no plan", "Goes on once main is mended; or cancel"),
    "rebuilt": (
        "Held",
        "a cluster has another identity: rebuilt, or the connection points elsewhere",
        "Look at the cluster, then accept or skip",
    ),
    "history-rewritten": (
        "Held",
        "main no longer contains the last processed commit",
        "An admin looks at main, then overrides",
    ),
    "store-restored": (
        "Held",
        "the store was restored from a backup",
        "Lifts itself once the clusters show nothing newer; else an admin looks, then overrides",
    ),
    "rolled-back": (
        "Held",
        "a part of it was rolled back",
        "Retry that part by the same name, skip its units, or roll back the release",
    ),
    "store-damaged": (
        "Held",
        "rows of the store do not fit together",
        "Put back a backup (sluice doctor says what is damaged); else an admin looks, then"
        " overrides",
    ),
    "superseded": ("Held", "a newer release replaces it", "Roll it back"),
    "rejected": ("Stopped", "a decision was rejected", "Approve lifts it; or roll back"),
    "fenced": (
        "Stopped",
        "a newer plan has written to the same object",
        "Look at what wrote it, then roll back or cancel; of what goes back already, resume tries"
        " it again and skip leaves it",
    ),
    "bug": (
        "Stopped",
        "a fault in Sluice itself; other releases go on",
        "Report it, then resume or roll back",
    ),
}
