"""Workload health: are the pods of a unit what the batch wants, and are they well?

Reads the facts of one look at a cluster. Never guesses: a missing count is an error, not a yes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checks.verdict import Verdict

CRASHES = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
"""Reasons of a waiting container that no patience mends."""

Answer = tuple[Verdict, str, Any]
"""Verdict, why, evidence."""

_COUNTS = ("desired", "updated", "ready", "available", "unavailable")
_NAMED = 5


def ask(facts: Mapping[str, Any]) -> Answer:
    """The worst answer of all workloads; a unit without one has nothing that could be unwell."""
    workloads = facts.get("workloads")
    if not isinstance(workloads, Sequence) or isinstance(workloads, str):
        return Verdict.ERRORED, "the cluster showed no workloads", None
    if not workloads:
        return Verdict.PASSED, "no workload to look at", []
    answers = [_one(workload) for workload in workloads]
    worst = max(verdict for verdict, _, _ in answers)
    why = "; ".join(why for verdict, why, _ in answers if verdict is worst)
    return worst, why, [evidence for _, _, evidence in answers]


def _one(workload: Any) -> Answer:
    if not isinstance(workload, Mapping):
        return Verdict.ERRORED, "a workload without facts", None
    name = str(workload.get("name", "workload"))
    missing = [key for key in _COUNTS if not _is_count(workload.get(key))]
    missing += [] if isinstance(workload.get("observed"), bool) else ["observed"]
    pods = workload.get("pods")
    if missing or not isinstance(pods, Sequence):
        return Verdict.ERRORED, f"{name}: {', '.join(missing) or 'pods'} not known", None
    unwell = [pod for pod in pods if not pod.get("ready")]
    evidence = {key: workload[key] for key in _COUNTS} | {
        "name": name,
        "restarts": workload.get("restarts", 0),
        "notReady": [_pod(pod) for pod in unwell[:_NAMED]],
    }
    verdict, why = _judged(name, workload, pods, unwell)
    return verdict, why, evidence


def _judged(
    name: str,
    workload: Mapping[str, Any],
    pods: Sequence[Mapping[str, Any]],
    unwell: Sequence[Mapping[str, Any]],
) -> tuple[Verdict, str]:
    desired, updated = workload["desired"], workload["updated"]
    crashed = [pod for pod in unwell if pod.get("updated") and pod.get("reason") in CRASHES]
    if crashed:
        return Verdict.FAILED, _not_ready(len(unwell), desired, crashed)
    if not workload["observed"]:
        return Verdict.PENDING, f"{name}: its controller has not seen the change yet"
    # `unavailableBefore` is what was already unwell when the batch began: not the batch's doing.
    tolerated = workload.get("unavailableBefore", 0)
    if workload["unavailable"] > tolerated:
        count = max(workload["unavailable"], len(unwell))
        return Verdict.FAILED, _not_ready(count, desired, unwell, name, workload.get("reasons", ()))
    fresh = [pod for pod in unwell if pod.get("updated")]
    if len(fresh) > tolerated:
        return Verdict.FAILED, _not_ready(len(fresh), updated, fresh)
    wanted = workload.get("wanted")
    if _is_count(wanted) and updated < wanted:
        return Verdict.PENDING, f"{name}: {updated} of {wanted} pods updated"
    return Verdict.PASSED, f"{workload['available']} of {desired} pods available"


def _not_ready(
    count: int,
    total: int,
    pods: Sequence[Mapping[str, Any]],
    name: str = "",
    reasons: Sequence[Any] = (),
) -> str:
    """`2 of 40 pods not ready: node-agent-x CrashLoopBackOff`; pods with a reason come first."""
    text = f"{count} of {total} pods not ready"
    ordered = sorted(pods, key=lambda pod: not pod.get("reason"))
    if ordered:
        names = [_named(pod) for pod in ordered[:_NAMED]]
        more = f" and {count - len(names)} more" if count > len(names) else ""
        return f"{text}: {', '.join(names)}{more}"
    detail = str(reasons[0]) if reasons else ""
    return ": ".join(part for part in (text, name, detail) if part)


def _named(pod: Mapping[str, Any]) -> str:
    return f"{pod.get('name', 'a pod')} {pod.get('reason') or ''}".strip()


def _pod(pod: Mapping[str, Any]) -> dict[str, Any]:
    return {key: pod.get(key) for key in ("name", "node", "updated", "restarts", "reason")}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
