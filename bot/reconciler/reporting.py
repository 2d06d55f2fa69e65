"""What changed in a tick → posts: the card of each release touched, and the lines of its thread.

Posts are rows first and leave after they were recorded; what could not be sent is sent later.
Safety and decisions leave before status.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.board import Board
from bot.core.messages import card, story
from bot.core.messages_pull import pull_message
from bot.core.plan_shown import PullPlan
from bot.model.gate import ReleaseView
from bot.model.message import Post
from bot.model.state import Event, Pull
from bot.ports import Chat, PortError, Store
from bot.reconciler.ledger import Ledger

log = logging.getLogger(__name__)
URGENT = ("hold.set", "decision.asked", "unit.failed", "unit.drifted", "unit.guarded", "freeze.set")


class Reporter:
    """Knows which text was posted last, so that the same is not sent again."""

    def __init__(self, store: Store, chat: Chat) -> None:
        self._store = store
        self._chat = chat
        self._outbox: dict[str, Post] = {post.key: post for post in store.rows(Post, open=True)}
        self._cards: dict[str, Post] = {}

    def write(
        self,
        ledger: Ledger,
        views: Iterable[ReleaseView],
        events: Sequence[Event],
        now: datetime,
    ) -> None:
        """Put the posts of this tick into the ledger."""
        by_release = {view.state.release: view for view in views}
        for name, view in by_release.items():
            self._card(ledger, name, view, now)
        for event in events:
            told = by_release.get(event.release)
            if told is not None and (message := story(event, told)) is not None:
                post = Post(
                    key=f"thread/{event.release}/{_digest(event)}",
                    channel=told.channel,
                    message=message,
                    thread=f"card/{event.release}",
                    urgent=event.kind in URGENT,
                    at=event.at,
                    release=event.release,
                )
                self._queue(ledger, post)

    def pull(
        self, ledger: Ledger, board: Board, pull: Pull, shown: PullPlan, now: datetime
    ) -> None:
        """What a pull request would do, for the channel of the team that owns it."""
        owners = [o for r in shown.releases for c in r.plan.components for o in c.owners]
        channel = board.rules.directory.channel(owners)
        message = pull_message(pull.id, pull.title, shown)
        self._queue(ledger, Post(key=f"pull/{pull.id}", channel=channel, message=message, at=now))

    def send(self, ledger: Ledger) -> None:
        """Send what is in the outbox; what the chat took is marked in the ledger."""
        waiting = sorted(self._outbox.values(), key=lambda p: (not p.urgent, p.at, p.thread or ""))
        for post in waiting:
            try:
                self._chat.put(post)
            except PortError as error:
                log.warning("chat does not take %s: %s", post.key, error.why)
                return
            ledger.put(replace(post, sent=True))
            del self._outbox[post.key]

    @property
    def waiting(self) -> int:
        """Posts that have not left yet."""
        return len(self._outbox)

    def _card(self, ledger: Ledger, name: str, view: ReleaseView, now: datetime) -> None:
        key = f"card/{name}"
        last = self._cards.get(key) or self._store.get(Post, key)
        message = card(view)
        if last is not None and last.message == message:
            self._cards[key] = last
            return
        post = Post(key=key, channel=view.channel, message=message, at=now, release=name)
        self._cards[key] = post
        self._queue(ledger, post)
        if view.state.phase.ended:
            del self._cards[key]

    def _queue(self, ledger: Ledger, post: Post) -> None:
        ledger.put(post)
        self._outbox[post.key] = post


def _digest(event: Event) -> str:
    text = json.dumps(
        [event.kind, event.unit, event.batch, event.who, event.at.isoformat(), event.data],
        sort_keys=True,
        default=str,
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]
