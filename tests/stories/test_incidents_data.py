"""Public incidents, set up again: which gate stops each one here, in which wave, and how many pods
had it by then. Second half: configuration, data, and what goes round the rails.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.ports import AnswerLost, Conflict, Fenced
from tests import repo_files
from tests.incidents import (
    COMPONENT,
    EU_1,
    EU_2,
    LOADED,
    POLICY,
    ST_1,
    TEMPLATE,
    VALUES,
    configured,
    crashes,
    exposed,
    found,
    gates,
    loads_its_values,
    merged,
    place,
    pull,
    two_waves,
)
from tests.world import World

DAEMON_SET = ObjectRef("apps.kruise.io/v1beta1", "DaemonSet", "infra", "node-agent")
CONFIG = ObjectRef("v1", "ConfigMap", "infra", "node-agent")


def by_hand(world: World, cluster: str, ref: ObjectRef, body: Any, by: str = "kubectl") -> None:
    write = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body=body)
    world.fleet.write(cluster, write, fence="", manager=by)


def level(value: str) -> dict[str, str]:
    return {VALUES: repo_files.VALUES.replace("info", value)}


def test_a_rule_that_is_just_data_goes_pod_by_pod(world: World) -> None:
    """Cloudflare, July 2019: a rule of the firewall went everywhere in seconds, being just data.

    Pushed to main it reaches no cluster. Released, it has batches, silence and checks as code has.
    """
    loads_its_values(world)
    world.changes(level("debug"))
    world.run_for(days=1)
    assert configured(world, "debug") == {}
    crashes(world, "2.4.1")
    release = world.releases("waf-rule", "2.4.1", reason="A new rule")
    world.run_for(hours=8)
    assert configured(world, "debug") == {"st-1": 1}
    assert place(world, release, ST_1) == ("staging", 1)
    assert world.unit(release, ST_1).phase == "FAILED"
    assert gates(world, release)[EU_1] == gates(world, release)[EU_2] == "holds"
    assert "the batch did not converge in time" in world.thread(release)


def test_a_change_that_is_not_ours_is_found_before_a_batch_and_regions_take_turns(
    world: World,
) -> None:
    """Datadog, 2023: an unattended upgrade of the system ran everywhere in the same hour.

    The system of a node is not ours. Ours: what was changed under us is found before we write, and
    windows that differ by region keep a release of our own from being everywhere at once.
    """
    regions = {
        "fleet/clusters/eu-1.yaml": repo_files.cluster("eu-1", "prod", 4, region="eu"),
        "fleet/clusters/eu-2.yaml": repo_files.cluster("eu-2", "prod", 4, region="us"),
        "calendar/windows.yaml": "---\n".join([
            repo_files.window("eu", units={"matchLabels": {"region": "eu"}}, to="12:00"),
            repo_files.window("us", units={"matchLabels": {"region": "us"}}, **{"from": "14:00"}),
            repo_files.window("st", units={"matchLabels": {"environment": "staging"}}),
        ]),
    }  # fmt: skip
    world.changes(regions)
    world.run_to_the_end(world.releases("first", "2.4.1"))
    for cluster in ("st-1", "eu-1", "eu-2"):
        by_hand(world, cluster, CONFIG, {"data": {"level": "upgraded"}}, "unattended-upgrade")
    world.run_until("2026-11-25T08:00:00Z")
    release = world.releases()
    world.run_until("2026-11-25T10:00:00Z")
    assert gates(world, release)[ST_1] == "drift"
    assert "unattended-upgrade" in world.why(release)
    assert exposed(world, "2.5.0") == {}
    back = "--gate drift --reason 'back to what main says'"
    assert world.says(f"override {ST_1} {back}", by="dan").code == 0
    world.run_until("2026-11-25T10:40:00Z")
    assert gates(world, release)[EU_1] == "drift"
    assert world.says(f"override {EU_1} {back}", by="dan").code == 0
    world.run_until("2026-11-25T13:59:00Z")
    assert exposed(world, "2.5.0") == {"st-1": 2, "eu-1": 4}
    assert gates(world, release) == {EU_2: "window"}


SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: routes, namespace: infra}
spec: {selector: {app: node-agent, role: reflector}, ports: [{port: 179}]}
"""
PODS = "labels: {app: node-agent}"
ROLE = repo_files.TEMPLATE.replace(PODS, "labels: {app: node-agent, role: reflector}")


