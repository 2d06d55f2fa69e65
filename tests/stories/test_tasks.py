"""O&M work rides the same rails: tasks of a stage go in waves, are gated, soak, and are undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.cluster.tasks import call_key
from bot.ports import AnswerLost
from tests import repo_files
from tests.world import World

DRAIN = "registry.local/ops:1"
UNDRAIN = "registry.local/ops:1-undo"


def task(name: str = "drain-cache", **spec: Any) -> dict[str, str]:
    base: dict[str, Any] = {
        "owners": ["network"],
        "job": {"image": DRAIN, "args": ["{{ cluster.name }}"], "namespace": "ops"},
        "undo": {"job": {"image": UNDRAIN, "namespace": "ops"}},
        "takes": "1m",
        "deadline": "5m",
        "soak": "1m",
    }
    written = {key: value for key, value in (base | spec).items() if value is not None}
    return {f"tasks/{name}.yaml": repo_files.doc("Task", name, written)}


def stages(**tasks: Any) -> dict[str, str]:
    """Two stages; every cluster of both gets the tasks."""
    written = [
        {"name": "staging", "units": {"matchLabels": {"environment": "staging"}}, "tasks": tasks},
        {"name": "production", "units": {}, "waves": [1, "100%"], "tasks": tasks},
    ]
    return {"pipelines/standard.yaml": repo_files.doc("Pipeline", "standard", {"stages": written})}


def jobs(world: World, cluster: str) -> list[str]:
    return sorted(
        obj["metadata"]["labels"]["sluice/task"] + ("-undo" if "-undo" in name else "")
        for obj in world.fleet.objects(cluster)
        if obj["kind"] == "Job" and (name := obj["metadata"]["name"])
    )


def order(world: World, release: str) -> list[str]:
    return [event.unit for event in world.events(release, "unit.succeeded")]


def test_a_task_runs_in_every_cluster_before_the_component(world: World) -> None:
    """In each cluster the Job ends well before the first pod is touched; wave by wave."""
    world.changes(task() | stages(before=["drain-cache"]))
    release = world.releases()
    world.run_until("2026-11-24T09:00:00Z")
    assert jobs(world, "st-1") == ["drain-cache"]
    assert world.running()["st-1"] == "2.4.1×2", "nothing rolls while the Job runs"
    assert "drain-cache@st-1 [converged] The job runs." in world.why(release)
    assert "Merged as" in (told := world.thread(release))
    assert "node-agent → 2.5.0, task drain-cache" in told, "a task has no version that says much"
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    ended = order(world, release)
    for cluster in ("st-1", "eu-1", "eu-2"):
        assert ended.index(f"drain-cache@{cluster}") < ended.index(f"node-agent@{cluster}")
    assert ended.index("node-agent@eu-1") < ended.index("drain-cache@eu-2"), "whole clusters go"


def test_its_texts_are_rendered_for_the_cluster(world: World) -> None:
    world.changes(task() | stages(before=["drain-cache"]))
    release = world.releases()
    name = world.active(release).index.units["drain-cache@eu-2"].objects[0].ref.name
    world.run_to_the_end(release)
    job = world.live("eu-2", "Job", name)
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == ["eu-2"]
    assert job["metadata"]["labels"]["sluice/release"] == release


def test_a_task_that_fails_stops_what_follows_it_and_is_tried_again(world: World) -> None:
    """Nothing of the component is touched; a retry makes the Job anew and goes on from there."""
    world.changes(task() | stages(before=["drain-cache"]))
    world.breaks("st-1", {"do": "crashLoop", "image": DRAIN}, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    assert world.unit(release, "drain-cache@st-1").phase == "FAILED"
    assert world.running()["st-1"] == "2.4.1×2"
    world.breaks("st-1", group="staging")
    assert world.says("retry drain-cache@st-1").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    verbs = [w["verb"] for w in world.fleet.writes("st-1") if "/Job/" in w["object"]]
    assert verbs == ["create", "delete", "create"], "a Job cannot be changed: it is made anew"


def test_a_rollback_runs_what_undoes_it_after_the_component_is_back(world: World) -> None:
    """Backwards: first the component goes back, then the task is undone."""
    world.changes(task() | stages(before=["drain-cache"]))
    release = world.releases()
    world.run_until("2026-11-24T09:45:00Z")
    assert world.says(f"rollback {release} --reason odd").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running()["st-1"] == "2.4.1×2"
    assert jobs(world, "st-1") == ["drain-cache", "drain-cache-undo"]
    back = [event.unit for event in world.events(release, "unit.rolled-back")]
    assert back.index("node-agent@st-1") < back.index("drain-cache@st-1")
    policy = world.branch(f"revert-{release}").get("policy/policy.yaml", "")
    assert "drain-cache" not in policy, "a task that was taken back may be done again"


def test_a_release_of_nothing_but_tasks_is_an_operation(world: World) -> None:
    """A prepared runbook: no component, the same windows, waves, record and end."""
    world.changes(task("rotate-keys", undo=None) | stages(before=["rotate-keys"]))
    name = "rotate-keys-1"
    written = repo_files.release(name, "", components=None, reason="Keys are a year old")
    world.proposes(name, {f"releases/2026/{name}.yaml": written})
    world.tick()
    world.merges(name)
    world.run_until("2026-11-24T08:59:00Z")
    assert jobs(world, "st-1") == [], "not outside the window"
    world.run_to_the_end(name)
    assert world.phase(name) == "SUCCEEDED"
    assert [jobs(world, c) for c in ("st-1", "eu-1", "eu-2")] == [["rotate-keys"]] * 3
    proof = world.certificates(name)
    assert {one.unit for one in proof} == {f"rotate-keys@{c}" for c in ("st-1", "eu-1", "eu-2")}
    assert all(one.pods[0]["completed"] for one in proof)


def test_without_an_undo_a_rollback_leaves_it_as_it_is_and_says_so(world: World) -> None:
    world.changes(task(undo=None) | stages(before=["drain-cache"]))
    release = world.releases()
    world.run_until("2026-11-24T09:45:00Z")
    world.says(f"rollback {release} --reason odd")
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert jobs(world, "st-1") == ["drain-cache"]
    assert "has no undo" in world.thread(release)


@pytest.mark.parametrize("minute", [1, 2, 3, 12])
def test_a_job_is_made_once_whatever_the_bot_goes_through(world: World, minute: int) -> None:
    """The bot dies and starts again: the Job that runs is found, no second one is made."""
    world.changes(task() | stages(before=["drain-cache"], after=[]))
    release = world.releases()
    world.run_until(f"2026-11-24T09:{minute:02}:00Z")
    world.dies()
    world.start()
    world.run_to_the_end(release)
    verbs = [w["verb"] for w in world.fleet.writes("st-1") if "/Job/" in w["object"]]
    assert verbs == ["create"]


class Called:
    """A fleet that takes calls over HTTP as done, and remembers them."""

    def __init__(self, fleet: Any) -> None:
        self._fleet = fleet
        self.urls: list[str] = []
        self.keys: list[str] = []
        self.lose = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)

    def write(self, cluster: str, write: Any, *, fence: str, manager: str = "sluice") -> Any:
        if write.ref.kind != "Webhook":
            return self._fleet.write(cluster, write, fence=fence, manager=manager)
        self.urls.append(write.body["spec"]["url"])
        self.keys.append(call_key(cluster, write.ref, write.body))
        if self.lose:
            self.lose -= 1
            raise AnswerLost("no answer")
        return write.body


def hooked(world: World) -> tuple[str, Called]:
    """A release whose first task is a call, undone by another."""
    undo = {"webhook": {"url": "https://ops.example.com/undrain/{{ cluster.name }}"}}
    there = {"url": "https://ops.example.com/drain/{{ cluster.name }}"}
    world.changes(task(job=None, webhook=there, undo=undo) | stages(before=["drain-cache"]))
    calls = Called(world.fleet)
    world.around = lambda ports: replace(ports, fleet=calls)
    world.start()
    return world.releases(), calls


def test_a_webhook_is_called_once_a_cluster(world: World) -> None:
    """Also when the bot starts again: what was answered is in the store."""
    release, calls = hooked(world)
    world.run_until("2026-11-24T09:00:30Z")
    world.dies()
    world.start()
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    names = ("st-1", "eu-1", "eu-2")
    assert calls.urls == [f"https://ops.example.com/drain/{name}" for name in names]


def test_a_lost_answer_of_a_webhook_is_asked_for_again(world: World) -> None:
    release, calls = hooked(world)
    calls.lose = 2
    world.run_to_the_end(release)
    assert calls.urls[:3] == ["https://ops.example.com/drain/st-1"] * 3


def test_a_rollback_calls_what_undoes_it(world: World) -> None:
    release, calls = hooked(world)
    world.run_until("2026-11-24T09:45:00Z")
    world.says(f"rollback {release} --reason odd")
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert calls.urls.count("https://ops.example.com/undrain/st-1") == 1
