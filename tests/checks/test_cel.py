"""Conditions in CEL: a clear yes, a clear no, and everything else, which is never a yes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.cel import MAX_LENGTH, Unclear, cel_problems, holds
from checks.frame import measure
from checks.verdict import Verdict
from tests.checks.scene import NOW, facts, pod, workload


def verdict(seen: dict[str, Any] | None = None, /, **conditions: str) -> Verdict:
    return measure(
        {"cel": {}, **conditions}, facts(workload()) if seen is None else seen, NOW
    ).verdict


@pytest.mark.parametrize(
    ("conditions", "answer"),
    [
        ({"successCondition": "workloads[0].ready == 3"}, Verdict.PASSED),
        ({"successCondition": "workloads[0].ready == 4"}, Verdict.FAILED),
        ({"failureCondition": "workloads[0].restarts > 5"}, Verdict.PASSED),
        ({"failureCondition": "workloads[0].restarts == 0"}, Verdict.FAILED),
        ({"successCondition": "batch == 1", "failureCondition": "batch > 8"}, Verdict.PASSED),
        ({"successCondition": "batch == 5", "failureCondition": "batch > 8"}, Verdict.INCONCLUSIVE),
        ({"successCondition": "batch == 1", "failureCondition": "batch < 8"}, Verdict.FAILED),
        ({}, Verdict.ERRORED),
    ],
)
def test_conditions_judge_as_in_argo_rollouts(conditions: dict[str, str], answer: Verdict) -> None:
    """Authors bring their conditions with them; they must mean the same here."""
    assert verdict(**conditions) is answer


@pytest.mark.parametrize(
    "expression",
    [
        "unit == 'node-agent@eu-1'",
        "component == 'node-agent' && version == '2.5.0'",
        "cluster.labels.environment == 'production'",
        "when == 'after'",
        "result.workloads == workloads",
        "workloads.all(w, w.pods.all(p, p.ready || !p.updated))",
    ],
)
def test_an_expression_sees_unit_component_version_cluster_batch_and_workloads(
    expression: str,
) -> None:
    """What an author may name is the facts, and `result` is all of them."""
    assert cel_problems(expression) is None
    assert verdict(successCondition=expression) is Verdict.PASSED


@pytest.mark.parametrize(
    "expression",
    [
        "workloads[0].missing < 2",
        "workloads[7].ready == 3",
        "nowhere == 1",
        "workloads[0].ready",
        "'yes'",
        "null",
        "1 / 0 == 1",
        "workloads[0].ready < 'x'",
        "1 +",
    ],
)
def test_anything_but_a_clear_boolean_is_an_error(expression: str) -> None:
    """Missing, broken and odd answers are not a yes, and not a no of the version either."""
    assert verdict(successCondition=expression) is Verdict.ERRORED
    assert verdict(failureCondition=expression) is Verdict.ERRORED


def test_not_a_number_is_not_a_yes() -> None:
    """NaN is unequal to everything: `rate != 1.0` would otherwise hold about nothing."""
    seen = facts(workload(rate=float("nan")))
    assert verdict(seen, successCondition="workloads[0].rate != 1.0") is Verdict.ERRORED
    assert verdict(seen, successCondition="workloads[0].rate < 1.0") is Verdict.ERRORED


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("1 +", "it ends too soon"),
        ("", "it ends too soon"),
        ("nowhere == 1", "unknown variable nowhere"),
        ("true" + " " * MAX_LENGTH, "longer than"),
        ("workloads.all(a, workloads.all(b, workloads.all(c, true)))", "inside each other"),
        ("(" * 300 + "1" + ")" * 300 + " == 1", ""),
    ],
)
def test_a_bad_expression_is_named_before_it_meets_any_facts(expression: str, problem: str) -> None:
    """Lint finds it in the pull request, in one line."""
    found = cel_problems(expression)
    assert found is not None
    assert problem in found
    assert "\n" not in found


def test_an_expression_that_would_never_end_is_refused_at_once() -> None:
    """A pull request is data: it cannot buy a minute of our processor with a hundred characters."""
    with pytest.raises(Unclear, match="inside each other"):
        holds("workloads.all(a, workloads.all(b, workloads.all(c, a == b)))", facts())


def test_macros_side_by_side_and_brackets_in_strings_are_no_nesting() -> None:
    """The bound must not refuse what is cheap."""
    text = "workloads.all(a, a.name != ').all(') && workloads.all(b, b.pods.all(p, p.ready))"
    assert cel_problems(f"{text} && workloads.exists(c, c.ready == 3)") is None


@given(st.text(max_size=60))
def test_no_text_makes_a_check_raise(text: str) -> None:
    """Whatever stands in a file, the answer is one of five words and lint has one line."""
    seen = facts(workload(pods=[pod("a")]))
    answer = measure({"cel": {}, "successCondition": text}, seen, NOW)
    assert answer.verdict is not Verdict.INCONCLUSIVE
    assert "\n" not in (cel_problems(text) or "")


def test_the_same_expression_is_compiled_once_and_answers_by_its_facts() -> None:
    """A cached program must not remember the facts of another cluster."""
    text = "workloads[0].ready == 3"
    assert holds(text, facts(workload(ready=3)))
    assert not holds(text, facts(workload(ready=2)))
    assert holds(text, facts(workload(ready=3)))


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("batch ==", "at 1:9: it ends too soon"),
        ("(batch == 1", "at 1:12: it ends without ')'"),
        ("batch 1", "at 1:7: `1` is not expected here"),
        ("'batch", "at 1:1: `'batch` cannot be read"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(expression: str, said: str) -> None:
    """Who writes a rule has no grammar at hand, and a list of tokens helps nobody."""
    assert cel_problems(expression) == said


def test_values_that_do_not_fit_are_told_in_whole_words() -> None:
    """The library's sentence is for programmers, and was cut in the middle of a word."""
    for expression in ("batch > '3'", "batch + unit == 3"):
        with pytest.raises(Unclear) as told:
            holds(expression, facts(workload()))
        assert str(told.value).startswith("an operation does not fit its values")
        assert str(told.value).endswith("with each other")
    with pytest.raises(Unclear, match=r"^there is no variable or function `nope`$"):
        holds("nope(1)", facts(workload()))
