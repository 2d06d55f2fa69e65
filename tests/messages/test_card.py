"""The live card: every state a release can be in, read as prose in golden files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.messages import as_blocks, as_text, card, tone
from bot.core.turn import LIFTED_BY
from bot.model.gate import ReleaseView, Wait
from bot.model.message import Message, Tone
from bot.model.state import DecisionStatus, HoldCode, ReleasePhase, UnitPhase
from tests.messages.views import (
    NOW,
    RELEASE,
    component,
    decision,
    done,
    hold,
    large,
    state,
    stop,
    unit_state,
    view,
    wait,
    waiting,
)

CAUSE = "post-check workload failed: 1 of 6 pods not ready: node-agent-x CrashLoopBackOff"
OPENS = "Outside weekdays-berlin; opens Wed 25 Nov 09:00 Europe/Berlin (08:00 UTC)"


def _proposed() -> ReleaseView:
    return view(state=state(ReleasePhase.PROPOSED, began=None, merged=None))


def _window() -> ReleaseView:
    night = Wait(code="window", facts={"why": OPENS}, until=NOW + timedelta(hours=23))
    return view(
        state=state(ReleasePhase.SCHEDULED, began=None),
        next_close=None,
        waiting=(waiting("node-agent@st-1", night),),
    )


def _rolling() -> ReleaseView:
    soaking = wait("soaking", until=NOW + timedelta(minutes=5))
    stage = wait("earlier-stage", stage="staging", left=1)
    return view(
        *done("st-1"),
        unit_state("st-2", UnitPhase.SOAKING, batch=2, updated=3, total=6),
        waiting=(
            waiting("node-agent@eu-1", stage),
            waiting("node-agent@st-2", soaking),
            waiting("node-agent@eu-2", stage),
        ),
    )


def _decision() -> ReleaseView:
    asked = Wait(code="approval", facts={"id": f"{RELEASE}#3"}, who=("cem", "dora"))
    return view(
        *done("st-1", "st-2"),
        decisions=(decision(),),
        deciders={f"{RELEASE}#3": ("cem", "dora")},
        waiting=(waiting("node-agent@eu-1", asked),),
    )


def _paused() -> ReleaseView:
    return view(*done("st-1"), holds=(hold(),))


def _failed() -> ReleaseView:
    failed = unit_state("eu-1", UnitPhase.FAILED, batch=1, updated=1, total=6, failure=CAUSE)
    held = hold(HoldCode.FAILED, by="sluice", reason=f"node-agent@eu-1 failed: {CAUSE}")
    return view(*done("st-1", "st-2"), failed, holds=(held,), next_close=None, next_open=None)


def _rolling_back() -> ReleaseView:
    return view(
        unit_state("st-1", UnitPhase.ROLLED_BACK),
        unit_state("st-2", UnitPhase.ROLLING_BACK, updated=2, total=6),
        state=state(ReleasePhase.ROLLING_BACK),
        waiting=(waiting("node-agent@st-2", wait("restoring", updated=4, total=6)),),
    )


def test_on_the_way_back_failed_and_left_alone_are_not_called_untouched() -> None:
    """Who reads `untouched` looks nowhere; what failed to go back runs the bad version."""
    stuck = view(
        unit_state("st-1", UnitPhase.ROLLED_BACK),
        unit_state("st-2", UnitPhase.SUCCEEDED),
        unit_state("eu-1", UnitPhase.FAILED, back=True, failure=CAUSE),
        unit_state("eu-2", UnitPhase.ROLLING_BACK, back=True),
        state=state(ReleasePhase.ROLLING_BACK),
    )
    told = card(stuck)
    assert told.lines[0].startswith("1 of 3 units restored · 1 failed")
    staging, production = told.lines[1].split("   ")
    assert staging == "✔ staging (1 restored, 1 left alone)"
    assert production == "✖ production (1 failed to go back, 1 going back, 1 untouched)"


def _rolled_back() -> ReleaseView:
    ended = state(ReleasePhase.ROLLED_BACK, ended=NOW, revert=f"pr/revert-{RELEASE}")
    return view(*(unit_state(c, UnitPhase.ROLLED_BACK) for c in ("st-1", "st-2")), state=ended)


def _succeeded() -> ReleaseView:
    return view(
        *done("st-1", "st-2", "eu-1", "eu-2"),
        unit_state("eu-3", UnitPhase.SKIPPED),
        owed=("node-agent@eu-3", "node-agent@eu-9"),
        state=state(ReleasePhase.SUCCEEDED, ended=NOW),
    )


STATES: dict[str, Callable[[], ReleaseView]] = {
    "proposed": _proposed,
    "window": _window,
    "rolling": _rolling,
    "decision": _decision,
    "paused": _paused,
    "failed": _failed,
    "rolling-back": _rolling_back,
    "rolled-back": _rolled_back,
    "succeeded": _succeeded,
    "large": large,
}


def _words(message: Message) -> str:
    return " ".join((message.text, message.title, *message.lines))


@pytest.mark.parametrize("name", STATES)
def test_the_card_of_each_state_reads_well(name: str, golden: Callable[[str, str], None]) -> None:
    """What a phone shows, then the card; reviewed as prose."""
    message = card(STATES[name]())
    golden(f"messages/card-{name}.txt", f"{message.text}\n\n{as_text(message)}\n")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("proposed", Tone.WAITING),
        ("window", Tone.WAITING),
        ("rolling", Tone.ROLLING),
        ("decision", Tone.DECISION),
        ("paused", Tone.PAUSED),
        ("failed", Tone.STOPPED),
        ("rolling-back", Tone.ROLLING_BACK),
        ("rolled-back", Tone.DONE),
        ("succeeded", Tone.HEALTHY),
    ],
)
def test_each_state_has_its_word(name: str, word: Tone) -> None:
    """The word is what a manager scans a channel for."""
    assert tone(STATES[name]()) is word


@pytest.mark.parametrize("name", STATES)
def test_buttons_fit_the_state(name: str) -> None:
    """At most four, at most one primary, danger only to roll back, each with its object."""
    buttons = card(STATES[name]()).buttons
    assert len(buttons) <= 4
    assert sum(button.style == "primary" for button in buttons) <= 1
    assert all(b.command.startswith("rollback ") for b in buttons if b.style == "danger")
    assert all(len(button.command.split()) == 2 for button in buttons)
    assert len({button.command for button in buttons}) == len(buttons)


@pytest.mark.parametrize("code", HoldCode)
def test_a_hold_offers_what_lifts_it(code: HoldCode) -> None:
    """The button is the verb that the rules accept, never one that would be refused."""
    verbs = {b.command.split()[0] for b in card(view(*done("st-1"), holds=(hold(code),))).buttons}
    lifts = LIFTED_BY.get(code, "retry" if code is HoldCode.FAILED else "resume")
    assert lifts in verbs
    assert not verbs & ({"accept", "override", "resume", "retry"} - {lifts})


def test_an_ended_release_offers_nothing_to_press() -> None:
    """A button that is void is worse than none."""
    assert card(_succeeded()).buttons == ()
    assert card(_rolled_back()).buttons == ()


def test_before_the_first_write_one_cancels_and_afterwards_one_rolls_back() -> None:
    """The card never offers what would be refused."""
    assert [b.command.split()[0] for b in card(_window()).buttons] == ["pause", "cancel", "why"]
    assert "rollback" in {b.command.split()[0] for b in card(_rolling()).buttons}


def test_a_decision_names_its_votes_and_who_can_still_decide() -> None:
    """A card that asks must say whom it asks."""
    told = _words(card(_decision()))
    assert "1 of 2 approvals (ben)" in told
    assert "Can decide: cem, dora" in told
    nobody = replace(_decision(), deciders={})
    assert "Nobody with the role approver is left to decide" in _words(card(nobody))


def test_a_closed_decision_is_asked_no_more() -> None:
    """Buttons go the moment they are void."""
    closed = replace(decision(), status=DecisionStatus.APPROVED)
    told = card(replace(_decision(), decisions=(closed,), waiting=()))
    assert not any(button.command.startswith("approve") for button in told.buttons)
    assert "Decision" not in _words(told)


def test_a_failure_is_told_once() -> None:
    """The hold, the unit and the gate know the same cause; a reader needs it one time."""
    told = " ".join(card(_failed()).lines)
    assert told.count("CrashLoopBackOff") == 1
    assert "node-agent@eu-1" in told


def test_the_most_important_waiting_line_comes_first_and_the_rest_are_counted() -> None:
    """What stopped beats what waits by itself, whatever order the gates answered in."""
    stopped = waiting("node-agent@eu-3", stop("check", name="p99", when="after", verdict="FAILED"))
    told = " ".join(card(replace(_rolling(), waiting=(*_rolling().waiting, stopped))).lines)
    assert "node-agent@eu-3: Stopped: post-check p99 failed" in told
    assert f"And 3 more (why {RELEASE})" in told
    assert tone(replace(_rolling(), waiting=(stopped,))) is Tone.STOPPED


def test_a_configuration_release_says_that_it_is_one() -> None:
    """No version changes, so no arrow may promise one."""
    plain = view()
    configured = replace(plain.plan, components=(component(version_changed=False),))
    assert card(replace(plain, plan=configured)).title.startswith("node-agent 2.5.0 configuration")


def test_a_thousand_units_fit_one_card() -> None:
    """The card of a big release is as short as that of a small one."""
    message = card(large())
    assert 1 + len(message.lines) + bool(message.facts) + bool(message.rows) <= 12
    assert len(as_blocks(message)) <= 12
    assert len(as_text(message)) < 3000
    assert "1000 units" in _words(message)


def test_the_same_view_gives_the_same_card() -> None:
    """An unchanged card is not sent again, so it must not change by itself."""
    shuffled = replace(large(), units=dict(reversed(list(large().units.items()))))
    assert card(large()) == card(shuffled)


@given(
    st.sampled_from(ReleasePhase),
    st.lists(st.sampled_from(UnitPhase), min_size=5, max_size=5),
    st.lists(st.sampled_from(HoldCode), max_size=3),
    st.integers(0, 3),
)
def test_every_state_has_a_card_within_its_bounds(
    phase: ReleasePhase, units: list[UnitPhase], codes: list[HoldCode], asked: int
) -> None:
    """States meet in ways no list foresees; the card must come, short and with few buttons."""
    clusters = ("st-1", "st-2", "eu-1", "eu-2", "eu-3")
    made = view(
        *(unit_state(c, p) for c, p in zip(clusters, units, strict=True)),
        state=state(phase),
        holds=tuple(hold(code, id=f"h{i}") for i, code in enumerate(codes)),
        decisions=tuple(decision(number=i + 1) for i in range(asked)),
        waiting=(waiting("", wait("main-broken", path="people.yaml:3")),),
    )
    message = card(made)
    assert message.text
    assert len(as_blocks(message)) <= 12
    assert len(message.buttons) <= 4
    assert sum(button.style == "primary" for button in message.buttons) <= 1


def test_what_a_part_found_of_its_sibling_is_not_what_ran_before() -> None:
    """`2.4.1, 2.5.0 → 2.5.0`: the rest of the nodes finds what the canaries have just written."""
    found = unit_state("eu-2", UnitPhase.APPLYING, before_revision="2.5.0@0123456789ab")
    title = card(view(*done("st-1", "eu-1"), found)).title
    assert title.startswith("node-agent 2.4.1 → 2.5.0")
