"""SCOPE of the contract: all, a release, its stage or wave (RELEASE/STAGE, RELEASE/STAGE/2), a
unit, component:C, group:G, cluster:K, label:k=v.

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
    stage: str = ""
    wave: int = 0
    """Counted from 1, as people count."""
    needs: tuple[str, ...] = ()
    """Components of its release that its own depends on, by whatever way."""


def is_release(scope: str) -> bool:
    """Whether the scope names one release (`all` is not the name of one)."""
    return scope != "all" and not any(sign in scope for sign in "@:/")


def is_part(scope: str) -> bool:
    """Whether the scope names a stage or a wave of one release."""
    return "/" in scope and "@" not in scope and ":" not in scope


def is_share(scope: str) -> bool:
    """Whether the scope can reach some units of a release and not others, without naming one unit:
    a stage, a wave, or what has a label, a group, a cluster or a component.
    """
    return is_part(scope) or (":" in scope and "@" not in scope)


def release_named(scope: str) -> str | None:
    """The release that a scope names, as a whole or a part of it; None where it names none."""
    return scope.partition("/")[0] if is_release(scope) or is_part(scope) else None


def owned(scope: str) -> bool:
    """Whether a scope can reach nothing but what has these owners, now and later."""
    return release_named(scope) is not None or "@" in scope or scope.startswith("component:")


def well_formed(scope: str) -> bool:
    """Whether the text is a scope at all; says nothing of whether what it names exists."""
    prefix, colon, rest = scope.partition(":")
    if colon and "@" not in prefix:
        return prefix in _PREFIXES and bool(rest) and (prefix != "label" or rest.find("=") > 0)
    if is_part(scope):
        names = scope.split("/")
        numbered = len(names) == 2 or (names[-1].isascii() and names[-1].isdigit())
        return len(names) <= 3 and all(names) and numbered and not set(" \t\n") & set(scope)
    return bool(scope) and not any(sign in scope for sign in " \t\n")


def covers(scope: str, what: Covered) -> bool:
    """Whether an action named with this scope reaches the unit."""
    if scope == "all":
        return True
    if "@" in scope:
        # `node-agent@eu-1` is all of it there, by whatever parts of the cluster it is released.
        return scope == what.unit or what.unit.startswith(f"{scope}/")
    prefix, colon, rest = scope.partition(":")
    if not colon:
        return _names(scope, what)
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


def _names(scope: str, what: Covered) -> bool:
    """A release, one of its stages, or one wave of a stage."""
    release, part, place = scope.partition("/")
    if release != what.release or not part:
        return scope == what.release
    stage, _, wave = place.partition("/")
    return stage == what.stage and (not wave or int(wave) == what.wave)


def first_covering(scopes: Iterable[str], what: Covered) -> str | None:
    """The first of the scopes that reaches the unit."""
    return next((scope for scope in scopes if covers(scope, what)), None)
