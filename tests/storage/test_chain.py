"""The chain of the audit: a changed, missing, added or swapped line is found."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.sqlite import SqliteStore
from bot.core import chain
from bot.core.chain import Break, Flaw
from bot.model.state import Event
from bot.ports import Changes
from tests.contracts.stores import event

LINES = chain.append(None, [event(str(number), data={"n": number}) for number in range(8)])


def test_a_whole_audit_holds() -> None:
    """No false alarm, with and without the store's own count."""
    assert chain.verify(LINES) is None
    assert chain.verify(LINES, count=8) is None
    assert chain.verify(()) is None
    assert chain.verify((), count=0) is None


def test_anyone_can_follow_the_chain_with_standard_tools() -> None:
    """The proof must not need the program that is being checked."""
    before = ""
    for each in LINES:
        said = {
            **{"seq": each.seq, "at": "2026-11-24T09:00:00.123456Z", "kind": each.kind},
            **{"release": "", "unit": "", "batch": 0, "who": "sluice", "data": {"n": each.seq - 1}},
        }
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        before = hashlib.sha256((before + text).encode()).hexdigest()
        assert each.hash == before


def test_appending_later_gives_the_same_chain() -> None:
    """The chain depends on what was said, not on how it was cut into ticks."""
    first = chain.append(None, [replace(each, seq=0, hash="") for each in LINES[:3]])
    rest = chain.append(first[-1], [replace(each, seq=0, hash="") for each in LINES[3:]])
    assert (*first, *rest) == LINES


@given(
    at=st.integers(0, 7),
    change=st.sampled_from(
        [
            {"kind": "other"},
            {"who": "ben"},
            {"release": "x"},
            {"unit": "x"},
            {"batch": 9},
            {"data": {}},
            {"hash": "0" * 64},
            {"at": LINES[0].at.replace(year=2025)},
        ]
    ),
)
def test_a_changed_line_is_the_one_that_is_found(at: int, change: dict[str, object]) -> None:
    """Every field counts: who approved what, and when."""
    lines = list(LINES)
    lines[at] = replace(lines[at], **change)  # type: ignore[arg-type]
    assert chain.verify(lines) == Break(at + 1, Flaw.CHANGED)


@given(at=st.integers(0, 7))
def test_a_line_that_was_taken_away_is_found(at: int) -> None:
    """At the end only the store's count can tell; it does."""
    lines = [*LINES[:at], *LINES[at + 1 :]]
    assert chain.verify(lines, count=8) == Break(at + 1, Flaw.MISSING)
    assert (chain.verify(lines) is None) == (at == 7)


@given(at=st.integers(0, 6))
def test_a_line_that_was_taken_away_and_renumbered_is_found(at: int) -> None:
    """Closing the gap does not help: the next line was linked to the one that is gone."""
    lines = [each for each in LINES if each.seq != at + 1]
    lines = [replace(each, seq=number) for number, each in enumerate(lines, 1)]
    assert chain.verify(lines) == Break(at + 1, Flaw.CHANGED)


def test_swapped_and_repeated_lines_are_found() -> None:
    """The order of an approval and of what it approved is the point of an audit."""
    swapped = [*LINES[:2], LINES[3], LINES[2], *LINES[4:]]
    assert chain.verify(swapped) == Break(3, Flaw.MISSING)
    assert chain.verify([*LINES[:2], LINES[1], *LINES[2:]]) == Break(2, Flaw.CHANGED)


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE event SET body = replace(body, '\"ana\"', '\"ben\"') WHERE seq = 2", 2),
        ("UPDATE event SET body = 'no JSON' WHERE seq = 2", 2),
        ("UPDATE event SET release = 'other' WHERE seq = 2", 2),
        ("DELETE FROM event WHERE seq = 2", 2),
        ("DELETE FROM event WHERE seq = 3", 3),
    ],
)
def test_tampering_with_the_file_is_found(tmp_path: Path, tampering: str, found: int) -> None:
    """Also by somebody who takes the triggers away first; and it is an answer, not a crash."""
    path = tmp_path / "sluice.db"
    lines: tuple[Event, ...] = tuple(event("approved", who="ana", release="r") for _ in range(3))
    with SqliteStore(path) as store:
        store.commit(Changes(events=lines))
    with closing(sqlite3.connect(path)) as connection:
        for trigger in ("event_no_update", "event_no_delete"):
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(tampering)
        connection.commit()
    with SqliteStore.reader(path) as store:
        broken = chain.verify(store.events(), count=store.event_count())
    assert broken is not None
    assert broken.seq == found
