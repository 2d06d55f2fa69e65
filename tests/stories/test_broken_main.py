"""A main that does not lint, or was rewritten, is told for as long as it is so."""

from __future__ import annotations

import logging

import pytest

from tests.world import World

PATH = "fleet/clusters/eu-1.yaml"


def slips(world: World) -> str:
    """A mistake comes to main; the text from before."""
    good = world.files[PATH]
    world.changes({PATH: good.replace('"prod"', '"nowhere"')})
    return good


def kinds(world: World) -> list[str]:
    return [event.kind for event in world.bot.ports.store.events()]


def test_a_broken_main_is_a_problem_until_it_is_mended(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """With no release open nothing else would show it, and the next one would just not come."""
    caplog.set_level(logging.INFO, "bot.reconciler")
    world.tick()
    assert world.bot.problems == []
    good = slips(world)
    for _ in range(2):
        (problem,) = world.bot.problems
        assert problem.startswith(f"main does not lint: {PATH}:")
        world.tick()
    assert kinds(world).count("main.broken") == 1
    (event,) = [e for e in world.bot.ports.store.events() if e.kind == "main.broken"]
    assert str(event.data["why"]).startswith(f"{PATH}:")
    world.dies()
    world.tick()
    assert len(world.bot.problems) == 1, "a restart forgets nothing"
    assert kinds(world).count("main.broken") == 1, "and tells nothing twice"
    world.changes({PATH: good})
    assert world.bot.problems == []
    assert kinds(world).count("main.mended") == 1
    told = [r.levelname for r in caplog.records if "lint" in r.getMessage()]
    assert told == ["INFO"]


def test_a_rewritten_main_is_a_problem_while_its_hold_stands(world: World) -> None:
    """Everything stands still until an admin has looked: somebody must be called."""
    world.changes({"fleet/groups/prod.yaml": world.files["fleet/groups/prod.yaml"] + "\n"})
    assert world.bot.problems == []
    world.rewrites_main()
    for _ in range(2):
        world.tick()
        assert len(world.bot.problems) == 1
    world.says("override all --reason 'looked at it'", by="dan")
    world.tick()
    assert world.bot.problems == []
