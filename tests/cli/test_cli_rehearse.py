"""`sluice rehearse` as it is typed."""

from __future__ import annotations

from tests.cli.terminal import Town


def test_a_proposal_is_rehearsed_and_told_to_people_and_scripts(town: Town) -> None:
    """The same rehearsal twice: once to read, once to draw the curve from."""
    name = town.repo.propose("2.0.0")
    words = ("rehearse", "--ref", f"pr/{name}", "--at", "2026-11-24T09:00:00Z")

    told, said = town.sluice(*words), town.sluice(*words, "--json")

    assert (told.code, said.code) == (0, 0)
    assert f"Rehearsal of {name}" in told.out
    assert f"The end: {name} is SUCCEEDED" in told.out
    (release,) = said.json["releases"]
    assert release["phase"] == "SUCCEEDED"
    assert release["exposure"]["points"][-1]["clusters"] == 1.0
    kinds = {line["kind"] for line in said.json["conversation"]}
    assert kinds >= {"thread", "card"}
    assert not town.db.exists(), "a question makes no store"


def test_a_failure_is_asked_for_by_unit_and_batch(town: Town) -> None:
    """However it comes out, a question is answered: exit 0."""
    name = town.repo.propose("2.0.0")
    first = town.sluice("plan", "--head", f"pr/{name}", "--json").json["releases"][0]
    unit = first["stages"][0]["units"][0]["unit"]

    said = town.sluice("rehearse", name, "--ref", f"pr/{name}", "--fail", f"{unit}:1", "--json")

    assert said.code == 0
    assert said.json["faults"] == [{"unit": unit, "batch": 1, "reached": True}]


def test_what_nobody_knows_is_wrong_usage_with_the_near_name(town: Town) -> None:
    """A release, a unit, a batch, a duration, and words that are none of them."""
    name = town.repo.propose("2.0.0")
    ref = ("--ref", f"pr/{name}")

    unknown = town.sluice("rehearse", f"{name}x", *ref, "--json")
    assert (unknown.code, name in unknown.json["refused"]["why"]) == (2, True)
    unit = town.sluice("rehearse", *ref, "--fail", "nothing@here:1", "--json")
    assert (unit.code, unit.json["refused"]["code"]) == (2, "unknown-unit")
    for words in (("--fail", "nothing"), ("--answers-after", "soon"), ("--on-failure", "cry")):
        assert town.sluice("rehearse", *ref, *words).code == 2
    bare = town.sluice("rehearse")
    assert (bare.code, "brings no release" in bare.err) == (2, True)
