"""The narrator of the demo: headings, sentences, commands, and the questions to the person
watching.

Prints and asks; knows nothing of releases and decides nothing but what Enter means.
"""

from __future__ import annotations

import os
import sys
import textwrap
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TextIO
from zoneinfo import ZoneInfo

from bot.core.messages_words import moment

WIDTH = 100
ZONE = "Europe/Berlin"
_BOLD, _DIM, _CYAN, _YELLOW, _RED, _END = (
    "\x1b[1m",
    "\x1b[2m",
    "\x1b[36m",
    "\x1b[33m",
    "\x1b[31m",
    "\x1b[0m",
)


class Teller:
    """Everything that the demo prints. `answers` None: the demo decides for the people."""

    def __init__(
        self, stream: TextIO, *, answers: TextIO | None, speed: float, colours: bool
    ) -> None:
        self._stream = stream
        self._answers = answers
        self._speed = speed
        self._colours = colours
        self._rest = threading.Event()
        self._scenes = 0

    # telling

    def scene(self, at: datetime, title: str) -> None:
        """A heading with the virtual date and time."""
        self._scenes += 1
        self.beat(1.2)
        when = moment(at, ZONE).removesuffix(f" {ZONE}")
        head = f"── {self._scenes}. {when} · {title} "
        self._line()
        self._line(self._paint(_BOLD, head + "─" * max(0, WIDTH - len(head))))

    def say(self, text: str) -> None:
        """What just happened and why it matters, in the narrator's words."""
        self._line()
        for line in textwrap.wrap(text, WIDTH):
            self._line(line)
        self.beat(0.6)

    def types(self, who: str, command: str) -> None:
        """A command as a person types it."""
        self._line()
        self._line(self._paint(_CYAN, f"{who} $ {command}"))
        self.beat(0.5)

    def shows(self, text: str, *, indent: int = 4) -> None:
        """Real output: of the bot, of Git, of the fleet. Long lines are folded, nothing is left
        out.
        """
        for line in text.rstrip("\n").split("\n"):
            for folded in _folded(line, WIDTH - indent):
                self._line(f"{' ' * indent}{folded}".rstrip())
        self.beat(0.8)

    def posts(self, at: datetime, text: str) -> None:
        """One message of the bot in the thread of the release."""
        first, *rest = text.split("\n")
        clock = f"{at.astimezone(ZoneInfo(ZONE)):%H:%M}"
        head, *more = _folded(first, WIDTH - 11) or [""]
        self._line(f"    {self._paint(_DIM, clock)}  {head}")
        for line in (*more, *rest):
            for folded in _folded(line, WIDTH - 11):
                self._line(f"           {folded}".rstrip())
        self.beat(0.15)

    def beat(self, seconds: float) -> None:
        """Time to read; none where nobody watches."""
        if self._speed > 0:
            self._rest.wait(seconds / self._speed)

    # asking

    def ask(
        self,
        question: str,
        options: Mapping[str, str],
        *,
        looks: Mapping[str, Callable[[], str]] | None = None,
    ) -> str:
        """One of the options, the first on Enter. `looks`: questions that may come before the
        answer.
        """
        words = [*options]
        looks = looks or {}
        self.say(question)
        for number, (word, meaning) in enumerate(options.items()):
            enter = "  (Enter)" if number == 0 else ""
            self._line(f"    {self._paint(_YELLOW, f'{word:<10}')} {meaning}{enter}")
        for word in looks if self._answers is not None else ():
            self._line(f"    {self._paint(_YELLOW, f'{word:<10}')} look first")
        while True:
            typed = self._typed(words[0])
            found = _meant(typed, [*words, *looks])
            if found in looks:
                self.shows(looks[found]())
            elif found:
                return found
            else:
                self._line(f"    Not understood: {typed}. One of: {', '.join([*words, *looks])}")

    def _typed(self, suggestion: str) -> str:
        self._write(self._paint(_YELLOW, "  > "))
        if self._answers is None:
            self.beat(0.8)
            self._line(suggestion)
            return suggestion
        line = self._answers.readline()
        if line == "":  # the terminal is gone: the demo goes on by itself
            self._answers = None
            self._line(suggestion)
            return suggestion
        return line.strip() or suggestion

    # ending

    def failed(self, step: str) -> None:
        """Which step of the story did not happen."""
        self._line()
        self._line(self._paint(_RED, f"This step did not happen: {step}"))

    def left(self) -> None:
        self._line()
        self._line("Left. The temporary folder is gone; nothing else was touched.")

    def _paint(self, code: str, text: str) -> str:
        return f"{code}{text}{_END}" if self._colours else text

    def _line(self, text: str = "") -> None:
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        # A terminal that knows no emoji still shows the words.
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()


def teller_for(stream: TextIO, *, auto: bool, speed: float | None) -> Teller:
    """A narrator for where it speaks: paced and coloured only where a person reads."""
    watched = stream.isatty()
    asks = not auto and sys.stdin is not None and sys.stdin.isatty()
    # Pauses are for readers; who only watches gets shorter ones, so that all of it stays brief.
    pace = (0.7 if asks else 1.6) if watched else 0.0
    if speed is not None:
        pace *= max(0.0, speed)
    return Teller(
        stream,
        answers=sys.stdin if asks else None,
        speed=pace,
        colours=watched and not os.environ.get("NO_COLOR"),
    )


def _meant(typed: str, words: Sequence[str]) -> str:
    """The one word that was typed, or that begins like it; "" when it is none or several."""
    said = typed.casefold().removeprefix("sluice ").split(" ")[0]
    if said in words:
        return said
    found = [word for word in words if said and word.startswith(said)]
    return found[0] if len(found) == 1 else ""


def _folded(line: str, width: int) -> list[str]:
    """A long line on several, those after the first a little deeper."""
    if len(line) <= width:
        return [line]
    deep = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=deep,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
