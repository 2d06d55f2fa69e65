"""Units that are a part of a cluster: what makes them impossible, and what is worth a warning.

Pure. Findings stand at the component's scope; which nodes there really are only a cluster knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot.cluster.choice import chosen
from bot.cluster.kinds import Rows, chooses_nodes, row_of
from bot.core import messages_places as say
from bot.core.candidates import candidates
from bot.core.order import Candidate
from bot.core.plan_jobs import Output, Wanted
from bot.model.plan import NodeChoice, PlannedObject, ReleasePlan
from release_repo_schema.findings import Finding
from release_repo_schema.repo import Repo


def place_findings(
    repo: Repo,
    units: Sequence[Candidate],
    asked: Mapping[str, Wanted],
    outputs: Mapping[str, Output],
    rows: Rows,
) -> Iterator[Finding]:
    """What stands against releasing a component by parts of a cluster. Each mistake once."""
    found: dict[tuple[str, str], Finding] = {}
    for inside in _by_cluster(units).values():
        made = [(unit, outputs[asked[unit.unit].key]) for unit in inside]
        for code, said, hint in (*_of_kinds(made, rows), *_of_sharing(made, rows)):
            document = repo.documents.get(("Component", inside[0].component))
            if document is not None:
                one = document.finding(("spec", "scope"), code, said, hint)
                found.setdefault((inside[0].component, code), one)
    yield from found.values()


def _by_cluster(units: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    found: dict[str, list[Candidate]] = {}
    for unit in units:
        if unit.scope != "cluster":
            found.setdefault(unit.cluster, []).append(unit)
    return found


Made = Sequence[tuple[Candidate, Output]]
Problem = tuple[str, str, str]
"""Code, message, hint."""


def _of_kinds(made: Made, rows: Rows) -> Iterator[Problem]:
    """Units of nodes exist only for kinds whose pods can be chosen by node."""
    unit, output = made[0]
    if unit.nodes is None:
        return
    workloads = [one for one in output.objects if row_of(one.ref, rows) is not None]
    for planned in workloads:
        if not chooses_nodes(output.blobs[planned.digest], rows):
            said = say.no_choice(planned.ref.short, unit.scope)
            yield "cannot-choose-nodes", said, say.NO_CHOICE_HINT
            return
    if not workloads:
        yield "nothing-on-nodes", say.no_workload(unit.component, unit.scope), say.NO_WORKLOAD_HINT


def _of_sharing(made: Made, rows: Rows) -> Iterator[Problem]:
    """What several units share is one object: it must be the same for all, and no workload of
    namespaces.
    """
    first: dict[str, tuple[Candidate, PlannedObject]] = {}
    for unit, output in made:
        for planned in output.objects:
            other, known = first.setdefault(planned.ref.key, (unit, planned))
            if other is unit:
                continue
            if known.digest != planned.digest:
                said = say.differs(planned.ref.short, unit.cluster, other.place, unit.place)
                yield "differs-by-place", said, say.DIFFERS_HINT
                return
            if unit.scope == "namespace" and row_of(planned.ref, rows) is not None:
                places = [other.place, unit.place]
                said = say.same_everywhere(planned.ref.short, unit.cluster, places)
                yield "shared-workload", said, say.SAME_EVERYWHERE_HINT
                return


def place_warnings(repo: Repo, plan: ReleasePlan) -> Iterator[str]:
    """A release of a part of clusters only: what that leaves behind in them."""
    mine = {unit.unit for unit in plan.units}
    for component in dict.fromkeys(unit.component for unit in plan.units if unit.nodes):
        clusters = {unit.cluster for unit in plan.units if unit.component == component}
        left = [
            unit
            for unit in candidates(repo, component)
            if unit.cluster in clusters and unit.unit not in mine
        ]
        if left:
            places = list(dict.fromkeys(unit.place for unit in left))
            names = list(dict.fromkeys(unit.cluster for unit in left))
            yield say.part_of_clusters(component, names, places)
    yield from _nodes_left(repo, plan)


def _nodes_left(repo: Repo, plan: ReleasePlan) -> Iterator[str]:
    """Nodes that no file lists: a component that goes node by node never comes to them."""
    by_node = dict.fromkeys(
        (unit.component, unit.cluster) for unit in plan.units if unit.scope == "node"
    )
    for component, cluster in by_node:
        spec = repo.clusters[cluster].spec
        if spec.connection.simulated is None:
            continue
        there = [f"n-{number}" for number in range(1, spec.connection.simulated.nodes + 1)]
        left = [node for node in there if node not in spec.nodes]
        if left:
            yield say.nodes_left(component, cluster, left)


def nodes_known(repo: Repo, cluster: str, choice: NodeChoice | None) -> int | None:
    """How many nodes a unit is about, where the repo itself says which there are."""
    simulated = repo.clusters[cluster].spec.connection.simulated
    if simulated is None:
        return None
    if choice is None:
        return simulated.nodes
    names = (f"n-{number}" for number in range(1, simulated.nodes + 1))
    labels = {
        name: {"kubernetes.io/hostname": name, **simulated.node_labels.get(name, {})}
        for name in names
    }
    return len(chosen(choice, labels))
