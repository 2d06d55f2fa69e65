"""The chats that the suite runs against. Another chat joins it by one line in `CHATS`."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.adapters.terminal_chat import TerminalChat
from bot.model.message import Message, Post
from bot.ports import Chat

NOW = datetime(2026, 11, 24, 9, 0, 3, 999, tzinfo=UTC)


@dataclass(frozen=True)
class ChatUnderTest:
    """A chat, what a person in it has seen so far, and a way to cut it off."""

    chat: Chat
    seen: Callable[[], str]
    cut_off: Callable[[bool], None]


class Terminal(io.StringIO):
    """A stream like a terminal, which can be closed from the other side and come back."""

    gone = False
    tty = False
    encoding = "utf-8"

    def write(self, text: str) -> int:
        if self.gone:
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)

    def isatty(self) -> bool:
        return self.tty


def terminal() -> ChatUnderTest:
    stream = Terminal()

    def cut_off(gone: bool) -> None:
        stream.gone = gone

    return ChatUnderTest(TerminalChat(stream, plain=True), stream.getvalue, cut_off)


CHATS: Mapping[str, Callable[[], ChatUnderTest]] = {"terminal": terminal}


def card(text: str, key: str = "card/node-agent-2-5-0", **changed: Any) -> Post:
    fields: dict[str, Any] = {
        **{"channel": "C01NET", "at": NOW, "release": "node-agent-2-5-0"},
        **changed,
    }
    return Post(key=key, message=Message(text=text), **fields)


def reply(text: str, event: str = "7", **changed: Any) -> Post:
    key = f"thread/node-agent-2-5-0/{event}"
    return card(text, key, thread="card/node-agent-2-5-0", **changed)
