"""Makes the script of a failing history smaller while it still breaks the law. Draws nothing."""

from __future__ import annotations

from dataclasses import replace

from bot.sim.history import History
from bot.sim.script import Act, Script

MOST_PLAYS = 300


def shrink(script: Script, law: str, *, plays: int = MOST_PLAYS) -> Script:
    """Leaves out as many acts as can go: first halves, then smaller parts, then single ones."""
    left = [plays]

    def breaks(acts: tuple[Act, ...]) -> bool:
        if left[0] <= 0:
            return False
        left[0] -= 1
        told = History(replace(script, acts=acts)).play()
        return any(one.law == law for one in told.blamed)

    acts = script.acts
    size = max(1, len(acts) // 2)
    while True:
        shorter = _without_some(acts, size, breaks)
        if len(shorter) == len(acts) and size == 1:
            return replace(script, acts=acts)
        acts, size = shorter, max(1, size // 2)


def _without_some(acts: tuple[Act, ...], size: int, breaks: object) -> tuple[Act, ...]:
    assert callable(breaks)
    at = 0
    while at < len(acts):
        fewer = acts[:at] + acts[at + size :]
        if breaks(fewer):
            acts = fewer
        else:
            at += size
    return acts
