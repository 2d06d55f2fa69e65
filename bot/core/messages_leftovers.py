"""What left the template, in words: the question, why something stays, what left. Never decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.core.messages_guard import REASONS
from bot.core.messages_words import clause, many, row, sentence
from bot.model.leftover import Fate
from bot.model.state import UnitState

Facts = Mapping[str, Any]
NAMED = 12
"""How many objects a question names."""
OBJECTS_CHANGED = "the objects that it was asked of have changed"
NOTHING_LEFT = "nothing stands open of what it was asked"

_STAYS: Mapping[str, str] = {
    "guarded": "the guard never deletes its kind on the way forward",
    "policy": "its annotation helm.sh/resource-policy says keep",
    "component": "the component's guard keeps it",
    "not-ours": "it is not known to be written by this component",
    "newer": "a newer plan has written it",
    "another": "it is another object of this name than the one that was found",
    "same": "it is rendered under another API group",
    "rendered": "it belongs to others now",
    "edited": "somebody has edited it since it was applied",
    "terminating": "it was deleted, and a finalizer holds it",
    "refused": "the cluster does not delete it",
    "unknown": "what was applied is not known any more, so nothing could bring it back",
    "no": "a person said no",
    "handed-over": "a newer release asks about it",
}


def why_kept(code: str, detail: str = "") -> str:
    """Why a leftover stays, as a clause."""
    said = _STAYS.get(code, code)
    return f"{said} ({clause(detail)})" if detail else said


def asks(objects: Sequence[str]) -> str:
    """The question: names the objects, and says what yes and no do."""
    it = "it" if len(objects) == 1 else "them"
    left = "is" if len(objects) == 1 else "are"
    return (
        f"{row(objects, most=NAMED)} {left} no longer rendered: delete {it} in each unit once it"
        f" is well, or keep {it}?"
    )


def waits(f: Facts, _: str) -> str:
    """The end of a release that waits for the answer."""
    approve = f" (approve {f['id']})" if f.get("id") else ""
    return sentence(
        f"Needs decision: {row(f.get('objects'), most=3)} left the template and still"
        f" stands{approve}",
        "Approve deletes unit by unit, reject keeps",
    )


def kept_line(f: Facts) -> str:
    """`ConfigMap infra/old stays: a person said no (ben)`."""
    return f"{f.get('object')} stays: {why_kept(str(f.get('why', '')), str(f.get('detail') or ''))}"


def deleted_line(f: Facts) -> str:
    by = f", approved by {row(f.get('by'))}" if f.get("by") else ""
    return f"deleted {row(f.get('objects'), most=NAMED)}, which left the template{by}"


def found_line(f: Facts) -> str:
    return f"no longer rendered and still there: {row(f.get('objects'), most=NAMED)}"


def added_line(f: Facts) -> str:
    """What the way back found beside what it put back."""
    return f"what stood before is back; the release had added {row(f.get('objects'), most=NAMED)}"


def undone_line(f: Facts) -> str:
    return f"deleted {row(f.get('objects'), most=NAMED)}, which the release had added"


def leftovers_line(units: Iterable[UnitState]) -> str:
    """What a card says: what leaves, what has left, and what stays and why. "" where nothing."""
    told: Counter[tuple[str, str, str]] = Counter()
    for unit in units:
        for one in unit.leftovers:
            why = one.why if one.fate is Fate.KEPT else ""
            if why != "handed-over":
                told[one.ref.short, one.fate.value, why] += 1
    said = [
        f"{name} {_fate(fate, why)} on {many(count, 'unit')}"
        for (name, fate, why), count in sorted(told.items())
    ]
    return f"Left the template: {row(said, most=4, joint='; ')}" if said else ""


def _fate(fate: str, why: str) -> str:
    match fate:
        case Fate.OPEN.value:
            return "(asked)"
        case Fate.LEAVING.value:
            return "leaves"
        case Fate.DELETED.value:
            return "is deleted"
        case _:
            return f"stays, as {why_kept(why)},"


def plan_why(code: str) -> str:
    """Why a plan says that something stays, as a clause; "" where it does not."""
    return REASONS.get(code) or _STAYS.get(code, code) if code != "component" else _STAYS[code]


def leaves_lines(given: Sequence[tuple[str, str, str, int]]) -> list[str]:
    """What a plan says of what left the template: object, what becomes of it, why, units."""
    lines = [
        f"{name}: {_DOES[does]}{f' ({plan_why(why)})' if why else ''}, in {many(units, 'unit')}"
        for name, does, why, units in given
    ]
    more = len(lines) - NAMED
    return lines[:NAMED] + (
        [f"and {many(more, 'more object')}: --json has all"] if more > 0 else []
    )


_DOES = {
    "ask": "asked about, then deleted unit by unit",
    "allow": "deleted unit by unit",
    "keep": "stays",
}
