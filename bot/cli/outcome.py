"""How a command ends when it does not end well: exit codes, and what is said on which stream.

With --json the same comes as one JSON document on stdout. Never decides whether it ended well.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

GOOD, FOUND, USAGE, REFUSED, OUTSIDE, BUG, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 3, 4, 70, 130, 141


class Ended(Exception):
    """The command ends here with `code`; `text` is for people, `body` for --json."""

    def __init__(self, code: int, text: str, body: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.body = body


def wrong_usage(why: str, **more: Any) -> Ended:
    """Asked in a way that cannot be answered: exit 2."""
    return Ended(USAGE, why, error("usage", why, **more))


def outside(why: str, code: str = "unreachable") -> Ended:
    """Something outside could not be reached: exit 4."""
    return Ended(OUTSIDE, why, error(code, why))


def error(code: str, why: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "why": why, **more}}


def emit(body: Any, text: str, *, as_json: bool) -> None:
    """The answer of a command on stdout. A stream that takes no more is outside of us: exit 4."""
    if as_json:
        # Escapes where the terminal's encoding could lose letters: JSON is read by programs.
        plain = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        text = json.dumps(body, indent=2, ensure_ascii=not plain)
    if not text:
        return
    try:
        print(text.rstrip("\n"))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as full:
        raise outside(f"the answer cannot be written: {full.strerror or full}") from full


def note(text: str) -> None:
    """A remark beside the answer, on stderr."""
    print(text.rstrip("\n"), file=sys.stderr)
