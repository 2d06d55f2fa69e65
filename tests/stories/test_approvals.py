"""Who must say yes, what a yes binds to, and what makes it void."""

from __future__ import annotations

from tests import repo_files
from tests.stories.test_two_releases import EU_2
from tests.world import World

TWO = {"approvals": [{"components": {"matchLabels": {"tier": "1"}}, "count": 2, "expires": "24h"}]}


def two_people(world: World, **policy: object) -> None:
    spec = {"windows": {"attended": "5m"}, **TWO, **policy}
    world.write({"policy/policy.yaml": repo_files.doc("Policy", "policy", spec)})
    world.push("Two people for tier 1")
    world.tick()


def test_two_people_and_never_the_author(world: World) -> None:
    """cleo wrote it: her yes does not count, ana's and ben's do."""
    two_people(world)
    release = world.releases()
    world.run_until("2026-11-24T09:30:00Z")
    assert "[approval]" in world.why(release)
    refused = world.says(f"approve {release}", by="cleo")
    assert refused.code == 3
    assert refused.body["refused"]["code"] == "author"
    assert world.says(f"approve {release}", by="ben").body["have"] == 1
    twice = world.says(f"approve {release}", by="ben")
    assert twice.body["refused"]["code"] == "already-done"
    world.run_for(minutes=5)
    assert world.running()["st-1"] == "2.4.1×2", "one yes is not two"
    assert world.says(f"approve {release}", by="ana").body["approved"] is True
    world.run_for(minutes=2)
    assert "2.5.0" in world.running()["st-1"]


def test_who_wrote_it_is_an_author(world: World) -> None:
    """All authors and committers of the pull request, and who opened it."""
    two_people(world)
    release = world.releases()
    state = world.active(release).state
    assert "cleo@example.com" in state.authors


def test_an_unknown_author_raises_the_count(world: World) -> None:
    """Nobody knows who that was: one more person looks."""
    name = "node-agent-2-5-0"
    world.write({"policy/policy.yaml": repo_files.doc("Policy", "policy", TWO)})
    world.push("Two people")
    world.tick()
    text = repo_files.release(name, "2.5.0")
    world.proposes(name, {f"releases/2026/{name}.yaml": text}, by="stranger")
    world.tick()
    world.merges(name)
    world.run_until("2026-11-24T09:30:00Z")
    world.says(f"approve {name}", by="ana")
    said = world.says(f"approve {name}", by="ben")
    assert said.body["count"] == 3
    assert said.body["approved"] is False


def test_a_stage_asks_when_the_one_before_it_has_ended(world: World) -> None:
    """People see what staging did before they say yes to production."""
    approval = {"when": "before", "roles": ["approver"], "count": 1}
    world.write({"pipelines/standard.yaml": repo_files.pipeline(approval=approval)})
    world.push("Ask before production")
    release = world.releases()
    world.run_until("2026-11-24T09:05:00Z")
    assert world.says(f"approve {release}", by="ana").body["refused"]["code"] == "nothing-open"
    world.run_until("2026-11-24T10:00:00Z")
    assert world.running() == {"eu-1": "2.4.1×4", "eu-2": "2.4.1×4", "st-1": "2.5.0×2"}
    assert world.says(f"approve {release}#1", by="ana").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_no_holds_the_release_until_somebody_says_yes(world: World) -> None:
    """A rejection has a reason that everybody reads."""
    two_people(world)
    release = world.releases()
    said = world.says(f"reject {release} --reason 'wrong week'", by="ana")
    assert said.code == 0, said.text
    world.run_until("2026-11-24T10:00:00Z")
    assert "wrong week" in world.why(release)
    assert world.says(f"approve {release}#1", by="ben").code == 0
    assert world.says(f"approve {release}#1", by="ana").code == 0
    world.run_for(minutes=2)
    assert world.phase(release) == "PROGRESSING"


def test_a_yes_given_too_long_ago_is_asked_again(world: World) -> None:
    """`expires: 24h`: what was right on Friday is looked at again on Monday."""
    two_people(world)
    world.clock.at = world.clock.at.replace(day=27, hour=18)
    release = world.releases()
    world.says(f"approve {release}", by="ana")
    world.says(f"approve {release}", by="ben")
    world.run_until("2026-11-30T09:05:00Z")
    assert world.phase(release) == "SCHEDULED"
    assert "[approval]" in world.why(release)
    assert "#2" in world.why(release)


