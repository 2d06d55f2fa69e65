"""Why a unit on its way back waits: one sentence for each code that only the way back has.

State in, words out; never decides, never asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.core.messages_progress import waits_for
from bot.core.messages_words import clause, row, sentence

Facts = Mapping[str, Any]


def _rollback_window(f: Facts, _: str) -> str:
    return sentence(f"The rollback waits: {clause(f.get('why'))}")


def _rollback_limit(f: Facts, _: str) -> str:
    going = f"{f.get('going')} of {f.get('limit')} units of stage {f.get('stage')} go back already"
    return f"The rollback waits for a place: {going} (rollback.maxConcurrency)."


def _undo(f: Facts, _: str) -> str:
    if f.get("added"):
        return sentence(
            f"Needs decision: what {f.get('unit', 'a unit')} ran before is back; the release had"
            f" added {row(f.get('added'), most=3)}",
            "Approve deletes it, reject keeps it",
        )
    return sentence(
        f"Needs decision: {f.get('unit', 'a unit')} was first installed by this release",
        "Approve deletes it, reject keeps it",
    )


def _undo_data(f: Facts, _: str) -> str:
    return sentence(
        f"Needs decision: {f.get('unit', 'a unit')} has objects of this release that may hold data",
        "Approve deletes them too, reject keeps them",
    )


def _irreversible(f: Facts, _: str) -> str:
    return sentence(
        f"Cannot simply be rolled back: {row(f.get('why'), most=3, joint='; ')}",
        "An admin overrides the gate irreversible, or skip leaves it as it is",
    )


def _restoring(f: Facts, _: str) -> str:
    kept = waits_for(f.get("waiting"), f.get("detail")) if f.get("waiting") == "guarded" else ""
    return sentence(
        f"Rolling back: {f.get('updated')} of {f.get('total')} pods are what they were before",
        f"No API server puts this back, the rest comes back: {kept}" if kept else "",
    )


BACK: Mapping[str, Callable[[Facts, str], str]] = {
    "rollback-window": _rollback_window,
    "rollback-limit": _rollback_limit,
    "irreversible": _irreversible,
    "undo": _undo,
    "undo-data": _undo_data,
    "restoring": _restoring,
}
"""Code → its sentence."""
