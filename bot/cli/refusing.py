"""What cannot be done (exit 3) or is not known (exit 2), in the words of the bot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.cli.outcome import REFUSED, USAGE, Ended


def refused(code: str, /, **facts: Any) -> Ended:
    """The refusal of a code, as the contract shows it."""
    from bot.core.messages_refusal import refusal

    return as_ended(refusal(code, **facts))


def as_ended(told: Any) -> Ended:
    from bot.cli.telling import instant

    body: dict[str, dict[str, Any]] = {
        "refused": {
            "code": told.code,
            "why": told.why,
            "who": list(told.who),
            "until": instant(told.until),
        }
    }
    if told.candidates:
        body["refused"]["candidates"] = list(told.candidates)
    return Ended(USAGE if told.usage else REFUSED, told.text, body)


def unknown_unit(unit: str, known: Iterable[str]) -> Ended:
    known = sorted(known)
    # Whoever names a cluster of a component that has parts there means one of these.
    parts = [one for one in known if one.startswith(f"{unit}/")]
    return refused("unknown-unit", unit=unit, near=_near(unit, known), candidates=parts)


def unknown_release(release: str, known: Iterable[str]) -> Ended:
    return refused("unknown-release", release=release, near=_near(release, known))


def unknown_component(component: str, known: Iterable[str]) -> Ended:
    return _unknown("component", component, known)


def unknown_pipeline(pipeline: str, known: Iterable[str]) -> Ended:
    return _unknown("pipeline", pipeline, known)


def unknown_cluster(cluster: str, known: Iterable[str]) -> Ended:
    return _unknown("cluster", cluster, known)


def _unknown(kind: str, name: str, known: Iterable[str]) -> Ended:
    known = sorted(known)
    from bot.core.messages_terminal import unknown

    return as_ended(unknown(kind, name, near=_near(name, known), known=known))


def standing_already(what: str, where: str, hint: str) -> Ended:
    from bot.core.messages_terminal import exists

    return as_ended(exists(what, where, hint))


def _near(word: str, known: Iterable[str]) -> list[str]:
    import difflib

    return difflib.get_close_matches(word, list(known), n=3)
