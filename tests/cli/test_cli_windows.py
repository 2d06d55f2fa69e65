"""windows: the calendar from the terminal, without a store and with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import Town, sluice

TUESDAY = "2026-11-24T09:00:00Z"


def test_one_unit_gets_the_answer_of_the_contract(example: Path) -> None:
    """Scripts wait for nextOpen and nextClose."""
    said = sluice(
        "--repo", example, "windows", "--unit", "node-agent@eu-1", "--at", TUESDAY, "--json"
    )
    assert said.code == 0
    assert said.json == said.json | {
        "open": True,
        "by": ["weekdays-berlin"],
        "nextClose": "2026-11-24T15:00:00Z",
        "nextOpen": "2026-11-25T08:00:00Z",
    }


def test_without_a_unit_every_unit_is_told(example: Path) -> None:
    """The board of a release manager: who may move tonight."""
    said = sluice("--repo", example, "--at", TUESDAY, "windows", "--json")
    units = {one["unit"]: one for one in said.json["units"]}
    assert len(units) == 3 * 6
    assert units["log-shipper@staging-1"]["open"] is True
    text = sluice("--repo", example, "--at", TUESDAY, "windows")
    assert text.out.startswith("Open: Within weekdays-berlin until Tue 24 Nov 16:00")


def test_a_closed_moment_is_a_good_answer(example: Path) -> None:
    """A question is exit 0 whatever its answer: `closed` is no failure of the asking."""
    said = sluice(
        "--repo",
        example,
        "windows",
        "--unit",
        "node-agent@eu-1",
        "--json",
        "--at",
        "2026-11-28T12:00:00Z",
    )
    assert (said.code, said.json["open"]) == (0, False)
    rollback = sluice(
        "--repo",
        example,
        "windows",
        "--unit",
        "node-agent@eu-1",
        "--json",
        "--at",
        "2026-11-28T12:00:00Z",
        "--action",
        "rollback",
    )
    assert rollback.json["open"] is True


def test_a_moment_without_a_zone_is_no_moment(example: Path) -> None:
    """09:00 is nine times a day somewhere."""
    said = sluice("--repo", example, "windows", "--at", "2026-11-24T09:00:00")
    assert said.code == 2
    assert "no moment with a zone" in said.err


def test_a_broken_main_is_answered_by_the_last_good_rules(town: Town) -> None:
    """The bot goes by them, so the answer is known; that of a draft of one's own is not."""
    town.tick()
    good = town.sluice("windows", "--unit", "agent@eu-1", "--at", TUESDAY, "--json").json
    (town.repo.work / "calendar").mkdir(exist_ok=True)
    town.repo.write("calendar/windows/slip.yaml", "kind: Window\nspec: {from: never}\n")
    draft = sluice("--repo", town.repo.work, "--db", town.db, "windows")
    assert draft.code == 1
    town.repo.commit("A slip")
    town.repo.git("push", "-q", "origin", "main")
    town.tick()
    for place in (town.repo.bare, town.repo.work):
        said = sluice(
            "--repo", place, "--db", town.db, "--at", TUESDAY,
            "windows", "--unit", "agent@eu-1", "--json",
        )  # fmt: skip
        assert (said.code, said.json) == (0, good)
        assert "by the last good rules" in said.err
    assert sluice("--repo", town.repo.bare, "--db", town.db / "none", "windows").code == 1


def test_an_emergency_freeze_of_the_store_is_known(town: Town) -> None:
    """Who asks at night must be told of the freeze that somebody set in the evening."""
    town.tick()
    frozen = town.sluice(
        "freeze", "cluster:eu-1", "--until", "2h", "--reason", "fire", "--as", "ana"
    )
    assert frozen.code == 0
    town.tick()
    said = town.sluice("windows", "--unit", "agent@eu-1", "--json").json
    assert (said["open"], said["by"], said["source"]) == (False, ["cluster:eu-1"], None)
    assert town.sluice("windows", "--unit", "agent@eu-2", "--json").json["open"] is True


@pytest.mark.parametrize("at", ["9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z"])
@pytest.mark.parametrize("verb", ["windows", "rehearse", "plan", "forecast", "lint"])
def test_a_year_far_away_is_a_slip(example: Path, verb: str, at: str) -> None:
    """Near the end of time nothing can be added to a moment; files keep to the same years."""
    said = sluice("--repo", example, verb, "--at", at)
    assert said.code == 2
    assert "expected a year from 2000 to 2199" in said.err
