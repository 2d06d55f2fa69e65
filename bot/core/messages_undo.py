"""What is asked, and told, of what a rollback cannot simply put back. State in, words out."""

from __future__ import annotations

from collections.abc import Sequence

from bot.cluster.one_way import OneWay
from bot.core.messages_words import many, row

UNITS_CHANGED = "the units that it was asked of have changed"
NAMED = 12
"""How many units and objects a question names."""


def asks_undo(units: Sequence[str], objects: Sequence[str], *, beside: bool = False) -> str:
    """The question whether what was not there before is deleted or kept. `beside`: some units had
    other objects before, and these are back already.
    """
    if beside:
        it = "it" if len(objects) == 1 else "them"
        return (
            f"the release added {row(objects, most=NAMED)} on {row(units, most=NAMED)}"
            f" ({many(len(units), 'unit')}), which had nothing of this name before: delete {it}"
            f" there, or keep {it}?"
        )
    them = "it" if len(units) == 1 else "them"
    return (
        f"{row(units, most=NAMED)} ({many(len(units), 'unit')}) had nothing of this before the"
        f" release: delete {row(objects, most=NAMED)} there, or keep {them}?"
    )


def asks_data(units: Sequence[str], objects: Sequence[str]) -> str:
    """The question whether what holds data goes too."""
    return (
        f"{row(objects, most=NAMED)} on {row(units, most=NAMED)} came with this release and may"
        " hold data by now: delete that too, with all that is in it, or keep it?"
    )


def one_way(found: OneWay) -> str:
    """Why a change is not taken back, as a clause."""
    match found.code:
        case "stored-version":
            return (
                f"{found.object} stores its objects as {found.after} now, and as {found.before}"
                " before: what was written since is not converted back"
            )
        case "sealed":
            return f"{found.object} is immutable now"
        case _:
            return f"{found.object} grew from {found.before} to {found.after}, and never shrinks"


def irreversible(before: str, version: str, reason: str) -> str:
    """A pair of versions that its component declares irreversible."""
    was = f"from {before}" if before else "from a version that Sluice does not know"
    return f"{was} to {version} is declared irreversible: {reason}"


def not_by_itself(why: str, reasons: Sequence[str]) -> str:
    """The failure of a unit that would be taken back by itself, and is not."""
    return f"{why}; not taken back by itself: {row(reasons, most=3, joint='; ')}"


def once_only(why: str) -> str:
    """The failure of a unit that has been taken back by itself before."""
    return f"{why}; it was taken back by itself once before, so this time it holds"


def plan_irreversible(component: str, runs: str, version: str, reason: str, units: int) -> str:
    """A warning of a plan: a pair of versions without a simple way back."""
    was = runs or "a version that is not known"
    return (
        f"{many(units, 'unit')} cannot simply be rolled back: {component} from {was} to {version}"
        f" is declared irreversible ({reason}); a rollback holds there and asks an admin"
    )


def plan_one_way(why: str, units: int) -> str:
    """A warning of a plan: an object without a simple way back."""
    return f"{many(units, 'unit')} cannot simply be rolled back: {why}; a rollback holds and asks"


def plan_new_data(objects: Sequence[str], units: int) -> str:
    """A warning of a plan: what it creates and no rollback deletes unasked."""
    return (
        f"{row(objects, most=NAMED)} would be new on up to {many(units, 'unit')} and may hold data:"
        " a rollback keeps it unless people say otherwise"
    )
