"""The local chat: cards and threads printed to a terminal or a log. Never asks, never reads input.

What was printed stays printed; an edit of a card prints the lines that are new and that went.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from difflib import SequenceMatcher
from typing import TextIO

from bot.core.messages_text import as_text, clean
from bot.model.message import Post
from bot.ports import Unreachable

_REMEMBERED = 2000
"""Posts that are known again: far more than are ever edited, and no growth with the years."""

_DIM, _BOLD, _END = "\x1b[2m", "\x1b[1m", "\x1b[0m"


class TerminalChat:
    """Chat on a text stream. `plain`: no colours, as where no terminal is.

    Raises Unreachable when the stream takes no more; the post counts as not shown.
    """

    def __init__(self, stream: TextIO, *, plain: bool) -> None:
        self._stream = stream
        self._coloured = not plain and stream.isatty()
        self._shown: OrderedDict[str, list[str]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, post: Post) -> None:
        """Print a post once for a key, then what changed; the same text again prints nothing."""
        lines = as_text(post.message).split("\n")
        with self._lock:
            before = self._shown.get(post.key)
            if lines != before:
                body = self._whole(lines) if before is None else _changed(before, lines)
                self._print([self._head(post), *_indented(body, deep=post.thread is not None)])
                self._shown[post.key] = lines
            self._shown.move_to_end(post.key)
            if len(self._shown) > _REMEMBERED:
                self._shown.popitem(last=False)

    def _head(self, post: Post) -> str:
        """When, where, what about: a reply says it again, since others come between."""
        place = clean(post.release or post.thread or post.key)
        arrow = "↳ " if post.thread is not None else ""
        head = f"{_time(post.at)}  {clean(post.channel)}  {arrow}{place}"
        return f"{_DIM}{head}{_END}" if self._coloured else head

    def _whole(self, lines: list[str]) -> list[str]:
        first, *rest = lines
        return [f"{_BOLD}{first}{_END}" if self._coloured else first, *rest]

    def _print(self, lines: Iterable[str]) -> None:
        text = "".join(f"{line.rstrip()}\n" for line in lines)
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            # A terminal that knows no emoji still shows the words.
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            raise Unreachable(f"the terminal takes no more text: {error}") from error


def _indented(lines: Iterable[str], *, deep: bool) -> Iterator[str]:
    blanks = " " * (6 if deep else 2)
    return (f"{blanks}{line}" for line in lines)


def _changed(before: list[str], after: list[str]) -> Iterator[str]:
    """New lines with +, lines that went without a successor with -."""
    for what, b1, b2, a1, a2 in SequenceMatcher(None, before, after, False).get_opcodes():
        if what == "delete":
            yield from (f"- {line}" for line in before[b1:b2])
        elif what != "equal":
            yield from (f"+ {line}" for line in after[a1:a2])


def _time(at: datetime) -> str:
    # Not strftime with names: what is printed must not depend on the locale of the process.
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
