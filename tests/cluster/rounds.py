"""A controller of a test: looks ten times a second, in a thread of its own, and can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.cluster.api import Answer


class Rounds:
    """`sync` again and again, until it is closed; what the server refuses is tried once more."""

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._going, self._ended = threading.Event(), threading.Event()
        self._round = threading.Lock()
        self._going.set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._going.set()
        self._thread.join(10)
        assert not self._thread.is_alive()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self._going.clear()
        with self._round:  # a round that is under way comes to its end
            pass
        try:
            yield
        finally:
            self._going.set()

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            self._going.wait()
            with self._round:
                if not self._going.is_set():
                    continue
                try:
                    self._sync()
                except (Answer, OSError):
                    continue  # as controllers do: once more from the beginning
