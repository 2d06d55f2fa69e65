"""The order of units: stage by stage, wave by wave, each placement with its reason.

A score says how risky a unit is, from its labels and the pipeline's weights; waves go from low risk
to high and keep units of one `spread` value apart. Pure: it knows units and labels, and nothing of
versions, objects, time or files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from bot.core import messages_order as say
from bot.core.batches import cumulative
from bot.core.cover import covering
from bot.model.plan import NodeChoice
from release_repo_schema.models import DEFAULT_WAVES

Step = int | str
"""A number of units, or a percentage such as `5%`."""

ONE_WAVE: tuple[Step, ...] = ("100%",)
FEW = 10
"""Up to here a stage that asks for no waves has one."""

DEFAULT_WEIGHTS: Mapping[str, float] = {"environment": 100, "userLevel": 10, "size": 5}
"""Where a pipeline weighs nothing: what almost every fleet labels."""

_LADDERS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        ("dev", "development", "e2e", "test", "testing", "sandbox"),
        ("staging", "stage"),
        ("pre", "preprod", "pre-prod", "pre-production", "preproduction", "pre-release"),
        ("canary",),
        ("small-flow",),
        ("prod", "production"),
    ),
    (("tiny", "xs"), ("small", "s"), ("medium", "m"), ("large", "l"), ("huge", "xl", "xlarge")),
    (("bronze", "basic", "free"), ("silver", "standard"), ("gold", "premium"), ("platinum",)),
    (("low",), ("normal", "middle"), ("high",), ("critical",)),
    (("no", "false"), ("yes", "true")),
)
LADDER_RANKS: Mapping[str, float] = {
    word: float(rank) for ladder in _LADDERS for rank, words in enumerate(ladder) for word in words
}
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A unit that waits for its place. `labels` are the merged ones, with the built-in labels."""

    unit: str
    cluster: str
    labels: Mapping[str, str]
    component: str = ""
    version: str = ""
    scope: str = "cluster"
    place: str = ""
    """The node set, namespace or node inside the cluster."""
    nodes: NodeChoice | None = None
    rank: int = 0
    """Its place among those of one cluster that have an order: between equals it decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRule:
    """What a stage says about the order inside it."""

    name: str
    selects: Callable[[Candidate], bool]
    names: tuple[str, ...] = ()
    """The globs of its selector, in the author's order: what `order: listed` goes by."""
    order: str = "score"
    waves: tuple[Step, ...] | None = None
    first_wave: int | None = None
    """The most units of its first wave, by the policy: what is not written keeps to it too."""
    spread: tuple[str, ...] = ()
    coverage: tuple[str, ...] = ()
    """Labels of which early waves try every value; only where the score orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a unit stands in its stage. `wave` counts from 0, the reason's words count from 1."""

    unit: str
    wave: int
    reason: str
    added: bool = False
    """Its wave had to be added to keep units of one spread value apart."""


def divide(
    candidates: Iterable[Candidate], stages: Sequence[StageRule]
) -> tuple[tuple[tuple[Candidate, ...], ...], tuple[Candidate, ...]]:
    """The units of each stage (the first that selects them), and those in no stage."""
    members: list[list[Candidate]] = [[] for _ in stages]
    left: list[Candidate] = []
    for candidate in candidates:
        for stage, rule in enumerate(stages):
            if rule.selects(candidate):
                members[stage].append(candidate)
                break
        else:
            left.append(candidate)
    return tuple(tuple(units) for units in members), tuple(left)


def place(
    units: Sequence[Candidate],
    rule: StageRule,
    *,
    weights: Mapping[str, float] | None = None,
    broken: Mapping[str, Collection[str]] | None = None,
) -> tuple[Placement, ...]:
    """Every unit of a stage in its wave, in order.

    `broken`: unit → the superseded releases that broke it; they come first, into the first wave.
    """
    broken = {u.unit: broken[u.unit] for u in units if u.unit in broken} if broken else {}
    ranked = _ranked(units, rule, weights or DEFAULT_WEIGHTS)
    ranked.sort(key=lambda known: known.unit.unit not in broken)
    sizes = _sizes(reach(wanted_waves(rule, len(units)), len(units)), len(broken))
    if rule.coverage and rule.order == "score":
        ranked = _covering(ranked, sizes, rule.coverage, len(broken))
    waves = _filled(ranked, sizes, rule.spread)
    placed = []
    for wave, members in enumerate(waves.members):
        for known in members:
            reason = waves.reasons.get(known.unit.unit)
            if known.unit.unit in broken and wave == 0:
                reason = say.healed(1, sorted(broken[known.unit.unit]))
            placed.append(
                Placement(
                    unit=known.unit.unit,
                    wave=wave,
                    reason=reason or known.why(wave + 1, len(waves.members)),
                    added=wave >= waves.asked,
                )
            )
    return tuple(placed)


