"""A message as Slack's Block Kit JSON, within the documented limits whatever the text is.

Every text is foreign until escaped: only `mentions` can mention, and nothing can bring a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bot.core.messages_text import EMOJI, clean, headed, indent, table
from bot.model.message import Button, Message

MAX_BLOCKS = 50
MAX_HEADER = 150
MAX_SECTION = 3000
MAX_CONTEXT = 10
MAX_BUTTONS = 4
MAX_LABEL = 75
MAX_VALUE = 2000
MAX_MENTIONS = 10
_CONFIRM_TITLE = 100
_CONFIRM_TEXT = 300
_FALLBACK = 3000

Block = dict[str, Any]

_MEMBER = re.compile(r"[UW][A-Z0-9]{2,}")
_GROUP = re.compile(r"S[A-Z0-9]{2,}")
_WORD_JOINER = "\u2060"


def as_blocks(message: Message, mentions: Mapping[str, str] | None = None) -> list[Block]:
    """The blocks of a message. `mentions`: member or team → id of the chat; others stay names."""
    blocks: list[Block] = []
    if clean(message.title):  # Slack refuses an empty header
        blocks.append(_header(headed(message.tone, message.title)))
        lines = message.lines or (message.text,)
    else:
        lines = (headed(message.tone, message.text), *message.lines)
    if message.facts:
        blocks.extend(_context(f"{name}: {value}" for name, value in message.facts))
    blocks.extend(block for line in lines for block in _section(line))
    if message.rows:
        blocks.extend(_preformatted(table(message.rows)))
    if message.page:
        blocks.extend(_preformatted(message.page))
    called = _mentioned(message.mentions, mentions or {})
    if called:
        blocks.append(_mrkdwn(called))
    kept = blocks[: MAX_BLOCKS - 1]
    return [*kept, _actions(message.buttons)] if message.buttons else kept


def fallback(message: Message, mentions: Mapping[str, str] | None = None) -> str:
    """The text beside the blocks: what phones and screen readers get. Mentions only notify here."""
    state = f"{EMOJI[message.tone]} " if message.tone is not None else ""
    called = _mentioned(message.mentions, mentions or {})
    text = escaped(f"{state}{message.text}", _FALLBACK - len(called) - 1)
    return f"{text} {called}".strip()


def escaped(text: str, limit: int = MAX_SECTION) -> str:
    """Foreign text for Slack, cut to the limit without cutting an escape in two.

    `<` never survives, so no `<!here>`, `<@U…>` or `<https://…>` can be written into it.
    """
    calm = _calm(clean(text))
    whole = "".join(map(_safe, calm))
    if _width(whole) <= limit:
        return whole
    kept: list[str] = []
    room = limit - 1
    for char in map(_safe, calm):
        room -= _width(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept) + "…" if limit > 0 else ""


def _safe(char: str) -> str:
    return {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(char, char)


def _calm(text: str) -> str:
    """`@here` and the like do nothing without their brackets; they are broken all the same."""
    return re.sub(r"@(?=(?:here|channel|everyone)\b)", f"@{_WORD_JOINER}", text, flags=re.I)


def _width(text: str) -> int:
    """Counted as UTF-16: the stricter of the ways a limit may be counted."""
    return len(text.encode("utf-16-le")) // 2


def _header(text: str) -> Block:
    return {
        "type": "header",
        "text": {"type": "plain_text", "text": escaped(text, MAX_HEADER), "emoji": False},
    }


def _mrkdwn(text: str) -> Block:
    # verbatim: Slack turns no URL, channel or user name in it into a link by itself.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _section(line: str) -> list[Block]:
    text = escaped(line)
    return [_mrkdwn(text)] if text else []


def _preformatted(text: str) -> list[Block]:
    """Lines as code, indented as they are: as many whole lines as fit."""
    room = MAX_SECTION - 8
    kept: list[str] = []
    for line in text.splitlines():
        safe = " " * indent(line) + escaped(line.replace("`", "'"), 300)
        room -= _width(safe) + 1
        if room < 0:
            break
        kept.append(safe)
    body = "\n".join(kept)
    return [_mrkdwn(f"```{body}```")] if body.strip() else []


def _context(texts: Iterable[str]) -> list[Block]:
    elements = [
        {"type": "mrkdwn", "text": text, "verbatim": True}
        for text in (escaped(text, 300) for text in texts)
        if text
    ]
    return [{"type": "context", "elements": elements[:MAX_CONTEXT]}] if elements else []


def _mentioned(names: Iterable[str], ids: Mapping[str, str]) -> str:
    called = []
    for name in dict.fromkeys(names):
        known = ids.get(name, "")
        if _MEMBER.fullmatch(known):
            called.append(f"<@{known}>")
        elif _GROUP.fullmatch(known):
            called.append(f"<!subteam^{known}>")
        else:
            called.append(escaped(name, 80))
    return " ".join(part for part in called[:MAX_MENTIONS] if part)


def _actions(buttons: Iterable[Button]) -> Block:
    shown = list(buttons)[:MAX_BUTTONS]
    return {"type": "actions", "elements": [_button(i, button) for i, button in enumerate(shown)]}


def _button(index: int, button: Button) -> Block:
    label = escaped(button.label, MAX_LABEL) or "…"
    element: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": label, "emoji": False},
        "action_id": f"command-{index}",
        "value": button.command[:MAX_VALUE],
    }
    if button.style in ("primary", "danger"):
        element["style"] = button.style
        element["confirm"] = {
            "title": _plain(f"{button.label.rstrip('…')}?", _CONFIRM_TITLE),
            "text": _plain(button.command, _CONFIRM_TEXT),
            "confirm": _plain("Yes", 30),
            "deny": _plain("Not yet", 30),
        }
    return element


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": escaped(text, limit) or "…", "emoji": False}
