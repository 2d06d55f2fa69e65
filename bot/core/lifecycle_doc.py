"""The life of a release as a page of the docs, read off the tables GATES and NEXT.

`docs/generate.py` writes it; a test holds it to the tables. Reads and writes no file itself.
"""

from __future__ import annotations

import inspect

from bot.core.gates import GATES
from bot.core.lifecycle import NEXT
from bot.model.state import UnitPhase

_HEAD = """\
# The life of a release

*Made from the tables `GATES` and `NEXT` by `docs/generate.py`; do not edit.*

A release moves unit by unit, a unit batch by batch. A unit leaves its phase when every gate of the
phase is open, and goes to the phase that follows. The first closed gate is the answer of
`sluice why`. A gate either waits, and says until when or for whom, or it stops: then the unit has
failed and a person decides.
"""

_FROM_OUTSIDE = (
    (UnitPhase.PENDING, UnitPhase.QUARANTINED, "cluster silent for too long"),
    (UnitPhase.QUARANTINED, UnitPhase.PENDING, "it answers again"),
    (UnitPhase.PENDING, UnitPhase.SKIPPED, "skip"),
    (UnitPhase.VERIFYING, UnitPhase.APPLYING, "nodes came into its set"),
    (UnitPhase.FAILED, UnitPhase.PENDING, "retry"),
    (UnitPhase.FAILED, UnitPhase.SKIPPED, "skip"),
    (UnitPhase.FAILED, UnitPhase.VERIFYING, "override"),
    (UnitPhase.FAILED, UnitPhase.APPLYING, "override, after a stop in the cluster"),
    (UnitPhase.FAILED, UnitPhase.ROLLING_BACK, "rollback"),
    (UnitPhase.SUCCEEDED, UnitPhase.ROLLING_BACK, "rollback"),
)
"""What no gate leads to: time and people."""


def lifecycle_markdown() -> str:
    """The whole page."""
    return "\n".join((_HEAD, *_diagram(), "", *_phases()))


def _diagram() -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> PENDING"]
    for phase, following in NEXT.items():
        lines += [f"    {phase} --> {next_}" for next_ in following]
    lines += [f"    {phase} --> FAILED: a gate says stop" for phase in GATES if phase in NEXT]
    lines += [f"    {phase} --> {next_}: {why}" for phase, next_, why in _FROM_OUTSIDE]
    return [*lines, "```"]


def _phases() -> list[str]:
    lines: list[str] = []
    for phase, gates in GATES.items():
        following = " or ".join(NEXT[phase])
        lines += [f"## {phase}", "", f"Then {following}. In this order:", ""]
        for number, gate in enumerate(gates, 1):
            said = " ".join((inspect.getdoc(gate) or "").split())
            lines.append(f"{number}. **{gate.__name__}**: {said}")
        lines.append("")
    ends = [phase.value for phase in UnitPhase if phase.ended]
    lines += ["## Ends", "", f"{', '.join(ends)}. Only FAILED keeps a release from succeeding.", ""]
    return lines
