"""Refusals: what a person reads who asked for something that cannot be done now.

A refusal says why, who can, and when or how. Never decides whether something is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.messages_answers import VERBS, done, named, verb_of
from bot.core.messages_words import clause, many, moment, row, sentence, some, where

Facts = Mapping[str, Any]


WRONG_USAGE = frozenset(
    {
        "bad-time",
        "no-reason",
        "no-scope",
        "not-understood",
        "several-open",
        "unknown-cluster",
        "unknown-component",
        "unknown-decision",
        "unknown-pipeline",
        "unknown-release",
        "unknown-scope",
        "unknown-stage",
        "unknown-unit",
        "unknown-verb",
    }
)
"""Codes of what was asked wrongly: nobody may do it, because there is no such thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why not. `code` is stable; `who` can do it, `until` when it becomes possible by itself."""

    code: str
    why: str
    who: tuple[str, ...] = ()
    until: datetime | None = None
    candidates: tuple[str, ...] = ()
    """What may have been meant, where it was not clear."""

    @property
    def usage(self) -> bool:
        """Asked in a way that cannot be answered, rather than not allowed now: exit 2, not 3."""
        return self.code in WRONG_USAGE

    @property
    def text(self) -> str:
        """One line for a terminal or a chat: the reason, then who can, then when."""
        return sentence(
            f"{'Not done' if self.code == 'bug' else 'Refused'}: {self.why}",
            f"Who can: {row(self.who)}" if self.who else "",
            f"From {moment(self.until)}" if self.until is not None else "",
        )


def refusal(code: str, /, **facts: Any) -> Refusal:
    """The refusal of a code; `who` and `until` among the facts are carried beside the sentence."""
    say = _REFUSALS.get(code)
    why = say(facts) if say is not None else sentence(f"{code}: {clause(facts.get('why'))}")
    who = facts.get("who") or ()
    names = (who,) if isinstance(who, str) else tuple(str(name) for name in who)
    until = facts.get("until")
    return Refusal(
        code=code,
        why=why,
        who=names,
        until=until if isinstance(until, datetime) else None,
        candidates=tuple(facts.get("candidates") or ()),
    )


def _not_mapped(f: Facts) -> str:
    return sentence(
        f"{f.get('by', 'this account')} is nobody in people.yaml",
        "Add the account there, by a pull request",
    )


def _role(f: Facts) -> str:
    needs = row(f.get("needs") or f.get("roles"), joint=" or ")
    held = row(f.get("has"))
    return sentence(
        f"{f.get('verb', 'this')} needs the role {needs or 'named in people.yaml'}"
        + (f"; {f.get('by', 'you')} has {held}" if held else "")
    )


def _author(f: Facts) -> str:
    return sentence(
        f"{f.get('by', 'you')} is an author of this release, and no author approves",
        "Somebody else decides",
    )


def _stale(f: Facts) -> str:
    return sentence(
        "this changed since it was shown" + (f": {clause(f['why'])}" if f.get("why") else ""),
        f"Look at {f.get('id') or f.get('release') or 'the card'} again, then decide",
    )


def _void(f: Facts) -> str:
    why = f": {clause(f['why'])}" if f.get("why") else ""
    return sentence(f"decision {f.get('id', '')} is void{why}", "A new one is asked where needed")


def _unknown(kind: str, key: str) -> Callable[[Facts], str]:
    def say(f: Facts) -> str:
        hint = row(f.get("hint") or f.get("near"))
        known = row(f.get("known"), most=30)
        said = f"Did you mean {hint}?" if hint else (f"Known: {known}" if known else "")
        if shared := f.get("candidates"):
            said = f"It may be {row(shared, most=10, joint=' or ')}: name one of them whole"
        return sentence(f"there is no {kind} {f.get(key) or f.get('name') or ''}".rstrip(), said)

    return say


def _unknown_stage(f: Facts) -> str:
    has = [f"{name} ({many(waves, 'wave')})" for name, waves in (f.get("stages") or {}).items()]
    return sentence(
        f"there is no stage or wave {f.get('scope')}",
        f"Did you mean {f['near']}?" if f.get("near") else "",
        f"Its stages: {row(has, most=30)}" if has else "It has no stages",
    )


def _nothing_open(f: Facts) -> str:
    return sentence(f"{f.get('release') or 'nothing'} has no open decision, so nothing to decide")


def _already_done(f: Facts) -> str:
    by = f" by {f['by']}" if f.get("by") else ""
    at = f", {moment(f['at'])}" if f.get("at") else ""
    what = named(f) or f.get("verb") or "this"
    return sentence(f"{what}: already done{by}{at}", "Nothing changes")


def _ended(f: Facts) -> str:
    """How it ended, when, and what can be done about it now."""
    phase, unit = str(f.get("phase") or ""), f.get("unit")
    ended = f" {moment(f['at'])}" if f.get("at") else ""
    if phase == "BEFORE_US":
        return sentence(
            f"release {f.get('release', '')} stood on main before this bot began, and is never run"
            " by it",
            "A new release, or run --since with the commit before it",
        )
    how = f" ({phase}{ended})" if phase else ""
    left = f"; {unit} is {f['unit_phase']} there" if unit and f.get("unit_phase") else ""
    if f.get("why"):
        left += f": {clause(f['why'])}"
    return sentence(f"release {f.get('release', '')} has ended{how}{left}", _after_end(f))


def _after_end(f: Facts) -> str:
    release, owed = f.get("release", ""), f.get("owed")
    if f.get("phase") != "SUCCEEDED":
        return "What it left is no longer its own; a new release is the way on"
    if owed:
        return f"Still owed: {row(owed, most=5)}; retry {release} brings them in, rollback undoes"
    return f"rollback {release} takes it back; else a new release is the way on"


def _not_failed(f: Facts) -> str:
    phase = f", it is {f['phase']}" if f.get("phase") else ""
    one = "nothing there has failed" if f.get("scope") == "all" else f"{named(f)} has not failed"
    left = list(f.get("skipped") or ())
    was = "was" if len(left) == 1 else "were"
    return sentence(
        f"{one}{phase}, so there is nothing to {verb_of(f, 'retry')}",
        f"{row(left, most=4)} {was} left out: retry {left[0]} brings it in" if left else "",
    )


def _not_held(f: Facts) -> str:
    others = row(f.get("others"))
    return sentence(
        f"there is no hold on {named(f)}, so nothing to {verb_of(f, 'resume')}",
        f"Held now: {others}" if others else "",
        f"Frozen now: {row(f['frozen'])}; unfreeze lifts it" if f.get("frozen") else "",
    )


def _still_held(f: Facts) -> str:
    return sentence(
        f"{named(f)} is still held: {clause(f.get('why'))}", f"The way on is {verb_of(f, 'retry')}"
    )


def _overtaken(f: Facts) -> str:
    return sentence(
        f"somebody stopped {where(f.get('scope'))} after this was asked",
        "Look at why; ask again to lift it",
    )


def _rule_holds(f: Facts) -> str:
    return sentence(
        f"{named(f)} is still held by risk rule {clause(f.get('why'))}",
        "It can be resumed when the rule says so no more",
    )


def _replaced(f: Facts) -> str:
    return sentence(
        f"release {f.get('by', '')} has written the same units after {named(f)}",
        "Roll that one back first",
    )


def _nothing_to_override(f: Facts) -> str:
    gate = f.get("gate")
    stopped = {"window": "a window or a freeze", "check": "a check", "blocked": "a block"}
    by = stopped.get(str(gate or "check"), str(gate))
    return sentence(
        f"nothing of {where(f.get('scope')) or 'it'} is stopped by {by}, so nothing to override"
    )


def _override_never(f: Facts) -> str:
    gate = f.get("gate") or f.get("what") or "this gate"
    if gate == "convergence":
        return sentence(
            "that pods come up is a fact, and convergence is never overridden",
            "Retry, skip or roll back",
        )
    return sentence(
        f"{gate} is never overridden: locks, fences, guards and unknown identities protect"
        " from harm that nobody can see",
        "Clear its cause",
    )


def _second_person(f: Facts) -> str:
    return sentence(
        f"{f.get('what') or 'an override of windows and freezes'} needs two people",
        f"{f['by']} is the first; another admin says the same" if f.get("by") else "",
    )


def _quorum(f: Facts) -> str:
    return sentence(
        f"{f.get('id', 'the decision')} asks for {many(f.get('count', 1), 'approval')}, and only"
        f" {many(some(f.get('able')), 'person', 'people')} can still give one",
        "Add people with the role to people.yaml",
    )


def _bad_time(f: Facts) -> str:
    said = f" {clause(f['text'])}" if f.get("text") else ""
    if f.get("limit"):
        return sentence(f"{moment(f['text'])} will not do: {clause(f['limit'])}")
    why = f": {clause(f['why'])}" if f.get("why") else ""
    return sentence(
        f"the time{said} is not one{why}",
        "Write 2h, or a moment with its zone such as 2026-11-24T16:00:00Z",
    )


def _no_reason(f: Facts) -> str:
    return sentence(f"{f.get('verb', 'this')} needs a reason", "Add --reason and why")


def _not_before_merge(f: Facts) -> str:
    return sentence(
        f"release {f.get('release', '')} is only proposed; {verb_of(f, 'this')} waits for its merge"
    )


def _no_place(f: Facts) -> str:
    return sentence(
        f"what is overridden on {where(f.get('scope'))} would roll on, and there is no place",
        clause(f.get("why")),
        "Ask again when something has ended",
    )


def _bug(f: Facts) -> str:
    return sentence(
        f"a fault in Sluice itself met {clause(f.get('text'))}",
        "Nothing was changed by it; the log has the whole report",
    )


def _locked_store(f: Facts) -> str:
    why = f": {clause(f['why'])}" if f.get("why") else ""
    return sentence(f"the store is not to be written{why}", "Nothing was recorded; try again")


def _bare(f: Facts) -> str:
    return sentence(
        f"{f.get('verb', 'this')} needs a scope",
        "Name all, a release (or RELEASE/STAGE, RELEASE/STAGE/WAVE), a unit, or component:C,"
        " group:G, cluster:K, label:k=v",
    )


def _syntax(f: Facts) -> str:
    hint = f"Did you mean {f['hint']}?" if f.get("hint") else ""
    why = clause(f.get("why"))
    return sentence(f"not understood: {clause(f.get('text'))}", why[:1].upper() + why[1:], hint)


def _several(f: Facts) -> str:
    return sentence(f"several decisions are open: {row(f.get('ids'), most=10)}", "Name one of them")


def _skip_running(f: Facts) -> str:
    return sentence(
        f"{named(f)} is in flight and cannot be skipped", "Pause it first, or roll it back"
    )


def _going_back(f: Facts) -> str:
    return sentence(f"{named(f)} is on its way back already", "Its card shows how far it is")


def _is_back(f: Facts) -> str:
    return sentence(f"{named(f)} is back already", "Retry brings it forward again")


def _not_begun(f: Facts) -> str:
    # Only a whole release can be cancelled.
    hint = "Pause it, and it does not begin" if f.get("part") else "Cancel it"
    return sentence(f"{named(f)} has written nothing, so there is nothing to roll back", hint)


def _begun(f: Facts) -> str:
    return sentence(
        f"{named(f)} has begun: what was written stays unless it is rolled back",
        "Roll it back instead",
    )


def _window(f: Facts) -> str:
    return sentence(f"closed: {clause(f.get('why'))}")


_REFUSALS: Mapping[str, Callable[[Facts], str]] = {
    "not-mapped": _not_mapped,
    "role": _role,
    "author": _author,
    "stale": _stale,
    "void": _void,
    "unknown-release": _unknown("release", "release"),
    "unknown-unit": _unknown("unit", "unit"),
    "unknown-scope": _unknown("scope", "scope"),
    "unknown-stage": _unknown_stage,
    "unknown-decision": _unknown("decision", "id"),
    "unknown-verb": _unknown("command", "verb"),
    "nothing-open": _nothing_open,
    "already-done": _already_done,
    "ended": _ended,
    "not-failed": _not_failed,
    "not-held": _not_held,
    "still-held": _still_held,
    "overtaken": _overtaken,
    "rule-holds": _rule_holds,
    "replaced": _replaced,
    "not-begun": _not_begun,
    "going-back": _going_back,
    "is-back": _is_back,
    "begun": _begun,
    "in-flight": _skip_running,
    "override-never": _override_never,
    "nothing-to-override": _nothing_to_override,
    "needs-second-person": _second_person,
    "quorum-impossible": _quorum,
    "bad-time": _bad_time,
    "no-reason": _no_reason,
    "no-scope": _bare,
    "not-understood": _syntax,
    "several-open": _several,
    "not-before-merge": _not_before_merge,
    "no-place": _no_place,
    "bug": _bug,
    "locked-store": _locked_store,
    "window": _window,
    "gone": lambda f: sentence(clause(f.get("why")) or "it is gone"),
}

REFUSALS = tuple(_REFUSALS)
"""Every code a refusal may have."""

__all__ = ["REFUSALS", "VERBS", "Refusal", "done", "refusal"]
