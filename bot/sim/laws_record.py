"""Laws of the record: the chain of the audit, the store's rows, and what the chat was told."""

from __future__ import annotations

from collections.abc import Iterator

from bot.core import chain
from bot.model.message import Post
from bot.model.state import Certificate, Event
from bot.sim.laws import Seen, law


@law("chain", "The audit only grows, and every line chains to the one before.")
def whole_chain(seen: Seen) -> Iterator[str]:
    last: list[Event | None] = seen.keep("last", lambda: [None])
    for event in seen.events:
        before = last[0]
        seq, hash_ = (before.seq, before.hash) if before else (0, "")
        if event.seq != seq + 1 or chain.link(hash_, event) != event.hash:
            yield f"line {event.seq} ({event.kind}) does not follow line {seq}"
        last[0] = event


@law("audit", "The whole audit verifies, every certificate with it.", end=True)
def audit(seen: Seen) -> Iterator[str]:
    store = seen.place.store
    events = store.events()
    found = chain.verify(events, count=store.event_count())
    found = found or chain.certified(events, store.rows(Certificate))
    if found is not None:
        yield f"line {found.seq}: {found.flaw} {found.certificate}"


@law("no-bug", "No fault of the engine itself stops a release or spoils a tick.")
def no_bug(seen: Seen) -> Iterator[str]:
    for event in seen.events:
        if event.kind == "hold.set" and event.data.get("code") == "bug":
            yield f"{event.data.get('reason')}\n{event.data.get('trace', '')}"
    for asked in seen.answered:
        if asked.answer is not None and asked.answer.code == 70:
            yield f"{asked.text!r} of {asked.by}: {asked.answer.text}"
    for problem in seen.bot.problems if seen.bot is not None else ():
        if "fault in sluice" in problem:
            yield problem


@law("main", "Main is read as it was meant: what lints is in force.")
def main_is_good(seen: Seen) -> Iterator[str]:
    if seen.bot is None or not seen.tick.whole or not seen.tick.git:
        return
    if seen.place.second:
        return  # an old board knows an old main, until it has to read the store again
    broken = seen.bot.board.rules.broken
    if bool(broken) == seen.place.main.good:
        yield f"main is {'broken' if broken else 'good'}: {broken}"


@law("told", "A line of a thread is said once: the same key never says something else.")
def told(seen: Seen) -> Iterator[str]:
    said: dict[str, object] = seen.keep("threads", dict)
    for post in seen.puts:
        if post.thread is not None and said.setdefault(post.key, post.message) != post.message:
            yield f"{post.key} says something else than before"


@law("mentions", "Only people who can decide what is asked are mentioned.")
def mentions(seen: Seen) -> Iterator[str]:
    for post in seen.puts:
        if post.message.mentions and "mallory" in post.message.mentions:
            yield f"{post.key} mentions {post.message.mentions}"


@law("delivered", "Everything that was to be said was said in the end.", end=True)
def delivered(seen: Seen) -> Iterator[str]:
    for post in seen.place.store.rows(Post, open=True):
        yield f"{post.key} was never sent"
    heard = {post.key for post in seen.place.chat.puts}
    for post in seen.place.store.rows(Post):
        if post.key not in heard:
            yield f"{post.key} is marked as sent, and the chat never had it"


@law("proposed", "Every release that went back has its revert proposed at the Git host.", end=True)
def proposed(seen: Seen) -> Iterator[str]:
    for state in seen.releases.values():
        if state.phase.value == "ROLLED_BACK" and state.sticks:
            names = [ref for ref in seen.place.git.refs if ref.startswith("pr/")]
            if state.revert is None or not any(state.release in name for name in names):
                yield f"the revert of {state.release} is not among {names}"
