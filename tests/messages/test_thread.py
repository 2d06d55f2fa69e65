"""The thread: what is told, what is not, who is called, and the whole story read as prose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.messages import KINDS, as_text, story
from bot.model.gate import ReleaseView
from bot.model.message import Message
from bot.model.state import Event, HoldCode, ReleasePhase, UnitPhase
from tests.messages.views import (
    NOW,
    RELEASE,
    decision,
    done,
    event,
    hold,
    large,
    state,
    unit_state,
    view,
)

ST1, ST2, EU1 = "node-agent@st-1", "node-agent@st-2", "node-agent@eu-1"
CAUSE = "post-check workload failed: 1 of 6 pods not ready: node-agent-x CrashLoopBackOff"
D3 = f"{RELEASE}#3"
DISAGREED = [
    {"object": "DaemonSet infra/node-agent", "why": "another-store", "fence": "7.3"},
    {"object": "ConfigMap infra/node-agent", "why": "no-record", "fence": "7.2"},
    {"object": "Service infra/node-agent", "why": "by-hand", "fence": ""},
]
EDITS = [
    {
        "object": "ConfigMap infra/node-agent",
        "path": "data.level",
        "from": "info",
        "to": "debug",
        "by": ["kubectl-edit"],
    }
]

GUARDED = {
    "object": "Service infra/dns",
    "path": "spec.type",
    "from": "ClusterIP",
    "to": "LoadBalancer",
    "act": "ask",
    "reason": "service-type",
    "builtIn": True,
}


def _story() -> list[Event]:
    """A small release from its pull request to its rollback."""
    until = NOW + timedelta(minutes=5)
    return [
        event("release.proposed", title="node-agent 2.5.0", errors=1),
        event("release.proposed", title="node-agent 2.5.0", errors=0),
        event("release.scheduled", commit="a1b2c3d4e5f6", start=NOW, end=NOW + timedelta(days=1)),
        event("window.closed", next_open=NOW + timedelta(hours=23)),
        event("release.began"),
        event("batch.applying", ST1, batch=1, targets={"DaemonSet": 1}, wave=1, stage="staging"),
        event("batch.soaking", ST1, batch=1, until=until, updated=1, total=6),
        event("soak.extended", ST1, until=until, unseen=timedelta(minutes=10)),
        event("batch.again", ST1, batch=1, updated=1, total=7),
        event("batch.succeeded", ST1, batch=1, updated=1, total=6),
        event("unit.succeeded", ST1),
        event("unit.succeeded", ST2, unchanged=True),
        event("unit.quarantined", "node-agent@eu-3", error="connection refused"),
        event("unit.back", "node-agent@eu-3"),
        event("unit.left", "node-agent@eu-3", cluster="eu-3"),
        event("release.amended", units=["node-agent@eu-9"], digest="sha256:ab"),
        event("unit.drifted", ST1, edits=EDITS, who=["ben"]),
        event("unit.disagreed", ST1, objects=DISAGREED),
        event("unit.drift-kept", ST1, who="ben", edits=EDITS),
        event("unit.guarded", ST1, changes=[GUARDED], who=["ben"]),
        event("guard.granted", ST1, changes=[GUARDED], id=D3, by=["ben"]),
        event("hold.set", who="ben", scope="all", code="paused", reason="switch upgrade"),
        event("hold.lifted", who="ben", scope="all"),
        event("freeze.set", who="ana", scope="all", until=until, reason="INC-1300"),
        event("freeze.lifted", who="ana", scope="all"),
        event("decision.asked", id=D3, asks="Begin stage production?", roles=["approver"], count=2),
        event("decision.vote", who="ben", id=D3, have=1, count=2),
        event("decision.void", id=D3, why="a check has another answer now"),
        event("decision.approved", who="cem", id=D3, by=["ben", "cem"]),
        event("decision.reopened", id=D3, have=1, count=2, who=["dora"]),
        event("check", EU1, batch=1, name="workload", when="after", verdict="FAILED", why="x"),
        event("unit.failed", EU1, batch=1, why=CAUSE),
        event("unit.retry", EU1, who="ben"),
        event("override", EU1, who="ana", what=["check p99"], reason="the probe is wrong"),
        event("override", who="ana", what=["window"], scope=RELEASE, have=1, count=2, reason="CVE"),
        event("unit.skipped", EU1, who="ana", reason="the cluster goes away"),
        event("hold.set", scope=RELEASE, code="failed", reason=f"{EU1} failed: {CAUSE}", unit=EU1),
        event("release.rolling-back", who="ana", reason="crash loops", by="ana", units=3),
        event("unit.rolling-back", EU1, who="ana"),
        event("unit.rolled-back", ST1),
        event("unit.rolled-back", EU1, deleted=True),
        event(
            "release.rolled-back",
            units=3,
            branch=f"pr/revert-{RELEASE}",
            blocked="node-agent 2.5.0",
        ),
        event("cluster.accepted", who="ana", cluster="eu-2"),
        event("decision.rejected", who="cem", id=D3, reason="not on a Friday"),
        event("decision.rejected", who="cem", id=D3, reason="no", what="override-window"),
        event("release.cancelled", who="ana", reason="not needed"),
        event("release.superseded", by="node-agent-2-5-1"),
        event("release.succeeded", units=4, skipped=1, owed=1),
        event("write", ST1, verb="patch"),
        event("command.refused", who="ben", text="approve x", why="role"),
    ]


def _view() -> ReleaseView:
    return view(
        *done("st-1"),
        unit_state("eu-1", UnitPhase.FAILED, batch=1, failure=CAUSE),
        decisions=(decision(),),
        deciders={D3: ("cem", "dora")},
    )


def test_the_whole_story_reads_well(golden: Callable[[str, str], None]) -> None:
    """Everything a thread can say, in the order in which a release might say it."""
    told = []
    for one in _story():
        message = story(one, _view())
        told.append(f"{one.kind}\n{as_text(message) if message else '(not told)'}\n")
    golden("messages/thread.txt", "\n".join(told))


def test_every_kind_that_is_told_is_in_the_story() -> None:
    """A new kind is read as prose before anybody reads it in a channel."""
    assert set(KINDS) <= {one.kind for one in _story()}


@pytest.mark.parametrize("kind", ["write", "command.refused", "batch.succeeded", "check", "new"])
def test_what_the_card_shows_or_one_person_asked_is_not_told(kind: str) -> None:
    """A thread is read by many; a refusal is answered to one."""
    assert story(event(kind, ST1), _view()) is None


@pytest.mark.parametrize("one", _story(), ids=lambda one: one.kind)
def test_people_are_called_only_where_a_decision_is_awaited(one: Event) -> None:
    """Mentions equal decisions awaited: the budget of interruptions is a contract."""
    message = story(one, _view())
    failure = one.kind == "hold.set" and one.data["code"] != "paused"
    awaited = one.kind in ("decision.asked", "decision.reopened") or failure
    assert bool(message and message.mentions) is awaited


def test_a_decision_calls_those_who_can_still_decide_and_never_who_asked() -> None:
    """Nobody is called for what he cannot do or has just done."""
    asked = event("decision.asked", who="cem", id=D3, asks="Begin?", roles=["approver"], count=2)
    message = story(asked, _view())
    assert message is not None
    assert message.mentions == ("dora",)
    assert [b.command for b in message.buttons] == [f"approve {D3}", f"reject {D3}"]


def test_a_pause_calls_nobody_and_a_failure_calls_the_owners() -> None:
    """Who paused knows it; who owns a failed component must."""
    paused = story(event("hold.set", who="ben", scope="all", code="paused", reason="x"), _view())
    failed = story(event("hold.set", scope=RELEASE, code="failed", reason="x"), _view())
    assert paused is not None
    assert failed is not None
    assert paused.mentions == ()
    assert failed.mentions == ("network",)


def test_a_pause_tells_the_second_and_what_was_on_the_wire() -> None:
    """After a pause, people compare clocks."""
    told = story(
        event("hold.set", who="ben", scope="all", code="paused", in_flight=["patch eu-1"]), _view()
    )
    assert told is not None
    assert "from 09:00:00 UTC" in told.text
    assert "1 call on the wire: patch eu-1" in told.text


def test_a_failure_that_stops_the_release_is_told_by_its_hold_only() -> None:
    """Two posts with one cause are one too many."""
    failed = event("unit.failed", EU1, batch=1, why=CAUSE)
    held = hold(HoldCode.FAILED, by="sluice", reason=f"{EU1} failed: {CAUSE}")
    assert story(failed, _view()) is not None
    assert story(failed, replace(_view(), holds=(held,))) is None


def _told(view_of: ReleaseView, events: list[Event]) -> list[Message]:
    return [m for one in events if (m := story(one, view_of)) is not None]


def test_a_large_release_tells_waves_and_not_batches() -> None:
    """1,000 units with three batches each are five waves to a reader."""
    running = large()
    wave = [name for name in running.units if name >= "node-agent@c-0500"]
    began = replace(
        running,
        units={
            name: replace(unit, began=NOW if name in wave else NOW - timedelta(hours=1))
            for name, unit in running.units.items()
        },
    )
    events = [event("batch.applying", name, batch=1) for name in wave]
    events += [event("batch.soaking", name, batch=1, until=NOW, total=6) for name in wave]
    told = _told(began, events)
    assert [m.text for m in told] == ["Stage production, wave 5 of 5 begins: 500 units."]


def test_the_end_of_a_wave_is_told_once_with_its_counts() -> None:
    """Also where the last unit of it ends badly."""
    units = {name: replace(unit, phase=UnitPhase.SUCCEEDED) for name, unit in large().units.items()}
    last = "node-agent@c-0999"
    ended = replace(large(), units=units)
    events = [event("unit.succeeded", name) for name in units if name >= "node-agent@c-0500"]
    assert [m.text for m in _told(ended, events)] == [
        "Stage production, wave 5 of 5 ended: 500 succeeded."
    ]
    units[last] = replace(units[last], phase=UnitPhase.FAILED)
    failed = story(event("unit.failed", last, why="x"), replace(large(), units=units))
    assert failed is not None
    assert failed.lines == ("Stage production, wave 5 of 5 ended: 499 succeeded, 1 failed.",)


def test_the_end_says_how_long_it_took() -> None:
    """The figure that the next plan is compared with."""
    ended = replace(_view(), state=state(ReleasePhase.SUCCEEDED, ended=NOW))
    told = story(event("release.succeeded", units=5), ended)
    assert told is not None
    assert "It took 2 h" in told.text


_VALUES = (
    st.none()
    | st.integers(0, 9)
    | st.text(max_size=12)
    | st.lists(st.text(max_size=4), max_size=3)
    | st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=2)
)
_KEYS = sorted({key for one in _story() for key in one.data})


@given(
    st.sampled_from(KINDS),
    st.sampled_from(["", ST1, "node-agent@gone"]),
    st.dictionaries(st.sampled_from(_KEYS), _VALUES),
)
def test_odd_data_never_breaks_the_thread(kind: str, unit: str, data: dict[str, Any]) -> None:
    """Events are read back from the store, also those of older versions."""
    made = Event(at=NOW, kind=kind, release=RELEASE, unit=unit, data=data)
    for seen in (_view(), large(20)):
        message = story(made, seen)
        assert message is None or message.text
