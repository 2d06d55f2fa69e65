"""Two processes on one store, and processes that are killed: what returned is there, whole."""

from __future__ import annotations

import signal
from pathlib import Path

from bot.adapters.sqlite import SqliteStore
from bot.core import chain
from bot.model.state import Hold, UnitState
from bot.ports import Changes
from tests.contracts.stores import NOW, stored, unit
from tests.storage.other_process import start


def test_kill_9_loses_no_commit_that_returned_and_leaves_no_half(tmp_path: Path) -> None:
    """An intent that is gone after its effect left would let the same batch begin twice."""
    path = tmp_path / "sluice.db"
    for enough in (1, 7, 25):
        with start("commit", str(path)) as child:
            assert child.stdout is not None
            returned = 0
            for line in child.stdout:
                returned = int(line)
                enough -= 1
                if not enough:
                    break
            child.send_signal(signal.SIGKILL)
            returned = max([returned, *map(int, child.stdout.read().split())])
        with SqliteStore.reader(path) as asked:  # reads what a dead writer left, and writes nothing
            assert stored(asked, UnitState, unit().key).batch >= returned
        with SqliteStore(path) as store:
            stands = stored(store, UnitState, unit().key).batch
            # At most the commit that was under way has come through untold.
            assert returned <= stands <= returned + 1
            assert store.mark("main") == str(stands)
            assert len(store.rows(Hold)) == stands
            assert [line.batch for line in store.events()[-2:]] == [stands, stands]
            assert store.event_count() == 2 * stands
            assert chain.verify(store.events(), count=store.event_count()) is None
            assert store.blob(f"sha256:{stands}") == {"n": stands}
            assert store.blob(f"sha256:{stands + 1}") is None


def test_processes_that_note_at_once_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """Webhooks, buttons and terminals write while the bot runs, and one of them makes the store."""
    path = str(tmp_path / "sluice.db")
    children = [start("note", path, who, "40") for who in ("ana", "ben", "cho")]
    for child in children:
        said, _ = child.communicate(timeout=30)
        assert said == "done\n"
        assert child.returncode == 0
    with SqliteStore(path) as store:
        notes = store.notes()
    keys = [note.key for note in notes]
    assert len(keys) == len(set(keys)) == 3 * 20 + 20
    assert [note.id for note in notes] == sorted(note.id for note in notes)


def test_opening_a_store_twice_in_one_process_takes_no_lock_away(tmp_path: Path) -> None:
    """Closing any handle of a file ends all its process's locks on it; the next process to close
    would then remove the log under the bot, and the bot's commits would go nowhere.
    """
    path = tmp_path / "sluice.db"
    with SqliteStore(path) as bot:
        bot.commit(Changes(marks={"main": "c1"}))
        SqliteStore.reader(path).close()
        bot.backup(tmp_path / "copy.db", at=NOW)
        SqliteStore(path).close()
        with start("note", str(path), "ana", "1") as child:
            child.communicate(timeout=30)
        assert Path(f"{path}-wal").exists()
        bot.commit(Changes(marks={"main": "c2"}))
        with SqliteStore.reader(path) as reader:
            assert reader.mark("main") == "c2"
            assert len(reader.notes()) == 1
