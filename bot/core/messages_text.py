"""A message as plain text for terminals and files: an emoji, its word, the text; no colour alone.

What a message holds may be foreign: control characters never reach a terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from bot.model.message import Message, Tone

EMOJI = {
    Tone.HEALTHY: "🟢",
    Tone.ROLLING: "🔵",
    Tone.PAUSED: "⏸️",
    Tone.DECISION: "🟡",
    Tone.STOPPED: "🔴",
    Tone.ROLLING_BACK: "⏪",
    Tone.WAITING: "⚪",
    Tone.DONE: "⚫",
}


def as_text(message: Message) -> str:
    """Title and paragraphs, pairs, table, then what can be done, one command a line."""
    parts = [headed(message.tone, clean(message.title or message.text))]
    # A card's text repeats its lines for phones; without lines it is all there is.
    if message.title and not message.lines:
        parts.append(clean(message.text))
    parts.extend(clean(line) for line in message.lines)
    if message.facts:
        parts.append(" · ".join(f"{clean(name)}: {clean(value)}" for name, value in message.facts))
    if message.rows:
        parts.append(table(message.rows))
    parts.extend(f"{' ' * indent(line)}{clean(line)}" for line in message.page.splitlines())
    if message.mentions:
        parts.append(f"For {', '.join(clean(name) for name in message.mentions)}")
    if message.buttons:
        rows = [(f"  [{clean(b.label)}]", clean(b.command)) for b in message.buttons]
        width = max(_columns(label) for label, _ in rows)
        parts.extend(f"{label}{' ' * (width - _columns(label))}  {c}" for label, c in rows)
    return "\n".join(part for part in parts if part)


def headed(tone: Tone | None, text: str) -> str:
    """The state before a text: its emoji and its word, unless the text begins with that word."""
    if tone is None:
        return text
    if text.casefold().startswith(tone.value):
        return f"{EMOJI[tone]} {text}"
    return " · ".join(part for part in (f"{EMOJI[tone]} {tone.value}", text) if part)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to their widest cell, two blanks apart."""
    cells = [[clean(cell) for cell in line] for line in rows]
    columns = max((len(line) for line in cells), default=0)
    filled = [line + [""] * (columns - len(line)) for line in cells]
    widths = [max(_columns(line[i]) for line in filled) for i in range(columns)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _columns(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in filled
    )


def clean(text: str) -> str:
    """One line without control or direction characters: foreign text cannot move a cursor."""
    kept = (" " if char in "\t\n\r\v\f\x85\u2028\u2029" else char for char in text)
    return "".join(char for char in kept if _harmless(char)).strip()


def indent(line: str) -> int:
    """How deep a line stands; foreign text gets no further than half a page."""
    return min(len(line) - len(line.lstrip(" ")), 40)


def _columns(text: str) -> int:
    """How wide a terminal shows it: emoji take two columns, joiners and accents none."""
    width = 0
    for char in text:
        if char == "\ufe0f":  # asks for the emoji of a sign that is narrow by itself
            width += 1
        elif unicodedata.category(char) not in ("Mn", "Cf"):
            width += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return width


def _harmless(char: str) -> bool:
    if char in "\u200d\ufe0f":  # parts of emoji
        return True
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs")
