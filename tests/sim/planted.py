"""Small histories, each with a moment in which one gate alone keeps a law: for planted breaks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sim import docs as make
from bot.sim import laws, laws_all
from bot.sim.history import History
from bot.sim.script import Act, Script

COMPONENT: dict[str, Any] = {
    "batches": ["100%"],
    "batchSoak": "1m",
    "soak": "5m",
    "batchTakes": "1m",
    "batchDeadline": "4m",
    "checks": {"after": ["workload"], "before": []},
}


def documents(
    *,
    clusters: Iterable[Any] = (),
    components: dict[str, dict[str, Any]] | None = None,
    stages: Any = None,
    **policy: Any,
) -> dict[str, Any]:
    """Two clusters, one component, one stage of one wave, where nothing else is asked for."""
    found: dict[str, Any] = make.groups()
    for one in clusters or (make.cluster(name, "prod", 2, {}) for name in ("eu-1", "eu-2")):
        found[f"fleet/clusters/{one['metadata']['name']}.yaml"] = one
    for name, spec in (components or {"dns": {}}).items():
        found |= make.component(name, "1", {**COMPONENT, **spec})
    written = {"stages": stages or [{"name": "all", "units": {}, "order": "name"}]}
    found["pipelines/standard.yaml"] = make.doc("Pipeline", "standard", written)
    rules = {"windows": {"whenNoneMatches": "open", "attended": "1m"}, **policy}
    found["policy/policy.yaml"] = make.doc("Policy", "policy", rules)
    found["people.yaml"] = make.people()
    return found


def released(at: int, component: str, version: str, **spec: Any) -> list[Act]:
    """A release that is proposed and merged."""
    name = f"{component}-{version.replace('.', '-')}"
    return brought(at, make.release(name, component, version, **spec))


def brought(at: int, document: Any) -> list[Act]:
    name = document["metadata"]["name"]
    return [
        Act(at=at, do="propose", data={"release": name, "doc": document, "by": "cleo"}),
        Act(at=at + 5, do="merge", data={"release": name, "how": "merge", "by": "ben"}),
    ]


def says(at: int, text: str, by: str = "ana") -> Act:
    return Act(at=at, do="says", data={"text": text, "by": by})


def alone(patch: pytest.MonkeyPatch, law: str) -> None:
    """Only one law is read: another that saw the same break first would end the history."""
    assert laws_all
    for held in ("LAWS", "AT_THE_END"):
        known = getattr(laws, held)
        patch.setattr(laws, held, {name: one for name, one in known.items() if name == law})
    assert law in {**laws.LAWS, **laws.AT_THE_END}


def broken(docs: dict[str, Any], acts: Iterable[Act], *, lasts: int = 6 * 3600) -> set[str]:
    """The laws that a history breaks."""
    start = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    script = Script(seed=0, start=start, docs=docs, acts=tuple(acts), lasts=lasts)
    return {one.law for one in History(script).play().blamed}
