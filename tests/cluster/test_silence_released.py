"""Releases over two real clusters, one of which falls silent: before, during and after a write.

Nobody guesses what became of a write, nothing is written twice, and the other cluster is done.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.model.state import IntentStatus
from tests.cluster.control_plane import Cluster
from tests.cluster.released import NEW, OLD, Released, released_over
from tests.cluster.wire import wire_to

Story = Callable[..., Released]
CHART = "components/node-agent/templates/node-agent.yaml"
SILENT = "cluster east did not answer"


@pytest.fixture
def story(
    some_clusters: Callable[[int], list[Cluster]], namespace: str, tmp_path: Path
) -> Iterator[Story]:
    """`story(batchDeadline="5s")`: the bot over two clusters, the component with that."""
    with ExitStack() as stack:
        yield lambda **component: stack.enter_context(
            released_over(tmp_path, some_clusters(2), namespace, **component)
        )


def slowly(told: Released, seconds: int) -> None:
    """New pods take that long to become ready."""
    notes = f'annotations: {{sluice.test/ready-after: "{seconds}s"}}, labels: {{app: node-agent}}}}'
    chart = told.world.files[CHART]
    head, spec, tail = chart.partition("  template:\n")
    told.world.write({CHART: head + spec + tail.replace("labels: {app: node-agent}}", notes, 1)})


def test_a_cluster_that_is_down_before_its_batch_is_waited_for(story: Story) -> None:
    """It is said of it alone that it does not answer; once it is back it is released."""
    told = story()
    with told.east.without_api():
        release = told.begin()
        told.west_is_done(release)
        why = told.why(release)
        assert "[reachable]" in why
        assert SILENT in why
        assert told.phase_of(release, "node-agent@east") == "PENDING"
    told.run_to_the_end(release)


@pytest.mark.parametrize("how", ["before", "after", "half"])
def test_an_answer_that_is_lost_is_looked_after_and_the_write_is_not_done_twice(
    story: Story, tmp_path: Path, how: str
) -> None:
    """Whether it arrived nobody knows at first; the next look tells."""
    told = story()
    with wire_to(told.east, tmp_path) as wire:
        told.reach("east", wire.kubeconfig)
        cut = wire.breaks_at(how, "PATCH", "/deployments/")
        release = told.begin()
        told.run_to_the_end(release)
        assert cut.struck == 1
        patched = [one.rpartition("/")[0].rpartition("/")[2] for one in wire.sent]
    assert patched == ["configmaps", "deployments"]
    words = [status for status, _ in told.outcomes("east")]
    assert IntentStatus.UNKNOWN.value in words
    generations = {told.live(name)["metadata"]["generation"] for name in told.clusters}
    assert generations == {2}, "one change of the spec in either cluster"


def test_a_cluster_that_falls_silent_while_its_pods_start_is_judged_when_it_is_back(
    story: Story,
) -> None:
    """After the write: what rolls there rolls on, and is certified by what is there then."""
    told = story()
    slowly(told, 4)
    release = told.begin()
    told.until(release, lambda: told.live("east")["metadata"]["generation"] == 2, "it rolls")
    with told.east.without_api():
        told.until(release, lambda: SILENT in told.why(release), "it is told")
        told.west_is_done(release)
        assert not [c for c in told.world.certificates(release) if c.unit.endswith("@east")]
    told.run_to_the_end(release)
    assert told.live("east")["metadata"]["generation"] == 2


def test_a_certificate_that_has_ended_closes_its_cluster_until_it_is_renewed(story: Story) -> None:
    """Told with its date; renewed under the same name it is used without a restart."""
    told = story()
    user, masters = f"bot-{told.namespace[:20]}", ("system:masters",)
    ended = datetime.now(UTC) - timedelta(hours=1)
    told.reach("east", told.east.users.with_certificate(user, masters, until=ended))
    release = told.begin()
    told.west_is_done(release)
    told.until(release, lambda: "certificate ended on 20" in told.why(release), "it is told")
    assert told.runs("east") == {OLD}
    told.east.users.with_certificate(user, masters)
    told.run_to_the_end(release)


def test_a_login_program_that_hangs_holds_nobody_else_up(story: Story, tmp_path: Path) -> None:
    """An exec plugin that waits for a person: named, ended, and asked again when it works."""
    told = story()
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(600)\n")
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    version = "client.authentication.k8s.io/v1"
    entry = {"apiVersion": version, "command": str(plugin), "interactiveMode": "Never"}
    told.reach("east", told.east.users.kubeconfig(f"h-{told.namespace[:20]}", {"exec": entry}))
    release = told.begin()
    told.west_is_done(release)
    told.until(release, lambda: "gave no credentials in 2 s" in told.why(release), "told")
    token = told.east.kubeconfig.with_name("admin.token").read_text()
    told_by = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": token}}
    plugin.write_text(f"#!{sys.executable}\nimport json\nprint(json.dumps({told_by!r}))\n")
    told.run_to_the_end(release)


@pytest.mark.parametrize("minutes", [-10, 10], ids=["behind", "ahead"])
def test_clocks_that_differ_make_nothing_healthy_that_is_not(story: Story, minutes: int) -> None:
    """Pods carry the cluster's times, the batch ours: what never gets ready is never certified."""
    told = story(batchDeadline="8s")
    told.clock.off = timedelta(minutes=minutes)
    skew = told.clock_of("east")
    assert abs(skew + minutes * 60) < 5, "doctor tells by how much"
    values = "components/node-agent/values"
    told.world.write(
        {
            CHART: told.world.files[CHART].replace(":{{ version }}", ":{{ values.tag }}"),
            f"{values}/default.yaml": 'tag: "{{ version }}"\n',
            f"{values}/clusters/east.yaml": 'tag: "{{ version }}-never-ready"\n',
        }
    )
    release = told.begin()
    told.west_is_done(release)
    assert "did not converge in time" in told.until_failed(release)
    assert {c.unit for c in told.world.certificates(release)} == {"node-agent@west"}
    assert told.runs("east") == {OLD}, "the old pods serve on"
    assert NEW not in str(told.runs("east"))
