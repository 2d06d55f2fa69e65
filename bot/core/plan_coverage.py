"""What the order of a plan risks: a hand-written one that is riskier than the computed one, and
values of labels that no early wave has tried.

Pure; looks at labels only. It moves no unit: a hand-written order always wins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.core import messages_order as say
from bot.core.members import Membership
from bot.core.order import DEFAULT_WEIGHTS, ranks_of
from bot.model.plan import ReleasePlan, UnitPlan
from release_repo_schema.models import Stage

IDENTITY = frozenset(("cluster", "group", "nodeSet", "namespace", "node"))
"""Built-in labels: they name units, and have no value that could be tried before."""
MOST_VALUES = 20
"""A label with more values is a name, not a kind."""
AT_ONCE = 3
"""So many clusters with a value that no wave before had are worth a warning."""
MOST_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Riskier:
    """`early` goes before `late` though it scores higher; `label` weighs most in that.

    `units`: how many units go before one of a lower score. `stages`: (earlier, later), the same
    twice inside one stage.
    """

    stages: tuple[str, str]
    early: str
    late: str
    scores: tuple[float, float]
    label: str
    values: tuple[str, str]
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered:
    """A value that appears first in a wave (counted from 1) where many clusters have it."""

    stage: str
    wave: int
    label: str
    value: str
    clusters: int


def order_warnings(plan: ReleasePlan, members: Membership) -> Iterator[str]:
    """The sentences, most serious first; only so many values."""
    yield from map(say.riskier, riskier(plan, members))
    found = uncovered(plan, [stage for stage, _ in members.stages])
    for one in found[:MOST_TOLD]:
        yield say.uncovered(one.label, one.value, one.stage, one.wave, one.clusters)
    if len(found) > MOST_TOLD:
        yield say.more_uncovered([f"{one.label}={one.value}" for one in found[MOST_TOLD:]])


# hand-written orders


def riskier(plan: ReleasePlan, members: Membership) -> list[Riskier]:
    """Where a hand-written order takes higher scores first: inside stages that are ordered by name
    or by hand, and between stages where the earlier one is the riskier on the whole.
    """
    scored = _Scores(plan.units, members.weights or DEFAULT_WEIGHTS)
    units = {unit.unit: unit for unit in plan.units}
    found: list[Riskier] = []
    for stage, (asked, _) in zip(plan.stages, members.stages, strict=True):
        if asked.order != "score":
            turns = _turns(stage.waves, stage.max_concurrency)
            found += _worst(
                [[units[name] for name in turn] for turn in turns], scored, (stage.name, stage.name)
            )
    whole = [[units[name] for wave in stage.waves for name in wave] for stage in plan.stages]
    names = [stage.name for stage in plan.stages]
    between = [
        pair
        for late in range(1, len(whole))
        for early in range(late)
        if scored.mean(whole[early]) > scored.mean(whole[late])
        for pair in _worst([whole[early], whole[late]], scored, (names[early], names[late]))
    ]
    between.sort(key=lambda one: one.scores[1] - one.scores[0])
    return found + between[:1]


def _turns(waves: Sequence[tuple[str, ...]], most: int | None) -> Iterator[Sequence[str]]:
    """What goes at once: a wave, or one after another where the concurrency is smaller."""
    for wave in waves:
        if most is None or most >= len(wave):
            yield wave
        else:
            yield from (wave[start : start + most] for start in range(0, len(wave), most))


def _worst(
    turns: Sequence[Sequence[UnitPlan]], scored: _Scores, stages: tuple[str, str]
) -> list[Riskier]:
    """The pair with the largest difference of scores, if any goes the wrong way round."""
    lowest_after: list[UnitPlan | None] = [None] * len(turns)
    low: UnitPlan | None = None
    for place in range(len(turns) - 1, -1, -1):
        lowest_after[place] = low
        candidates = [*turns[place], *([low] if low else [])]
        low = min(candidates, key=lambda unit: (scored.of(unit), unit.unit), default=None)
    worst: tuple[float, UnitPlan, UnitPlan] | None = None
    wrong = 0
    for turn, after in zip(turns, lowest_after, strict=True):
        for unit in turn if after is not None else ():
            assert after is not None
            gap = scored.of(unit) - scored.of(after)
            if gap > 0:
                wrong += 1
                if worst is None or gap > worst[0]:
                    worst = (gap, unit, after)
    if worst is None:
        return []
    _, early, late = worst
    label = scored.why(early, late)
    return [
        Riskier(
            stages=stages,
            early=early.unit,
            late=late.unit,
            scores=(scored.of(early), scored.of(late)),
            label=label,
            values=(early.labels.get(label, ""), late.labels.get(label, "")),
            units=wrong,
        )
    ]


class _Scores:
    """Scores over all units of a release, so that units of several stages can be compared."""

    def __init__(self, units: Sequence[UnitPlan], weights: Mapping[str, float]) -> None:
        self._weights = {label: weight for label, weight in sorted(weights.items()) if weight}
        self._ranks = {label: ranks_of([u.labels for u in units], label) for label in self._weights}
        self._known: dict[str, float] = {}

    def of(self, unit: UnitPlan) -> float:
        if unit.unit not in self._known:
            self._known[unit.unit] = round(sum(part for _, part in self._parts(unit)), 6)
        return self._known[unit.unit]

    def mean(self, units: Sequence[UnitPlan]) -> float:
        # Noise must not make one stage of equal units riskier than another.
        return round(sum(map(self.of, units)) / len(units), 6) if units else 0.0

    def why(self, early: UnitPlan, late: UnitPlan) -> str:
        """The label that makes the difference, or most of it."""
        behind = dict(self._parts(late))
        parts = [(part - behind[label], label) for label, part in self._parts(early)]
        return max(parts, key=lambda one: (one[0], one[1]))[1]

    def _parts(self, unit: UnitPlan) -> list[tuple[str, float]]:
        return [
            (label, weight * self._ranks[label].get(unit.labels.get(label), 0.0))
            for label, weight in self._weights.items()
        ]


# values that nobody tried


def uncovered(plan: ReleasePlan, asked: Sequence[Stage]) -> list[Uncovered]:
    """Values that come to many clusters at once, and to none before; most clusters first."""
    units = {unit.unit: unit for unit in plan.units}
    identity = IDENTITY | {label for stage in asked for label in stage.spread}
    labels = _kinds(plan.units, identity)
    seen: set[tuple[str, str]] = set()
    found: list[Uncovered] = []
    first = True
    for stage in plan.stages:
        for number, names in enumerate(stage.waves, start=1):
            here = _clusters(units[name] for name in names)
            for pair, count in sorted(_values(here, labels).items()):
                if pair in seen:
                    continue
                seen.add(pair)
                if count >= AT_ONCE and not first:
                    label, value = pair
                    found.append(
                        Uncovered(
                            stage=stage.name,
                            wave=number,
                            label=label,
                            value=value,
                            clusters=count,
                        )
                    )
            first = False
    return sorted(found, key=lambda one: (-one.clusters, one.label, one.value))


def _kinds(units: Sequence[UnitPlan], identity: Iterable[str]) -> list[str]:
    """Labels that say of what kind a cluster is: some values, each of more than one cluster."""
    clusters = _clusters(units)
    left = set(identity)
    names = sorted({label for labels in clusters.values() for label in labels} - left)
    found = []
    for label in names:
        values = Counter(labels[label] for labels in clusters.values() if label in labels)
        if 2 <= len(values) <= MOST_VALUES and 2 * len(values) <= sum(values.values()):
            found.append(label)
    return found


def _clusters(units: Iterable[UnitPlan]) -> dict[str, Mapping[str, str]]:
    return {unit.cluster: unit.labels for unit in units}


def _values(
    clusters: Mapping[str, Mapping[str, str]], labels: Sequence[str]
) -> Counter[tuple[str, str]]:
    return Counter(
        (label, found[label]) for found in clusters.values() for label in labels if label in found
    )
