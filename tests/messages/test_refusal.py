"""Refusals and answers: every code says why, who can and how; every verb answers in a sentence."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.messages import REFUSALS, VERBS, done, refusal
from tests.messages.views import NOW, RELEASE

UNIT = "node-agent@eu-1"
D3 = f"{RELEASE}#3"
FACTS: dict[str, dict[str, Any]] = {
    "not-mapped": {"by": "U0STRANGER"},
    "role": {"by": "ben", "verb": "freeze", "needs": ["admin"], "has": ["operator"], "who": "ana"},
    "author": {"by": "ana", "who": ("ben", "cem")},
    "stale": {"id": D3, "why": "post-check p99 failed since"},
    "void": {"id": D3, "why": "the plan changed"},
    "unknown-release": {"release": "node-agent-2-5", "near": RELEASE},
    "unknown-unit": {"unit": "node-agent@eu1", "near": UNIT},
    "unknown-scope": {"scope": "grop:prod-eu"},
    "unknown-stage": {
        "scope": f"{RELEASE}/prodction/2",
        "near": f"{RELEASE}/production/2",
        "stages": {"staging": 1, "production": 5},
    },
    "unknown-decision": {"id": f"{RELEASE}#9", "known": [D3]},
    "unknown-verb": {"verb": "aprove", "hint": "approve"},
    "nothing-open": {"release": RELEASE},
    "already-done": {"id": D3, "by": "ben", "at": NOW},
    "ended": {"release": RELEASE, "phase": "SUCCEEDED"},
    "not-failed": {"unit": UNIT, "phase": "SOAKING", "verb": "retry"},
    "not-held": {"scope": "all", "verb": "resume", "others": ["group:prod-eu"]},
    "still-held": {"scope": RELEASE, "why": f"{UNIT} failed", "verb": "retry", "who": ["ben"]},
    "replaced": {"release": RELEASE, "by": "node-agent-2-5-1"},
    "not-begun": {"release": RELEASE},
    "going-back": {"scope": RELEASE},
    "is-back": {"scope": UNIT},
    "begun": {"release": RELEASE},
    "in-flight": {"unit": UNIT},
    "override-never": {"gate": "lock"},
    "nothing-to-override": {"scope": RELEASE, "gate": "evidence"},
    "needs-second-person": {"by": "ana", "who": ["cem"]},
    "quorum-impossible": {"id": D3, "count": 3, "able": 2},
    "bad-time": {"text": "tomorow", "why": "no such moment"},
    "no-reason": {"verb": "rollback"},
    "no-scope": {"verb": "pause"},
    "not-understood": {"text": "pause --finsh", "why": "unknown option", "hint": "--finish-batch"},
    "several-open": {"ids": [D3, f"{RELEASE}#4"]},
    "not-before-merge": {"release": RELEASE, "verb": "pause"},
    "overtaken": {"scope": RELEASE},
    "rule-holds": {"scope": RELEASE, "why": "one-pair: Never both of a pair"},
    "no-place": {"scope": UNIT, "why": "Waiting for a place: 2 of 2 units are in flight"},
    "bug": {"text": "pause all"},
    "locked-store": {"why": "the disk is full"},
    "gone": {"why": "an object that was deleted cannot be kept"},
    "window": {"why": "Freeze year-end", "until": NOW + timedelta(days=1)},
}
ANSWERS: dict[str, dict[str, Any]] = {
    "approve": {"id": D3, "have": 1, "count": 2, "by": "ben"},
    "reject": {"id": D3, "by": "cem", "reason": "not on a Friday"},
    "accept": {"release": RELEASE, "by": "cem"},
    "pause": {"scope": "group:prod-eu", "at": NOW, "calls": ["patch eu-1", "patch eu-2"]},
    "stop": {"scope": "all", "at": NOW, "calls": [], "finish_batch": True},
    "resume": {"scope": "all", "by": "ben", "left": ["group:prod-eu"]},
    "rollback": {"scope": RELEASE, "units": 31, "reason": "crash loops"},
    "retry": {"scope": UNIT, "units": [UNIT]},
    "skip": {"unit": UNIT, "reason": "the cluster goes away"},
    "cancel": {"release": RELEASE, "reason": "not needed"},
    "override": {"scope": UNIT, "what": ["check p99"], "by": "ana", "reason": "the probe is wrong"},
    "freeze": {"scope": "all", "until": NOW + timedelta(hours=4), "reason": "INC-1300"},
    "unfreeze": {"scope": "all", "by": "ana"},
    "snooze": {"release": RELEASE, "until": NOW + timedelta(hours=2)},
}


def test_each_refusal_reads_well(golden: Callable[[str, str], None]) -> None:
    """Reviewed as prose: why, who can, and when or how."""
    told = (f"{code}\n  {refusal(code, **FACTS[code]).text}\n" for code in REFUSALS)
    golden("messages/refusals.txt", "".join(told))


def test_each_answer_reads_well(golden: Callable[[str, str], None]) -> None:
    """What a person reads who gave a command."""
    golden("messages/answers.txt", "".join(f"{v}\n  {done(v, **ANSWERS[v])}\n" for v in VERBS))


def test_every_code_that_the_rules_refuse_with_has_a_sentence() -> None:
    """A new refusal without words fails here, not in front of a person."""
    core = Path(__file__).parents[2] / "bot" / "core"
    used = {
        node.args[0].value
        for path in core.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "refusal"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert used
    assert used <= set(REFUSALS)


@pytest.mark.parametrize("code", [*REFUSALS, "a-code-of-tomorrow"])
def test_a_refusal_without_facts_is_still_an_answer(code: str) -> None:
    """A refusal that fails to be said looks like a yes."""
    told = refusal(code)
    assert told.code == code
    assert told.why.endswith((".", "?"))


@pytest.mark.parametrize("verb", [*VERBS, "a-verb-of-tomorrow"])
def test_an_answer_without_facts_is_still_an_answer(verb: str) -> None:
    """The deed is done; its sentence must not be what breaks."""
    assert done(verb).endswith(".")


@pytest.mark.parametrize("code", REFUSALS)
def test_refusals_keep_the_house_rules(code: str) -> None:
    """No exclamation marks and nothing left out in the middle."""
    text = refusal(code, **FACTS[code]).text
    assert "!" not in text
    assert "  " not in text
    assert "None" not in text


def test_a_no_says_what_it_changes_and_nothing_more() -> None:
    """Who is told that a release is held, though it goes on, looks away from it."""
    window = done("reject", id=D3, by="cem", reason="no", what="override-window")
    assert window.endswith("The override is not granted; nothing else changes.")
    undo = done("reject", id=D3, by="cem", what="undo", subject="")
    assert undo.endswith("What was installed is kept.")
    assert done("reject", id=D3, by="cem", what="stage").endswith("The release is held.")


def test_convergence_is_refused_in_its_own_words() -> None:
    """Pods that do not come up are no lock: the way on is another one."""
    told = refusal("override-never", gate="convergence").text
    assert "Retry, skip or roll back" in told
    assert "lock" not in told


def test_nothing_failed_anywhere_is_said_of_nothing() -> None:
    """`Everything has not failed` can be read as the opposite."""
    assert "nothing there has failed" in refusal("not-failed", scope="all", verb="retry").text


def test_who_and_until_stand_beside_the_sentence() -> None:
    """`--json` gives them as fields, so that a script need not read prose."""
    told = refusal("window", why="closed", who=("ana",), until=NOW)
    assert (told.who, told.until) == (("ana",), NOW)


def test_a_pause_names_the_second_and_the_calls_on_the_wire() -> None:
    """Whoever pauses must know what can still arrive in a cluster."""
    told = done("pause", scope="production", at=NOW, calls=["patch eu-1", "patch eu-2"])
    assert told.startswith("Paused production: no forward write begins from 09:00:00 UTC.")
    assert "2 calls were on the wire: patch eu-1, patch eu-2." in told
