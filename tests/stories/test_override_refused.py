"""What cannot be overridden, or need not be: each is refused in its own words."""

from __future__ import annotations

import yaml

from tests import repo_files
from tests.world import World

ST_1 = "node-agent@st-1"
AT_NIGHT = 20


def test_a_gate_that_nobody_knows_is_wrong_usage(world: World) -> None:
    """A slip of the finger is no matter of locks and fences."""
    said = world.says(f"override {ST_1} --gate frob --reason x", by="dan")
    assert (said.code, said.body["refused"]["code"]) == (2, "not-understood")
    assert "check, evidence, blocked, drift, irreversible, window" in said.text


def test_nothing_is_overridden_where_nothing_of_the_kind_is_closed(world: World) -> None:
    """An override in advance would be a blank cheque, and `never` would be untrue."""
    release = world.releases()
    for gate, by in (("blocked", "a block"), ("evidence", "evidence"), ("check", "a check")):
        said = world.says(f"override {release} --gate {gate} --reason x", by="dan")
        assert (said.code, said.body["refused"]["code"]) == (3, "nothing-to-override")
        assert f"nothing of {release} is stopped by {by}" in said.text
    assert world.unit(release, ST_1).overrides == ()


def test_an_open_window_is_not_overridden(world: World) -> None:
    """Two people would be woken for what goes on by itself."""
    release = world.releases()
    world.run_until("2026-11-24T09:05:00Z")
    window = f"override {ST_1} --gate window --reason x"
    said = world.says(window, by="dan")
    assert said.body["refused"]["code"] == "nothing-to-override", said.text
    assert "nothing of node-agent@st-1 is stopped by a window or a freeze" in said.text
    world.says(f"freeze {release} --until 2h --reason storm", by="dan")
    assert world.says(window, by="dan").body["have"] == 1, "a freeze can be overridden"


def test_one_admin_alone_does_not_ask_for_what_needs_two(world: World) -> None:
    """A decision that nobody can close waits for ever."""
    people = yaml.safe_load(repo_files.people())
    people["spec"]["roles"]["admin"] = ["ana"]
    world.changes({"people.yaml": yaml.safe_dump(people)})
    world.clock.at = world.clock.at.replace(hour=AT_NIGHT)
    release = world.releases()
    said = world.says(f"override {release} --gate window --reason x", by="ana")
    assert (said.code, said.body["refused"]["code"]) == (3, "quorum-impossible"), said.text
    assert said.body["refused"]["who"] == ["ana"]


def test_the_first_voice_asks_and_a_no_holds_nothing(world: World) -> None:
    """The thread says who asks for what; a rejected override leaves the release as it was."""
    world.clock.at = world.clock.at.replace(hour=AT_NIGHT)
    release = world.releases()
    world.says(f"override {release} --gate window --reason CVE", by="dan")
    assert f"dan asks to override windows of {release}: 1 of 2." in world.thread(release)
    number = max(d.number for d in world.view(release).decisions)
    said = world.says(f"reject {release}#{number} --reason 'not at night'", by="ana")
    assert said.code == 0, said.text
    assert "The override is not granted; nothing else changes." in said.text
    assert "The release is held" not in world.thread(release)
    assert "[holds]" not in world.why(release)
