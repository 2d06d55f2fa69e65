"""A plan as people read it: what changes, in which order, when, who is asked, what to look out for.

Plain text of at most 100 columns where it can. It stays short for a thousand units: it shows waves,
and names units only where a wave has few.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from bot.core import messages_plan_facts as say
from bot.core.diff import Change
from bot.core.messages_exposure import exposure_lines
from bot.core.messages_forecast import columns, duration, wait_lines, when
from bot.core.messages_graph import tree
from bot.core.messages_guard import guard_lines
from bot.core.messages_leftovers import leaves_lines
from bot.core.messages_plan_asked import asked_lines, on_the_line
from bot.core.messages_words import many, row
from bot.core.plan_shown import PullPlan, ReleaseShown, Unreleased
from bot.model.plan import ComponentPlan, StagePlan

FEW = 5
"""Up to so many units a wave names each of them, with its reason."""
MOST_CHANGES = 8
MOST_LINES = 60
MOST_NAMES = 4
_VERBS = {"create": "is new", "change": "changes", "keep": "is no longer rendered"}


def plan_text(pull: PullPlan) -> str:
    """Everything that somebody should know before merging, most important first."""
    blocks = [*_findings(pull)]
    blocks += [_release(shown) for shown in pull.releases]
    if pull.removed:
        blocks.append(_removed(pull.removed))
    if pull.unreleased:
        blocks.append(_unreleased(pull.unreleased))
    if not pull.releases and not pull.findings:
        blocks.append("This pull request brings no release: merging it changes no cluster.")
    return "\n\n".join(blocks) + "\n"


def _findings(pull: PullPlan) -> Iterable[str]:
    if not pull.findings:
        return
    errors = sum(finding.level == "error" for finding in pull.findings)
    others = len(pull.findings) - errors
    counted = [many(errors, "error")] if errors else []
    counted += [many(others, "warning")] if others else []
    mended = "it is" if errors == 1 else "they are"
    planned = f": nothing is planned until {mended} mended" if errors and not pull.releases else ""
    lines = [f"{' and '.join(counted)}{planned}", *(f"  {one}" for one in pull.findings)]
    yield "\n".join(lines)


def _release(shown: ReleaseShown) -> str:
    plan, told = shown.plan, shown.forecast
    lines = [
        f"Release {plan.release}: {_brings(shown)}",
        f"  {plan.reason}" if plan.reason else "",
        f"  {_size(shown)}",
        f"  {duration(told)}",
        f"  Longest: {say.costs_most(told.costs)}" if told.costs else "",
        f"  Plan {plan.plan_hash[7:19]}",
    ]
    blocks = ["\n".join(line for line in lines if line)]
    blocks += _order_inside(shown)
    notes = dict.fromkeys(unit.note for unit in shown.units.values() if unit.note)
    blocks += _listed("Versions of this baseline", tuple(notes))
    blocks.append(_table(shown))
    blocks += _listed("Approvals", _approvals(shown))
    blocks += _listed("Guarded", guard_lines([(g.change, len(g.units)) for g in shown.guarded]))
    left = leaves_lines([(o.object, o.does, o.why, len(o.units)) for o in shown.leaves])
    blocks += _listed("Leaves", left)
    if shown.said is not None:
        blocks += _listed("Clusters asked", asked_lines(shown.said, len(plan.units)))
    blocks += _listed("Look out", shown.warnings)
    blocks.append(_indented(wait_lines(shown.delays)))
    blocks.append(_indented(exposure_lines(shown.exposure, told.zone)))
    blocks.append(_changes(shown))
    return "\n\n".join(block for block in blocks if block)


def _indented(lines: Sequence[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def _brings(shown: ReleaseShown) -> str:
    components = shown.plan.components
    tasks = {one.name for one in components if one.task}
    if len(components) > 1 or tasks:
        of = len(shown.needs.keys() - tasks)
        told = [many(of, "component")] if of else []
        return row([*told, *([many(len(tasks), "task")] if tasks else [])], joint=" and ")
    return f"{components[0].name} {_versions(shown, components[0])} → {components[0].version}"


def _versions(shown: ReleaseShown, component: ComponentPlan) -> str:
    known = shown.versions(component)
    if set(known) <= {None}:
        return "(not known)"
    named = [
        f"{version or 'not known'}" + (f" ({count})" if len(known) > 1 else "")
        for version, count in known.items()
    ]
    return row(named, most=3)


def _order_inside(shown: ReleaseShown) -> list[str]:
    """The components of a release of several, and which waits for which in each cluster."""
    if len(shown.plan.components) < 2:
        return []

    def label(name: str) -> str:
        told = (
            "task" if one.task else f"{_versions(shown, one)} → {one.version}"
            for one in shown.plan.components
            if one.name == name
        )
        return f"{name} {', '.join(told)}"

    title = "Side by side in each cluster"
    if any(shown.needs.values()):
        title = "In each cluster (what hangs on another begins when that has ended well)"
    return ["\n".join([f"  {title}", *(f"    {line}" for line in tree(shown.needs, label))])]


def _size(shown: ReleaseShown) -> str:
    plan = shown.plan
    waves = sum(len(stage.waves) for stage in plan.stages)
    counts = [unit.counts[-1] for unit in shown.units.values() if unit.counts]
    pods = f", about {sum(counts)} pods" if len(counts) == len(shown.units) else ""
    return (
        f"{many(len(plan.units), 'unit')} in {many(len(plan.stages), 'stage')} and "
        f"{many(waves, 'wave')}{pods}"
    )


def _table(shown: ReleaseShown) -> str:
    """One row a wave; the units of a small wave below it."""
    told = shown.forecast
    zone = ZoneInfo(told.zone)
    rows = [("stage", "wave", "units", "batches", f"begins ({told.zone})", "ends")]
    units: list[tuple[int, str]] = []
    for stage, seen in zip(shown.plan.stages, told.stages, strict=True):
        for number, (wave, span) in enumerate(zip(stage.waves, seen.waves, strict=True), start=1):
            rows.append(
                (
                    stage.name if number == 1 else "",
                    f"{number} of {len(stage.waves)}",
                    str(len(wave)) + _at_once(stage, wave),
                    _batches(shown, wave),
                    when(span.start, zone),
                    when(span.end, zone),
                )
            )
            units += [(len(rows) - 1, line) for line in _named(shown, wave)]
    lines = columns(rows)
    for after, text in reversed(units):
        lines.insert(after + 1, f"      {text}")
    return "\n".join(lines)


def _at_once(stage: StagePlan, wave: Sequence[str]) -> str:
    limit = stage.max_concurrency
    return f", {limit} at once" if limit is not None and limit < len(wave) else ""


def _batches(shown: ReleaseShown, wave: Sequence[str]) -> str:
    """`1, 3, 6 pods` where all units of the wave have these, else the batches as written."""
    counts = {shown.units[name].counts for name in wave}
    written = {shown.units[name].batches for name in wave}
    one = next(iter(counts))
    if len(counts) == 1 and one is not None:
        return f"{' → '.join(map(str, one))} pods" if one != (1,) else "1 pod"
    named = sorted(" → ".join(map(str, batches)) for batches in written)
    return row(named, most=2 if len(shown.needs) > 1 else len(named), joint=" / ")


def _named(shown: ReleaseShown, wave: Sequence[str]) -> Iterable[str]:
    """The clusters of a wave; a small one with the reason of each place."""
    reasons = {unit.unit: unit.reason for unit in shown.plan.units}
    seats = _seats(shown, wave)
    if len(seats) <= FEW:
        for seat, names in seats.items():
            said = on_the_line(
                (shown.said or {})[name] for name in names if name in (shown.said or {})
            )
            yield f"{seat}{_done(shown, names)}: {_without_wave(reasons[names[0]])}{said}"
        return
    others = [n for n, names in seats.items() if not reasons[names[0]].startswith("wave ")]
    yield row([seat.rpartition("@")[2] for seat in seats], most=MOST_NAMES)
    if others:
        like_it = f", and {len(others) - 1} more like it" if len(others) > 1 else ""
        yield f"{others[0].rpartition('@')[2]} {reasons[seats[others[0]][0]]}{like_it}"


def _seats(shown: ReleaseShown, wave: Sequence[str]) -> dict[str, list[str]]:
    """What was placed as one: a unit, or a cluster with all its units."""
    if len(shown.needs) == 1:
        return {name: [name] for name in wave}
    clusters = {unit.unit: unit.cluster for unit in shown.plan.units}
    found: dict[str, list[str]] = {}
    for name in wave:
        found.setdefault(clusters[name], []).append(name)
    return found


def _done(shown: ReleaseShown, names: Sequence[str]) -> str:
    done = sum(shown.units[name].up_to_date for name in names)
    if len(names) == 1:
        return ", up to date already" if done else ""
    return f", {done} of {len(names)} units up to date already" if done else ""


def _without_wave(reason: str) -> str:
    """The row above says which wave it is."""
    head, colon, rest = reason.partition(": ")
    return rest if colon and head.startswith("wave ") and "added" not in head else reason


def _approvals(shown: ReleaseShown) -> list[str]:
    return [
        say.asked(one.what, one.component or one.stage, one.times, one.ask)
        for one in shown.approvals
    ]


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    return ["\n".join([f"  {title}", *(f"  - {line}" for line in lines)])] if lines else []


def _changes(shown: ReleaseShown) -> str:
    """The diffs; those that change the same lines are shown once, whatever stands around them."""
    total = len(shown.plan.units)
    groups: dict[tuple[object, str, str], list[Change]] = {}
    for change in shown.changes:
        # What is new differs from unit to unit by its values: one of them is enough to read.
        lines = "" if change.verb == "create" else _changed_lines(change.diff)
        groups.setdefault((change.ref, change.verb, lines), []).append(change)
    ordered = sorted(groups.values(), key=lambda same: -sum(len(one.units) for one in same))
    if not ordered:
        return "  No object changes."
    told = ["  Changes"]
    for same in ordered[:MOST_CHANGES]:
        told += _change(same, total)
    if len(ordered) > MOST_CHANGES:
        left = sum(len(one.units) for same in ordered[MOST_CHANGES:] for one in same)
        told.append(
            f"  … and {many(len(ordered) - MOST_CHANGES, 'more change')} of other lines in "
            f"{many(left, 'unit')}: all of them with --json"
        )
    return "\n".join(told)


def _changed_lines(diff: str) -> str:
    return "\n".join(line for line in diff.split("\n") if line[:1] in "+-")


def _change(same: Sequence[Change], total: int) -> list[str]:
    first = same[0]
    units = [unit for one in same for unit in one.units]
    where = "all units" if len(units) == total > 1 else row(units, most=MOST_NAMES)
    verb = _VERBS[first.verb]
    around = ""
    if len(same) > 1:
        around = ", with other " + ("values" if first.verb == "create" else "lines around it")
        around += " in some"
    lines = [f"  {first.ref.short} {verb} in {where}{around}"]
    body = first.diff.rstrip("\n").split("\n") if first.diff else []
    lines += [f"    {line}".rstrip() for line in body[:MOST_LINES]]
    if len(body) > MOST_LINES:
        lines.append(f"    … {len(body) - MOST_LINES} more lines: all of them with --json")
    return lines


def _removed(names: Sequence[str]) -> str:
    return (
        f"Takes away {many(len(names), 'Release file')}: {row(names)}. One that has not begun is "
        "then cancelled, one that runs is on hold and asks."
    )


def _unreleased(found: Sequence[Unreleased]) -> str:
    lines = ["Changed, but carried to no cluster by a Release:"]
    for one in found:
        lines.append(
            f"  {one.component}: {row(one.paths, most=3)}, for {many(len(one.units), 'unit')}"
        )
    lines.append("  A Release that names the same version brings it there.")
    return "\n".join(lines)
