"""What a component guards: as its release froze it, and as main says now. The stricter counts."""

from __future__ import annotations

from bot.model.plan import ApprovalAsk, DeleteLists, GuardLists
from release_repo_schema.models import Component

GUARD = "guard"
"""The decision on guarded changes; its subject are their marks."""
ASK = ApprovalAsk(when=GUARD, roles=("approver",), count=1)


def guard_lists(component: Component) -> GuardLists:
    """What a component says of its own fields."""
    said = component.spec.guard
    gone = said.delete
    delete = DeleteLists(allow=gone.allow, ask=gone.ask, keep=gone.keep)
    return GuardLists(block=said.block, ignore=said.ignore, ask=said.ask, delete=delete)


def stricter_of(planned: GuardLists, now: Component | None) -> GuardLists:
    """What was frozen, with what main blocks and asks now: a block can be set while a release
    runs, and none is lifted for it.
    """
    return planned if now is None else planned.stricter(guard_lists(now))
