"""In which order the notes of a tick are heard: what stops first, the others by main as it is now.

Judges nothing: a note that was overtaken by a newer stop only says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.grammar import Command, parse
from bot.core.messages_refusal import Refusal, refusal
from bot.ports import Note


@dataclass(frozen=True, slots=True)
class Heard:
    """A note, and the command that it is, or why it is none."""

    note: Note
    command: Command | Refusal


def is_stop(note: Note) -> bool:
    """Whether somebody asks to stop: then no forward write begins any more.

    The first word is enough: whether it may be done is judged in the next tick.
    """
    return note.text.strip().partition(" ")[0].lower() in ("pause", "stop")


def stops(notes: Sequence[Note]) -> list[Heard]:
    """Notes that stop something: whoever may stop may always, whatever is new on main."""
    return [Heard(note, command_of(note)) for note in notes if is_stop(note)]


def others(notes: Sequence[Note]) -> list[Heard]:
    """All other notes, in their order. A stop is heard before them: a resume that is older than a
    stop of the same scope would lift what it never saw.
    """
    found: list[Heard] = []
    for number, note in enumerate(notes):
        if is_stop(note):
            continue
        command = command_of(note)
        if isinstance(command, Command) and command.verb == "resume":
            later = [command_of(other) for other in notes[number + 1 :] if is_stop(other)]
            if any(isinstance(stop, Command) and stop.scope == command.scope for stop in later):
                command = refusal("overtaken", scope=command.scope)
        found.append(Heard(note, command))
    return found


def command_of(note: Note) -> Command | Refusal:
    return parse(note.text, by=note.by, surface=note.surface)
