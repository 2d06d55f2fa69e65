"""Laws of plans, batches, ends and leftovers see what is broken in the engine itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.core import added, begin, decisions, endings, leftovers, lifecycle, order
from bot.core.batch_ahead import Ahead
from bot.core.turn import Turn
from bot.model.leftover import Fate
from bot.model.state import ReleasePhase, UnitPhase
from bot.sim import docs as make
from tests.sim.planted import alone, broken, documents, released, says
from tests.sim.test_laws_see import Break, two_waves, without
from tests.sim.test_laws_see_record import asked_first, in_batches, taken_back

History = tuple[Any, Any]


def pairs_apart() -> History:
    clusters = [make.cluster(name, "prod", 2, {"haPair": "a"}) for name in ("eu-1", "eu-2")]
    stage = {"name": "all", "units": {}, "order": "score", "spread": ["haPair"]}
    return documents(clusters=clusters, stages=[stage]), released(0, "dns", "2.5.0")


def bad_in_the_first() -> History:
    """The first cluster never gets ready; nothing of it is tolerated."""
    bad = [{"do": "neverReady", "image": "registry.local/dns:2.5.0"}]
    clusters = [
        make.cluster("eu-1", "prod", 2, {}, bad),
        make.cluster("eu-2", "prod", 2, {}),
    ]
    stage = {"name": "all", "units": {}, "order": "name", "waves": [1, "100%"]}
    return documents(clusters=clusters, stages=[stage]), released(0, "dns", "2.5.0")


def replaced() -> History:
    newer = released(60, "dns", "2.6.0", supersedes=["dns-2-5-0"])
    return documents(), [*released(0, "dns", "2.5.0"), *newer]


def paused_in_a_batch() -> History:
    docs = documents(
        clusters=[make.cluster("eu-1", "prod", 60, {})],
        components={"agent": {"batches": [1, "100%"]}},
    )
    return docs, [*released(0, "agent", "2.5.0"), says(80, "pause all --reason look")]


def asked_and_left_out() -> History:
    docs, acts = asked_first()
    skip = says(60, "skip dns@eu-2 --reason later", "ben")
    return docs, [*acts, skip, says(120, "approve dns-2-5-0", "ben")]


def steady() -> History:
    """A check that has to be asked twice."""
    docs = documents(components={"dns": {"checks": {"after": ["steady"], "before": []}}})
    spec = {"cel": {}, "successCondition": "result.total >= 0", "interval": "20s", "count": 2}
    docs["checks/steady.yaml"] = make.doc("Check", "steady", spec)
    return docs, released(0, "dns", "2.5.0")


def leaving(**guard: Any) -> History:
    """2.6.0 leaves behind what 2.5.0 brought, in batches of which the first is one pod."""
    spec: dict[str, Any] = {"batches": [1, "100%"]}
    if guard:
        spec["guard"] = {"delete": guard}
    docs = documents(components={"dns": spec})
    docs["components/dns/templates/dns.yaml"] += make.versioned("dns", "cluster")
    return docs, [*released(0, "dns", "2.5.0"), *released(1200, "dns", "2.6.0")]


def leaving_unasked() -> History:
    return leaving(allow=["ConfigMap"])


def added_and_taken_back() -> History:
    """2.6.0 adds an object beside those of 2.5.0, and goes back."""
    docs, acts = leaving()
    return docs, [*acts, says(2100, "rollback dns-2-6-0 --reason odd")]


# breaks


def uncertified(patch: pytest.MonkeyPatch) -> None:
    """A batch is over when it has converged, whatever comes after it."""
    right = begin._soak

    def soak(t: Turn, u: Any) -> bool:
        if u.state.step >= len(u.component.batches) - 1:
            return right(t, u)
        t.put(replace(u.state, phase=UnitPhase.PENDING, done=u.state.batch, since=t.s.now))
        return True

    patch.setattr(begin, "_soak", soak)


def sized(change: Callable[[int], int]) -> Break:
    """Batches of another size than was written."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        right = begin.batch_ahead

        def ahead(t: Turn, u: Any, seen: Any) -> Ahead:
            found = right(t, u, seen)
            wanted = {key: change(total) for key, total in found.totals.items()}
            return replace(found, step=replace(found.step, targets=wanted))

        patch.setattr(begin, "batch_ahead", ahead)

    return plant


