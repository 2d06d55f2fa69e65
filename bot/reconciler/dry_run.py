"""Asks a cluster what it would say to the writes of a batch, before the first of them leaves.

What it refuses is then refused as a whole: of several objects none is written, not the first few.
Changes nothing, decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.cluster.tasks import is_call
from bot.model.effects import Purpose, Write
from bot.ports import Fleet

Asked = tuple[str, Write, str]
"""Cluster, write, fence."""


def asks_first(batch: int, writes: Sequence[Write]) -> bool:
    """Whether a batch is worth a question: where new content comes, and where several objects do.

    A later batch of one object moves a number in it; its own refusal says the same and costs no
    call. Nothing that goes back is ever kept waiting by it.
    """
    forward = [one for one in writes if can_be_asked(one)]
    return bool(forward) and (batch <= 1 or len(forward) > 1)


def dry_run(fleet: Fleet, asked: Sequence[Asked], failed: list[int]) -> Mapping[int, str]:
    """Number of a write → what the cluster warns of. Raises as `write` does, with the number of
    the write that it was in `failed`.
    """
    found: dict[int, str] = {}
    made: set[str] = set()
    for number, (cluster, write, fence) in enumerate(asked):
        if not can_be_asked(write) or waits_for(write, made):
            continue
        failed[:] = [number]
        warnings = fleet.dry_run(cluster, write, fence=fence)
        if warnings:
            found[number] = "; ".join(warnings)
        if write.verb == "create":
            made |= set(brings(write))
    failed.clear()
    return found


def can_be_asked(write: Write) -> bool:
    """Whether a server has anything to say of it: what goes forward, and is no call."""
    forward = write.purpose is Purpose.FORWARD and write.verb in ("create", "patch")
    return forward and not is_call(write.ref)


def brings(write: Write) -> list[str]:
    """What later objects of the same batch may need: a namespace, or a kind."""
    match write.ref.kind:
        case "Namespace":
            return [f"namespace {write.ref.name}"]
        case "CustomResourceDefinition":
            spec = (write.body or {}).get("spec") or {}
            return [f"kind {spec.get('group')}/{(spec.get('names') or {}).get('kind')}"]
        case _:
            return []


def waits_for(write: Write, made: set[str]) -> bool:
    """Whether it could only be asked about once something else of the batch is really there."""
    group = write.ref.api_version.rpartition("/")[0]
    return f"namespace {write.ref.namespace}" in made or f"kind {group}/{write.ref.kind}" in made
