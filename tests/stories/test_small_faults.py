"""What goes wrong between a click and its effect, and faults of our own told as such."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml

from bot.ports import Note
from bot.reconciler.hearing import others
from bot.reconciler.inbox import take_note
from bot.reconciler.ledger import Ledger
from tests import repo_files
from tests.stories.test_two_releases import ST_1, both, limits, other
from tests.world import World

PEOPLE = "people.yaml"


def people(world: World, **roles: list[str]) -> None:
    """Change roles on main; the bot has not looked yet."""
    made = yaml.safe_load(repo_files.people())
    made["spec"]["roles"].update(roles)
    world.write({PEOPLE: yaml.safe_dump(made)})
    world.push("Other roles")


def clicks(world: World, *texts: str, by: str) -> list[Any]:
    """People click while the bot is busy: all notes wait for one tick."""
    store = world.bot.ports.store
    notes = [
        store.note(f"click/{n}/{text}", text, by=by, surface="test", at=world.clock.at, data={})
        for n, text in enumerate(texts)
    ]
    world.tick()
    return [store.answer(note) for note in notes]


def two_people(world: World) -> str:
    spec = {"windows": {"attended": "5m"}, "approvals": [{"components": {}, "count": 1}]}
    world.changes({"policy/policy.yaml": repo_files.doc("Policy", "policy", spec)})
    return world.releases()


def test_a_role_revoked_between_click_and_effect_is_refused_with_the_reason(world: World) -> None:
    """ben was an approver when he clicked; main says otherwise before the bot has looked."""
    release = two_people(world)
    store = world.bot.ports.store
    note = store.note(
        "click", f"approve {release}", by="ben", surface="test", at=world.clock.at, data={}
    )
    people(world, approver=["ana", "cleo"])
    world.tick()
    answer = store.answer(note)
    assert answer is not None
    assert answer.code == 3
    assert answer.body["refused"]["code"] == "role"
    assert answer.body["refused"]["who"] == ["ana"], "cleo wrote it"
    world.run_until("2026-11-24T09:05:00Z")
    assert world.phase(release) == "SCHEDULED"


def test_a_yes_of_somebody_whose_role_is_gone_before_the_write_leaves_is_no_yes(
    world: World,
) -> None:
    """Granted at eight, revoked at half past, window at nine: asked again."""
    release = two_people(world)
    assert world.says(f"approve {release}", by="ben").body["approved"] is True
    people(world, approver=["ana", "cleo"])
    world.run_until("2026-11-24T09:05:00Z")
    assert world.running()["st-1"] == "2.4.1×2"
    assert "0 of 1 approvals" in world.why(release)
    assert world.events(release, "decision.reopened")
    world.says(f"approve {release}", by="ana")
    world.run_for(minutes=1)
    assert world.phase(release) == "PROGRESSING"


def test_an_override_of_an_admin_who_is_none_any_more_opens_nothing(world: World) -> None:
    """Two admins opened the night for four hours; since ten past one of them is none."""
    release = world.releases()
    for admin in ("dan", "ana"):
        world.says(f"override {release} --gate window --reason CVE", by=admin)
    people(world, admin=["ana", "ben"])
    world.run_for(minutes=30)
    assert world.unit(release, ST_1).batch == 1, "what began before, and nothing after"
    assert "[window]" in world.why(release)


def test_a_stop_is_heard_before_main_is_looked_at(world: World) -> None:
    """Who may stop is everybody: nothing has to be read for it."""
    release = world.releases()
    made = yaml.safe_load(repo_files.people())
    made["spec"]["members"] = [m for m in made["spec"]["members"] if m["name"] != "cleo"]
    made["spec"]["roles"]["approver"] = ["ana", "ben"]
    world.write({PEOPLE: yaml.safe_dump(made)})
    world.push("cleo is gone")
    said = clicks(world, f"pause {release}", f"approve {release}", by="cleo")
    assert said[0].code == 0
    assert said[1].body["refused"]["code"] == "not-mapped"


def test_an_older_resume_never_lifts_a_newer_stop(world: World) -> None:
    """Both clicks wait for the same tick: what was stopped after the resume stays stopped."""
    release = world.releases()
    said = clicks(world, f"pause {release}", f"resume {release}", by="ana")
    assert [answer.code for answer in said] == [0, 0], "in this order it goes on"
    assert "[holds]" not in world.why(release)
    world.says(f"pause {release}")
    said = clicks(world, f"resume {release}", f"pause {release} --finish-batch", by="ana")
    assert said[0].body["refused"]["code"] == "overtaken"
    assert "[holds]" in world.why(release)


def test_a_bug_met_in_judging_a_note_is_no_refusal(world: World) -> None:
    """Exit 70: nobody forbade it. A board that is none stands for the bug."""
    release = world.releases()
    note = Note(id=1, key="k", text=f"cancel {release} x", by="ana", surface="s", at=world.clock.at)
    ledger = Ledger(world.bot.ports.store, world.bot.versions)
    broken: Any = None
    take_note(
        world.bot.ports.store, broken, world.bot.versions, *others([note]), world.clock.at, ledger
    )
    said = ledger.answers[1]
    assert said.code == 70
    assert said.body["error"]["code"] == "bug"
    assert said.text.startswith("Not done: a fault in Sluice itself met cancel")


def test_an_author_gives_not_even_the_first_voice_of_an_override(world: World) -> None:
    """ana wrote it: dan and another admin have to say it."""
    name = "node-agent-2-5-0"
    people(world, admin=["ana", "ben", "dan"])
    world.proposes(
        name, {f"releases/2026/{name}.yaml": repo_files.release(name, "2.5.0")}, by="ana"
    )
    world.tick()
    world.merges(name)
    world.tick()
    override = f"override {name} --gate window --reason CVE"
    refused = world.says(override, by="ana")
    assert refused.body["refused"]["code"] == "author"
    assert refused.body["refused"]["who"] == ["ben", "dan"]
    assert world.says(override, by="dan").body["have"] == 1
    assert world.says(override, by="ben").body["have"] == 2
    world.run_for(minutes=1)
    assert world.unit(name, ST_1).began is not None


def test_an_override_lets_nothing_roll_on_beyond_the_limit(world: World) -> None:
    """A check is overridden, a limit is not: what rolls on in its cluster takes its place again,
    and another release has taken it.
    """
    other(world)
    limits(world, unitsInFlight=1)
    never = {"workload": {}, "failureCondition": "true"}
    spec = repo_files.component(checks={"after": ["never"]})
    world.changes(
        {
            "checks/never.yaml": repo_files.doc("Check", "never", never),
            "components/node-agent/component.yaml": spec,
        }
    )
    first, second = both(world)
    world.run_until("2026-11-24T09:08:00Z")
    assert world.unit(first, ST_1).phase == "FAILED"
    assert world.unit(second, "dns@st-1").in_flight
    # As a Deployment is, which is paused half-way when its unit fails.
    rows = world.active(first).units
    rows[ST_1] = replace(rows[ST_1], halted=True)
    override = f"override {ST_1} --reason 'it counts wrongly'"
    refused = world.says(override, by="dan")
    assert refused.body["refused"]["code"] == "no-place"
    assert "1 of 1 units are in flight over all releases" in refused.text
    assert world.unit(first, ST_1).phase == "FAILED"
    limits(world, unitsInFlight=2)
    assert world.says(override, by="dan").code == 0
    assert world.unit(first, ST_1).in_flight
