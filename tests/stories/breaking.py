"""Ports that break at a chosen call: the process dies there or right after it, or the disk is full.

Wrapped around the real adapters. A write to a cluster is let through only if its intent is durable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bot.model.state import Intent, IntentStatus
from bot.ports import StoreLocked
from bot.reconciler.tick import Ports


class Crash(BaseException):
    """The process is gone in this very moment."""


@dataclass
class Fuse:
    """Counts effects and blows before the one whose number is `at` (0: never), or right `after` it:
    then it has happened, and nobody has heard so. And once more `again` effects later.
    """

    at: int = 0
    after: bool = False
    again: int = 0
    count: int = 0
    calls: list[str] = field(default_factory=list)

    def burn(self, call: str) -> None:
        self.count += 1
        self.calls.append(call)
        second = self.again and self.count == self.at + self.again
        if second or (self.count == self.at and not self.after):
            raise Crash(f"before call {self.count}, {call}")

    def burnt(self, call: str) -> None:
        if self.count == self.at and self.after:
            raise Crash(f"after call {self.count}, {call}")


class Fused:
    """A port whose effect burns a fuse before it and after it."""

    def __init__(
        self, port: Any, effect: str, fuse: Fuse, before: Callable[..., None] | None = None
    ) -> None:
        self._port, self._effect, self._fuse, self._before = port, effect, fuse, before

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name != self._effect:
            return found

        def call(*args: Any, **named: Any) -> Any:
            if name == "commit" and args[0].empty:
                return found(*args, **named)  # nothing that could be lost
            self._fuse.burn(name)
            if self._before is not None:
                self._before(*args, **named)
            done = found(*args, **named)
            self._fuse.burnt(name)
            return done

        return call


def fused(fuse: Fuse) -> Callable[[Ports], Ports]:
    """Ports that blow with the fuse, and that let no write leave whose intent is not durable."""

    def around(ports: Ports) -> Ports:
        def intended(cluster: str, write: Any, *, fence: str, manager: str = "sluice") -> None:
            fences = {
                row.fence: row
                for row in ports.store.rows(Intent)
                if row.unit.endswith(f"@{cluster}") and row.ref == write.ref
            }
            assert fence in fences, f"{write.ref.short} is written without an intent"
            assert fences[fence].status is IntentStatus.INTENDED

        return replace(
            ports,
            store=Fused(ports.store, "commit", fuse),
            fleet=Fused(ports.fleet, "write", fuse, intended),
            chat=Fused(ports.chat, "put", fuse),
            git=Fused(ports.git, "propose", fuse),
        )

    return around


@dataclass
class FullDisk:
    """A store that takes no writes while `full`; reading goes on."""

    kind: str = "full"
    full: bool = False

    def around(self, ports: Ports) -> Ports:
        return replace(ports, store=_Full(ports.store, self))


class _Full:
    def __init__(self, store: Any, disk: FullDisk) -> None:
        self._store, self._disk = store, disk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, changes: Any) -> Any:
        if self._disk.full and not changes.empty:
            raise StoreLocked("the disk is full", self._disk.kind)
        return self._store.commit(changes)
