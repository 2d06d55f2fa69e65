"""Mistakes that only a trial shows: of renderings and of conditions, as findings at their place.

Renders nothing itself, and asks no condition of a cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.cluster.kinds import Rows, row_of, unknown_workload
from bot.cluster.own_kinds import rows_of
from bot.cluster.render import at_source
from bot.core import messages_plan_facts as say
from bot.core.messages_sharded import HINT as SHARDED_HINT
from bot.core.order import Candidate
from bot.core.plan_jobs import Output, Wanted
from bot.core.plan_places import place_findings
from bot.core.plan_rows import absent, own_rows
from bot.core.plan_sharded import sharded_problems
from bot.model.plan import ObjectRef
from bot.reconciler.mistakes_objects import names_of_ours, place_of_objects
from checks.cel import cel_problems
from release_repo_schema.findings import Finding, Pointer
from release_repo_schema.load import with_drafts
from release_repo_schema.repo import Repo

SECRET = "literal-secret"
UNKNOWN_WORKLOAD = "unknown-workload"
ROW_DOES_NOT_FIT = "row-does-not-fit"


def rendered_findings(
    repo: Repo,
    units: Sequence[Candidate],
    asked: Mapping[str, Wanted],
    outputs: Mapping[str, Output],
    version: str | None = None,
) -> tuple[Finding, ...]:
    """Everything that these renderings show to be wrong. `version`: that all of them are of."""
    rows = rows_of(own_rows(repo).values())
    return (
        *render_findings(asked, outputs),
        *secret_findings(repo, asked, outputs),
        *workload_findings(repo, asked, outputs, version),
        *place_findings(repo, units, asked, outputs, rows),
        *place_of_objects(repo, units, asked, outputs),
        *names_of_ours(repo, units, asked, outputs),
    )


def render_findings(
    asked: Mapping[str, Wanted], outputs: Mapping[str, Output]
) -> Iterable[Finding]:
    """Each mistake once, with the units that it is found in unless these are all."""
    told: dict[tuple[str, int | None, str, str, str, str], list[str]] = {}
    for unit, one in asked.items():
        for problem in outputs[one.key].problems:
            found = at_source(problem, [(layer.path, layer.value) for layer in one.layers])
            key = (found.path, found.line, found.code, found.message, found.hint, found.level)
            told.setdefault(key, []).append(unit)
    for (path, line, code, message, hint, level), units in told.items():
        where = "" if len(units) == len(asked) else say.in_units(units)
        # A rendering tells the line; the mistake is somewhere in it.
        column = None if line is None else 1
        yield Finding(
            path=path,
            line=line,
            column=column,
            level="warning" if level == "warning" else "error",
            code=code,
            message=message + where,
            hint=hint,
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
    repo: Repo,
    asked: Mapping[str, Wanted],
    outputs: Mapping[str, Output],
    version: str | None = None,
) -> Iterable[Finding]:
    """Workloads of kinds that nobody knows how to roll: they would reach every pod at once."""
    told: set[tuple[str, str]] = set()
    rows = rows_of(own_rows(repo).values())
    for unit, one in asked.items():
        output, component = outputs[one.key], unit.partition("@")[0]
        for planned in output.objects:
            if (component, planned.ref.short) in told:
                continue
            obj, row = output.blobs[planned.digest], row_of(planned.ref, rows)
            if unknown_workload(obj, rows):
                said = say.unknown_workload(planned.ref.short, planned.ref.api_version)
                hint = say.unknown_workload_hint(_other_versions(rows, planned.ref))
                where = f"components/{component}/component.yaml"
                yield Finding(path=where, code=UNKNOWN_WORKLOAD, message=said, hint=hint)
            elif row is not None and row.sharding is not None:
                rendered = [output.blobs[one.digest] for one in output.objects]
                for field, said in sharded_problems(row.sharding, obj, rendered, version):
                    yield _at_row(repo, planned.ref, ("shardedOperator", field), said, SHARDED_HINT)
            elif row is not None and (path := absent(row, obj)):
                said = say.row_does_not_fit(planned.ref.short, ".".join(path))
                yield _at_row(repo, planned.ref, ("template",), said, say.ROW_DOES_NOT_FIT_HINT)
            told.add((component, planned.ref.short))


def _other_versions(rows: Rows, ref: ObjectRef) -> list[str]:
    """apiVersions of the same kind that have a row."""
    group = ref.api_version.rpartition("/")[0]
    return sorted(
        version
        for version, kind in rows
        if kind == ref.kind and version.rpartition("/")[0] == group
    )


def _at_row(repo: Repo, ref: ObjectRef, field: Pointer, said: str, hint: str) -> Finding:
    """At the row of the repo that describes the object's kind."""
    name = next(
        name
        for name, written in repo.workload_kinds.items()
        if written.target == (ref.api_version, ref.kind)
    )
    document = repo.documents["WorkloadKind", name]
    return document.finding(("spec", *field), ROW_DOES_NOT_FIT, said, hint)


def condition_findings(repo: Repo) -> Iterable[Finding]:
    """Conditions of checks that could never be answered; of broken files what can be read."""
    repo = with_drafts(repo)
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
