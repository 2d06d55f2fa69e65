"""What the bot says: the one door to its sentences. All that a person reads of it comes from here.

Words only: never decides, never asks a clock or the world. The sentences live beside this file,
one occasion a file.
"""

from __future__ import annotations

from bot.core.messages_blocks import as_blocks, escaped, fallback
from bot.core.messages_card import card
from bot.core.messages_figures import tone
from bot.core.messages_listing import listing, queue, status_text, why_text
from bot.core.messages_refusal import REFUSALS, VERBS, Refusal, done, refusal
from bot.core.messages_text import as_text
from bot.core.messages_thread import KINDS, story
from bot.core.messages_why import CODES, cause, headline, why
from bot.core.messages_words import moment

__all__ = [
    "CODES",
    "KINDS",
    "REFUSALS",
    "VERBS",
    "Refusal",
    "as_blocks",
    "as_text",
    "card",
    "cause",
    "done",
    "escaped",
    "fallback",
    "headline",
    "listing",
    "moment",
    "queue",
    "refusal",
    "status_text",
    "story",
    "tone",
    "why",
    "why_text",
]