def wanted_waves(rule: StageRule, count: int) -> tuple[Step, ...]:
    """The waves that the stage asks for, or the default for so many units."""
    if rule.waves:
        return rule.waves
    if count > FEW:
        return DEFAULT_WAVES
    if rule.first_wave is not None and rule.first_wave < count:
        return (rule.first_wave, *ONE_WAVE)
    return ONE_WAVE


def reach(steps: Sequence[Step], total: int) -> tuple[int, ...]:
    """Waves as written → cumulative units: `max(previous, ceil(total·p))`; equal steps merge.

    The last is always `total`: nobody is left out. No total is no wave.
    """
    counts: list[int] = []
    for step in steps:
        count = min(total, max(cumulative(step, total), counts[-1] if counts else 0))
        if count > 0 and (not counts or count > counts[-1]):
            counts.append(count)
    if total > 0 and (not counts or counts[-1] < total):
        counts.append(total)
    return tuple(counts)


def lanes(max_concurrency: Step | None, total: int) -> int | None:
    """How many units of a stage may be in flight at once; None: the whole wave."""
    return None if max_concurrency is None else max(1, cumulative(max_concurrency, total))


def left_out(most: Step | None, total: int) -> int | None:
    """How many units of a stage may be left out unasked; a part of a unit is none. None: not
    written.
    """
    if most is None or isinstance(most, int):
        return most
    return total * int(most.rstrip("%")) // 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranked:
    """A unit with its sort key and the words that explain it, given wave and number of waves."""

    unit: Candidate
    key: tuple[float, str]
    why: Callable[[int, int], str]


def _ranked(
    units: Sequence[Candidate], rule: StageRule, weights: Mapping[str, float]
) -> list[_Ranked]:
    match rule.order:
        case "listed":
            known = [_listed(unit, rule.names) for unit in units]
        case "name":
            known = [_Ranked(unit=u, key=(0, u.cluster), why=say.by_name) for u in units]
        case _:
            known = _scored(units, weights)
    return sorted(known, key=lambda ranked: (ranked.key, ranked.unit.rank, ranked.unit.unit))


def _listed(unit: Candidate, names: tuple[str, ...]) -> _Ranked:
    fits = (place for place, glob in enumerate(names) if fnmatchcase(unit.cluster, glob))
    first = next(fits, None)
    if first is None:
        return _Ranked(unit=unit, key=(len(names), ""), why=say.not_listed)

    def why(wave: int, waves: int) -> str:
        return say.listed(wave, waves, first + 1, names[first])

    return _Ranked(unit=unit, key=(first, ""), why=why)


def _covering(
    ranked: Sequence[_Ranked], sizes: Sequence[int], labels: tuple[str, ...], broken: int
) -> list[_Ranked]:
    """Units of a kind that no wave has tried go earlier; what was broken stays first of all."""

    def pairs_of(known: _Ranked) -> list[tuple[str, str]]:
        carried = known.unit.labels
        return [(label, carried[label]) for label in labels if label in carried]

    def earlier(known: _Ranked, pair: tuple[str, str]) -> _Ranked:
        def why(wave: int, waves: int) -> str:
            return say.covers(wave, waves, *pair, known.why(wave, waves))

        return replace(known, why=why)

    room = [sizes[0] - broken, *sizes[1:]] if sizes else []
    found = covering(ranked[broken:], room, pairs_of)
    return [*ranked[:broken], *(earlier(one, pair) if pair else one for one, pair in found)]


def rank_of(value: str) -> float | None:
    """A label's value as a number: numbers as they are, known words by their ladder, else None."""
    if _NUMBER.match(value):
        return float(value)
    return LADDER_RANKS.get(value.lower())


def _scored(units: Sequence[Candidate], weights: Mapping[str, float]) -> list[_Ranked]:
    weighed = {label: weight for label, weight in sorted(weights.items()) if weight}
    carried = [unit.labels for unit in units]
    ranks = {label: ranks_of(carried, label) for label in weighed}
    # A label that nobody here has says nothing and is not spoken of.
    weighed = {label: weight for label, weight in weighed.items() if ranks[label]}
    by_weight = sorted(weighed.items(), key=lambda item: (-abs(item[1]), item[0]))
    scores: dict[tuple[str | None, ...], tuple[float, list[str]]] = {}
    for unit in units:
        values = tuple(unit.labels.get(label) for label, _ in by_weight)
        if values not in scores:
            scores[values] = _score(values, by_weight, ranks)
    low = min((score for score, _ in scores.values()), default=0.0)
    high = max((score for score, _ in scores.values()), default=0.0)
    ranked = []
    for unit in units:
        score, parts = scores[tuple(unit.labels.get(label) for label, _ in by_weight)]
        place_ = {low: say.LOWEST, high: say.HIGHEST}.get(score, "")
        if low == high:
            written = unit.scope in ("nodeSet", "node")
            same = say.AS_WRITTEN if written else say.ALL_THE_SAME
            place_ = same if len(units) > 1 else ""
        ranked.append(_Ranked(unit=unit, key=(score, ""), why=_why_score(score, parts, place_)))
    return ranked


