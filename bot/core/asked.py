"""Which decisions a plan asks for before a wave begins. Knows no votes and no state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.model.plan import ApprovalAsk, ReleasePlan


def first_ask(plan: ReleasePlan) -> ApprovalAsk | None:
    """What is asked once, before the first write: the larger count of policy and pipeline wins."""
    asked = [plan.approval] if plan.approval else []
    if plan.stages and (stage := plan.stages[0].approval) and stage.when == "before":
        asked.append(stage)
    if not asked:
        return None
    top = max(asked, key=lambda ask: ask.count)
    expires = min((ask.expires for ask in asked if ask.expires is not None), default=None)
    return replace(top, when="release", expires=expires)


def required(plan: ReleasePlan, stage: int, wave: int) -> Iterator[tuple[str, str, ApprovalAsk]]:
    """(what, subject, ask) of every decision that must be granted before a unit of this wave
    begins.
    """
    if (first := first_ask(plan)) is not None:
        yield "release", "", first
    for index, before in enumerate(plan.stages[: stage + 1]):
        ask = before.approval
        if ask is None:
            continue
        if ask.when == "after" and index < stage:
            yield "after-stage", before.name, ask
        if ask.when == "before" and index == stage and index > 0:
            yield "stage", before.name, ask
        if ask.when == "eachWave" and index == stage:
            yield "wave", f"{before.name}/{wave + 1}", ask
