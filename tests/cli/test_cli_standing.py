"""What stops everything is seen with no release open, and a stop of nothing is no stop."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Town

TYPOS = (
    ("cluster:eu-11", "cluster:eu-1"),
    ("group:prd", "group:prod"),
    ("component:agnet", "component:agent"),
    ("label:group=prodd", "label:group=prod"),
)


def test_a_global_stop_is_seen_with_no_release_open(town: Town) -> None:
    """Who comes on call in the morning must see the stop of the night before they release."""
    town.tick()
    assert town.sluice("status", "--json").json["holds"] == []
    town.sluice("pause", "all", "--as", "ana", "--reason", "the core switch burns")
    until = ("--until", "2h")
    town.sluice("freeze", "group:prod", *until, "--as", "ana", "--reason", "black friday")
    town.tick()
    for verb in ("status", "list"):
        body = town.sluice(verb, "--json").json
        (hold,) = body["holds"]
        assert set(hold) == {"scope", "reason", "by", "at", "code", "until"}
        assert hold == hold | {"scope": "all", "by": "ana", "code": "paused"}
        (freeze,) = body["freezes"]
        assert set(freeze) == {"scope", "reason", "by", "at", "until"}
        assert freeze == freeze | {"scope": "group:prod", "by": "ana", "reason": "black friday"}
        text = town.sluice(verb).out
        assert "Paused on everything by ana: the core switch burns. Resume lifts it." in text
        assert "Frozen on group:prod by ana until" in text
    town.sluice("resume", "all", "--as", "ana")
    town.sluice("unfreeze", "group:prod", "--as", "ana")
    town.tick()
    body = town.sluice("status", "--json").json
    assert (body["holds"], body["freezes"]) == ([], [])
    assert town.sluice("status").out.startswith("No release.")


def test_a_resume_of_nothing_says_what_does_stand(town: Town) -> None:
    """Who resumes everything and is refused must learn what it is that stops them."""
    town.tick()
    town.sluice("pause", "group:prod", "--as", "ana", "--reason", "x")
    town.sluice("freeze", "cluster:eu-1", "--until", "2h", "--as", "ana", "--reason", "x")
    town.tick()
    refused = town.sluice("resume", "all", "--as", "ana")
    assert refused.code == 3
    assert "Held now: group:prod." in refused.err
    assert "Frozen now: cluster:eu-1; unfreeze lifts it." in refused.err


@pytest.mark.parametrize(("typo", "meant"), TYPOS)
def test_a_stop_of_what_does_not_exist_is_refused(town: Town, typo: str, meant: str) -> None:
    """`Paused` after a slip of the finger is the most expensive word that a bot can say."""
    town.tick()
    for words in (("pause",), ("freeze", "--until", "2h"), ("resume",)):
        verb, *flags = words
        said = town.sluice(verb, typo, *flags, "--as", "ana", "--reason", "x", "--json")
        assert said.code == 2, said.out
        refused = said.json["refused"]
        assert refused["code"] == "unknown-scope"
        assert f"Did you mean {meant}?" in refused["why"]
    assert town.sluice("pause", meant, "--as", "ana", "--reason", "x").code == 0


def test_a_stop_of_a_unit_that_cannot_be_is_refused(town: Town) -> None:
    """A unit of a release to come can be stopped; one in a cluster that is not there cannot."""
    town.tick()
    said = town.sluice("pause", "agent@eu-11", "--as", "ana", "--json")
    assert (said.code, said.json["refused"]["code"]) == (2, "unknown-unit")
    assert "agent@eu-1" in said.json["refused"]["why"]
    assert town.sluice("pause", "agent@eu-1", "--as", "ana").code == 0


@pytest.mark.parametrize("scope", ["label:=", "label:=x", "label:k", "cluster:"])
def test_half_a_scope_is_no_scope(town: Town, scope: str) -> None:
    """A label without a name covers nothing, so it must not be taken."""
    town.tick()
    assert town.sluice("pause", scope, "--as", "ana").code == 2


def test_what_stands_is_lifted_after_its_cluster_has_gone(town: Town) -> None:
    """Nobody may be left with a hold that no command names any more."""
    town.tick()
    town.sluice("pause", "cluster:eu-2", "--as", "ana", "--reason", "x")
    town.tick()
    (town.repo.work / "fleet/clusters/eu-2.yaml").unlink()
    town.repo.commit("eu-2 is taken down")
    town.repo.git("push", "-q", "origin", "main")
    town.tick()
    assert town.sluice("resume", "cluster:eu-2", "--as", "ana").code == 0
    town.tick()
    assert town.sluice("status", "--json").json["holds"] == []


def test_a_broken_main_stands_above_every_list(town: Town) -> None:
    """No release comes from it, so who waits for one looks here first."""
    town.tick()
    good = town.repo.git("rev-parse", "main")
    assert town.sluice("status", "--json").json["main"] == {"commit": good, "broken": None}
    path = "fleet/clusters/eu-1.yaml"
    before = (town.repo.work / path).read_text()
    town.repo.write(path, before.replace("group: prod", "group: nowhere"))
    bad = town.repo.commit("A slip")
    town.repo.git("push", "-q", "origin", "main")
    town.tick()
    for verb in ("status", "list"):
        main = town.sluice(verb, "--json").json["main"]
        assert main["commit"] == bad
        assert main["broken"].startswith(f"{path}:")
        assert town.sluice(verb).out.startswith(f"main does not lint: {path}:")
    town.repo.write(path, before)
    town.repo.commit("Mended")
    town.repo.git("push", "-q", "origin", "main")
    town.tick()
    assert town.sluice("status", "--json").json["main"]["broken"] is None
    assert "does not lint" not in town.sluice("status").out