def test_the_stricter_of_then_and_now(world: World) -> None:
    """A policy that asks for more people after the merge is obeyed."""
    two_people(world)
    release = world.releases()
    world.says(f"approve {release}", by="ana")
    three = {"approvals": [{"components": {}, "count": 3}]}
    people = repo_files.people().replace('"cleo"\n      ]', '"cleo",\n        "dan"\n      ]')
    policy = repo_files.doc("Policy", "policy", three)
    world.write({"policy/policy.yaml": policy, "people.yaml": people})
    world.push("Three people from now on")
    world.tick()
    said = world.says(f"approve {release}", by="ben")
    assert (said.body["have"], said.body["count"]) == (2, 3), said.text


def test_an_approval_before_the_merge_holds_when_the_merge_plans_the_same(world: World) -> None:
    """The plan that was shown is the plan that runs."""
    two_people(world)
    name = "node-agent-2-5-0"
    text = repo_files.release(name, "2.5.0")
    world.proposes(name, {f"releases/2026/{name}.yaml": text})
    world.tick()
    assert world.phase(name) == "PROPOSED"
    world.says(f"approve {name}", by="ana")
    world.says(f"approve {name}", by="ben")
    world.merges(name)
    world.run_until("2026-11-24T09:01:00Z")
    assert world.phase(name) == "PROGRESSING"


def test_an_approval_before_the_merge_is_void_when_main_moved_what_it_plans(world: World) -> None:
    """Anything changes: void, and asked again."""
    two_people(world)
    name = "node-agent-2-5-0"
    text = repo_files.release(name, "2.5.0")
    world.proposes(name, {f"releases/2026/{name}.yaml": text})
    world.tick()
    world.says(f"approve {name}", by="ana")
    world.says(f"approve {name}", by="ben")
    world.write({"components/node-agent/component.yaml": repo_files.component(soak="20m")})
    world.push("Soak longer")
    world.tick()
    world.merges(name)
    world.run_until("2026-11-24T09:30:00Z")
    assert world.phase(name) == "SCHEDULED"
    assert "[approval]" in world.why(name)


def asked_before_production(world: World) -> str:
    approval = {"when": "before", "roles": ["approver"], "count": 2}
    world.write({"pipelines/standard.yaml": repo_files.pipeline(approval=approval)})
    world.push("Ask before production")
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    assert world.says(f"approve {release}#1", by="ana").code == 0
    return release


def test_a_verdict_that_changes_makes_a_yes_void_and_the_card_says_which(world: World) -> None:
    """ana has said yes to a green staging; then somebody leaves a cluster out."""
    release = asked_before_production(world)
    assert world.says(f"skip {EU_2} --reason 'the rack goes away'", by="ben").code == 0
    world.tick()
    said = f"the verdicts changed: {EU_2} was in order and is SKIPPED"
    assert f"Decision {release}#1 is void: {said}. It is asked again" in world.thread(release)
    assert f"Asked anew: {said}." in world.chat.cards[f"card/{release}"]
    assert f"Asked anew: {said}." in world.why(release)
    event = world.events(release, "decision.void")[0]
    assert event.data["changes"] == [
        {"unit": EU_2, "when": "", "check": "", "from": "in order", "to": "SKIPPED"}
    ]
    late = world.says(f"approve {release}#1", by="ben")
    assert late.body["refused"]["code"] == "void"
    assert said in late.text
    assert world.says(f"approve {release}#2", by="ben").body["have"] == 1, "ana is asked again"


def test_a_plan_that_changes_makes_a_yes_void_and_the_card_says_what(world: World) -> None:
    """The merge brings another silence and another production than the pull request showed."""
    two_people(world)
    name = "node-agent-2-5-0"
    world.proposes(name, {f"releases/2026/{name}.yaml": repo_files.release(name, "2.5.0")})
    world.tick()
    world.says(f"approve {name}", by="ana")
    world.write({"components/node-agent/component.yaml": repo_files.component(soak="20m")})
    world.write({"fleet/clusters/eu-2.yaml": None})
    world.push("Soak longer, and one cluster less")
    world.tick()
    world.merges(name)
    world.tick()
    void = world.events(name, "decision.void")
    why = void[0].data["why"]
    assert why == (
        "the plan changed: soak of node-agent from 10 min to 20 min; 1 unit less (node-agent@eu-2)"
    )
    assert f"Asked anew: {why}." in world.chat.cards[f"card/{name}"]
    world.run_until("2026-11-24T09:05:00Z")
    assert "Asked anew: the plan changed" in world.why(name)