def all_at_once(patch: pytest.MonkeyPatch) -> None:
    """What is driven to is more than what was recorded."""
    right = Turn.goal

    def goal(self: Turn, u: Any, mode: Any) -> Any:
        found = right(self, u, mode)
        return replace(found, targets=found.totals, final=True)

    patch.setattr(Turn, "goal", goal)


def side_by_side(patch: pytest.MonkeyPatch) -> None:
    right = order._filled
    patch.setattr(order, "_filled", lambda ranked, sizes, spread: right(ranked, sizes, ()))


def goes_on_rolling(patch: pytest.MonkeyPatch) -> None:
    """After a pause nothing new begins, and what rolls is let roll."""
    right = lifecycle._still_wanted

    def wanted(t: Turn) -> Any:
        return tuple(pair for pair in right(t) if pair[1].purpose.value != "stop")

    patch.setattr(lifecycle, "_still_wanted", wanted)


def for_good(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decisions, "_void", lambda *_: "")


def half_is_enough(patch: pytest.MonkeyPatch) -> None:
    def good(t: Turn) -> bool:
        return any(unit.phase is UnitPhase.SUCCEEDED for unit in t.units.values())

    patch.setattr(endings, "all_good", good)


def forward_again(patch: pytest.MonkeyPatch) -> None:
    """What is back begins anew."""

    def anew(t: Turn) -> None:
        t.state = replace(t.state, phase=ReleasePhase.PROGRESSING, since=t.s.now)

    patch.setattr(endings, "_rolled_back", anew)


def unready(patch: pytest.MonkeyPatch) -> None:
    without(APPLYING, "converged")(patch)
    without(UnitPhase.SOAKING, "healthy")(patch)


def done_with_the_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(begin, "_final", lambda u: True)


def no_end_of_failures(patch: pytest.MonkeyPatch) -> None:
    without(PENDING, "failure_budget")(patch)
    without(PENDING, "holds")(patch)


def silent(patch: pytest.MonkeyPatch) -> None:
    right = lifecycle.close
    patch.setattr(lifecycle, "close", lambda t, waiting: right(t, []))


def nobody_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leftovers, "has_yes", lambda *_: True)
    patch.setattr("bot.core.goals.says", lambda *_: "allow")
    patch.setattr(leftovers, "says", lambda *_: "allow")


def at_first_contact(patch: pytest.MonkeyPatch) -> None:
    """What left the template leaves with the first batch."""
    right = leftovers.note

    def note(t: Turn, u: Any, seen: Any) -> None:
        right(t, u, seen)
        unit = t.units[u.plan.unit]
        found = tuple(replace(one, fate=Fate.LEAVING) for one in unit.leftovers)
        t.put(replace(unit, leftovers=found, leaving=bool(found)))

    patch.setattr(leftovers, "note", note)


def never_found(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leftovers, "note", lambda *_: None)


def added_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(added, "note", lambda *_: False)


def added_unasked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(added, "says", lambda *_: "allow")


PENDING, APPLYING, VERIFYING = UnitPhase.PENDING, UnitPhase.APPLYING, UnitPhase.VERIFYING
BREAKS: dict[str, tuple[Break, Callable[[], History]]] = {
    "order": (uncertified, in_batches),
    "targets": (sized(lambda total: total), in_batches),
    "no-more": (all_at_once, in_batches),
    "plan": (side_by_side, pairs_apart),
    "failures": (no_end_of_failures, bad_in_the_first),
    "superseded": (without(PENDING, "replaces"), replaced),
    "still": (goes_on_rolling, paused_in_a_batch),
    "binds": (for_good, asked_and_left_out),
    "converged": (unready, bad_in_the_first),
    "certificate": (without(VERIFYING, "checks_after"), steady),
    "success": (done_with_the_first, in_batches),
    "ended-well": (half_is_enough, two_waves),
    "no-return": (forward_again, taken_back),
    "why": (silent, bad_in_the_first),
    "leaves": (nobody_asked, leaving),
    "leaves, at once": (at_first_contact, leaving_unasked),
    "left-over": (never_found, leaving),
    "added": (added_forgotten, added_and_taken_back),
    "added, unasked": (added_unasked, added_and_taken_back),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_law_sees_what_is_broken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only it is read, so that no other law speaks for it."""
    plant, history = BREAKS[name]
    law = name.partition(",")[0]
    assert broken(*history()) == set(), "the history itself has to be lawful"
    plant(monkeypatch)
    alone(monkeypatch, law)
    assert law in broken(*history())
