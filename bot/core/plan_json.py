"""The plan of a pull request as `sluice plan --json` prints it. A change of shape only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core import messages_leftovers as leaves
from bot.core import messages_plan_facts as say
from bot.core.diff import Change
from bot.core.exposure import Exposure, thinned
from bot.core.forecast import Forecast
from bot.core.forecast_waits import Delay
from bot.core.graph import layers
from bot.core.plan_asked import Said
from bot.core.plan_shown import Asked, PullPlan, ReleaseShown, Unreleased
from bot.model.plan import ComponentPlan
from release_repo_schema.models import duration_text


def plan_json(pull: PullPlan) -> dict[str, Any]:
    """The contract's shape, and more fields beside it."""
    return {
        "base": pull.base,
        "head": pull.head,
        "releases": [_release(shown) for shown in pull.releases],
        "removed": list(pull.removed),
        "unreleased": [_unreleased(one) for one in pull.unreleased],
        "findings": [finding.to_json() for finding in pull.findings],
    }


def forecast_json(told: Forecast) -> dict[str, Any]:
    """When each batch would start: `sluice forecast --json`, and a part of every plan."""
    whole = sum((cost.total for cost in told.costs), timedelta())
    return {
        "start": instant(told.start),
        "end": instant(told.end),
        "days": told.days,
        "zone": told.zone,
        "costs": [
            {
                "what": cost.what,
                "each": duration_text(cost.each) if cost.each is not None else None,
                "times": cost.times,
                "total": _seconds(cost.total),
                "share": round(cost.total / whole, 4) if whole else None,
                "text": say.cost(cost),
            }
            for cost in told.costs
        ],
        "never": [{"unit": unit, "why": why} for unit, why in told.never.items()],
        "stages": [
            {
                "name": stage.name,
                "start": instant(stage.start),
                "end": instant(stage.end),
                "waves": [{"start": instant(w.start), "end": instant(w.end)} for w in stage.waves],
            }
            for stage in told.stages
        ],
    }


def exposure_json(told: Exposure) -> dict[str, Any]:
    """The curve as shares, and what they are shares of. `tier0` is null where nothing is tier 0."""
    return {
        "of": {"clusters": told.clusters, "nodes": told.nodes, "tier0": told.tier0},
        "assumedUnits": told.assumed,
        "points": [
            {
                "at": instant(point.at),
                "clusters": _share(point.clusters, told.clusters),
                "nodes": _share(point.nodes, told.nodes),
                "tier0": _share(point.tier0, told.tier0),
            }
            for point in thinned(told)
        ],
    }


def delays_json(found: Sequence[Delay]) -> list[dict[str, Any]]:
    """What does not fit, and why."""
    return [
        {
            "stage": one.stage,
            "wave": one.wave,
            "units": list(one.units),
            "since": instant(one.since),
            "until": instant(one.until),
            "why": one.why,
        }
        for one in found
    ]


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def batches_json(told: Forecast, unit: str) -> list[dict[str, Any]]:
    """The batches of one unit."""
    return [
        {"start": instant(span.start), "end": instant(span.end)}
        for span in told.units[unit].batches
    ]


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, with Z."""
    if at is None:
        return None
    return at.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())


def _release(shown: ReleaseShown) -> dict[str, Any]:
    plan, told = shown.plan, shown.forecast
    units = {unit.unit: unit for unit in plan.units}
    return {
        "release": plan.release,
        "planHash": plan.plan_hash,
        "reason": plan.reason,
        "components": [_component(shown, component) for component in plan.components],
        "graph": _graph(shown),
        "stages": [
            {
                "name": stage.name,
                "waves": [list(wave) for wave in stage.waves],
                "maxConcurrency": stage.max_concurrency,
                "rollback": {"maxConcurrency": stage.back_at_once},
                "maxFailures": stage.max_failures,
                "units": [
                    _unit(shown, units[name].reason, name) for wave in stage.waves for name in wave
                ],
                "start": instant(when.start),
                "end": instant(when.end),
            }
            for stage, when in zip(plan.stages, told.stages, strict=True)
        ],
        "start": instant(told.start),
        "end": instant(told.end),
        "workingDays": told.days,
        "costsMost": say.costs_most(told.costs),
        "forecast": forecast_json(told),
        "waits": delays_json(shown.delays),
        "exposure": exposure_json(shown.exposure),
        "changes": [_change(change) for change in shown.changes],
        "guard": [
            {**one.change, "component": one.component, "units": list(one.units)}
            for one in shown.guarded
        ],
        "leaves": [
            {
                "object": one.object,
                "component": one.component,
                "does": one.does,
                "why": leaves.plan_why(one.why),
                "units": list(one.units),
            }
            for one in shown.leaves
        ],
        "approvals": [_asked(one) for one in shown.approvals],
        "warnings": list(shown.warnings),
    }


def _component(shown: ReleaseShown, component: ComponentPlan) -> dict[str, Any]:
    return {
        "name": component.name,
        "from": shown.from_version(component),
        "to": component.version,
        "versions": [
            {"version": version, "units": count}
            for version, count in shown.versions(component).items()
        ],
        "content": component.content,
    }


def _graph(shown: ReleaseShown) -> dict[str, Any]:
    """Which component goes before which in a cluster: `from` first, then `to`."""
    needs = shown.needs
    return {
        "nodes": [
            {"name": name, "layer": number}
            for number, names in enumerate(layers(needs), start=1)
            for name in names
        ],
        "edges": [{"from": before, "to": name} for name in needs for before in needs[name]],
    }


def _unit(shown: ReleaseShown, reason: str, name: str) -> dict[str, Any]:
    unit, when = shown.units[name], shown.forecast.units[name]
    return {
        "unit": name,
        "reason": reason,
        "from": unit.version,
        "batches": list(unit.batches),
        "counts": None if unit.counts is None else list(unit.counts),
        "start": instant(when.start),
        "end": instant(when.end),
        "batchTimes": batches_json(shown.forecast, name),
        "upToDate": unit.up_to_date,
        **({"versionFrom": unit.note} if unit.note else {}),
        **({} if shown.said is None else {"dryRun": _said(shown.said.get(name))}),
    }


def _said(said: Said | None) -> dict[str, str] | None:
    """What its cluster would say; None where nobody like it was asked."""
    if said is None:
        return None
    return {
        "asked": said.asked,
        "verdict": said.would.value,
        "object": said.object,
        "why": said.why,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "units": list(change.units),
        "object": change.ref.short,
        "verb": change.verb,
        "diff": change.diff,
    }


def _asked(one: Asked) -> dict[str, Any]:
    expires = one.ask.expires
    return {
        "when": one.what,
        "stage": one.stage,
        **({"component": one.component} if one.component else {}),
        "times": one.times,
        "count": one.ask.count,
        "roles": list(one.ask.roles),
        "expires": duration_text(expires) if expires is not None else None,
        "text": say.asked(one.what, one.component or one.stage, one.times, one.ask),
    }


def _unreleased(one: Unreleased) -> dict[str, Any]:
    return {"component": one.component, "paths": list(one.paths), "units": list(one.units)}
