"""The workload kinds of a release repo as the engine uses them, and those that a plan freezes.

Pure. A row is read from what lint let through; what it did not is left out here and told there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.cluster.fields import MISSING, Path, at
from bot.cluster.kinds import BUILT_IN, WorkloadKind
from bot.cluster.own_kinds import RowError, row_from
from bot.core.plan import plan_hash
from bot.model.plan import JSON, ReleasePlan
from release_repo_schema.models import WorkloadKind as Written
from release_repo_schema.repo import Repo

Target = tuple[str, str]
"""(apiVersion, kind)."""


def own_rows(repo: Repo) -> dict[Target, JSON]:
    """Target → the spec of the row that the repo has for it, those that can be used."""
    found: dict[Target, JSON] = {}
    for written in repo.workload_kinds.values():
        if written.target not in BUILT_IN and _usable(written):
            found.setdefault(written.target, written.row())
    return found


def rows_used(repo: Repo, objects: Iterable[JSON]) -> tuple[JSON, ...]:
    """Specs of the rows that these objects are of, by target: what their plan freezes."""
    known = own_rows(repo)
    if not known:
        return ()
    there = {(obj.get("apiVersion"), obj.get("kind")) for obj in objects}
    return tuple(known[target] for target in sorted(known) if target in there)


def frozen(plan: ReleasePlan, rows: tuple[JSON, ...]) -> ReleasePlan:
    """The plan with the rows that it goes by, under a hash that covers them."""
    if not rows:
        return plan
    covered = replace(plan, rows=rows)
    return replace(covered, plan_hash=plan_hash(covered))


def absent(row: WorkloadKind, obj: JSON) -> Path | None:
    """The template's path where an object of a row of the repo has nothing: most likely a slip.

    Only the template: the count may be left to an autoscaler, and gates are written by us.
    """
    if (row.api_version, row.kind) in BUILT_IN or at(obj, row.template, MISSING) is not MISSING:
        return None
    return row.template


def _usable(written: Written) -> bool:
    try:
        row_from(written.row())
    except RowError:
        return False
    return True