def _why_score(score: float, parts: Sequence[str], place_: str) -> Callable[[int, int], str]:
    known: dict[tuple[int, int], str] = {}

    def why(wave: int, waves: int) -> str:
        if (wave, waves) not in known:
            known[wave, waves] = say.by_score(wave, waves, score, parts, place_)
        return known[wave, waves]

    return why


def ranks_of(units: Sequence[Mapping[str, str]], label: str) -> dict[str | None, float]:
    """Value → rank among these labels of units. What nobody knows counts as the riskiest known."""
    values = {labels.get(label) for labels in units}
    if values == {None}:
        return {}
    known = {value: rank_of(value) if value is not None else None for value in values}
    ranks = [rank for rank in known.values() if rank is not None]
    riskiest = max(ranks) if ranks else 1.0
    return {value: riskiest if rank is None else rank for value, rank in known.items()}


def _score(
    values: tuple[str | None, ...],
    weights: Sequence[tuple[str, float]],
    ranks: Mapping[str, Mapping[str | None, float]],
) -> tuple[float, list[str]]:
    score, parts = 0.0, []
    for value, (label, weight) in zip(values, weights, strict=True):
        rank = ranks[label][value]
        score += weight * rank
        parts.append(say.score_part(label, value, weight, rank))
    # Float noise must not order two units that are equal on paper.
    return round(score, 6), parts


def _sizes(counts: tuple[int, ...], broken: int) -> list[int]:
    """Cumulative counts → sizes of the waves; the first has room for every broken unit."""
    if not counts:
        return []
    grown = [max(count, broken) for count in counts]
    sizes = [after - before for before, after in zip([0, *grown], grown, strict=False)]
    return [size for size in sizes if size > 0]


_Pair = tuple[str, str]
"""A spread label and its value."""


@dataclass(slots=True)
class _Waves:
    """Waves being filled. The first `asked` have a size, those added later have none."""

    asked: int
    sizes: Sequence[int]
    members: list[list[_Ranked]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    taken: list[dict[_Pair, str]] = field(default_factory=list)
    """Wave → spread label and value → the cluster that has it there."""
    beyond: dict[_Pair, int] = field(default_factory=dict)
    """Units with this one spread value find no place before this wave: spares a long search."""

    def full(self, wave: int) -> bool:
        return wave < self.asked and len(self.members[wave]) >= self.sizes[wave]

    def clash(self, wave: int, pairs: Sequence[_Pair]) -> _Pair | None:
        return next((pair for pair in pairs if pair in self.taken[wave]), None)

    def put(self, known: _Ranked, spread: tuple[str, ...], start: int) -> None:
        labels = known.unit.labels
        pairs = [(label, labels[label]) for label in spread if label in labels]
        wave, met = start, None
        if len(pairs) == 1 and self.beyond.get(pairs[0], 0) > start:
            wave = self.beyond[pairs[0]]
            last = wave - 1
            met = (pairs[0], start if self.full(last) else last)
        while wave < len(self.members):
            pair = None if self.full(wave) else self.clash(wave, pairs)
            if pair is not None:
                met = (pair, wave)
            elif not self.full(wave):
                break
            wave += 1
        else:
            self.members.append([])
            self.taken.append({})
        if met is not None:
            self.reasons[known.unit.unit] = self._why_moved(wave, *met)
        self.members[wave].append(known)
        self.taken[wave].update(dict.fromkeys(pairs, known.unit.cluster))
        if len(pairs) == 1:
            self.beyond[pairs[0]] = wave + 1

    def _why_moved(self, wave: int, pair: _Pair, met_in: int) -> str:
        label, value = pair
        if wave >= self.asked:
            return say.added(wave + 1, label, value, self.asked)
        return say.moved(wave + 1, self.taken[met_in][pair], label, met_in + 1)


def _filled(ranked: Sequence[_Ranked], sizes: Sequence[int], spread: tuple[str, ...]) -> _Waves:
    """First fit: each unit goes into the first wave that has room and none of its own kind."""
    waves = _Waves(
        asked=len(sizes), sizes=sizes, members=[[] for _ in sizes], taken=[{} for _ in sizes]
    )
    first_free = 0
    for known in ranked:
        while waves.full(first_free):
            first_free += 1
        waves.put(known, spread, first_free)
    return waves
