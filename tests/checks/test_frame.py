"""The frame of checks: Argo Rollouts' numbers, three-valued answers, evidence that stays small."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks import frame
from checks.verdict import Measurement, Verdict
from tests.checks.scene import NOW, facts, measured, pod, workload

P, W, E, I, F = Verdict  # noqa: E741


@pytest.mark.parametrize(
    ("definition", "verdicts", "answer"),
    [
        ({}, (), W),
        ({}, (P,), P),
        ({}, (W,), W),
        ({"count": 3}, (P, P), W),
        ({"count": 3}, (P, P, P), P),
        ({}, (F,), F),
        ({"failureLimit": 1}, (F,), W),
        ({"failureLimit": 1}, (F, P), P),
        ({"failureLimit": 1}, (F, P, F), F),
        ({"count": 2, "failureLimit": 1}, (F, P), W),
        ({}, (I,), I),
        ({"inconclusiveLimit": 1}, (I, P), P),
        ({}, (I, F), F),
        ({}, (E,), W),
        ({}, (E, E, E, E), W),
        ({}, (E, E, E, E, E), E),
        ({"consecutiveErrorLimit": 1}, (E, E), E),
        ({"consecutiveErrorLimit": 1}, (E, W, E), W),
        ({}, (E, E, E, E, E, P), P),
        ({}, (F, E, E, E, E, E), F),
    ],
)
def test_measurements_come_to_a_verdict(
    definition: dict[str, int], verdicts: tuple[Verdict, ...], answer: Verdict
) -> None:
    """Failed beats inconclusive beats errored; passed only when enough good ones are in."""
    assert frame.judge(definition, measured(*verdicts)) is answer


@given(
    st.lists(st.sampled_from(Verdict), max_size=12),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(0, 2),
)
def test_passed_always_has_its_count_of_good_measurements_behind_it(
    verdicts: list[Verdict], count: int, failures: int, unclear: int
) -> None:
    """Only a clear yes opens a gate, whatever order answers come in."""
    definition = {"count": count, "failureLimit": failures, "inconclusiveLimit": unclear}
    if frame.judge(definition, measured(*verdicts)) is P:
        assert verdicts.count(P) >= count
        assert verdicts.count(F) <= failures
        assert verdicts.count(I) <= unclear


@given(st.lists(st.sampled_from(Verdict), max_size=8), st.sampled_from([E, I, F, W]))
def test_another_bad_measurement_never_makes_a_verdict_good(
    verdicts: list[Verdict], bad: Verdict
) -> None:
    """More doubt is never more trust."""
    before = frame.judge({"count": 2}, measured(*verdicts))
    after = frame.judge({"count": 2}, measured(*verdicts, bad))
    assert before is P or after is not P


def test_a_check_is_measured_at_once_and_then_by_its_interval() -> None:
    """Nothing sleeps: the frame says when to come back."""
    definition = {"interval": "2m", "count": 2}
    assert frame.next_at(definition, (), NOW) == NOW
    first = measured(P)
    assert frame.next_at(definition, first, NOW) == NOW + timedelta(minutes=2)
    assert frame.next_at({"count": 2}, first, NOW) == NOW + timedelta(seconds=30)


def test_a_check_that_has_its_answer_is_not_asked_again() -> None:
    """Passed, failed and inconclusive are answers; errored is not, so it goes on asking."""
    for answered in (P, F, I):
        assert frame.next_at({}, measured(answered), NOW) is None
    assert frame.next_at({}, measured(E, E, E, E, E), NOW) is not None


def test_why_is_what_the_deciding_measurement_has_seen() -> None:
    """One short sentence with numbers, the same on every surface."""
    assert frame.why({}, ()) == "not measured yet"
    assert frame.why({"count": 3}, measured(P, W)) == "1 of 3 good measurements; last: pending"
    assert frame.why({"failureLimit": 1}, measured(F, P, F)) == "failed"


@pytest.mark.parametrize(
    "definition", [{}, {"prometheus": {"query": "up"}}, {"workload": {}, "cel": {}}]
)
def test_a_check_that_cannot_be_asked_is_an_error(definition: dict[str, object]) -> None:
    """A kind of another version opens no gate here."""
    assert frame.measure(definition, facts(workload()), NOW).verdict is E


def test_evidence_of_a_thousand_pods_stays_small() -> None:
    """Measurements are rows of the store and lines of a card: bounded whatever a cluster shows."""
    pods = [
        pod(f"node-agent-{i}-{'x' * 200}", updated=True, ready=False, reason="CrashLoopBackOff")
        for i in range(1000)
    ]
    many = [workload(1000, 1000, name=f"w-{i}", pods=pods, unavailable=1000) for i in range(20)]
    answer = frame.measure(frame.BUILTIN["workload"], facts(*many), NOW)
    assert len(json.dumps(answer.value)) <= frame.MAX_EVIDENCE + 200
    assert len(answer.why) <= frame.MAX_WHY


def test_a_measurement_keeps_its_moment_and_its_evidence() -> None:
    """A certificate shows them years later."""
    answer = frame.measure(frame.BUILTIN["workload"], facts(workload()), NOW)
    assert isinstance(answer, Measurement)
    assert answer.at == NOW
    assert answer.value[0]["available"] == 3


@given(
    st.lists(st.sampled_from(list(Verdict)), max_size=60),
    st.integers(1, 30),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_what_is_not_kept_changes_no_verdict(
    verdicts: list[Verdict], count: int, failures: int, errors: int
) -> None:
    """A check that asks for more answers than are kept could never say yes."""
    definition = {"count": count, "failureLimit": failures, "consecutiveErrorLimit": errors}
    kept: tuple[Measurement, ...] = ()
    for number, one in enumerate(measured(*verdicts), 1):
        kept = frame.keep(definition, (*kept, one))
        assert frame.judge(definition, kept) is frame.judge(
            definition, measured(*verdicts)[:number]
        )


def test_only_the_latest_measurements_keep_what_they_saw() -> None:
    """A thousand answers stay small enough for one row of the store."""
    many = [
        Measurement(at=NOW, verdict=P, why="good", value={"seen": number}) for number in range(200)
    ]
    kept = frame.keep({"count": 1000}, many)
    assert len(kept) == 200
    assert sum(one.value is not None for one in kept) == frame.EVIDENCE_KEPT
    assert kept[-1].value == {"seen": 199}
