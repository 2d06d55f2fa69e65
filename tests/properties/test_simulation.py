"""Seeded histories: faults, crashes and people at random, then peace; every law is checked.

`SLUICE_SIM_SECONDS=300` plays longer. A failure names its seed; `sluice sim --first S --seeds 1`
plays it again, word for word.
"""

from __future__ import annotations

import os

from bot.sim.drive import Summary, play, run
from bot.sim.script import FAULTS, RARE

SECONDS = float(os.environ.get("SLUICE_SIM_SECONDS", "25"))
FIRST = 5_000


def told(summary: Summary) -> str:
    return "\n".join(f"seed {v['seed']}: {v['law']}: {v['what']}" for v in summary.violations)


def test_no_history_breaks_a_law_and_every_release_ends() -> None:
    """Whatever happens for hours, and in any order: the laws hold, and all comes to an end."""
    summary = run(FIRST, None, seconds=SECONDS)
    assert not summary.violations, told(summary)
    assert summary.seeds >= 20, "too few histories to say anything"
    struck = {fault for fault, _ in summary.coverage}
    assert set(FAULTS) - set(RARE) - struck == set(), "a fault that never struck proves nothing"


def test_a_seed_is_the_same_history_every_time() -> None:
    """A failure that cannot be played again cannot be mended."""
    first, again = play([7, 8]), play([7, 8])
    assert (first.ticks, first.coverage) == (again.ticks, again.coverage)
