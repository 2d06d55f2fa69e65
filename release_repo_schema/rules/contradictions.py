"""Rules of settings that cannot both be meant, though each is right by itself. Mostly warnings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from release_repo_schema.findings import Finding, Pointer
from release_repo_schema.loadedfile import Document
from release_repo_schema.models import Component, Release, Task, duration_text
from release_repo_schema.rules.scene import Scene
from release_repo_schema.rules.zones import zone_exists

_SCHEMES = ("http://", "https://")


def contradictions(scene: Scene) -> Iterator[Finding]:
    """Times that do not fit together, pairs that meet nothing, calls that go nowhere."""
    for name, component in scene.repo.components.items():
        document = scene.document("Component", name)
        spec = component.spec
        at = "batchDeadline" if "batch_deadline" in spec.model_fields_set else "batchTakes"
        times = (spec.batch_takes, spec.batch_deadline)
        yield from _late(document, at, ("batchTakes", "batchDeadline"), times)
        yield from _pairs(document, component)
    for name, task in scene.repo.tasks.items():
        document = scene.document("Task", name)
        at = "deadline" if "deadline" in task.spec.model_fields_set else "takes"
        times = (task.spec.takes, task.spec.deadline)
        yield from _late(document, at, ("takes", "deadline"), times)
        yield from _calls(document, task)
    for name in scene.releases:
        yield from _expires(scene, scene.document("Release", name), scene.repo.releases[name])


def _late(
    document: Document, at: str, names: tuple[str, str], times: tuple[timedelta, timedelta]
) -> Iterator[Finding]:
    """What takes as long as expected would have failed before."""
    takes, deadline = times
    if takes > deadline:
        said = f"{names[0]} is {duration_text(takes)}, and {names[1]} {duration_text(deadline)}"
        hint = f"what takes as long as expected has failed by then: raise {names[1]}"
        yield document.finding(("spec", at), "fails-before-it-ends", said, hint, level="warning")


def _pairs(document: Document, component: Component) -> Iterator[Finding]:
    for k, pair in enumerate(component.spec.irreversible):
        for field, glob in (("from", pair.from_), ("to", pair.to)):
            if _unclosed(glob):
                said = f"the glob {glob} has a `[` without its `]`, so it means the sign itself"
                pointer: Pointer = ("spec", "irreversible", k, field)
                hint = "close it, or write `*` or `?`"
                yield document.finding(pointer, "broken-glob", said, hint, level="warning")
        if pair.from_ == pair.to and not set("*?[") & set(pair.to):
            said = f"from {pair.from_} to {pair.to} is no change of version: the pair meets nothing"
            pointer = ("spec", "irreversible", k, "to")
            hint = "write the version that runs before, and the one that is released"
            yield document.finding(pointer, "pair-meets-nothing", said, hint, level="warning")


def _unclosed(glob: str) -> bool:
    """As fnmatch reads it: a `]` right after `[` or `[!` is one of the signs inside."""
    at = glob.find("[")
    while at >= 0:
        inside = at + 2 if glob[at + 1 : at + 2] == "!" else at + 1
        end = glob.find("]", inside + 1)
        if end < 0:
            return True
        at = glob.find("[", end + 1)
    return False


def _calls(document: Document, task: Task) -> Iterator[Finding]:
    undo = task.spec.undo.webhook if task.spec.undo is not None else None
    for place, call in ((("webhook",), task.spec.webhook), (("undo", "webhook"), undo)):
        if (
            call is None
            or call.url.lstrip().startswith("{{")
            or call.url.lower().startswith(_SCHEMES)
        ):
            continue
        said = f"expected a URL that begins with http:// or https://, found `{call.url[:60]}`"
        hint = "such as https://ops.example.com/drain/{{ cluster.name }}"
        yield document.finding(("spec", *place, "url"), "wrong-url", said, hint)


def _expires(scene: Scene, document: Document, release: Release) -> Iterator[Finding]:
    spec = release.spec
    if not spec.expires:
        said = "expires is 0s: the release is held as soon as it is merged"
        hint = "leave it out for 14d, or write the time that it may wait"
        pointer: Pointer = ("spec", "expires")
        yield document.finding(pointer, "expires-before-it-begins", said, hint, level="warning")
    elif (
        spec.not_before is not None and scene.now is not None and zone_exists(spec.not_before.zone)
    ):
        begins = spec.not_before.at.replace(tzinfo=ZoneInfo(spec.not_before.zone))
        if begins - scene.now > spec.expires:
            lasts = duration_text(spec.expires)
            said = f"notBefore is later than the {lasts} after which it expires, counted from now"
            hint = "write a longer `expires`, or merge it later"
            pointer = ("spec", "notBefore", "at")
            yield document.finding(pointer, "expires-before-it-begins", said, hint, level="warning")