def test_a_label_that_something_selects_is_not_dropped_unseen(world: World) -> None:
    """Reddit, 2023: an upgrade removed a label of nodes, by which the route reflectors were chosen.

    Labels of nodes are not ours; labels of pods are. The plan names who selects them, over all
    components of the cluster; the workload itself is refused by the cluster before a pod moves.
    """
    other = repo_files.doc("Component", "routes", {
        "owners": ["network"], "render": {"plain": "manifests/"},
    })  # fmt: skip
    world.write({
        TEMPLATE: ROLE,
        "components/routes/component.yaml": other,
        "components/routes/manifests/service.yaml": SERVICE,
    })  # fmt: skip
    world.changes({})
    world.run_to_the_end(world.releases("first", "2.4.1"))
    both = [{"name": "routes", "version": "1.0"}]
    world.run_to_the_end(world.releases("second", "1.0", components=both))
    files = {TEMPLATE: repo_files.TEMPLATE,
             "releases/2026/third.yaml": repo_files.release("third", "2.5.0")}  # fmt: skip
    card = pull(world, "third", files)
    said = (
        "Service infra/routes selects pods of DaemonSet infra/node-agent by role=reflector, and the"
        " new pods do not have that any more (3 units)"
    )
    assert said in card
    along = files | {
        "releases/2026/third.yaml": repo_files.release(
            "third", "2.5.0", components=[{"name": "node-agent", "version": "2.5.0"}, *both]
        ),
        "components/routes/manifests/service.yaml": SERVICE.replace(", role: reflector", ""),
    }
    assert "selects pods" not in pull(world, "along", along), "who selects them changes along"
    none = repo_files.TEMPLATE.replace(PODS, "labels: {role: agent}")
    files = {TEMPLATE: none, "releases/2026/fourth.yaml": repo_files.release("fourth", "2.5.0")}
    assert "DaemonSet infra/node-agent selects pods of DaemonSet" in pull(world, "fourth", files)
    release = merged(world, "fourth")
    world.run_for(days=1)
    assert world.unit(release, ST_1).phase == "FAILED"
    assert place(world, release, ST_1) == ("staging", 1)
    assert "the cluster refused the write" in world.thread(release)
    assert exposed(world, "2.5.0") == {}


def test_a_blank_where_a_value_is_meant_is_refused(world: World) -> None:
    """Google Cloud, June 2025: a policy with blank fields went round the world in seconds.

    A value that is missing is a mistake with its line; what only the code stumbles over goes batch
    by batch, as in every release.
    """
    loads_its_values(world)
    blank = {VALUES: repo_files.VALUES.replace("info", "")}
    text = repo_files.release("quota", "2.4.1", reason="Quota policies")
    card = pull(world, "quota", blank | {"releases/2026/quota.yaml": text})
    assert "templates/node-agent.yaml:4:1: `values` has no `level`" in card
    crashes(world, "2.4.1")
    world.changes(level("unseen"))
    release = world.releases("quota-2", "2.4.1", reason="Quota policies")
    world.run_for(hours=8)
    assert configured(world, "unseen") == {"st-1": 1}
    assert place(world, release, ST_1) == ("staging", 1)


class Delayed:
    """A fleet in which one write is held up on its way, long after its sender has gone on."""

    def __init__(self, fleet: Any, cluster: str) -> None:
        self._fleet, self._cluster = fleet, cluster
        self.late: tuple[Any, ...] = ()
        self.fence = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)

    def write(self, cluster: str, write: Any, *, fence: str, manager: str = "sluice") -> Any:
        if cluster == self._cluster and "2.5.0" in str(write.body) and not self.late:
            self.late, self.fence = (cluster, write), fence
            raise AnswerLost("no answer in 30 s")
        return self._fleet.write(cluster, write, fence=fence, manager=manager)


def test_an_old_plan_that_arrives_late_writes_nothing(world: World) -> None:
    """AWS, October 2025: a slow worker put an old plan over a newer one; a cleaner then emptied it.

    Every write carries a fence that only grows; and a release with no unit is refused.
    """
    held_up = Delayed(world.fleet, "eu-1")
    world.around = lambda ports: replace(ports, fleet=held_up)
    world.start()
    old = world.releases()
    world.run_until("2026-11-24T09:20:00Z")
    assert held_up.late, "the write of the old plan is on its way"
    new = world.releases("node-agent-2-5-1", "2.5.1", supersedes=[old])
    world.run_to_the_end(new)
    before = world.running()
    assert before == {"st-1": "2.5.1×2", "eu-1": "2.5.1×4", "eu-2": "2.5.1×4"}
    cluster, write = held_up.late
    with pytest.raises(Conflict):
        world.fleet.write(cluster, write, fence=held_up.fence)
    stands = world.live("eu-1", "DaemonSet")["metadata"]["resourceVersion"]
    unconditional = replace(write, resource_version=stands)
    with pytest.raises(Fenced):
        world.fleet.write(cluster, unconditional, fence=held_up.fence)
    world.run_for(hours=1)
    assert world.running() == before
    text = repo_files.release("none", "2.6.0", units={"names": ["eu-9"]})
    card = pull(world, "none", {"releases/2026/none.yaml": text})
    assert "the release none has no unit" in card


