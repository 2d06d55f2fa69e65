"""Releases over two real clusters, one of which says no.

Each time: a sentence that says what is wrong, the gate closed there and nowhere else, nothing half
written, and the other cluster done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.core.messages_plan import plan_text
from bot.core.plan_shown import NOTHING_KNOWN
from bot.reconciler.asking_ahead import ask_ahead
from bot.reconciler.rules import connections
from tests.cluster.control_plane import Cluster
from tests.cluster.hooks import refusing_hook
from tests.cluster.released import OLD, TEMPLATE, Released, released_over
from tests.cluster.waiting import wait_until
from tests.cluster.wire import wire_to

Story = Callable[..., Released]
CHART = "components/node-agent/templates/node-agent.yaml"
ASKED = "asked before the first write: nothing of the batch was sent"


@pytest.fixture
def story(
    some_clusters: Callable[[int], list[Cluster]], namespace: str, tmp_path: Path
) -> Iterator[Story]:
    """`story(batchDeadline="5s")`: the bot over two clusters, the component with that."""
    with ExitStack() as stack:
        yield lambda **component: stack.enter_context(
            released_over(tmp_path, some_clusters(2), namespace, **component)
        )


def nothing_came(told: Released) -> None:
    """Neither of the two objects is another than it was."""
    assert told.live("east", "ConfigMap")["data"] == {"version": OLD}
    assert told.live("east")["metadata"]["generation"] == 1
    assert told.runs("east") == {OLD}


def refused(told: Released, release: str, *words: str) -> None:
    """The unit in east stops with those words, nothing of it was written, and west is done."""
    told.west_is_done(release)
    why = told.until_failed(release)
    for each in (*words, "the cluster refused the write"):
        assert each in why
    assert why in told.world.thread(release), "people are told"
    nothing_came(told)
    assert told.world.phase(release) == "PROGRESSING", "one failure is tolerated here"


def test_without_faults_both_clusters_are_released(story: Story) -> None:
    """What the others are held against."""
    told = story()
    told.run_to_the_end(told.begin())
    assert {status for status, _ in told.outcomes("east")} == {"DONE"}


def test_a_webhook_that_refuses_stops_its_cluster_in_its_own_words(story: Story) -> None:
    """The platform team's sentence is what people must read; once it is content, retry goes on."""
    told = story()
    with refusing_hook(told.east, told.namespace, word="agent:2.5.0", says="2.5.0 has a hole"):
        release = told.begin()
        refused(told, release, "guard.platform.example.com", "2.5.0 has a hole", ASKED)
    assert told.world.says(f"retry {release}").code == 0
    told.run_to_the_end(release)


def test_an_invalid_field_is_refused_with_its_path_before_anything_is_written(story: Story) -> None:
    """422, by the values of one cluster: the ConfigMap before it stays what it was, too."""
    told = story()
    ported = told.world.files[CHART].replace(
        "name: agent,", 'name: agent, ports: [{containerPort: {{ "{{ values.port }}" }}}],'
    )
    told.world.write(
        {
            CHART: ported.replace('{{ "{{ values.port }}" }}', "{{ values.port }}"),
            "components/node-agent/values/default.yaml": "port: 8080\n",
            "components/node-agent/values/clusters/east.yaml": "port: 99999\n",
        }
    )
    release = told.begin()
    refused(told, release, "containerPort", "must be between 1 and 65535", ASKED)
    plan = asked_ahead(told)
    (line,) = [one for one in plan.split("\n") if one.strip().startswith("node-agent@east: ")]
    assert "would be refused: Deployment" in line
    assert "must be between 1 and 65535" in line
    assert "1 accepted, 1 refused" in plan
    nothing_came(told)


def asked_ahead(told: Released) -> str:
    """The plan of the newest merge, as a person sees it who asks the clusters first."""
    world = told.world
    head = world.git.head()
    assert head is not None
    merged = world.git.commit(head)
    planner = world.bot.planner
    links = connections(planner.load(merged.parents[0]))
    pull = planner.pull(merged.parents[0], head, now=told.clock.now(), known=NOTHING_KNOWN)
    told.fleet.connect(links)
    where = {"position": merged.position, "now": told.clock.now()}
    return plan_text(ask_ahead(told.fleet, links, pull, NOTHING_KNOWN, **where))


def test_a_right_that_is_missing_is_named_and_granted_and_retried(story: Story) -> None:
    """403: verb, resource, place and for whom. No restart, no new plan."""
    told = story()
    user = f"bot-{told.namespace[:20]}"
    config = told.east.users.with_certificate(user)
    spaces = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}
    reads = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}
    maps = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}
    told.east.users.grant(user, spaces, reads)
    told.east.users.grant(user, maps, namespace=told.namespace)
    told.reach("east", config)
    release = told.begin()
    lacks = f"{user} lacks the right to patch deployments.apps in namespace {told.namespace}"
    refused(told, release, lacks)
    writes = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]}
    told.east.users.grant(user, maps, writes, namespace=told.namespace)
    can = ("auth", "can-i", "patch", "deployments", "-n", told.namespace, f"--as={user}")
    wait_until(lambda: told.east.kubectl(*can, check=False).startswith("yes"), "granted", 20)
    assert told.world.says(f"retry {release}").code == 0
    told.run_to_the_end(release)


