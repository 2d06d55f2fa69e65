"""Which component goes before which: order, layers and reach of a dependency graph.

Pure, and knows names only. A cycle is somebody else's mistake to tell; here it ends, in the order
in which the names came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

Needs = Mapping[str, tuple[str, ...]]
"""Name → the names that have to be done before it."""


def needs_among(names: Sequence[str], depends_on: Callable[[str], Iterable[str]]) -> Needs:
    """Name → which of the others it needs, directly or by way of what is not among them."""
    wanted = set(names)
    found = {}
    for name in names:
        met: dict[str, None] = {}
        seen: set[str] = set()
        ahead = list(depends_on(name))
        while ahead:
            one = ahead.pop(0)
            if one in seen:
                continue
            seen.add(one)
            if one not in wanted:
                ahead += depends_on(one)
            elif one != name:
                met[one] = None
        found[name] = tuple(one for one in names if one in met)
    return found


def reach(needs: Needs) -> Needs:
    """Name → everything that it needs, by whatever way, in the order of the names."""
    found = {}
    for name in needs:
        seen: set[str] = set()
        ahead = list(needs[name])
        while ahead:
            one = ahead.pop()
            if one not in seen and one != name:
                seen.add(one)
                ahead += needs.get(one, ())
        found[name] = tuple(one for one in needs if one in seen)
    return found


def turned(needs: Needs) -> Needs:
    """Name → the names that need it."""
    return {
        name: tuple(other for other in needs if name in needs[other] and other != name)
        for name in needs
    }


def layers(needs: Needs) -> tuple[tuple[str, ...], ...]:
    """The names in layers: each layer needs nothing but what earlier layers have."""
    left = list(needs)
    done: set[str] = set()
    found: list[tuple[str, ...]] = []
    while left:
        layer = tuple(n for n in left if all(one in done for one in needs[n] if one in needs))
        layer = layer or (left[0],)
        found.append(layer)
        done.update(layer)
        left = [name for name in left if name not in done]
    return tuple(found)


def in_order(needs: Needs) -> tuple[str, ...]:
    """Every name after all that it needs; among equals as they came."""
    return tuple(name for layer in layers(needs) for name in layer)
