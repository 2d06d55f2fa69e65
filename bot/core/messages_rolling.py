"""Why a batch in hand is not done, and what failed it. Words only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core import messages_tasks
from bot.core.messages_progress import noun, waits_for
from bot.core.messages_words import clause, many, moment, sentence

Facts = Mapping[str, Any]


def converging(f: Facts, _: str) -> str:
    if f.get("task"):
        return messages_tasks.runs(f)
    updated, wanted, total = f.get("updated"), f.get("wanted"), f.get("total")
    detail = waits_for(f.get("waiting"), f.get("detail"))
    if not detail and updated == wanted:
        detail = "not all of them have been seen ready"  # else it would have gone on
    because = f"; {detail}" if detail else ""
    what = f"{noun(f.get('detail'))}s"
    return sentence(f"Rolling out: {updated} of {wanted} {what} updated, {total} in all{because}")


def soaking(f: Facts, zone: str) -> str:
    until = f" until {moment(f['until'], zone)}" if f.get("until") else ""
    return f"Soaking{until}. Health must hold all the while."


def sick(f: Facts, _: str) -> str:
    return sentence(f"Stopped: {sick_cause(f)}", "Nothing more begins", "Retry, skip or roll back")


def sick_cause(f: Facts) -> str:
    seen = waits_for(f.get("why"), f.get("detail"))
    when = "while its checks were asked" if f.get("verifying") else "during the soak"
    return f"not healthy {when}" + (f": {seen}" if seen else "")


def refused(f: Facts, _: str) -> str:
    return sentence(f"Stopped: {refused_cause(f)}", "Nothing more begins", "Retry or roll back")


def refused_cause(f: Facts) -> str:
    seen = clause(f.get("why"))
    return "the cluster refused the write" + (f": {seen}" if seen else "")


def converging_cause(f: Facts) -> str:
    if f.get("task"):
        return messages_tasks.failed(f)
    detail = waits_for(f.get("waiting"), f.get("detail"))
    counted = f"{f.get('updated')} of {many(f.get('wanted'), noun(f.get('detail')))} updated"
    return f"the batch did not converge in time, {counted}" + (f"; {detail}" if detail else "")


def restoring_cause(f: Facts) -> str:
    counted = f"{f.get('updated')} of {many(f.get('total'), 'pod')} restored"
    return f"the rollback did not converge in time, {counted}"


def unreachable_cause(f: Facts) -> str:
    error = clause(f.get("error"))
    return f"cluster {f.get('cluster', '')} did not answer" + (f" ({error})" if error else "")


def no_answer_for(seconds: float) -> str:
    """Of a cluster that was asked, and neither answers nor refuses."""
    return f"asked {seconds:.0f} s ago, and no answer yet"


NOT_SENT_BEHIND = "not sent: an earlier call to this cluster has no answer yet"


def dry_run_said(why: str) -> str:
    """What a cluster said when it was asked before the first write of a batch."""
    return f"{why} (asked before the first write: nothing of the batch was sent)"
