"""The Store port: the audit, which only grows and can be verified, and the inbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import chain
from bot.ports import Answer, Changes, StaleRow, Store
from tests.contracts.stores import NOW, STORES, event


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = STORES[request.param](tmp_path)
    yield opened
    opened.close()  # type: ignore[attr-defined]


def leave(store: Store, key: str, text: str = "pause all", **data: Any) -> int:
    return store.note(key, text, by="ana", surface="cli", at=NOW, data=data)


def test_lines_are_numbered_without_gaps_and_chained(store: Store) -> None:
    """A gap would be a line that somebody took away; the hashes are returned as they stand."""
    first = store.commit(Changes(events=(event("a"), event("b"))))
    second = store.commit(Changes(events=(event("c"),)))
    assert [line.seq for line in (*first, *second)] == [1, 2, 3]
    assert store.events() == (*first, *second)
    assert chain.verify(store.events()) is None


def test_a_line_keeps_what_was_said(store: Store) -> None:
    """The audit is read years later, by people who were not there."""
    said = event(
        "batch.began",
        release="node-agent-2-5-0",
        unit="node-agent@eu-1",
        batch=2,
        who="ana",
        data={"why": "Ünï 🚦 \x1b[31m", "n": [1, 2.5, None]},
    )
    (line,) = store.commit(Changes(events=(said,)))
    assert store.events() == (line,)
    assert replace(line, seq=0, hash="") == said


def test_a_line_verifies_whatever_shape_its_facts_had(store: Store) -> None:
    """Tuples become lists and other offsets UTC on the way; the hash is of what will be read."""
    said = event("x", data={"seen": ("a", ("b",))})
    said = replace(said, at=NOW.astimezone(timezone(timedelta(hours=5, minutes=45))))
    (line,) = store.commit(Changes(events=(said,)))
    assert line.data == {"seen": ["a", ["b"]]}
    assert line.at.tzinfo == UTC
    assert store.events() == (line,)
    assert chain.verify(store.events()) is None


@pytest.mark.parametrize("name", STORES)
@given(
    facts=st.lists(
        st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"])),
            st.floats() | st.text(st.characters(exclude_categories=["Cs"])) | st.none(),
            max_size=3,
        ),
        max_size=4,
    )
)
def test_any_audit_verifies(
    name: str, facts: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An audit that calls itself broken when it is not is soon believed no more."""
    opened = STORES[name](tmp_path_factory.mktemp("audit"))
    opened.commit(Changes(events=tuple(event("x", data=each) for each in facts)))
    assert chain.verify(opened.events()) is None
    opened.close()  # type: ignore[attr-defined]


def test_lines_are_found_by_release_and_page_by_page(store: Store) -> None:
    """A surface shows what is new since it looked last, of one release or of all."""
    for number in range(6):
        store.commit(Changes(events=(event(str(number), release="ab"[number % 2]),)))
    assert [line.kind for line in store.events(release="b")] == ["1", "3", "5"]
    assert [line.kind for line in store.events(after=4)] == ["4", "5"]
    assert [line.kind for line in store.events(limit=2)] == ["0", "1"]
    assert [line.kind for line in store.events(release="a", after=1, limit=1)] == ["2"]
    assert store.events(limit=0) == ()


def test_a_note_waits_until_it_is_answered(store: Store) -> None:
    """A command is taken once, in the order in which people gave them."""
    first, second = leave(store, "k1", "pause all", force=True), leave(store, "k2", "resume all")
    assert first < second
    waiting = store.notes()
    assert [(note.id, note.text) for note in waiting] == [
        (first, "pause all"),
        (second, "resume all"),
    ]
    assert (waiting[0].key, waiting[0].by, waiting[0].surface) == ("k1", "ana", "cli")
    assert (waiting[0].at, waiting[0].data) == (NOW, {"force": True})
    assert store.answer(first) is None
    said = Answer(code=3, body={"refused": {"code": "role"}}, text="Only an approver can.")
    store.commit(Changes(answers={first: said}))
    assert [note.id for note in store.notes()] == [second]
    assert store.answer(first) == said
    assert store.notes(after=second) == ()


def test_the_same_delivery_is_one_command(store: Store) -> None:
    """A double click, or a webhook that comes twice, gives one command: also after its answer."""
    first = leave(store, "click-1", "approve r#3")
    assert leave(store, "click-1", "approve r#3") == first
    store.commit(Changes(answers={first: Answer(code=0, body={}, text="Approved.")}))
    assert leave(store, "click-1", "approve r#3") == first
    assert store.notes() == ()


def test_a_note_is_answered_once(store: Store) -> None:
    """Two bots that took the same command must not both act on it: the second writes nothing."""
    note = leave(store, "k")
    store.commit(Changes(answers={note: Answer(code=0, body={}, text="Paused.")}))
    late = Changes(answers={note: Answer(code=0, body={}, text="Again.")}, marks={"written": "yes"})
    with pytest.raises(StaleRow, match="has its answer already"):
        store.commit(late)
    with pytest.raises(StaleRow):
        store.commit(Changes(answers={note + 1: Answer(code=0, body={}, text="")}))
    answer = store.answer(note)
    assert answer is not None
    assert answer.text == "Paused."
    assert store.mark("written") is None


def test_a_note_in_broken_text_is_a_note(store: Store) -> None:
    """A terminal may hand over bytes that are no text; a pause must get through all the same."""
    broken = b"pause \xff".decode("utf-8", "surrogateescape")
    note = leave(store, broken, broken, reason=[broken], **{broken: 1})
    assert leave(store, broken, broken) == note
    assert store.notes()[0].text == "pause ?"
    assert store.notes()[0].data == {"reason": ["pause ?"], "pause ?": 1}
