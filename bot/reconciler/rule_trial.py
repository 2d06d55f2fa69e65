"""Tries risk rules on typical facts of the repo: what could not be answered is found by lint.

Each rule is asked for a unit of every shape, once with nothing in flight and once with one unit of
every shape. Asks no cluster; whether a rule is wise is for people to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from bot.core import messages_plan_facts as say
from bot.core import messages_rule_trial as say_settled
from bot.core import risk
from bot.core.flights import Flight, UnderWay
from bot.core.risk_atoms import settled
from checks.cel import Unclear, holds, named_in
from release_repo_schema.findings import Finding
from release_repo_schema.load import with_drafts
from release_repo_schema.models import Component, RiskRule
from release_repo_schema.repo import Repo

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""A Monday noon: any moment would do."""


def rule_findings(repo: Repo) -> Iterable[Finding]:
    """Rules that do not parse, name what is not there, or have no answer for some unit."""
    sound = repo
    repo, whole = with_drafts(repo), _parts_are_known(repo)
    seen: set[str] = set()
    tried: list[risk.Asked] | None = None
    known = _names(repo) if whole else {}
    for number, rule in enumerate(repo.policy.spec.risk_rules):
        document = repo.documents["Policy", repo.policy.name]
        if rule.name in seen:
            pointer = ("spec", "riskRules", number, "name")
            yield document.finding(pointer, "duplicate-name", say.rule_twice(rule.name))
        seen.add(rule.name)
        wrong = risk.problems(rule.when)
        if wrong is None and whole:
            tried = _typical(sound) if tried is None else tried
            wrong = _unanswered(rule.when, tried)
        pointer = ("spec", "riskRules", number, "when")
        if wrong is not None:
            hint = say.RULE_HINT
            yield document.finding(pointer, "wrong-condition", say.condition(wrong), hint)
            continue
        for said, hint in _one_answer(rule, known):
            yield document.finding(pointer, "settled-condition", said, hint, level="warning")


def _parts_are_known(repo: Repo) -> bool:
    """Whether all components and clusters can be read: a label that only a broken one has is no
    slip of the rule.
    """
    return not any(
        file.broken_names
        for path, file in repo.files.items()
        if path.startswith(("fleet/", "components/"))
    )


def _one_answer(rule: RiskRule, known: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Slips that leave a rule without use: it is answered, and always the same."""
    if not named_in(rule.when):
        answer = holds(rule.when, {}, numbers=False)
        yield say_settled.constant(answer, rule.verdict), say_settled.CONSTANT_HINT
    for one in settled(rule.when, known):
        yield say_settled.settled(one), say_settled.settled_hint(one)


def _names(repo: Repo) -> dict[str, Sequence[str]]:
    """Name in a rule → all values that it can have in this repo."""
    clusters, groups = sorted(repo.clusters), sorted(repo.groups)
    return {
        "component.name": sorted(repo.components),
        "unit.cluster": clusters,
        "cluster.name": clusters,
        "cluster.hostedBy": ["", *clusters],
        "unit.group": groups,
        "cluster.group": groups,
    }


def _unanswered(expression: str, tried: list[risk.Asked]) -> str | None:
    for asked in tried:
        try:
            risk.says(expression, asked)
        except Unclear as unclear:
            return say.unanswered(str(unclear), asked.unit["name"])
    return None


def _typical(repo: Repo) -> list[risk.Asked]:
    """A unit of every shape: of each set of labels that components have, and that clusters have."""
    clusters = list(_shapes((name, repo.labels_of(name)) for name in sorted(repo.clusters)))
    components = list(
        _shapes((name, one.metadata.labels) for name, one in sorted(repo.components.items()))
    )
    flights = [
        _flight(repo.components[name], cluster, repo.labels_of(cluster))
        for name in components
        for cluster in clusters
    ]
    under_way = [UnderWay(release="another", position=1, began=AT, tiers=("0",))]
    found: list[risk.Asked] = []
    for name in components:
        for cluster in clusters:
            found.append(_asked(repo, name, cluster, (), ()))
            found.append(_asked(repo, name, cluster, flights, under_way))
    return found


def _shapes(named: Iterable[tuple[str, dict[str, str]]]) -> Iterator[str]:
    """The first of each set of label names: a rule may read a label that one lacks."""
    seen: set[frozenset[str]] = set()
    for name, labels in named:
        if frozenset(labels) not in seen:
            seen.add(frozenset(labels))
            yield name


def _flight(component: Component, cluster: str, labels: dict[str, str]) -> Flight:
    return Flight(
        release="another",
        position=1,
        unit=f"{component.name}@{cluster}",
        component=component.name,
        component_labels=component.metadata.labels,
        cluster=cluster,
        labels=labels,
        began=AT,
    )


def _asked(
    repo: Repo,
    name: str,
    cluster: str,
    flights: Iterable[Flight],
    under_way: Iterable[UnderWay],
) -> risk.Asked:
    labels, own = repo.labels_of(cluster), repo.components[name].metadata.labels
    tier = risk.tier_of(own)
    return risk.Asked(
        now=AT,
        release=risk.release_facts(
            name="a-release", tiers=(tier,) if tier else (), components=[name], units=1
        ),
        component=risk.component_facts(name=name, version="1.0", labels=own, version_changed=True),
        unit=risk.unit_facts(unit=f"{name}@{cluster}", cluster=cluster, labels=labels),
        cluster=risk.cluster_facts(
            cluster=cluster, labels=labels, host=repo.clusters[cluster].spec.hosted_by or ""
        ),
        flights=tuple(flights),
        under_way=tuple(under_way),
        components=tuple(repo.components),
    )
