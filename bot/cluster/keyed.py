"""The order of a list whose elements are told apart by a key, as the API server makes it.

What is ours stands in our order, what is others' in theirs, and the two are interleaved by the
order that stood before. Never looks into an element.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

Key = Hashable
T = TypeVar("T")


def interleaved(
    ours: Sequence[tuple[Key, T]], theirs: Sequence[tuple[Key, T]], before: Sequence[Key]
) -> list[T]:
    """Both in one list: an element of others goes before ours where it stood before it."""
    place = first_places(before)
    merged: list[T] = []
    left = 0
    for key, element in ours:
        at = place.get(key)
        if at is not None:
            while left < len(theirs) and place.get(theirs[left][0], at) < at:
                merged.append(theirs[left][1])
                left += 1
        merged.append(element)
    merged.extend(element for _, element in theirs[left:])
    return merged


def in_order(elements: Iterable[tuple[Key, T]], order: Sequence[Key]) -> list[tuple[Key, T]]:
    place = first_places(order)
    return sorted(elements, key=lambda pair: place.get(pair[0], len(place)))


def first_places(keys: Iterable[Key]) -> dict[Key, int]:
    places: dict[Key, int] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, place)
    return places


def remembered(before: Sequence[Key], gone: Iterable[Key], added: Iterable[Key]) -> list[Key]:
    """The order before, as the API server remembers it.

    It takes elements out in place, and what is added lands in the room that became free: such an
    element has a place among the old ones.
    """
    kept, room = list(before), len(before)
    for key in gone:
        while key in kept[:room]:
            at = kept.index(key)
            kept[at : room - 1] = kept[at + 1 : room]
            room -= 1
    for key in added:
        if room == len(kept):
            break
        kept[room] = key
        room += 1
    return kept
