"""The one command grammar of all surfaces: text → Command. Never says who may, never does it.

`verb SCOPE [#N] [--reason TEXT] [--until TIME] [--gate NAME] [--finish-batch]`; in chat the
reason may
also stand at the end without its flag.
"""

from __future__ import annotations

import difflib
import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.core.messages_refusal import Refusal, refusal
from bot.core.scope import well_formed

VERBS = (
    "approve",
    "reject",
    "accept",
    "pause",
    "stop",
    "resume",
    "rollback",
    "retry",
    "skip",
    "cancel",
    "override",
    "freeze",
    "unfreeze",
    "snooze",
)
GATES_TO_OVERRIDE = ("check", "evidence", "blocked", "drift", "irreversible", "window")
NEVER_OVERRIDDEN = ("lock", "fence", "guard", "identity", "convergence")
NEEDS_REASON = ("reject", "rollback", "skip", "cancel", "override", "freeze", "snooze")
NEEDS_UNTIL = ("freeze", "snooze")
_FLAGS = {"--reason": "reason", "--until": "until", "--gate": "gate"}
_DURATION = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a person asked, understood. `by` is their account as the surface knows it."""

    verb: str
    scope: str
    number: int | None = None
    reason: str = ""
    until: str = ""
    gate: str = ""
    finish_batch: bool = False
    by: str = ""
    surface: str = "cli"

    @property
    def text(self) -> str:
        return f"{self.verb} {self.scope}" + (f"#{self.number}" if self.number else "")


def parse(text: str, *, by: str, surface: str) -> Command | Refusal:
    """Understand one command, or say what is not understood."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    if not words:
        return refusal("not-understood", text=text, why="no command was given")
    verb, rest = words[0].lower(), words[1:]
    if verb not in VERBS:
        near = difflib.get_close_matches(verb, VERBS, n=1)
        return refusal("unknown-verb", verb=verb, hint=near[0] if near else "", known=VERBS)
    found: dict[str, str] = {}
    plain: list[str] = []
    finish = False
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        if flag in _FLAGS:
            if not equals and not rest:
                return refusal("not-understood", text=text, why=f"{flag} needs a value")
            found[_FLAGS[flag]] = value if equals else rest.pop(0)
        elif word == "--finish-batch":
            finish = True
        elif word.startswith("--"):
            near = difflib.get_close_matches(word, [*_FLAGS, "--finish-batch"], n=1)
            return refusal(
                "not-understood",
                text=text,
                why=f"unknown option {word}",
                hint=near[0] if near else "",
            )
        else:
            plain.append(word)
    return _command(verb, plain, found, finish=finish, by=by, surface=surface)


def _command(
    verb: str, plain: list[str], found: dict[str, str], *, finish: bool, by: str, surface: str
) -> Command | Refusal:
    if verb == "stop":
        scope, words = "all", plain
    elif not plain:
        return refusal("no-scope", verb=verb)
    else:
        scope, words = plain[0], plain[1:]
    scope, hash_sign, digits = scope.partition("#")
    if hash_sign and not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        return refusal(
            "not-understood", text=f"{scope}#{digits}", why="a decision is RELEASE#NUMBER"
        )
    if not well_formed(scope):
        return refusal("unknown-scope", scope=scope)
    reason = found.get("reason") or " ".join(words)
    if verb in NEEDS_REASON and not reason.strip():
        return refusal("no-reason", verb=verb)
    gate = found.get("gate", "")
    if gate in NEVER_OVERRIDDEN:
        return refusal("override-never", gate=gate)
    if gate and gate not in GATES_TO_OVERRIDE:
        known = ", ".join(GATES_TO_OVERRIDE)
        return refusal(
            "not-understood", text=f"--gate {gate}", why=f"the gates to override are {known}"
        )
    if verb in NEEDS_UNTIL and not found.get("until"):
        return refusal("bad-time", text="", why=f"{verb} needs --until")
    return Command(
        verb="pause" if verb == "stop" else verb,
        scope=scope,
        number=int(digits) if hash_sign else None,
        reason=reason.strip(),
        until=found.get("until", ""),
        gate=gate,
        finish_batch=finish,
        by=by,
        surface=surface,
    )


def moment(text: str, now: datetime) -> datetime | None:
    """`2h`, or RFC 3339 with a zone; None when it is neither."""
    try:
        if match := _DURATION.fullmatch(text):
            return now + timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
