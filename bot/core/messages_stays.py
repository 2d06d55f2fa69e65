"""What a card says of all that stays where it is, or leaves at the end. State in, words out."""

from __future__ import annotations

from bot.core.messages_leftovers import leftovers_line
from bot.core.messages_words import row
from bot.model.gate import ReleaseView
from bot.model.state import UnitPhase


def stays_behind(view: ReleaseView) -> list[str]:
    """Of what goes back: what cannot simply be put back, and what nobody can reach. And what left
    the template.
    """
    back = [unit for unit in view.units.values() if unit.phase is UnitPhase.ROLLING_BACK]
    told = [
        f"{unit.unit} ({row(unit.one_way, most=2, joint='; ')})"
        for unit in back
        if unit.one_way and "irreversible" not in unit.overrides
    ]
    silent = [unit.unit for unit in back if unit.unreachable_since is not None]
    left = leftovers_line(view.units.values())
    return [
        *([left] if left else []),
        *([f"Cannot simply be rolled back: {row(told, most=3, joint='; ')}"] if told else []),
        *([f"Owed when it answers: {row(silent, most=3)}"] if silent else []),
    ]
