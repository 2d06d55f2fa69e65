"""Why something waits: one sentence for each code of a gate, read as prose in a golden file."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.messages import CODES, cause, headline, why
from bot.model.gate import Stop, Wait
from bot.model.state import HoldCode
from tests.messages.views import NOW, stop, wait

PODS = {"pods": ["node-agent-x"], "reason": "CrashLoopBackOff", "good": 2, "want": 3}
FACTS: dict[str, dict[str, Any]] = {
    "held": {
        "scope": "group:prod-eu",
        "reason": "switch upgrade in rack 4",
        "by": "ben",
        "at": NOW,
        "code": "paused",
    },
    "no-evidence": {"component": "node-agent", "version": "2.5.0"},
    "blocked": {
        "component": "node-agent",
        "version": "2.4.9",
        "reason": "INC-1201",
        "blocked_until": "2027-01-01T00:00:00+00:00",
    },
    "earlier-stage": {"stage": "staging", "left": ["node-agent@st-1", "node-agent@st-2"]},
    "earlier-wave": {"wave": 1, "left": ["node-agent@eu-1"]},
    "dependency": {"unit": "coredns@eu-1", "release": "coredns-1-12-0"},
    "needs": {
        "unit": "node-agent@eu-1",
        "root": "coredns@eu-1",
        "phase": "FAILED",
        "why": "2 of 40 pods not ready: coredns-x CrashLoopBackOff",
    },
    "dependents-first": {"unit": "node-agent@eu-1"},
    "locked": {"unit": "node-agent@eu-1", "release": "node-agent-2-4-9"},
    "dependency-first": {"unit": "coredns@eu-1", "release": "coredns-1-12", "ended": False},
    "dependency-half": {"unit": "coredns@eu-1", "release": "coredns-1-12", "version": "1.12.0"},
    "risk": {
        "rule": "one-tier-0-at-a-time",
        "reason": "One tier-0 release at a time",
        "verdict": "wait",
        "under_way": ["coredns-1-12-0"],
    },
    "risk-error": {
        "rule": "ha-pairs",
        "reason": "One of a pair at a time",
        "verdict": "wait",
        "why": "no such key 'haPair'",
    },
    "host": {
        "unit": "node-agent@meta-1",
        "release": "node-agent-2-4-9",
        "cluster": "meta-1",
        "hosts": True,
    },
    "day-limit": {"limit": 5000, "began": 5000},
    "first-wave": {"stage": "production", "planned": 2, "most": 1},
    "concurrency": {"limit": 2, "in_flight": 2},
    "fleet-limit": {"limit": 200, "in_flight": 200},
    "stage-failures": {"failed": ["node-agent@eu-1"], "tolerated": 0, "stage": "production"},
    "not-merged": {"pull": "pr/node-agent-2-5-0"},
    "not-before": {"at": NOW},
    "window": {"why": "Outside weekdays-berlin; opens Wed 25 Nov 09:00 Europe/Berlin (08:00 UTC)"},
    "does-not-fit": {"need": timedelta(minutes=35), "close": NOW},
    "unreachable": {"cluster": "eu-1", "error": "connection refused", "since": NOW},
    "drift": {
        "unit": "node-agent@eu-1",
        "edits": [
            {
                "object": "ConfigMap infra/node-agent",
                "path": "data.level",
                "from": "info",
                "to": "debug",
                "by": ["kubectl-edit"],
            },
            {"object": "ConfigMap infra/other", "path": "", "from": "there", "to": None},
        ],
    },
    "guarded": {
        "unit": "node-agent@eu-1",
        "cluster": "eu-1",
        "changes": [
            {
                "object": "Service infra/dns",
                "path": "spec.clusterIP",
                "from": "10.0.0.10",
                "to": "10.0.0.11",
                "act": "block",
                "reason": "cluster-ip",
                "builtIn": True,
            },
        ],
    },
    "leftovers": {"objects": ["ConfigMap infra/old"], "id": "node-agent-2-5-0#2"},
    "guard-asks": {
        "unit": "node-agent@eu-1",
        "cluster": "eu-1",
        "id": "node-agent-2-5-0#2",
        "changes": [
            {
                "object": "DaemonSet infra/node-agent",
                "path": "spec.template.spec.hostNetwork",
                "from": None,
                "to": True,
                "act": "ask",
                "reason": "host",
                "builtIn": True,
            },
        ],
    },
    "unreachable-many": {
        "cluster": "eu-1",
        "error": "connection refused",
        "since": NOW,
        "stage": "production",
        "out": 10,
        "most": 10,
        "id": "node-agent-2-5-0#3",
    },
    "rebuilt": {"cluster": "eu-1"},
    "uncounted": {"object": "Widget infra/cache", "path": "spec.copies"},
    "check": {
        "name": "pods-ready",
        "when": "after",
        "verdict": "FAILED",
        "why": "2 of 40 pods not ready: node-agent-x CrashLoopBackOff",
    },
    "approval": {
        "id": "node-agent-2-5-0#3",
        "asks": "Begin stage production: node-agent 2.5.0 on 3 units in 2 waves?",
        "have": 1,
        "count": 2,
        "roles": ["approver"],
    },
    "converging": {"updated": 3, "wanted": 3, "total": 6, "waiting": "progress", "detail": PODS},
    "refused": {"why": "admission webhook denied the request: no hostNetwork"},
    "soaking": {"until": NOW},
    "sick": {"why": "collateral", "detail": {**PODS, "unavailable": 1}},
    "superseding": {"releases": ["node-agent-2-4-9"]},
    "main-broken": {"path": "calendar/windows.yaml:7"},
    "rollback-window": {"why": "Freeze year-end until Mon 4 Jan 2027 08:00 Europe/Berlin"},
    "irreversible": {"why": ["from 2.4.1 to 2.5.0 is declared irreversible: another layout"]},
    "undo-data": {"unit": "node-agent@eu-1"},
    "rollback-limit": {"limit": 100, "going": 100, "stage": "production"},
    "shared-object": {
        "unit": "node-agent@eu-1/nodeSet:canary",
        "why": "failed",
        "object": "DaemonSet infra/node-agent",
    },
    "node-sets": {"node": "n-3", "sets": ["canary", "edge"], "nodes": 2, "cluster": "eu-1"},
    "rollback-order": {"left": ["node-agent@eu-2", "node-agent@eu-3"]},
    "undo": {"unit": "node-agent@eu-1"},
    "restoring": {"updated": 3, "total": 6},
    "plan-changed": {},
    "not-due": {},
}


def test_each_code_reads_well(golden: Callable[[str, str], None]) -> None:
    """Reviewed as prose: state first, cause second, next step third, time last."""
    golden("messages/why.txt", "".join(f"{c}\n  {why(wait(c, **FACTS[c]))}\n" for c in CODES))


def test_each_hold_reads_well(golden: Callable[[str, str], None]) -> None:
    """A hold of a rule says how to go on, since no person stands behind it to be asked."""
    told = [
        why(wait("held", scope="", reason="the reason", by="sluice", at=NOW, code=code.value))
        for code in HoldCode
    ]
    golden(
        "messages/holds.txt",
        "".join(f"{c.value}\n  {t}\n" for c, t in zip(HoldCode, told, strict=True)),
    )


def test_each_stop_reads_well(golden: Callable[[str, str], None]) -> None:
    """A gate that became a failure says so, and its cause stands alone where it is quoted."""
    codes = ("check", "converging", "sick", "refused", "restoring", "unreachable", "guarded")
    lines = [f"{c}\n  {why(stop(c, **FACTS[c]))}\n  {cause(stop(c, **FACTS[c]))}\n" for c in codes]
    golden("messages/stops.txt", "".join(lines))


def test_every_code_has_a_sentence_of_its_own() -> None:
    """No two gates are told in the same words, and none falls back to its code."""
    told = [why(wait(code, **FACTS[code])) for code in CODES]
    assert len(set(told)) == len(CODES)
    assert set(CODES) == set(FACTS)
    assert not any(
        text.startswith("Waiting: " + code) for text, code in zip(told, CODES, strict=True)
    )


def test_every_code_that_a_gate_gives_has_a_sentence() -> None:
    """A new gate without words fails here, not in front of a person."""
    core = Path(__file__).parents[2] / "bot" / "core"
    given_codes = {
        keyword.value.value
        for path in core.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Wait", "Stop", "Look")
        for keyword in node.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }
    assert given_codes
    assert given_codes <= set(CODES)


@pytest.mark.parametrize("code", [*CODES, "a-code-of-tomorrow"])
@pytest.mark.parametrize("kind", [Wait, Stop])
def test_missing_facts_never_break_a_sentence(code: str, kind: type[Wait]) -> None:
    """The answer to why must come even when something went wrong on the way to it."""
    text = why(kind(code=code))
    assert text.endswith((".", "?"))
    assert headline(kind(code=code))


@pytest.mark.parametrize("code", CODES)
def test_wording_keeps_the_house_rules(code: str) -> None:
    """No exclamation marks, one line, a full stop, and no blank that something was left out of."""
    text = why(wait(code, **FACTS[code]))
    assert "!" not in text
    assert "\n" not in text
    assert "  " not in text
    assert text[0].isupper()
    assert ".." not in text


def test_times_are_told_in_the_zone_of_the_view_and_name_it() -> None:
    """A time without its zone has already cost somebody a night."""
    told = why(wait("soaking", until=NOW), "Europe/Berlin")
    assert "Tue 24 Nov 10:00 Europe/Berlin" in told
    assert "Tue 24 Nov 09:00 UTC" in why(wait("soaking", until=NOW.isoformat()))


@given(
    st.sampled_from(CODES),
    st.dictionaries(
        st.sampled_from(sorted({k for f in FACTS.values() for k in f})),
        st.none()
        | st.integers(0, 9)
        | st.text(max_size=9)
        | st.lists(st.text(max_size=3), max_size=3),
    ),
)
def test_odd_facts_never_break_a_sentence(code: str, facts: dict[str, Any]) -> None:
    """Facts come from rows, clusters and people: the sentence must come whatever they hold."""
    assert why(Wait(code=code, facts=facts))
    assert why(Stop(code=code, facts=facts))
