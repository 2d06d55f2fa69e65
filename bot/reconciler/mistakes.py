"""Mistakes that only a trial shows: of renderings and of conditions, as findings at their place.

Renders nothing itself, and asks no condition of a cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.cluster.kinds import unknown_workload
from bot.cluster.render import at_source
from bot.core import messages_plan_facts as say
from bot.core.plan_jobs import Output, Wanted
from checks.cel import cel_problems
from release_repo_schema.findings import Finding
from release_repo_schema.repo import Repo

SECRET = "literal-secret"
NOT_YET = "not-in-this-version"


def rendered_findings(
    repo: Repo, asked: Mapping[str, Wanted], outputs: Mapping[str, Output]
) -> tuple[Finding, ...]:
    """Everything that these renderings show to be wrong."""
    return (
        *render_findings(asked, outputs),
        *secret_findings(repo, asked, outputs),
        *workload_findings(asked, outputs),
    )


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
        # A rendering tells the line; the mistake is somewhere in it.
        column = None if line is None else 1
        yield Finding(
            path=path, line=line, column=column, code=code, message=message + where, hint=hint
        )


def secret_findings(
    repo: Repo, asked: Mapping[str, Wanted], outputs: Mapping[str, Output]
) -> Iterable[Finding]:
    """Secrets with data that only the rendering shows: all of it comes from the repo."""
    seen = [one.path for one in repo.findings if one.code == SECRET]
    told: set[tuple[str, str]] = set()
    for unit, one in asked.items():
        output, component = outputs[one.key], unit.partition("@")[0]
        for planned in output.objects:
            if planned.ref.kind != "Secret" or (component, planned.ref.short) in told:
                continue
            obj = output.blobs[planned.digest]
            if not (obj.get("data") or obj.get("stringData")):
                continue
            told.add((component, planned.ref.short))
            if not any(path.startswith(f"components/{component}/") for path in seen):
                said = say.secret_rendered(planned.ref.short)
                where = f"components/{component}/component.yaml"
                yield Finding(path=where, code=SECRET, message=said, hint=say.SECRET_HINT)


def workload_findings(
    asked: Mapping[str, Wanted], outputs: Mapping[str, Output]
) -> Iterable[Finding]:
    """Workloads of kinds that nobody knows how to roll: they would reach every pod at once."""
    told: set[tuple[str, str]] = set()
    for unit, one in asked.items():
        output, component = outputs[one.key], unit.partition("@")[0]
        for planned in output.objects:
            known = (component, planned.ref.short) in told
            if known or not unknown_workload(output.blobs[planned.digest]):
                continue
            told.add((component, planned.ref.short))
            said = say.unknown_workload(planned.ref.short, planned.ref.api_version)
            where = f"components/{component}/component.yaml"
            yield Finding(path=where, code=NOT_YET, message=said, hint=say.UNKNOWN_WORKLOAD_HINT)


def condition_findings(repo: Repo) -> Iterable[Finding]:
    """Conditions of checks that could never be answered."""
    for name, check in repo.checks.items():
        spec = check.spec
        for field, said in (
            ("successCondition", spec.success_condition),
            ("failureCondition", spec.failure_condition),
        ):
            wrong = cel_problems(said) if said else None
            if wrong is not None:
                document = repo.documents["Check", name]
                yield document.finding(("spec", field), "wrong-condition", say.condition(wrong))
