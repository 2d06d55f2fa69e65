"""How far each component of a release of several is, in one line. Counts and words only."""

from __future__ import annotations

from bot.core.graph import in_order
from bot.core.messages_figures import going_back, phase_of
from bot.core.messages_words import row
from bot.model.gate import ReleaseView
from bot.model.state import UnitPhase

MOST = 12
_WELL = (UnitPhase.SUCCEEDED, UnitPhase.SKIPPED, UnitPhase.QUARANTINED, UnitPhase.ROLLED_BACK)


def components_line(view: ReleaseView) -> str:
    """`✔ coredns (12)   ● mesh (3 of 12, 1 failed)   ○ ingress (12)`: what others need first."""
    needs = {component.name: component.after for component in view.plan.components}
    if len(needs) < 2:
        return ""
    return row([_component(view, name) for name in in_order(needs)], most=MOST, joint="   ")


def _component(view: ReleaseView, name: str) -> str:
    units = [unit.unit for unit in view.plan.units if unit.component == name]
    phases = [phase_of(view, unit) for unit in units]
    back = going_back(view)
    done = phases.count(UnitPhase.ROLLED_BACK if back else UnitPhase.SUCCEEDED)
    failed = phases.count(UnitPhase.FAILED)
    other = {
        "skipped": phases.count(UnitPhase.SKIPPED),
        "quarantined": phases.count(UnitPhase.QUARANTINED),
        "rolled back": 0 if back else phases.count(UnitPhase.ROLLED_BACK),
        "going back": phases.count(UnitPhase.ROLLING_BACK),
        "failed": failed,
    }
    told = "".join(f", {count} {word}" for word, count in other.items() if count)
    whole = done == len(units)
    counted = f"{done}" if whole else f"{done} of {len(units)}"
    began = any(unit in view.units and view.units[unit].began is not None for unit in units)
    sign = "✔" if all(phase in _WELL for phase in phases) else "●" if began else "○"
    if UnitPhase.ROLLING_BACK in phases:
        sign = "⏪"
    return f"{'✖' if failed else sign} {name} ({counted}{told})"
