"""Facts of one unit as a cluster would show them, for the tests of checks. Never reads a clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from checks.verdict import Measurement, Verdict

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def pod(name: str, **changes: Any) -> dict[str, Any]:
    made = {"name": name, "node": f"n-{name}", "updated": False, "ready": True, "restarts": 0}
    return {**made, "reason": "", **changes}


def workload(desired: int = 3, updated: int = 1, **changes: Any) -> dict[str, Any]:
    pods = [pod(f"node-agent-{i}", updated=i < updated) for i in range(desired)]
    made: dict[str, Any] = {
        "name": "node-agent",
        "kind": "DaemonSet",
        "desired": desired,
        "updated": updated,
        "ready": desired,
        "available": desired,
        "unavailable": 0,
        "restarts": 0,
        "observed": True,
        "pods": pods,
        "reasons": [],
    }
    return {**made, **changes}


def unwell(*pods: Mapping[str, Any], desired: int = 40, **changes: Any) -> dict[str, Any]:
    """A workload of which these pods are not ready."""
    count = len(pods)
    well = {"ready": desired - count, "available": desired - count, "unavailable": count}
    return workload(desired, 3, pods=list(pods), **{**well, **changes})


def facts(*workloads: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    made = {
        "unit": "node-agent@eu-1",
        "component": "node-agent",
        "version": "2.5.0",
        "cluster": {"name": "eu-1", "labels": {"environment": "production"}},
        "batch": 1,
        "when": "after",
        "workloads": list(workloads),
    }
    return {**made, **changes}


def measured(*verdicts: Verdict) -> tuple[Measurement, ...]:
    """Measurements 30 s apart, each named by its verdict."""
    return tuple(
        Measurement(at=NOW + timedelta(seconds=30 * i), verdict=verdict, why=verdict.name.lower())
        for i, verdict in enumerate(verdicts)
    )
