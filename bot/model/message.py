"""What the bot says, before it has a shape: plain text and Slack's blocks are both made from it.

A message holds no markup of any chat; foreign text in it is plain data that a renderer escapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Tone(StrEnum):
    """State word of a card; a renderer adds its emoji. Never colour alone."""

    HEALTHY = "healthy"
    ROLLING = "rolling out"
    PAUSED = "paused"
    DECISION = "needs decision"
    STOPPED = "stopped"
    ROLLING_BACK = "rolling back"
    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A command that fits the state: `Approve stage production` → `approve node-agent-2-5-0#3`."""

    label: str
    command: str
    style: str = "default"
    """default | primary | danger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`text` alone reads well on a phone; `lines` are paragraphs, `facts` short pairs, `rows` a
    table.
    """

    text: str
    tone: Tone | None = None
    title: str = ""
    lines: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    page: str = ""
    """Text whose lines and indentation count, such as a plan: shown as it stands."""
    buttons: tuple[Button, ...] = ()
    mentions: tuple[str, ...] = ()
    """People who can decide what is asked here; nobody else is ever mentioned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message with its place. The same key again edits in place; the same text again sends
    nothing.
    """

    key: str
    """`card/<release>`, or `thread/<release>/<event>` for a reply in its thread."""
    channel: str
    message: Message
    thread: str | None = None
    urgent: bool = False
    """Safety and decisions leave before status."""
    at: datetime
    release: str = ""
    sent: bool = False
    """Whether the chat has taken this text: false rows are the outbox."""
