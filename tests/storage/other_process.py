"""What a second process does to a store, so that tests can race with it and kill it. Run with -m.

commit PATH         one commit after another, each told on stdout once it returned, until killed
note PATH WHO N     N notes, every other one under a key that all processes share
guard PATH          takes the guard, says so, and waits to be killed
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from bot.adapters.sqlite import SqliteStore
from bot.adapters.sqlite_guard import StoreGuard
from bot.model.state import UnitState
from bot.ports import Changes
from tests.contracts.stores import NOW, event, hold, stored, unit

ROOT = Path(__file__).resolve().parent.parent.parent


def start(*arguments: str) -> subprocess.Popen[str]:
    """Such a process, with its stdout to read from and its stdin to end it by."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.storage.other_process", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _commit(path: str) -> None:
    store = SqliteStore(path)
    if store.get(UnitState, unit().key) is None:
        store.commit(Changes(puts=(unit(),)))
    while True:
        stands = stored(store, UnitState, unit().key)
        number = stands.batch + 1
        store.commit(
            Changes(
                puts=(replace(stands, batch=number), hold(name=f"h{number}")),
                events=(event("x", batch=number), event("y", batch=number)),
                blobs={f"sha256:{number}": {"n": number}},
                marks={"main": str(number)},
            )
        )
        _say(str(number))


def _note(path: str, who: str, count: str) -> None:
    store = SqliteStore(path)
    for number in range(int(count)):
        key = f"shared-{number}" if number % 2 else f"{who}-{number}"
        store.note(key, f"pause all {number}", by=who, surface="cli", at=NOW, data={})
    _say("done")


def _guard(path: str) -> None:
    with StoreGuard(path, since=NOW):
        _say("held")
        sys.stdin.read()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["commit", path]:
            _commit(path)
        case ["note", path, who, count]:
            _note(path, who, count)
        case ["guard", path]:
            _guard(path)
