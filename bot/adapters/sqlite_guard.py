"""One bot a store: a lock that the kernel frees when the process ends, however it ends.

The lock file stays: deleting it would let two processes hold two files of one name.
"""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import msgspec

from bot.core import messages_store as say
from bot.ports import StoreLocked

_TRIES = 20_000
"""A fraction of a second: who asks lets go at once, unless the machine is very busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who runs on a store. Empty fields: it holds the lock, and has not said who it is."""

    pid: int | None = None
    host: str = ""
    since: datetime | None = None


class StoreGuard:
    """Held from `StoreGuard(path, since=now)` to `release()` or the end of the process.

    Raises StoreLocked(kind="locked") when another process holds it, with who and since when.
    """

    def __init__(self, path: str | os.PathLike[str], *, since: datetime) -> None:
        self.path = os.fspath(path)
        self._file = _open(self.path, os.O_RDWR | os.O_CREAT)
        try:
            if not _seize(self._file):
                who = _read(self._file)
                raise StoreLocked(say.held(self.path, who.pid, who.host, who.since), "locked")
            _write(self._file, Holder(pid=os.getpid(), host=socket.gethostname(), since=since))
        except OSError as error:
            os.close(self._file)
            why = say.cannot_guard(_lock_path(self.path), error.strerror or str(error))
            raise StoreLocked(why, "broken") from error
        except StoreLocked:
            os.close(self._file)
            raise

    def release(self) -> None:
        """Let the next one in. A second call does nothing."""
        if self._file >= 0:
            with suppress(OSError):  # a full disk is no reason to keep the lock
                os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> StoreGuard:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def holder(path: str | os.PathLike[str]) -> Holder | None:
    """Who runs on the store now; None when nobody does."""
    try:
        file = _open(os.fspath(path), os.O_RDONLY)
    except StoreLocked:
        return None
    try:
        return None if _take(file, fcntl.LOCK_SH) else _read(file)
    finally:
        os.close(file)


def _lock_path(path: str) -> str:
    # By the real file: a link to the store is the same store.
    return f"{os.path.realpath(path)}.lock"


def _open(path: str, flags: int) -> int:
    lock = _lock_path(path)
    try:
        return os.open(lock, flags | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreLocked(say.cannot_guard(lock, error.strerror or str(error)), "broken") from error


def _seize(file: int) -> bool:
    """Whether it is ours now. Who asks `holder` locks for a moment and must not keep us out."""
    for _ in range(_TRIES):
        if _take(file, fcntl.LOCK_EX):
            return True
        if not _take(file, fcntl.LOCK_SH):
            return False
        fcntl.flock(file, fcntl.LOCK_UN)
        os.sched_yield()
    return False


def _take(file: int, mode: int) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: int) -> Holder:
    try:
        found: Holder = msgspec.json.decode(os.pread(file, 4096, 0), type=Holder)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Holder()
    return found


def _write(file: int, who: Holder) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, msgspec.json.encode(who), 0)
