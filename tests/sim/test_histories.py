"""Histories repeat, fail where a law is broken, shrink, and cover what they say they cover."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.adapters.sandbox import SandboxRenderer
from bot.ports import RenderJob
from bot.sim import docs, laws
from bot.sim.draw import CROWDED, script_of
from bot.sim.draw_crowd import AIMED, IN_TURN, PAIRS, turn
from bot.sim.drive import play
from bot.sim.history import History
from bot.sim.laws import Seen
from bot.sim.renderer import InProcessRenderer
from bot.sim.script import FAULTS, PHASES, RARE
from bot.sim.shrink import shrink


def test_the_same_seed_is_the_same_script() -> None:
    """Two machines talk of the same history by its number."""
    assert script_of(3) == script_of(3)
    assert script_of(3) != script_of(4)


def test_the_same_script_is_the_same_history() -> None:
    """To the letter: every write with its fence, every line of the audit with its hash."""
    first, again = History(script_of(11)), History(script_of(11))
    first.play()
    again.play()
    assert [one.write for one in first.place.writes] == [one.write for one in again.place.writes]
    assert first.place.store.events() == again.place.store.events()
    assert first.place.store.events(), "nothing happened"


def test_every_pair_has_its_turn() -> None:
    """Coverage is no matter of luck: as many seeds as it takes aim at every pair once."""
    assert set(PAIRS) == {(fault, phase) for fault in FAULTS for phase in PHASES}
    enough = len(IN_TURN) // AIMED + 1
    aimed = {turn(history, number) for history in range(enough) for number in range(AIMED)}
    assert aimed == set(IN_TURN) == {pair for pair in PAIRS if pair[0] not in RARE}


def test_a_history_for_coverage_has_units_in_every_phase_beside_each_other() -> None:
    """One fault there counts for every phase: else a run of minutes would never see all pairs."""
    struck = play(range(0, 4 * CROWDED, CROWDED)).pairs()
    assert {phase for (_, phase), times in struck.items() if times} == set(PHASES)
    assert {fault for (fault, _), times in struck.items() if times} == set(FAULTS)
    assert sum(times > 0 for times in struck.values()) > len(PAIRS) * 0.8


@pytest.fixture
def broken_law() -> Iterator[str]:
    """A law that no history can keep: nobody ever writes to a second cluster."""

    def never(seen: Seen) -> Iterator[str]:
        clusters: set[str] = seen.keep("never", set)
        for one in seen.writes:
            clusters.add(one.cluster)
        if len(clusters) > 1:
            yield "a second cluster was written to"

    laws.LAWS["never"] = ("never", never)
    yield "never"
    del laws.LAWS["never"]


def test_a_broken_law_is_told_with_its_seed_and_shrinks(broken_law: str) -> None:
    """What is left of the script is what it takes, and it fails the same way again."""
    summary = play(range(40))
    told = [one for one in summary.violations if one["law"] == broken_law]
    assert told
    script = script_of(told[0]["seed"])
    small = shrink(script, broken_law)
    assert len(small.acts) < len(script.acts)
    assert {act.do for act in small.acts} <= {"propose", "merge", "says"}
    again = History(replace(script, acts=small.acts)).play()
    assert [one.law for one in again.blamed] == [broken_law]


def test_a_template_renders_here_as_it_does_in_the_sandbox() -> None:
    """The walls are left out for speed; the results are the same."""
    jobs = [
        RenderJob(
            key=name,
            kind="jinja",
            files=((f"components/{name}/templates/{name}.yaml", text.encode()),),
            values={"image": f"registry.local/{name}:{{{{ version }}}}", "level": "info"},
            context={
                "version": "2.5.0",
                "images": {},
                "cluster": {"name": "eu-1", "labels": {}, "group": "prod"},
                "unit": {"name": f"{name}@eu-1", "scope": "cluster"},
            },
        )
        for name, text in {**docs.TEMPLATES, "odd": "a: {{ nothing }}"}.items()
    ]
    with SandboxRenderer() as sandbox:
        assert InProcessRenderer().render(jobs) == sandbox.render(jobs)
