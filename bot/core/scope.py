"""SCOPE of the contract: all, a release, a unit, component:C, group:G, cluster:K, label:k=v.

Says what a scope covers and where it can be meant; never who may use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PREFIXES = ("component", "group", "cluster", "label")


@dataclass(frozen=True, slots=True)
class Covered:
    """What a scope is tested against: one unit of one release (unit "" for a whole release)."""

    release: str
    unit: str
    component: str
    labels: Mapping[str, str]


def is_release(scope: str) -> bool:
    """Whether the scope names one release (`all` is not the name of one)."""
    return scope != "all" and "@" not in scope and ":" not in scope


def well_formed(scope: str) -> bool:
    """Whether the text is a scope at all; says nothing of whether what it names exists."""
    prefix, colon, rest = scope.partition(":")
    if colon and "@" not in prefix:
        return prefix in _PREFIXES and bool(rest) and (prefix != "label" or rest.find("=") > 0)
    return bool(scope) and not any(sign in scope for sign in " \t\n")


def covers(scope: str, what: Covered) -> bool:
    """Whether an action named with this scope reaches the unit."""
    if scope == "all":
        return True
    if "@" in scope:
        return scope == what.unit
    prefix, colon, rest = scope.partition(":")
    if not colon:
        return scope == what.release
    match prefix:
        case "component":
            return rest == what.component
        case "group" | "cluster":
            return what.labels.get(prefix) == rest
        case "label":
            key, _, value = rest.partition("=")
            return what.labels.get(key) == value
        case _:
            return False


def first_covering(scopes: Iterable[str], what: Covered) -> str | None:
    """The first of the scopes that reaches the unit."""
    return next((scope for scope in scopes if covers(scope, what)), None)
