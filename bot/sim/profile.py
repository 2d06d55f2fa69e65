"""What a second of simulation is spent on, part by part of the code. Measures, changes nothing."""

from __future__ import annotations

import cProfile
import pstats
from collections import Counter

from bot.sim.drive import Summary, play

PARTS = (
    ("bot/sim/laws", "the laws"),
    ("bot/sim/oracle", "the laws"),
    ("bot/sim/memory", "Git host and store in memory"),
    ("bot/sim", "playing the script"),
    ("bot/adapters/simulated", "the simulated clusters"),
    ("bot/cluster", "driving a unit (bot/cluster)"),
    ("bot/core/messages", "cards and threads (messages)"),
    ("bot/core/calendar", "the calendar"),
    ("bot/core", "deciding (bot/core)"),
    ("bot/reconciler", "the tick (bot/reconciler)"),
    ("bot/adapters", "rendering and rows"),
    ("checks", "checks"),
    ("release_repo_schema", "reading and linting the repo"),
)


def profile(first: int, seeds: int) -> tuple[Summary, dict[str, float]]:
    """The summary of some seeds, and part → its own share of the time."""
    play(range(first, first + min(seeds, 5)))  # imports and caches are no part of it
    profiler = cProfile.Profile()
    profiler.enable()
    summary = play(range(first, first + seeds))
    profiler.disable()
    spent: Counter[str] = Counter()
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    for (file, _, _), (_, _, own, _, callers) in stats.items():
        if file.startswith(("~", "<")) or "/lib/python" in file:
            # What the interpreter and libraries do is counted where it was asked for.
            total = sum(times[2] for times in callers.values()) or 1.0
            for (caller, _, _), times in callers.items():
                spent[_part(caller)] += own * times[2] / total
        else:
            spent[_part(file)] += own
    whole = sum(spent.values()) or 1.0
    return summary, {part: round(own / whole, 3) for part, own in spent.most_common()}


def _part(file: str) -> str:
    path = file.replace("\\", "/")
    return next((name for start, name in PARTS if f"/{start}" in path), "the interpreter")
