"""The verbs of people who steer: judged at once, recorded in the store, answered by the bot.

A refusal is said at once, whether a bot runs or not. What a verb does is the bot's business.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import GOOD, Ended, emit, note
from bot.cli.refusing import as_ended

if TYPE_CHECKING:
    from bot.adapters.sqlite import SqliteStore
    from bot.app.standing import Standing
    from bot.cli.identity import Asker
    from bot.core.grammar import Command
    from bot.core.messages_refusal import Refusal
    from bot.ports import Answer

PATIENCE = timedelta(seconds=10)
"""How long a running bot is waited for."""
ASK_EVERY = 0.05
"""Seconds between two looks for its answer."""

_REASON = click.Option(["--reason"], metavar="TEXT", help="Why; it stands in the record.")
_SPECIAL: dict[str, list[click.Parameter]] = {
    "pause": [click.Option(["--finish-batch"], is_flag=True, help="Batches that began may end.")],
    "override": [
        click.Option(
            ["--gate"],
            metavar="GATE",
            help="check, evidence, blocked, drift, irreversible, or window (two people).",
        )
    ],
    "freeze": [click.Option(["--until"], metavar="T", help="2h, or RFC 3339 with a zone.")],
    "snooze": [click.Option(["--until"], metavar="T", help="2h, or RFC 3339 with a zone.")],
}
_SCOPES = {
    "approve": "RELEASE[#N]",
    "reject": "RELEASE[#N]",
    "accept": "RELEASE|UNIT|cluster:K",
    "skip": "UNIT",
    "cancel": "RELEASE",
}
_HELP = {
    "approve": "Say yes to an open decision. With several open, #N says which.",
    "reject": "Say no to an open decision; the release is held.",
    "accept": "Let a held release go on, keep an edit, or take a rebuilt cluster, having looked.",
    "pause": "From the moment it is recorded no forward write begins; rollouts are stopped.",
    "stop": "Pause everything: `pause all`.",
    "resume": "Lift a pause, or a hold that a look has cleared.",
    "rollback": "Put back what was there before, newest first. It sticks.",
    "retry": "Begin a failed batch again.",
    "skip": "Leave a unit out; it is listed as owed.",
    "cancel": "End a release that has not begun.",
    "override": "I have seen that a check or gate says no, and go on.",
    "freeze": "An emergency freeze: no batch of the scope begins until then.",
    "unfreeze": "Lift an emergency freeze.",
    "snooze": "Begin and ask nothing of it until then; what rolls goes on.",
}


def _verb(name: str) -> click.Command:
    params: list[click.Parameter] = []
    if name != "stop":
        # Not required of click: a bare verb gets the bot's own sentence about scopes.
        shown = _SCOPES.get(name, "SCOPE")
        params.append(click.Argument(["scope"], required=False, metavar=shown))
    params += [*_SPECIAL.get(name, []), _REASON]

    @pass_flags
    def callback(flags: Flags, /, **options: Any) -> int:
        return steer(flags, name, options.pop("scope", None), options)

    return Verb(name, callback=callback, params=params, help=_HELP[name], asks=False)


def steer(flags: Flags, verb: str, scope: str | None, options: dict[str, Any]) -> int:
    """Judge one command, record it, and tell what came of it."""
    from bot.cli.identity import asker_of
    from bot.core.grammar import parse
    from bot.core.messages_refusal import Refusal

    asker = asker_of(flags)
    text = _text(verb, scope, options, flags.now)
    command = parse(text, by=asker.account, surface="cli")
    if isinstance(command, Refusal):
        raise _refused(command)
    member = _judged(flags, command, asker)
    return _record(flags, command, text, member, asker)


def _text(verb: str, scope: str | None, options: dict[str, Any], now: datetime) -> str:
    """The command in the words of chat. A duration counts from now, not from when it is taken."""
    from bot.core.grammar import moment

    words = [verb, *([scope] if scope is not None else [])]
    for name, value in sorted(options.items()):
        if value is True:
            words.append(f"--{name.replace('_', '-')}")
        elif name == "until" and value is not None:
            at = moment(value, now)
            exact = at.astimezone(UTC).isoformat(timespec="seconds") if at else value
            words.append(f"--until={exact}")
        elif value not in (None, False):
            words.append(f"--{name}={value}")
    return shlex.join(words)


def _judged(flags: Flags, command: Command, asker: Asker) -> str:
    """Who it is, by people.yaml; refusals end here. What cannot be judged now the bot judges."""
    from bot.app.standing import standing
    from bot.core.messages_terminal import unjudged
    from bot.ports import PortError, StoreLocked
    from bot.reconciler.inbox import consider

    try:
        with standing(flags.settings, flags.now) as here:
            outcome = consider(here.store, here.board, here.versions, command, here.now)
            if outcome.refused is not None:
                raise _refused(outcome.refused, here, command)
            return here.board.rules.directory.find(asker.account) or asker.account
    except StoreLocked:
        raise
    except PortError as error:
        # Steering is always possible: the bot goes on without the repo, and judges by its rules.
        note(unjudged(error.why))
        return asker.account


def _refused(told: Refusal, here: Standing | None = None, command: Command | None = None) -> Ended:
    """A refusal with its exit code; several open decisions are listed."""
    from bot.core.commands import Outcome
    from bot.reconciler.inbox import answer_of

    code = answer_of(Outcome(refused=told)).code
    ended = as_ended(told)
    body = dict(ended.body or {})
    text = ended.text
    if told.code == "several-open" and here is not None and command is not None:
        from bot.cli.board_json import decision_json
        from bot.core.turn import Turn
        from bot.model.state import DecisionStatus

        active = here.board.releases[command.scope]
        t = Turn(here.board.situation(active, here.now))
        still = [d for d in active.decisions.values() if d.status is DecisionStatus.OPEN]
        body["decisions"] = [decision_json(one, (), t.need(one)) for one in still]
        text = "\n".join([text, *(f"  {one.id}  {one.asks}" for one in still)])
    return Ended(code, text, body)


def _record(flags: Flags, command: Command, text: str, member: str, asker: Asker) -> int:
    """Leave the note; wait for the bot where one runs."""
    from bot.adapters.sqlite import SqliteStore
    from bot.adapters.sqlite_guard import holder
    from bot.core.messages_terminal import holder_text, no_answer_yet, no_bot

    with SqliteStore(flags.settings.db) as store:
        number = store.note(
            _key(flags.now),
            text,
            by=member,
            surface="cli",
            at=flags.now,
            data={"os": asker.os_user},
        )
        answer = _wait(store, number, lambda: holder(flags.settings.db) is not None)
    if answer is not None:
        if answer.code != GOOD:
            raise Ended(answer.code, answer.text, answer.body)
        emit(answer.body, answer.text, as_json=flags.json)
        return GOOD
    who = holder(flags.settings.db)
    said = (
        no_bot(command.text)
        if who is None
        else no_answer_yet(command.text, holder_text(who.pid, who.host, who.since))
    )
    body = {"pending": True, "note": number, "command": text, "by": member, "why": said}
    emit(body, said, as_json=flags.json)
    return GOOD


def _key(now: datetime) -> str:
    """One call of the command line is one command, however often it is delivered."""
    import os
    import socket

    return f"cli/{socket.gethostname()}/{os.getpid()}/{now.isoformat()}"


def _wait(store: SqliteStore, number: int, runs: Callable[[], bool]) -> Answer | None:
    """The bot's answer, None when none runs or it takes too long."""
    from bot.adapters.clock import SystemClock

    clock, pause = SystemClock(), threading.Event()
    until = clock.now() + PATIENCE
    while True:
        answer = store.answer(number)
        if answer is not None or not runs() or clock.now() >= until:
            return answer or store.answer(number)
        pause.wait(ASK_EVERY)


VERBS = {name: _verb(name) for name in _HELP}
