"""Waiting for what other processes do, never longer than said, and saying what was seen last."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(look: Callable[[], T], what: str, seconds: float = 30.0, every: float = 0.1) -> T:
    """What `look` says as soon as that is true; AssertionError when it never is."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:g} s still not: {what} (last seen: {seen!r})")
        time.sleep(every)
    return seen
