"""What people have decided in a turn: whose yes counts, how many are needed, and what is granted.

Only reads, and asks nobody. `decisions` is as of now in the turn that it is part of.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property

from bot.core.asked import policy_ask, required
from bot.core.guard_lists import GUARD
from bot.core.lifting import LIFTED_BY
from bot.core.scope import covers, owned
from bot.core.siblings import INSTALL
from bot.core.situation import Situation, covered
from bot.model.leftover import LEFTOVERS
from bot.model.plan import ApprovalAsk, UnitPlan
from bot.model.state import Decision, DecisionStatus, Hold, ReleaseState, Vote


class Votes:
    """The people's part of a turn."""

    def __init__(self, s: Situation) -> None:
        self.s = s
        self.state: ReleaseState = s.state
        self.decisions: dict[int, Decision] = {
            decision.number: decision for decision in s.decisions
        }

    def who(self, verb: str) -> tuple[str, ...]:
        owners = [owner for component in self.s.plan.components for owner in component.owners]
        return self.s.rules.directory.who_may(verb, owners)

    def who_lifts(self, hold: Hold) -> tuple[str, ...]:
        verb = LIFTED_BY.get(hold.code, "resume")
        return self.who(verb) if owned(hold.scope) else self.s.rules.directory.who_may(verb)

    def need(self, decision: Decision) -> int:
        """Votes a decision needs: the stricter of then and now, one more for an unknown author."""
        count = decision.count
        if decision.what in ("release", "stage") and self.live_ask is not None:
            count = max(count, self.live_ask.count)
        _, unknown = self.s.rules.directory.authors(self.s.plan.authors)
        judged = ("release", "stage", "wave", "after-stage", GUARD, LEFTOVERS)
        return count + 1 if unknown and decision.what in judged else count

    @property
    def live_ask(self) -> ApprovalAsk | None:
        """What the policy of now asks before the first write; nothing once that has left."""
        return None if self.state.began else self._policy_ask

    @cached_property
    def _policy_ask(self) -> ApprovalAsk | None:
        components = ((one.labels, one.name) for one in self.s.plan.components)
        return policy_ask(self.s.rules.policy, components)

    def required(self, stage: int, wave: int) -> Iterator[tuple[str, str, ApprovalAsk]]:
        """Every decision that must be granted before a unit of this wave begins."""
        return required(self.s.plan, stage, wave, self.live_ask)

    def valid_votes(self, decision: Decision) -> tuple[Vote, ...]:
        """Votes of people who still hold a role that may decide, and are no authors. One a
        person.
        """
        directory = self.s.rules.directory
        authors, _ = directory.authors(self.s.plan.authors)
        found: dict[str, Vote] = {}
        for vote in decision.votes:
            if vote.by not in authors and directory.roles(vote.by) & set(decision.roles):
                found.setdefault(vote.by, vote)
        return tuple(found.values())

    def deciders(self, decision: Decision) -> tuple[str, ...]:
        return self.s.rules.directory.deciders(
            decision.roles, authors=self.s.plan.authors, voted=[vote.by for vote in decision.votes]
        )

    def granted(self, decision: Decision) -> bool:
        return decision.status in (DecisionStatus.OPEN, DecisionStatus.APPROVED) and len(
            self.valid_votes(decision)
        ) >= self.need(decision)

    def awaits_people(self, plan: UnitPlan) -> bool:
        """Whether some decision before the unit's next batch is not granted."""
        install = self.decision_on(INSTALL, plan.lock) if plan.nodes is not None else None
        return (install is not None and not self.granted(install)) or any(
            (decision := self.decision_on(what, subject)) is None or not self.granted(decision)
            for what, subject, _ in self.required(plan.stage, plan.wave)
        )

    def decision_on(self, what: str, subject: str) -> Decision | None:
        """The newest decision on a subject that is not void."""
        found = [
            decision
            for decision in self.decisions.values()
            if (decision.what, decision.subject) == (what, subject)
            and decision.status is not DecisionStatus.VOID
        ]
        return max(found, key=lambda decision: decision.number) if found else None

    def window_overridden(self, plan: UnitPlan) -> bool:
        """Two admins overrode windows and freezes for it, and that has not run out."""
        what = covered(self.s, plan)
        return any(
            decision.what == "override-window"
            and decision.status is DecisionStatus.APPROVED
            # An admin who is none any more has not overridden anything.
            and self.granted(decision)
            and decision.closed is not None
            and (decision.expires is None or self.s.now < decision.closed + decision.expires)
            and covers(decision.subject, what)
            for decision in self.decisions.values()
        )

    def decisions_change_at(self) -> datetime | None:
        """When the first granted, unused decision runs out."""
        times = [
            decision.closed + decision.expires
            for decision in self.decisions.values()
            if decision.status is DecisionStatus.APPROVED and decision.closed and decision.expires
        ]
        return min((at for at in times if at > self.s.now), default=None)

    def approvers(self) -> tuple[str, ...]:
        """Everybody whose yes counts in this release so far."""
        return tuple(
            sorted(
                {
                    vote.by
                    for decision in self.decisions.values()
                    if decision.status is DecisionStatus.APPROVED
                    for vote in self.valid_votes(decision)
                }
            )
        )

    def said_yes(self, what: str) -> list[Decision]:
        """Decisions by which guarded changes (or leftovers) have a yes."""
        return [
            decision
            for decision in self.decisions.values()
            if decision.what == what
            and decision.status in (DecisionStatus.OPEN, DecisionStatus.APPROVED)
            and decision.plan_hash == self.s.plan.plan_hash
            and self.granted(decision)
        ]

    def marks(self, what: str) -> frozenset[str]:
        """Marks of what has a yes."""
        return frozenset(m for one in self.said_yes(what) for m in one.subject.split(","))
