"""The Store port: rows, blobs and marks; one transaction a tick, no lost update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.message import Post
from bot.model.plan import ReleasePlan
from bot.model.state import (
    Applied,
    Blocked,
    Certificate,
    Decision,
    Event,
    Hold,
    Intent,
    IntentStatus,
    ReleasePhase,
    ReleaseState,
    UnitPhase,
    UnitState,
)
from bot.ports import Answer, Changes, StaleRow, Store
from tests.contracts.stores import (
    EVERY_TYPE,
    NOW,
    STORES,
    event,
    hold,
    intent,
    key_of,
    plan,
    post,
    release,
    stored,
    unit,
)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = STORES[request.param](tmp_path)
    yield opened
    opened.close()  # type: ignore[attr-defined]


def counted(row: Any) -> Any:
    """The row as it stands after its first put."""
    return replace(row, version=1) if type(row) in (ReleaseState, UnitState, Decision) else row


@pytest.mark.parametrize("row", EVERY_TYPE, ids=lambda row: type(row).__name__)
def test_a_row_comes_back_as_it_was_put(store: Store, row: Any) -> None:
    """A fact that changes on its way through the store changes a decision after a restart."""
    store.commit(Changes(puts=(row,)))
    found = store.get(type(row), key_of(row))
    assert found == counted(row)
    assert type(found) is type(row)
    assert store.rows(type(row)) == (counted(row),)


def test_what_was_never_put_is_not_there(store: Store) -> None:
    """Missing is an ordinary answer, never an error and never an empty row."""
    assert store.get(UnitState, "nobody/c@k") is None
    assert store.rows(Hold) == ()
    assert store.blob("sha256:none") is None
    assert store.mark("main") is None
    assert store.answer(1) is None
    assert store.notes() == ()
    assert store.events() == ()


def test_the_second_of_two_writers_is_told_that_the_row_changed(store: Store) -> None:
    """Two that read the same row may not both decide on it: the later one has to look again."""
    store.commit(Changes(puts=(unit(),)))
    first = stored(store, UnitState, unit().key)
    second = stored(store, UnitState, unit().key)
    store.commit(Changes(puts=(replace(first, phase=UnitPhase.APPLYING),)))
    with pytest.raises(StaleRow, match=r"node-agent@eu-1.*at version 2, not at version 1"):
        store.commit(Changes(puts=(replace(second, phase=UnitPhase.SKIPPED),)))
    found = stored(store, UnitState, unit().key)
    assert (found.phase, found.version) == (UnitPhase.APPLYING, 2)


def test_a_new_row_does_not_overwrite_one_that_stands(store: Store) -> None:
    """Version 0 says "there is none yet"; where that is wrong, nothing is written."""
    store.commit(Changes(puts=(release(outcome="first"),)))
    with pytest.raises(StaleRow):
        store.commit(Changes(puts=(release(outcome="second"),)))
    assert stored(store, ReleaseState, release().key).outcome == "first"


def test_a_changed_row_that_is_gone_is_stale(store: Store) -> None:
    """A row that was taken away must not come back by a late write."""
    store.commit(Changes(puts=(unit(),)))
    seen = stored(store, UnitState, unit().key)
    store.commit(Changes(drops=((UnitState, seen.key),)))
    with pytest.raises(StaleRow, match="is gone"):
        store.commit(Changes(puts=(seen,)))
    assert store.rows(UnitState) == ()


def test_one_stale_row_leaves_nothing_of_the_tick(store: Store) -> None:
    """A tick is one decision: half of it would be a state that nobody decided."""
    note = store.note("n", "pause all", by="ana", surface="cli", at=NOW, data={})
    store.commit(Changes(puts=(unit(), hold(name="old")), marks={"main": "c1"}))
    with pytest.raises(StaleRow):
        store.commit(
            Changes(
                puts=(release(), hold(name="new"), unit()),  # the last is stale
                drops=((Hold, "old"),),
                events=(event(),),
                blobs={"sha256:1": {}},
                answers={note: Answer(code=0, body={}, text="Paused.")},
                marks={"main": "c2"},
            )
        )
    assert store.get(ReleaseState, release().key) is None
    assert [row.id for row in store.rows(Hold)] == ["old"]
    assert store.events() == ()
    assert store.blob("sha256:1") is None
    assert store.answer(note) is None
    assert store.mark("main") == "c1"


def test_the_version_of_a_component_is_not_a_version_of_its_row(store: Store) -> None:
    """Applied and Blocked have a field `version` that is text; putting them again replaces them."""
    for row in (row for row in EVERY_TYPE if isinstance(row, Applied | Blocked)):
        store.commit(Changes(puts=(row,)))
        store.commit(Changes(puts=(replace(row, release="later"),)))
        assert [found.release for found in store.rows(type(row))] == ["later"]


def test_rows_come_by_key_and_by_release(store: Store) -> None:
    """The same question gives the same order on every machine and after every restart."""
    units = [unit(of, name) for of in ("b", "a", "a-b") for name in ("c@2", "c@1", "c@10")]
    store.commit(Changes(puts=tuple(units)))
    assert [row.key for row in store.rows(UnitState)] == sorted(row.key for row in units)
    assert [row.key for row in store.rows(UnitState, parent="a")] == ["a/c@1", "a/c@10", "a/c@2"]
    assert store.rows(UnitState, parent="nobody") == ()


OF_A_RELEASE = (UnitState, Hold, Decision, Intent, Certificate, ReleasePlan, Post)


def test_live_rows_are_those_of_releases_that_have_not_ended(store: Store) -> None:
    """What a tick reads must not grow with the years; and what ended must not be acted on again."""
    for name in ("old", "new"):
        rows = [row for row in EVERY_TYPE if isinstance(row, OF_A_RELEASE)]
        named = [replace(row, release=name) for row in rows]
        named = [replace(row, id=name) if isinstance(row, Hold) else row for row in named]
        named = [
            replace(row, key=f"card/{name}", sent=True) if isinstance(row, Post) else row
            for row in named
        ]
        store.commit(Changes(puts=(release(name), *named)))
    old = stored(store, ReleaseState, "old")
    store.commit(Changes(puts=(replace(old, phase=ReleasePhase.ROLLED_BACK),)))
    for type_ in (ReleaseState, *OF_A_RELEASE):
        assert [row.release for row in store.rows(type_, live=True)] == ["new"], type_
        assert sorted(row.release for row in store.rows(type_)) == ["new", "old"], type_
        assert store.rows(type_, parent="old", live=True) == ()
        assert len(store.rows(type_, parent="new", live=True)) == 1


def test_rows_added_after_the_end_are_not_live_either(store: Store) -> None:
    """The last certificate is written in the same breath as the end, or after it."""
    ended = release(phase=ReleasePhase.SUCCEEDED)
    store.commit(Changes(puts=(unit(), ended)))
    store.commit(Changes(puts=(unit(name="node-agent@eu-2"),)))
    assert store.rows(UnitState, live=True) == ()
    assert len(store.rows(UnitState)) == 2


def test_a_release_that_goes_on_is_live_again(store: Store) -> None:
    """A rollback of what had succeeded finds the units where they were."""
    store.commit(Changes(puts=(unit(), release(phase=ReleasePhase.SUCCEEDED))))
    ended = stored(store, ReleaseState, release().key)
    store.commit(Changes(puts=(replace(ended, phase=ReleasePhase.ROLLING_BACK),)))
    assert len(store.rows(UnitState, live=True)) == 1


def test_rows_without_a_release_row_are_live(store: Store) -> None:
    """What nobody said has ended has not ended."""
    store.commit(Changes(puts=(unit(), plan(), hold(of=None))))
    assert len(store.rows(UnitState, live=True)) == 1
    assert len(store.rows(ReleasePlan, live=True)) == 1
    assert len(store.rows(Hold, live=True)) == 1


def test_what_outlives_releases_is_always_live(store: Store) -> None:
    """A block must hold for ever, not until the release that brought it has ended."""
    outliving = [row for row in EVERY_TYPE if not isinstance(row, (ReleaseState, *OF_A_RELEASE))]
    ended = [release(name, phase=ReleasePhase.ROLLED_BACK) for name in ("x", "node-agent-2-4-0")]
    store.commit(Changes(puts=(*ended, *outliving)))
    for row in outliving:
        assert store.rows(type(row), live=True) == (row,)


def test_an_effect_without_an_end_is_live_though_its_release_ended(store: Store) -> None:
    """A crash between the last commit and the last post must not swallow the post."""
    ended = release(phase=ReleasePhase.SUCCEEDED)
    unsent, unknown = post(), intent(2, IntentStatus.UNKNOWN)
    store.commit(Changes(puts=(ended, unsent, intent(1), unknown)))
    assert store.rows(Post, live=True) == (unsent,)
    assert store.rows(Intent, live=True) == (unknown,)
    running = post("card/running", release="running", sent=True)
    store.commit(Changes(puts=(release("running"), running, intent(3, release="running"))))
    assert store.rows(Post, open=True) == (unsent,)
    assert store.rows(Intent, open=True, live=True) == (unknown,)
    assert store.rows(Intent, open=True, parent="running") == ()
    assert store.rows(Post, live=True) == (unsent, running)
    sent = replace(unsent, sent=True)
    store.commit(Changes(puts=(sent, replace(unknown, status=IntentStatus.DONE))))
    assert store.rows(Post, open=True) == store.rows(Intent, open=True) == ()
    assert store.rows(Post, live=True) == (running,)
    assert store.rows(Intent, live=True) == (intent(3, release="running"),)


def test_dropping_what_is_not_there_is_no_error(store: Store) -> None:
    """A tick may be repeated; taking away twice is taking away."""
    store.commit(Changes(puts=(hold(),)))
    store.commit(Changes(drops=((Hold, "h1"), (Hold, "h2"))))
    store.commit(Changes(drops=((Hold, "h1"),)))
    assert store.rows(Hold) == ()


def test_a_blob_is_written_once(store: Store) -> None:
    """A digest names one content for ever; a second content under it would be a lie."""
    store.commit(Changes(blobs={"sha256:1": {"a": 1}}))
    store.commit(Changes(blobs={"sha256:1": {"a": 2}, "sha256:2": None}))
    assert store.blob("sha256:1") == {"a": 1}
    assert store.blob("sha256:2") is None


def test_a_mark_is_set_changed_and_taken_away(store: Store) -> None:
    """The last processed commit is such a mark: it decides where a restart goes on."""
    store.commit(Changes(marks={"main": "c1", "other": ""}))
    store.commit(Changes(marks={"main": "c2"}))
    assert (store.mark("main"), store.mark("other")) == ("c2", "")
    store.commit(Changes(marks={"main": None, "never": None}))
    assert store.mark("main") is None


def test_a_type_that_is_no_row_is_refused(store: Store) -> None:
    """A mistake of the caller is a mistake, not a silently forgotten row."""
    with pytest.raises(TypeError, match="Event is no row"):
        store.commit(Changes(puts=(event(),)))
    with pytest.raises(TypeError, match="Event is no row"):
        store.get(Event, "1")


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=30,
)


@pytest.mark.parametrize("name", STORES)
@given(value=JSON_VALUES, times=st.sampled_from([1, 400]))
def test_any_json_comes_back_from_a_blob(
    name: str, value: Any, times: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A rollback applies what a blob gives back; large ones, compressed, as small ones."""
    opened = STORES[name](tmp_path_factory.mktemp("blob"))
    content = {"spec": [value] * times}
    opened.commit(Changes(blobs={"sha256:1": content}))
    assert opened.blob("sha256:1") == content
    opened.close()  # type: ignore[attr-defined]
