"""First installs by parts of a cluster: all nodes get the workload at once, so people are asked.

Tells before the merge what the gate will ask; asks nothing itself, and looks into no cluster.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.cluster.kinds import Rows, row_of
from bot.core import messages_places as say
from bot.core.gates_siblings import INSTALL_ASK
from bot.core.plan_places import nodes_known
from bot.core.plan_shown import Asked, Known
from bot.core.siblings import INSTALL
from bot.core.situation import PlanIndex
from bot.model.plan import ReleasePlan, UnitPlan
from release_repo_schema.repo import Repo


def install_asks(repo: Repo, plan: ReleasePlan, known: Known) -> Iterator[Asked]:
    """One decision for each cluster in which a component is certainly not there yet."""
    for component, clusters in _clusters(repo, plan, known)[0].items():
        yield Asked(
            what=INSTALL,
            stage=None,
            times=len(clusters),
            ask=INSTALL_ASK,
            component=component,
        )


def install_warnings(repo: Repo, plan: ReleasePlan, known: Known) -> Iterator[str]:
    """What the release waits for where nothing is there yet, and where nobody can know."""
    certain, unknown = _clusters(repo, plan, known)
    for component, clusters in certain.items():
        yield say.asks_to_install(component, clusters)
    for component, clusters in unknown.items():
        yield say.may_ask_to_install(component, clusters)


def _clusters(
    repo: Repo, plan: ReleasePlan, known: Known
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Component → clusters where it is not there yet, and where nobody knows."""
    rows = PlanIndex(plan).rows
    certain: dict[str, dict[str, None]] = {}
    unknown: dict[str, dict[str, None]] = {}
    for unit in plan.units:
        if not _part_of_nodes(repo, unit):
            continue
        missing = _missing(unit, rows, known)
        if missing is None and known.applied.get(unit.lock) is None:
            unknown.setdefault(unit.component, {})[unit.cluster] = None
        elif missing:
            certain.setdefault(unit.component, {})[unit.cluster] = None
    return (
        {name: list(clusters) for name, clusters in certain.items()},
        {name: list(clusters) for name, clusters in unknown.items()},
    )


def _part_of_nodes(repo: Repo, unit: UnitPlan) -> bool:
    """Whether it is about some nodes of its cluster and not all, as far as main says."""
    if unit.nodes is None:
        return False
    mine, every = (nodes_known(repo, unit.cluster, choice) for choice in (unit.nodes, None))
    return mine is None or every is None or 0 < mine < every


def _missing(unit: UnitPlan, rows: Rows, known: Known) -> bool | None:
    """Whether a workload of it is not in its cluster; None where nobody may look."""
    workloads = [one.ref for one in unit.objects if row_of(one.ref, rows) is not None]
    stands = [known.stands(unit.cluster, ref) for ref in workloads]
    if False in stands:
        return True
    return None if None in stands else False
