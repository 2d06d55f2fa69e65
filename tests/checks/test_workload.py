"""Workload health: what stops a release, what it waits for, and what it lets through."""

from __future__ import annotations

from typing import Any

import pytest

from checks.frame import BUILTIN, measure
from checks.verdict import Measurement, Verdict
from tests.checks.scene import NOW, facts, pod, unwell, workload


def ask(seen: dict[str, Any]) -> Measurement:
    return measure(BUILTIN["workload"], seen, NOW)


def test_a_workload_with_every_pod_available_passes() -> None:
    """The yes that opens the next batch says how many pods stand behind it."""
    answer = ask(facts(workload(desired=3, updated=3)))
    assert (answer.verdict, answer.why) == (Verdict.PASSED, "3 of 3 pods available")


def test_a_crash_loop_of_an_updated_pod_fails_with_its_name_and_reason() -> None:
    """The first thing a person asks is which pod, and why."""
    crashing = pod("node-agent-x", updated=True, ready=False, reason="CrashLoopBackOff")
    other = pod("node-agent-y", updated=True, ready=False)
    answer = ask(facts(unwell(other, crashing)))
    assert answer.verdict is Verdict.FAILED
    assert answer.why == "2 of 40 pods not ready: node-agent-x CrashLoopBackOff and 1 more"


def test_a_crash_loop_fails_even_where_unavailable_pods_are_tolerated() -> None:
    """What was unwell before the batch excuses nothing that the new version does."""
    crashing = pod("node-agent-x", updated=True, ready=False, reason="CrashLoopBackOff")
    answer = ask(facts(unwell(crashing, unavailableBefore=5)))
    assert answer.verdict is Verdict.FAILED


def test_pods_that_were_unwell_before_the_batch_do_not_fail_it() -> None:
    """A node that was down already is not the new version's doing."""
    down = pod("node-agent-7", ready=False, reason="NodeLost")
    assert ask(facts(unwell(down, unavailableBefore=1))).verdict is Verdict.PASSED
    assert ask(facts(unwell(down, unavailableBefore=0))).verdict is Verdict.FAILED


def test_an_updated_pod_that_is_not_ready_fails_though_the_counts_look_good() -> None:
    """A surge can hide a dead new pod behind enough old ones."""
    seen = workload(desired=3, updated=1)
    seen["pods"].append(pod("node-agent-new", updated=True, ready=False))
    assert ask(facts(seen)).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"observed": False}, "node-agent: its controller has not seen the change yet"),
        ({"wanted": 2}, "node-agent: 1 of 2 pods updated"),
    ],
)
def test_what_is_not_there_yet_is_pending(changes: dict[str, Any], why: str) -> None:
    """Late is neither good nor bad: it is asked again."""
    answer = ask(facts(workload(updated=1, **changes)))
    assert (answer.verdict, answer.why) == (Verdict.PENDING, why)


@pytest.mark.parametrize(
    "key", ["desired", "updated", "ready", "available", "unavailable", "observed", "pods"]
)
def test_a_missing_fact_is_an_error_and_never_a_yes(key: str) -> None:
    """Unknown means stop and ask."""
    seen = workload()
    del seen[key]
    answer = ask(facts(seen))
    assert answer.verdict is Verdict.ERRORED
    assert key in answer.why


@pytest.mark.parametrize(
    "seen",
    [{}, {"unit": "node-agent@eu-1"}, facts(reachable=False), facts() | {"workloads": None}],
)
def test_a_cluster_that_could_not_be_asked_is_an_error(seen: dict[str, Any]) -> None:
    """An unreachable cluster says nothing, so it says nothing good."""
    assert ask(seen).verdict is Verdict.ERRORED


def test_a_unit_without_workloads_passes() -> None:
    """A ConfigMap has converged when it is applied; a release of one must be able to end."""
    assert ask(facts()).verdict is Verdict.PASSED


def test_the_worst_of_several_workloads_decides_and_is_named() -> None:
    """One healthy workload must not hide a sick one beside it."""
    sick = unwell(pod("proxy-1", updated=True, ready=False, reason="ImagePullBackOff"))
    answer = ask(facts(workload(), {**sick, "name": "proxy"}))
    assert answer.verdict is Verdict.FAILED
    assert "proxy-1 ImagePullBackOff" in answer.why


def test_a_workload_that_cannot_be_read_hides_no_sick_one() -> None:
    """What is not known may be known in a moment; what failed has failed."""
    sick = unwell(pod("proxy-1", updated=True, ready=False, reason="ImagePullBackOff"))
    unread = {name: fact for name, fact in workload().items() if name != "updated"}
    for both in ((unread, sick), (sick, unread)):
        assert ask(facts(*both)).verdict is Verdict.FAILED


def test_a_workload_check_with_a_condition_needs_both() -> None:
    """A condition adds to the built-in judgement and never softens it."""
    strict = {"workload": {}, "successCondition": "workloads.all(w, w.restarts == 0)"}
    assert measure(strict, facts(workload()), NOW).verdict is Verdict.PASSED
    assert measure(strict, facts(workload(restarts=1)), NOW).verdict is Verdict.FAILED
    loose = {"workload": {}, "successCondition": "true"}
    crashing = unwell(pod("x", updated=True, ready=False, reason="CrashLoopBackOff"))
    assert measure(loose, facts(crashing), NOW).verdict is Verdict.FAILED
