"""How what is outside may fail: the errors that adapters of ports raise, and nothing else.

Apart from the ports, because a question of the command line catches them without needing a port.
"""

from __future__ import annotations


class PortError(Exception):
    """Something outside did not do what was asked. Refuses to be raised itself."""

    def __init__(self, why: str) -> None:
        if type(self) is PortError:
            raise TypeError("raise one of PortError's kinds")
        super().__init__(why)
        self.why = why


class Unreachable(PortError):
    """It could not be asked: nothing was sent, nothing happened. Ask again later."""


class AnswerLost(PortError):
    """It was sent and the answer was lost: it may or may not have happened. Look before asking
    again.
    """


class Conflict(PortError):
    """The object is no longer what the write expected (resourceVersion, uid, exists already)."""


class Fenced(Conflict):
    """A newer plan has written to the object: an older one never does again."""


class Refused(PortError):
    """The other side said no (forbidden, invalid, not found): asking again changes nothing."""


class StoreLocked(PortError):
    """Another process holds the store, or its disk does not take writes. `kind`: locked | full |
    broken | newer.
    """

    def __init__(self, why: str, kind: str = "broken") -> None:
        super().__init__(why)
        self.kind = kind


class StaleRow(PortError):
    """A row changed since it was read."""


class Rewritten(PortError):
    """Main no longer contains the commit that was processed last."""


class GitError(PortError):
    """Git could not answer: no repository, no such ref, a broken object."""
