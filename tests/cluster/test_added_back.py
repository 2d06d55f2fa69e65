"""What a release added goes on the way back as a real API server sees it: on a yes, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.messages_audit import line_text
from tests.cluster.api import Object
from tests.cluster.control_plane import Cluster
from tests.cluster.waiting import wait_until
from tests.cluster.whole_bot import WholeBot, as_template, counts, of_version
from tests.cluster.workloads import workload

OLD, NEW, LAST = "2.4.1", "2.5.0", "2.6.0"
ADDED = "components/node-agent/templates/added.yaml"

EDIT: Object = {"data": {"a": "changed", "b": "2"}}
HELD: Object = {"metadata": {"finalizers": ["sluice.test/held"]}}


def config_map(name: str, namespace: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": {"a": "1"},
    }


@pytest.fixture
def bot(cluster: Cluster, namespace: str, ten_nodes: str, tmp_path: Path) -> Iterator[WholeBot]:
    made = workload("Deployment", namespace, "agent:{{ version }}", pool=ten_nodes)
    template = as_template(made)
    cluster.api.create(*of_version(template, OLD))
    told = WholeBot(tmp_path, cluster, template, component={"batches": ["100%"]})
    yield told
    told.close()


def test_what_was_added_goes_on_a_yes_but_what_others_use_or_hold(
    bot: WholeBot, cluster: Cluster, namespace: str
) -> None:
    """Three were added: one goes, one was edited with kubectl, one is held by a finalizer."""
    names = ("extra", "mine", "stuck")
    bot.until_ended(bot.release(NEW))
    bot.world.changes({ADDED: as_template(*(config_map(name, namespace) for name in names))})
    release = bot.release(LAST)
    bot.until_ended(release)
    cluster.api.merge("ConfigMap", "mine", EDIT, namespace)
    cluster.api.merge("ConfigMap", "stuck", HELD, namespace)

    bot.says(f"rollback {release} --reason odd")
    bot.until(lambda: "the release had added" in bot.why(), "it is asked about")
    assert counts(bot.pods(namespace)) == {NEW: 3}, "what stood before is back by then"
    assert all(cluster.api.look("ConfigMap", name, namespace) for name in names)
    bot.says(f"approve {release}", by="ben")
    bot.until_ended(release, "ROLLED_BACK")

    assert cluster.api.look("ConfigMap", "extra", namespace) is None
    assert cluster.api.get("ConfigMap", "mine", namespace)["data"] == {"a": "changed", "b": "2"}
    stuck = cluster.api.get("ConfigMap", "stuck", namespace)
    assert stuck["metadata"]["deletionTimestamp"]
    audit = "\n".join(map(line_text, bot.world.bot.ports.store.events(release=release)))
    assert f"deleted ConfigMap {namespace}/extra, which the release had added" in audit
    assert f"ConfigMap {namespace}/mine stays: somebody has edited it" in audit
    assert f"ConfigMap {namespace}/stuck stays: it was deleted, and a finalizer holds it" in audit
    cluster.api.merge("ConfigMap", "stuck", {"metadata": {"finalizers": None}}, namespace)
    wait_until(lambda: cluster.api.look("ConfigMap", "stuck", namespace) is None, "it goes", 20)
