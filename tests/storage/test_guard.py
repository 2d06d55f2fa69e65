"""One bot a store: the second is told who holds it, and the kernel frees what a dead one held."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from bot.adapters.sqlite_guard import Holder, StoreGuard, holder
from bot.ports import StoreLocked
from tests.contracts.stores import NOW
from tests.storage.other_process import start


def test_the_second_bot_is_told_who_holds_the_store_and_since_when(tmp_path: Path) -> None:
    """Two bots on one store would give two answers to one question."""
    path = tmp_path / "sluice.db"
    assert holder(path) is None
    with StoreGuard(path, since=NOW):
        assert holder(path) == Holder(pid=os.getpid(), host=socket.gethostname(), since=NOW)
        with pytest.raises(StoreLocked) as caught:
            StoreGuard(path, since=NOW)
        assert caught.value.kind == "locked"
        assert f"process {os.getpid()} on {socket.gethostname()}" in caught.value.why
        assert "since 2026-11-24 09:00:00 UTC" in caught.value.why
    assert holder(path) is None
    StoreGuard(path, since=NOW).release()


def test_a_killed_bot_holds_nothing(tmp_path: Path) -> None:
    """A lock file that outlives its process would need a person at night to delete it."""
    path = tmp_path / "sluice.db"
    with start("guard", str(path)) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        found = holder(path)
        assert found is not None
        assert found.pid == child.pid
        with pytest.raises(StoreLocked, match=f"process {child.pid}"):
            StoreGuard(path, since=NOW)
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        assert holder(path) is None
        StoreGuard(path, since=NOW).release()


def test_a_link_to_the_store_is_the_same_store(tmp_path: Path) -> None:
    """Two names of one file must not let two bots in."""
    (tmp_path / "sluice.db").touch()
    (tmp_path / "link.db").symlink_to("sluice.db")
    with StoreGuard(tmp_path / "sluice.db", since=NOW):
        assert holder(tmp_path / "link.db") is not None
        with pytest.raises(StoreLocked):
            StoreGuard(tmp_path / "link.db", since=NOW)


def test_a_lock_file_that_says_nothing_still_holds(tmp_path: Path) -> None:
    """Who holds it may be killed before saying its name; the lock counts, not the words."""
    path = tmp_path / "sluice.db"
    with StoreGuard(path, since=NOW):
        Path(f"{path}.lock").write_bytes(b"\xff not what we wrote")
        assert holder(path) == Holder()
        with pytest.raises(StoreLocked, match="another process"):
            StoreGuard(path, since=NOW)


def test_asking_who_holds_it_leaves_nothing_and_needs_no_folder(tmp_path: Path) -> None:
    """`status` on a machine where no bot ever ran is a question, not an error."""
    assert holder(tmp_path / "nowhere" / "sluice.db") is None
    assert holder(tmp_path / "sluice.db") is None
    assert os.listdir(tmp_path) == []
    with pytest.raises(StoreLocked) as caught:
        StoreGuard(tmp_path / "nowhere" / "sluice.db", since=NOW)
    assert caught.value.kind == "broken"
    assert "nowhere/sluice.db.lock" in caught.value.why


def test_asking_who_holds_it_keeps_no_bot_out(tmp_path: Path) -> None:
    """A probe that asks every second must not make a restart fail, once in a thousand times."""
    path = tmp_path / "sluice.db"
    StoreGuard(path, since=NOW).release()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            holder(path)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(200):
            StoreGuard(path, since=NOW).release()
    finally:
        stop.set()
        asking.join()


def test_releasing_twice_is_releasing(tmp_path: Path) -> None:
    """A clean stop may come from a signal and from the end of the block."""
    guard = StoreGuard(tmp_path / "sluice.db", since=NOW)
    guard.release()
    guard.release()
    assert holder(tmp_path / "sluice.db") is None
