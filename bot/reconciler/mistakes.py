"""What went wrong in renderings, as findings at their place in the repo. Renders nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.cluster.render import at_source
from bot.core import messages_plan_facts as say
from bot.core.plan_jobs import Output, Wanted
from release_repo_schema.findings import Finding


def render_findings(
    asked: Mapping[str, Wanted], outputs: Mapping[str, Output]
) -> Iterable[Finding]:
    """Each mistake once, with the units that it is found in unless these are all."""
    told: dict[tuple[str, int | None, str, str, str], list[str]] = {}
    for unit, one in asked.items():
        for problem in outputs[one.key].problems:
            found = at_source(problem, [(layer.path, layer.value) for layer in one.layers])
            key = (found.path, found.line, found.code, found.message, found.hint)
            told.setdefault(key, []).append(unit)
    for (path, line, code, message, hint), units in told.items():
        where = "" if len(units) == len(asked) else say.in_units(units)
        yield Finding(path=path, line=line, code=code, message=message + where, hint=hint)
