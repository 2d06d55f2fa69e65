"""What many units ask is worked out once: a release of a thousand must not cost a million looks.

Counted, not timed: the count of looks says how work grows, on whatever machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from bot.cluster.guard_rules import built_in, built_in_about
from bot.core.failed import Failures, counts
from bot.core.situation import PlanIndex
from bot.model.gate import WaveView
from bot.model.plan import ObjectRef, UnitPlan
from bot.model.state import UnitPhase, UnitState
from tests.properties.situations import plan

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
UNITS = 300
FAILED_BACK = {"phase": UnitPhase.ROLLED_BACK, "failure": "no pod got ready"}


class Counted(Mapping[str, UnitState]):
    """Rows that count how often one of them is looked at."""

    def __init__(self, rows: dict[str, UnitState]) -> None:
        self.rows, self.looks = rows, 0

    def __getitem__(self, name: str) -> UnitState:
        self.looks += 1
        return self.rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def large() -> tuple[PlanIndex, Counted]:
    """One stage, one wave, one component, many units."""
    small = plan(concurrency=None, ask=False, before=False)
    first = small.units[0]
    names = tuple(f"node-agent@c-{number}" for number in range(UNITS))
    units: tuple[UnitPlan, ...] = tuple(replace(first, unit=name, cluster=name) for name in names)
    stage = replace(small.stages[0], waves=(names,))
    index = PlanIndex(replace(small, units=units, stages=(stage,)))
    rows = {name: UnitState(release="r", unit=name, since=NOW) for name in names}
    return index, Counted(rows)


def test_every_unit_asks_for_the_failures_of_its_stage_and_each_row_is_looked_at_once() -> None:
    """Every unit that begins asks its failure budget: by the rows it would be N looks each."""
    index, rows = large()
    failures = Failures(index, rows)
    assert [failures.of(0, "node-agent") for _ in rows.rows] == [()] * UNITS
    assert rows.looks == UNITS


def test_a_failure_in_the_middle_of_a_turn_counts_for_the_unit_that_asks_next() -> None:
    """A budget that remembers too long lets the fleet go on over what has just failed."""
    index, rows = large()
    failures = Failures(index, rows)
    assert failures.of(0, "node-agent") == ()
    for name, change in (("node-agent@c-7", {"phase": UnitPhase.FAILED, "failure": "x"}),
                         ("node-agent@c-3", FAILED_BACK)):  # fmt: skip
        before = rows.rows[name]
        after = rows.rows[name] = replace(before, **change)
        failures.note(before, after)
    assert failures.of(0, "node-agent") == ("node-agent@c-3", "node-agent@c-7")
    assert failures.number(0) == 2
    retried = rows.rows["node-agent@c-7"]
    rows.rows[retried.unit] = replace(retried, phase=UnitPhase.PENDING, failure=None)
    failures.note(retried, rows.rows[retried.unit])
    assert failures.of(0, "node-agent") == ("node-agent@c-3",)
    assert not counts(rows.rows[retried.unit])


def test_a_kind_is_judged_by_all_the_rules_that_are_about_it_and_by_no_other() -> None:
    """The short list of a kind is the long list, less what cannot hit."""
    kinds = {pair for rule in built_in() for pair in rule.kinds} | {("example.com", "Thing")}
    for group, kind in kinds:
        version = f"{group}/v1" if group else "v1"
        ref = ObjectRef(version, kind, "infra", "it")
        assert list(built_in_about(ref)) == [rule for rule in built_in() if rule.reaches(ref)]
    service = built_in_about(ObjectRef("v1", "Service", "infra", "it"))
    assert len(service) < len(built_in()) / 2


def test_the_wave_names_the_first_to_begin_and_the_last_to_end() -> None:
    """Its begin and its end are told once each, by these two."""
    _, rows = large()
    names = tuple(rows.rows)[:3]
    states = [replace(rows.rows[name], began=NOW) for name in names]
    wave = WaveView("production", 1, 2, names, tuple(states))
    assert (wave.first, wave.last) == (names[0], None)
    ended = tuple(replace(state, phase=UnitPhase.SUCCEEDED) for state in states)
    assert WaveView("production", 1, 2, names, ended).last == names[2]
    assert WaveView("production", 1, 2, names, (None, None, None)).first is None
