"""Which decisions a plan, and the policy of now, ask for before a wave begins. Knows no votes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bot.model.plan import ApprovalAsk, ReleasePlan
from release_repo_schema.models import Policy


def policy_ask(
    policy: Policy, components: Iterable[tuple[Mapping[str, str], str]]
) -> ApprovalAsk | None:
    """What a policy asks once, before the first write, of components as (labels, name): the
    strictest of what matches.
    """
    known = tuple(components)
    rules = [
        rule
        for rule in policy.spec.approvals
        if any(rule.components.matches(labels, name) for labels, name in known)
    ]
    if not rules:
        return None
    top = max(rules, key=lambda rule: rule.count)
    shared = tuple(role for role in top.roles if all(role in rule.roles for rule in rules))
    return ApprovalAsk(
        when="release",
        roles=shared or top.roles,
        count=top.count,
        expires=min(rule.expires for rule in rules),
    )


def first_ask(plan: ReleasePlan, live: ApprovalAsk | None = None) -> ApprovalAsk | None:
    """What is asked once, before the first write: the larger count of policy and pipeline wins.

    `live`: what the policy of now asks; the stricter of then and now counts.
    """
    asked = [plan.approval] if plan.approval else []
    if plan.stages and (stage := plan.stages[0].approval) and stage.when == "before":
        asked.append(stage)
    roles: tuple[str, ...] = ()
    if live is not None:
        shared = tuple(r for r in live.roles if not asked or r in max(asked, key=_count).roles)
        roles = shared or live.roles
        asked.append(live)
    if not asked:
        return None
    top = max(asked, key=_count)
    expires = min((ask.expires for ask in asked if ask.expires is not None), default=None)
    return replace(top, when="release", roles=roles or top.roles, expires=expires)


def _count(ask: ApprovalAsk) -> int:
    return ask.count


def required(
    plan: ReleasePlan, stage: int, wave: int, live: ApprovalAsk | None = None
) -> Iterator[tuple[str, str, ApprovalAsk]]:
    """(what, subject, ask) of every decision that must be granted before a unit of this wave
    begins. `live`: what the policy of now asks, while the release has not begun.
    """
    if (first := first_ask(plan, live)) is not None:
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