def test_every_unit_goes_back_to_what_was_good_there(world: World) -> None:
    """Azure Front Door, October 2025: checks let a bad change through; it failed minutes later.

    Health must hold through the silence; then everything is frozen, and each unit goes back to its
    own last good state, which is kept since before the release.
    """
    older = [{"name": "agent", "image": "registry.local/node-agent:2.4.0"}]
    body = {"spec": {"template": {"spec": {"containers": older}}}}
    by_hand(world, "eu-2", DAEMON_SET, body)
    world.run_for(minutes=10)
    two_waves(world)
    release = world.releases(units={"names": ["eu-*"]})
    while world.unit(release, EU_2).phase != "SOAKING":
        world.run_for(minutes=1)
    assert exposed(world, "2.5.0") == {"eu-1": 4, "eu-2": 1}
    world.fleet.sicken("eu-2", world.pods("eu-2", "2.5.0"))
    world.run_for(minutes=5)
    assert world.unit(release, EU_2).phase == "FAILED"
    assert place(world, release, EU_2) == ("production", 2)
    assert exposed(world, "2.5.0") == {"eu-1": 4, "eu-2": 1}
    assert world.says("freeze all --until 8h --reason outage", by="dan").code == 0
    assert world.says(f"rollback {release} --reason outage", by="ben").code == 0
    world.run_to_the_end(release)
    assert world.running() == {"st-1": "2.4.1×2", "eu-1": "2.4.1×4", "eu-2": "2.4.0×4"}
    back = [event.unit for event in world.events(release, "unit.rolled-back")]
    assert back == [EU_2, EU_1], "newest first"


LISTED = """features: "{{ values.rows | join(',') }}"}"""
FEATURES = LOADED.replace('values.level }}"}\n---', 'values.level }}", ' + LISTED + "\n---")


def rows(count: int) -> dict[str, str]:
    named = ", ".join(f"feature-{n:04}" for n in range(count))
    return {VALUES: repo_files.VALUES.replace("info", f"v{count}") + f"rows: [{named}]\n"}


def test_a_generated_file_that_doubles_is_pointed_out_and_has_its_canary(world: World) -> None:
    """Cloudflare, November 2025: a query returned every row twice; the file hit a limit everywhere.

    The plan says that an object doubles; the first pod has to load it before a second one gets it.
    """
    world.write(rows(120))
    loads_its_values(world)
    world.changes({TEMPLATE: FEATURES})
    world.run_to_the_end(world.releases("features", "2.4.1"))
    text = repo_files.release("twice", "2.4.1", reason="Features of today")
    files = rows(240) | {"releases/2026/twice.yaml": text}
    card = pull(world, "twice", files)
    assert "ConfigMap infra/node-agent becomes 1.9 times as large in 3 units" in card
    assert "a generated file grows like this" in card
    fewer = pull(
        world, "none", rows(3) | {"releases/2026/none.yaml": text.replace("twice", "none")}
    )
    assert "ConfigMap infra/node-agent loses" in fewer
    crashes(world, "2.4.1")
    release = merged(world, "twice")
    world.run_for(days=1)
    assert configured(world, "v240") == {"st-1": 1}
    assert place(world, release, ST_1) == ("staging", 1)
    assert world.unit(release, ST_1).phase == "FAILED"


def test_a_kill_switch_only_stops_and_switching_off_a_check_is_a_change(world: World) -> None:
    """Cloudflare, December 2025: the risky change went gradually, its kill switch went globally.

    `stop` writes no target anywhere. A check that is taken out on main counts for what comes later;
    a floor keeps it in; and no release brings such a change along.
    """
    policy = {
        "windows": {"attended": "5m"},
        "floors": [{"components": {}, "checks": ["workload"]}],
    }
    world.changes({POLICY: repo_files.doc("Policy", "policy", policy)})
    without = {COMPONENT: repo_files.component(checks={"after": []})}
    assert list(found(world, without)) == ["below-floor"]
    lenient = {POLICY: repo_files.doc("Policy", "policy", {"windows": {"attended": "5m"}})}
    text = repo_files.release("quick", "2.5.0")
    card = pull(world, "quick", lenient | {"releases/2026/quick.yaml": text})
    assert "brings a release and changes the policy" in card
    release = world.releases()
    world.run_until("2026-11-24T09:00:00Z")
    world.changes(without | lenient)
    sent = len(world.fleet.writes("st-1"))
    assert world.says("stop --reason 'odd'", by="cleo").code == 0
    world.run_for(hours=8)
    after = world.fleet.writes("st-1")[sent:]
    assert after
    assert not any("image" in str(write["patch"]) for write in after), "it stops, and no more"
    assert exposed(world, "2.5.0") == {}, "the first batch had not moved a pod"
    assert world.fleet.writes("eu-1") == world.fleet.writes("eu-2") == []
    world.says("resume all", by="ben")
    world.run_to_the_end(release)
    assert {run.name for one in world.certificates(release) for run in one.checks} == {"workload"}
