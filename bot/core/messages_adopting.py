"""What is told where the store and an object disagree on what was applied last. Never decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.messages_words import row, sentence

SHOWN = 3


def written_by_others(edits: Any) -> str:
    """`another Sluice wrote DaemonSet infra/x (fence 7.3) last, or …`; "" of no edit."""
    named = list(dict.fromkeys(_named(one) for one in _rows(edits) if one.get("fence")))
    if not named:
        return ""
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return (
        f"another Sluice wrote {row(named[:SHOWN])}{more} last, or this store was put back from an"
        " older copy"
    )


def disagreed(objects: Any) -> str:
    """What follows, one clause a cause."""
    by: dict[str, list[str]] = {}
    for one in _rows(objects):
        by.setdefault(str(one.get("why")), []).append(_named(one))
    said = [_CAUSES[why](row(names)) for why, names in by.items() if why in _CAUSES]
    return sentence(*said)


def _named(one: Mapping[str, Any]) -> str:
    fence = f" (fence {one['fence']})" if one.get("fence") else ""
    return f"{one.get('object', 'an object')}{fence}"


def _another_store(names: str) -> str:
    return (
        f"{names} was applied last by a store that is not this one: adopted as it is in the"
        " cluster; nothing that it holds is taken away, and a rollback restores that"
    )


def _no_record(names: str) -> str:
    return (
        f"{names} was applied by a Sluice, and this store has no record of it: adopted as it is"
        " in the cluster"
    )


def _by_hand(names: str) -> str:
    return (
        f"On {names} the digest was changed by somebody who is no Sluice: what we applied last"
        " stands, and the next write puts the digest right"
    )


_CAUSES = {"another-store": _another_store, "no-record": _no_record, "by-hand": _by_hand}


def _rows(given: Any) -> Sequence[Mapping[str, Any]]:
    found = given if isinstance(given, list | tuple) else ()
    return [one for one in found if isinstance(one, Mapping)]
