"""What is still a release's own: units that no newer release has written, or is at work in.

Asked before anything goes back that nobody named. Questions about rows; changes none.
"""

from __future__ import annotations

from bot.cluster.fence import numbers
from bot.core.turn import Turn


def ours(t: Turn, name: str) -> bool:
    """No newer release has written there, or what it shares with others, or is at work there."""
    plan = t.s.index.units[name]
    for key in (name, plan.lock) if t.s.index.shared[name] else (name,):
        applied = t.s.applied.get(key)
        if applied is not None and applied.release != t.s.name:
            position = (*numbers(applied.fence), 0)[0]
            if position > t.state.position:
                return False
    claims = t.s.claims.get(plan.lock, ())
    return not any(one.in_flight and one.position > t.state.position for one in claims)