def test_a_definition_that_one_cluster_lacks_stops_that_cluster_only(story: Story) -> None:
    """Clusters are not alike: what the component needs is installed in one of them."""
    told = story()
    group = f"{told.namespace[:40].strip('-')}.example.com"
    widget = (
        f"---\napiVersion: {group}/v1\nkind: Widget\n"
        f"metadata: {{name: node-agent, namespace: {told.namespace}}}\nspec: {{size: 1}}\n"
    )
    told.world.write({CHART: told.world.files[CHART] + widget})
    define(told.west, group)
    release = told.begin()
    refused(told, release, "Widget", "CustomResourceDefinition is missing")
    define(told.east, group)
    assert told.world.says(f"retry {release}").code == 0
    told.run_to_the_end(release)
    assert told.east.api.listed("Widget", told.namespace, f"{group}/v1")


def define(cluster: Cluster, group: str) -> None:
    """The kind Widget of that group, served."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget"}
    api, kind, name = "apiextensions.k8s.io/v1", "CustomResourceDefinition", f"widgets.{group}"
    cluster.api.create(
        {
            "apiVersion": api,
            "kind": kind,
            "metadata": {"name": name},
            "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
        }
    )

    def served() -> bool:
        return "widgets" in cluster.kubectl("api-resources", f"--api-group={group}", check=False)

    wait_until(served, "the kind is served", 30)


def test_a_quota_that_is_full_refuses_what_is_new_and_nothing_is_half_done(story: Story) -> None:
    """The release brings one object more than the namespace may have."""
    told = story()
    more = TEMPLATE.partition("---")[0].replace("name: node-agent,", "name: more,")
    more = more.format(namespace=told.namespace, version="{{ version }}")
    told.world.write({CHART: f"{more}---\n{told.world.files[CHART]}"})
    full = {"apiVersion": "v1", "kind": "ResourceQuota"}
    full |= {"metadata": {"name": "small", "namespace": told.namespace}}
    full |= {"spec": {"hard": {"count/configmaps": "2"}}}  # ours, and the cluster's own authority
    told.east.api.create(full)

    def counted() -> bool:
        seen = told.east.api.get("ResourceQuota", "small", told.namespace)
        return seen.get("status", {}).get("used", {}).get("count/configmaps") == "2"

    wait_until(counted, "the quota counts", 20)
    release = told.begin()
    refused(told, release, "exceeded quota: small")
    assert told.east.api.look("ConfigMap", "more", told.namespace) is None


def test_a_quota_of_pods_is_told_while_the_batch_waits_for_room(story: Story) -> None:
    """A surge needs room for one pod more: the object was taken, and no pod may be made."""
    told = story()
    full = {"apiVersion": "v1", "kind": "ResourceQuota"}
    full |= {"metadata": {"name": "pods", "namespace": told.namespace}}
    full |= {"spec": {"hard": {"pods": "2"}}}
    told.east.api.create(full)

    def counted() -> bool:
        seen = told.east.api.get("ResourceQuota", "pods", told.namespace)
        return seen.get("status", {}).get("used", {}).get("pods") == "2"

    wait_until(counted, "the quota counts", 20)
    release = told.begin()
    told.west_is_done(release)
    told.until(release, lambda: "exceeded quota: pods" in told.why(release), "it is told")
    assert told.runs("east") == {OLD}, "the old pods serve on"
    told.east.api.delete("ResourceQuota", "pods", told.namespace)
    told.run_to_the_end(release)


def test_a_namespace_that_is_going_away_takes_nothing_new(story: Story) -> None:
    """Somebody deletes it under the release: told in the server's words, never made again by us."""
    told = story()
    hold = '{"metadata":{"finalizers":["example.com/held"]}}'
    here = ("-n", told.namespace, "patch", "configmap", "node-agent", "--type=merge", "-p")
    told.east.kubectl(*here, hold)
    told.east.kubectl("delete", "namespace", told.namespace, "--wait=false")
    try:
        gone = lambda: told.east.api.look("Deployment", "node-agent", told.namespace, "apps/v1")  # noqa: E731
        wait_until(lambda: gone() is None, "its objects are deleted", 30)
        release = told.begin()
        told.west_is_done(release)
        why = told.until_failed(release)
        assert "being terminated" in why
        assert gone() is None
    finally:
        told.east.kubectl(*here, '{"metadata":{"finalizers":null}}')


def test_what_is_deleted_under_the_release_is_told_and_brought_by_retry(
    story: Story, tmp_path: Path
) -> None:
    """Between our look and our write: no object is made out of a patch, and people hear of it."""
    told = story()
    with wire_to(told.east, tmp_path) as wire:
        told.reach("east", wire.kubeconfig)
        gone = wire.breaks_at(
            "meanwhile",
            "PATCH",
            "/deployments/",
            act=lambda: told.east.api.delete("Deployment", "node-agent", told.namespace, "apps/v1"),
        )
        release = told.begin()
        told.west_is_done(release)
        why = told.until_failed(release)
        assert gone.struck == 1
        assert 'deployments.apps "node-agent" not found' in why
        assert told.world.says(f"retry {release}").code == 0
        told.run_to_the_end(release)


def test_who_writes_in_between_is_met_by_a_new_look_and_keeps_what_is_theirs(
    story: Story, tmp_path: Path
) -> None:
    """409: the write is made anew from what is there now; nobody is asked, nothing is lost."""
    told = story()
    words = ("-n", told.namespace, "annotate", "deployment", "node-agent", "by=hand")
    with wire_to(told.east, tmp_path) as wire:
        told.reach("east", wire.kubeconfig)
        meant = wire.breaks_at(
            "meanwhile", "PATCH", "/deployments/", act=lambda: told.east.kubectl(*words)
        )
        release = told.begin()
        told.run_to_the_end(release)
        assert meant.struck == 1
    (conflict,) = [why for _, why in told.outcomes("east") if why.startswith("conflict")]
    assert "has been modified" in conflict
    assert told.live("east")["metadata"]["annotations"]["by"] == "hand"
