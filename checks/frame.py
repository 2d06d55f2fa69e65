"""The frame of every check: when to measure, what a measurement says, what all of them say.

A definition is a Check's spec as JSON in the file's own field names; interval, count, conditions
and limits have the names and the meaning of Argo Rollouts. Never looks at a cluster or a clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from checks import cel, workload
from checks.verdict import Measurement, Verdict

BUILTIN: Mapping[str, Mapping[str, Any]] = {"workload": {"workload": {}}}
"""Checks that exist without a file."""

KINDS = ("workload", "cel")
"""What this version can ask."""

MAX_EVIDENCE = 4096
"""Characters of JSON that one measurement keeps."""
MAX_WHY = 500
SPARE = 10
"""Measurements that could not be taken are kept beyond those that the limit counts."""
EVIDENCE_KEPT = 50
"""The latest measurements keep what they saw; older ones keep what they said."""

_ALL_KINDS = (
    "workload",
    "cel",
    "prometheus",
    "probe",
    "canaryMission",
    "logs",
    "diagnosis",
    "webhook",
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def measure(definition: Mapping[str, Any], facts: Mapping[str, Any], at: datetime) -> Measurement:
    """Ask once. Without facts (nobody could ask the cluster) the answer is ERRORED, never a yes."""
    verdict, why, value = _asked(definition, facts)
    return Measurement(at=at, verdict=verdict, why=_short(why, MAX_WHY), value=_bounded(value))


def judge(definition: Mapping[str, Any], measurements: Sequence[Measurement]) -> Verdict:
    """All measurements together. PASSED only when `count` good ones are in; PENDING before that.

    Too many failures beat too many unclear answers, and those beat too many errors in a row.
    ERRORED is not the end: the next good measurement starts the row anew.
    """
    failed = sum(m.verdict is Verdict.FAILED for m in measurements)
    inconclusive = sum(m.verdict is Verdict.INCONCLUSIVE for m in measurements)
    if failed > _number(definition, "failureLimit", 0):
        return Verdict.FAILED
    if inconclusive > _number(definition, "inconclusiveLimit", 0):
        return Verdict.INCONCLUSIVE
    if _good(measurements) >= _count(definition):
        return Verdict.PASSED
    if _errors_in_a_row(measurements) > _number(definition, "consecutiveErrorLimit", 4):
        return Verdict.ERRORED
    return Verdict.PENDING


def next_at(
    definition: Mapping[str, Any], measurements: Sequence[Measurement], now: datetime
) -> datetime | None:
    """When to measure next: at once, then an interval after the last; None when all is said."""
    if not measurements:
        return now
    if judge(definition, measurements) not in (Verdict.PENDING, Verdict.ERRORED):
        return None
    return max(m.at for m in measurements) + interval(definition)


def why(definition: Mapping[str, Any], measurements: Sequence[Measurement]) -> str:
    """The evidence in one short sentence: what the measurement that decided has seen."""
    if not measurements:
        return "not measured yet"
    verdict = judge(definition, measurements)
    if verdict is Verdict.PENDING:
        wanted = _count(definition)
        last = measurements[-1]
        seen = "" if last.verdict is Verdict.PASSED else f"; last: {last.why}"
        return f"{_good(measurements)} of {wanted} good measurements{seen}"
    deciding = [m for m in measurements if m.verdict is verdict]
    return deciding[-1].why if deciding else measurements[-1].why


def takes(definition: Mapping[str, Any]) -> timedelta:
    """How long all wanted measurements take when every one is good."""
    return interval(definition) * _count(definition)


def keep(
    definition: Mapping[str, Any], measurements: Sequence[Measurement]
) -> tuple[Measurement, ...]:
    """What judging needs of the measurements so far, and the evidence of the latest.

    Good, bad and unclear ones are counted, so all of them stay (they are bounded by the limits of
    the check); of those that could not be taken, the latest.
    """
    spare = _number(definition, "consecutiveErrorLimit", 4) + SPARE
    counted = (Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE)
    others = [n for n, m in enumerate(measurements) if m.verdict not in counted]
    gone = set(others[: max(0, len(others) - spare)])
    left = [m for n, m in enumerate(measurements) if n not in gone]
    bare = max(0, len(left) - EVIDENCE_KEPT)
    return (*(replace(m, value=None) for m in left[:bare]), *left[bare:])


def interval(definition: Mapping[str, Any]) -> timedelta:
    """Time between two measurements. Default 30 s."""
    match = re.fullmatch(r"(\d+)([smhd])", str(definition.get("interval", "30s")))
    if match is None:
        return timedelta(seconds=30)
    return timedelta(seconds=max(1, int(match[1]) * _SECONDS[match[2]]))


def _asked(definition: Mapping[str, Any], facts: Mapping[str, Any]) -> workload.Answer:
    kinds = [kind for kind in _ALL_KINDS if kind in definition]
    if len(kinds) != 1 or kinds[0] not in KINDS:
        named = ", ".join(kinds) or "no kind"
        return Verdict.ERRORED, f"{named}: not a check that this version can ask", None
    if not facts or "workloads" not in facts or facts.get("reachable") is False:
        return Verdict.ERRORED, "no facts: the cluster could not be asked", None
    if kinds[0] == "cel":
        verdict, said = cel.judged(definition, facts)
        return verdict, said, _counts(facts)
    answer = workload.ask(facts)
    if not (definition.get("successCondition") or definition.get("failureCondition")):
        return answer
    verdict, said = cel.judged(definition, facts)
    return (verdict, said, answer[2]) if verdict > answer[0] else answer


def _counts(facts: Mapping[str, Any]) -> Any:
    """What a condition saw, without the pods: enough to follow the answer."""
    workloads = facts["workloads"]
    if not isinstance(workloads, Sequence):
        return None
    return [
        {key: value for key, value in item.items() if key != "pods"}
        for item in workloads
        if isinstance(item, Mapping)
    ]


def _good(measurements: Sequence[Measurement]) -> int:
    return sum(m.verdict is Verdict.PASSED for m in measurements)


def _errors_in_a_row(measurements: Sequence[Measurement]) -> int:
    row = 0
    for measurement in reversed(measurements):
        if measurement.verdict is not Verdict.ERRORED:
            break
        row += 1
    return row


def _count(definition: Mapping[str, Any]) -> int:
    return max(1, _number(definition, "count", 1))


def _number(definition: Mapping[str, Any], key: str, default: int) -> int:
    value = definition.get(key)
    return default if value is None else int(value)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _bounded(value: Any) -> Any:
    """Evidence as it is where it is small, else the beginning of its JSON."""
    text = json.dumps(value, sort_keys=True, default=str, allow_nan=True)
    if len(text) <= MAX_EVIDENCE:
        return json.loads(text)
    return {"truncated": True, "length": len(text), "text": text[: MAX_EVIDENCE - 200]}
