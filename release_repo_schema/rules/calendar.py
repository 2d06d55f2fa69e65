"""Rules of the calendar: zones, holiday codes, windows that hold a batch, freezes with an owner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from release_repo_schema.findings import Finding
from release_repo_schema.fleetindex import ANY
from release_repo_schema.loadedfile import Document
from release_repo_schema.models import Component, Window, WindowSpec, duration_text
from release_repo_schema.repo import Repo
from release_repo_schema.rules.holiday_codes import holiday_hint, holiday_problem
from release_repo_schema.rules.intervals import intervals, longest
from release_repo_schema.rules.scene import Scene, listed
from release_repo_schema.rules.zones import zone_exists, zone_findings


def windows(scene: Scene) -> Iterator[Finding]:
    """Every window has a zone and holidays that exist, opens at some time, and holds a batch."""
    alone = _open_for(scene)
    for window in scene.repo.windows:
        document, spec = scene.document("Window", window.name), window.spec
        yield from _unknown_places(document, spec)
        yield from _nothing_selected(scene, document, window)
        if not intervals(spec):
            said = f"none of its days ({', '.join(spec.days)}) lies between `starts` and `ends`"
            yield document.finding(
                ("spec", "days"), "window-never-opens", said, "change one of them"
            )
            continue
        yield from _over(document, spec, scene.now)
        if spec.effect == "Allow" and zone_exists(spec.zone):
            yield from _holds_a_batch(scene, document, window, alone)


def unknown_times(repo: Repo) -> Iterator[Finding]:
    """Zones and holidays that nobody knows: with one of them no calendar can be answered."""
    for window in repo.windows:
        yield from _unknown_places(repo.documents["Window", window.name], window.spec)
    for freeze in repo.freezes:
        document = repo.documents["Freeze", freeze.name]
        yield from zone_findings(document, ("spec", "zone"), freeze.spec.zone)


def _unknown_places(document: Document, spec: WindowSpec) -> Iterator[Finding]:
    yield from zone_findings(document, ("spec", "zone"), spec.zone)
    if spec.holidays is not None and (said := holiday_problem(spec.holidays)):
        hint = holiday_hint(spec.holidays)
        yield document.finding(("spec", "holidays"), "unknown-holidays", said, hint)


def _nothing_selected(scene: Scene, document: Document, window: Window) -> Iterator[Finding]:
    components = scene.repo.components.values()
    selector = window.spec.components
    if components and not any(selector.matches(c.metadata.labels, c.name) for c in components):
        said = "this window selects no component"
        yield document.finding(("spec", "components"), "selects-nothing", said, level="warning")
    fleet = scene.fleet
    if scene.fleet_is_known and fleet.labels and not fleet.select(window.spec.units, ANY):
        said = "this window selects no cluster"
        yield document.finding(("spec", "units"), "selects-nothing", said, level="warning")


def _over(document: Document, spec: WindowSpec, now: datetime | None) -> Iterator[Finding]:
    if now is None or spec.ends is None or spec.ends.year >= 9999:
        return
    # Two days more than the last: the interval may run into the next day, in whatever zone.
    if datetime.combine(spec.ends + timedelta(days=3), time(), UTC) <= now:
        said = f"this window ended on {spec.ends}"
        yield document.finding(
            ("spec", "ends"), "window-is-over", said, "delete it", level="warning"
        )


def needed(component: Component, attended: timedelta) -> timedelta:
    """How long a window must still be open for the component's last batch to begin."""
    return component.spec.batch_takes + min(component.spec.soak, attended)


def _open_for(scene: Scene) -> dict[str, timedelta]:
    """How long each Allow window is open in one piece, by itself."""
    return {
        window.name: timedelta(minutes=longest([window.spec]))
        for window in scene.repo.windows
        if window.spec.effect == "Allow" and intervals(window.spec)
    }


def _holds_a_batch(
    scene: Scene, document: Document, window: Window, alone: dict[str, timedelta]
) -> Iterator[Finding]:
    """A window too short for a batch is no window; neighbours that touch it count with it."""
    attended = scene.repo.policy.spec.windows.attended
    allows = [one for one in scene.repo.windows if one.name in alone]
    together = [one.spec for one in allows if one.spec.zone == window.spec.zone]
    open_for = timedelta(minutes=longest(together, holding=window.spec))
    if open_for >= timedelta(days=7):
        return
    short = [
        component
        for component in scene.repo.components.values()
        if needed(component, attended) > open_for
        and window.spec.components.matches(component.metadata.labels, component.name)
    ]
    if not short:
        return
    # Where another window is long enough, this one is merely of no use to the component.
    stuck = [
        one.name
        for one in short
        if not any(
            alone[other.name] >= needed(one, attended)
            and other.spec.components.matches(one.metadata.labels, one.name)
            for other in allows
        )
    ]
    most = max(needed(component, attended) for component in short)
    names = stuck or [component.name for component in short]
    said = (
        f"this window is open for {duration_text(open_for)} at most, and a batch of "
        f"{listed(names)} needs {duration_text(most)} (batchTakes and the attended soak)"
    )
    hint = "widen it, or take less time in the component or in policy windows.attended"
    yield document.finding(
        ("spec", "to"), "window-too-short", said, hint, level="error" if stuck else "warning"
    )


def freezes(scene: Scene) -> Iterator[Finding]:
    """Every freeze has a zone that exists and an owner who does."""
    people = scene.repo.people.spec
    owners = {one.name for one in people.members} | {one.name for one in people.teams}
    for freeze in scene.repo.freezes:
        document = scene.document("Freeze", freeze.name)
        yield from zone_findings(document, ("spec", "zone"), freeze.spec.zone)
        yield from scene.unknown(document, ("spec", "owner"), "owner", freeze.spec.owner, owners)
