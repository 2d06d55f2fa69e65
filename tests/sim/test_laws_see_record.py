"""Laws of writes, of the record and of what is told see what is broken on the way to the ports."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bot.adapters.simulated import cluster
from bot.core import begin, chain, endings, lifecycle
from bot.core.gates import GATES
from bot.core.people import Directory
from bot.core.turn import Turn
from bot.core.votes import Votes
from bot.failures import PortError
from bot.model.state import ReleaseState, UnitPhase
from bot.ports import Answer
from bot.reconciler import acting, putting_away, reporting
from bot.reconciler.acting import Errand
from bot.reconciler.ledger import Ledger
from bot.reconciler.reporting import Reporter
from bot.reconciler.tick import Reconciler
from bot.sim.faulty import FaultyFleet
from bot.sim.memory_store import MemoryStore
from bot.sim.script import Act
from tests.sim.planted import alone, broken, documents, released, says
from tests.sim.test_laws_see import Break, two_waves, without

History = tuple[Any, Any]
Send = Callable[[Any, Errand, Any], Any]


def one_release() -> History:
    return documents(), released(0, "dns", "2.5.0")


def in_batches() -> History:
    return documents(components={"dns": {"batches": [1, "100%"]}}), released(0, "dns", "2.5.0")


def taken_back() -> History:
    return documents(), [
        *released(0, "dns", "2.5.0"),
        says(900, "rollback dns-2-5-0 --reason odd"),
    ]


def paused() -> History:
    docs, acts = two_waves()
    return docs, [*acts, says(120, "pause all --reason look")]


def asked_first() -> History:
    approvals = [{"components": {}, "count": 1, "roles": ["approver"]}]
    return documents(approvals=approvals), released(0, "dns", "2.5.0")


def approved_by_its_author() -> History:
    docs, acts = asked_first()
    return docs, [*acts, says(60, "approve dns-2-5-0", "cleo")]


def taken_back_by_a_stranger() -> History:
    back = says(900, "rollback dns-2-5-0 --reason odd", "eve")
    return documents(), [*released(0, "dns", "2.5.0"), back]


def several_notes() -> History:
    docs, acts = one_release()
    return docs, [*acts, says(60, "pause all --reason look"), says(90, "resume all")]


def rebuilt_meanwhile() -> History:
    """Whoever retries and overrides has not said that it is the cluster they know."""
    docs, acts = in_batches()
    retry = says(90, "retry dns@eu-2", "ben")
    ours = says(120, "override dns@eu-2 --gate drift --reason ours", "dan")
    return docs, [*acts, Act(at=60, do="rebuilt", data={"cluster": "eu-2"}), retry, ours]


def broken_main() -> History:
    docs, acts = one_release()
    return docs, [*acts, Act(at=60, do="main-broken", data={})]


# breaks


def sends(change: Callable[[Send, Any, Errand, Any], Any]) -> Break:
    """Something else leaves than what was intended."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        right = acting._send
        patch.setattr(acting, "_send", lambda *args: change(right, *args))

    return plant


def another(send: Send, fleet: Any, errand: Errand, now: Any) -> Any:
    write = replace(errand.write, body={**(errand.write.body or {}), "more": 1})
    return send(fleet, replace(errand, write=write), now)


def twice(send: Send, fleet: Any, errand: Errand, now: Any) -> Any:
    with suppress(PortError):
        send(fleet, errand, now)
    return send(fleet, errand, now)


def unconditional(send: Send, fleet: Any, errand: Errand, now: Any) -> Any:
    return send(fleet, replace(errand, write=replace(errand.write, resource_version=None)), now)


def first_again(patch: pytest.MonkeyPatch) -> None:
    """What was sent first is sent with everything that follows."""
    kept: list[Errand] = []
    right = acting._send

    def send(fleet: Any, errand: Errand, now: Any) -> Any:
        if kept and kept[0].cluster != errand.cluster:
            right(fleet, kept[0], now)
        kept.append(errand)
        return right(fleet, errand, now)

    patch.setattr(acting, "_send", send)


def falling_fences(patch: pytest.MonkeyPatch) -> None:
    """Fences count down, and clusters do not mind."""
    patch.setattr(ReleaseState, "fence", lambda self, unit: f"{1000 - self.seq}.{self.seq}")
    patch.setattr(cluster, "check_fence", lambda *_: None)


def deaf(patch: pytest.MonkeyPatch) -> None:
    """No pause and no hold stops anything."""
    without(UnitPhase.PENDING, "holds")(patch)
    without(UnitPhase.APPLYING, "not_stopped")(patch)
    patch.setattr(lifecycle, "not_stopped", lambda *_: None)
    patch.setattr(lifecycle, "reaches", lambda *_: False)
    patch.setattr(Reconciler, "_stop_asked", lambda self, errand: False)


def anybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Directory, "may", lambda *_: True)


def no_authors(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Directory, "authors", lambda *_: (frozenset(), False))


def answers_again(patch: pytest.MonkeyPatch) -> None:
    """With every answer that is written the earlier ones change."""
    right = MemoryStore.commit

    def commit(self: MemoryStore, changes: Any) -> Any:
        done = right(self, changes)
        if changes.answers:
            self._answers |= {
                note: Answer(code=9, text="no", body={})
                for note in self._answers.keys() - changes.answers.keys()
            }
        return done

    patch.setattr(MemoryStore, "commit", commit)


def loose_chain(patch: pytest.MonkeyPatch) -> None:
    right = MemoryStore._lines
    patch.setattr(
        MemoryStore, "_lines",
        lambda self, events: tuple(replace(one, hash="0" * 64) for one in right(self, events)),
    )  # fmt: skip


def a_fault(patch: pytest.MonkeyPatch) -> None:
    def wrong(t: Turn, u: Any) -> None:
        raise ValueError("odd")

    patch.setitem(GATES, UnitPhase.SOAKING, (wrong,))  # type: ignore[arg-type]


def no_mistakes(patch: pytest.MonkeyPatch) -> None:
    """What cannot be read on main is not noticed."""
    patch.setattr("bot.reconciler.noticing.first_of", lambda errors: None)


def one_key(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reporting, "_digest", lambda event: "same")


def asks_a_stranger(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Votes, "deciders", lambda *_: ("mallory",))


def says_nothing(patch: pytest.MonkeyPatch) -> None:
    """Posts are marked as sent, and stay."""

    def send(self: Reporter, ledger: Ledger) -> None:
        for post in self._outbox.values():
            ledger.put(replace(post, sent=True))
        self._outbox.clear()

    patch.setattr(Reporter, "send", send)


def proposes_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(putting_away, "propose_revert", lambda *_: "pr/revert")


def other_proof(patch: pytest.MonkeyPatch) -> None:
    """The line of the audit names another certificate than the one that is kept."""
    named = SimpleNamespace(DONE=chain.DONE, fingerprint=lambda proof: "0" * 64)
    patch.setattr(begin, "chain", named)


def the_same_cluster(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FaultyFleet, "uid", lambda self, cluster: f"uid-of-{cluster}")


def blocks_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(endings, "_blocks", lambda *_: [])


def of_no_merge(patch: pytest.MonkeyPatch) -> None:
    """It is not written down of which commit on main a release is."""
    right = Ledger.put

    def put(self: Ledger, *rows: Any) -> None:
        right(self, *(replace(o, commit="") if isinstance(o, ReleaseState) else o for o in rows))

    patch.setattr(Ledger, "put", put)


def in_a_rush(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reconciler, "next_due", lambda self: self.ports.clock.now() - timedelta(days=1))


BREAKS: dict[str, tuple[Break, Callable[[], History]]] = {
    "intent": (sends(another), one_release),
    "once": (sends(twice), one_release),
    "force": (sends(unconditional), one_release),
    "in-hand": (first_again, two_waves),
    "merged": (of_no_merge, one_release),
    "fence": (falling_fences, in_batches),
    "stopped": (deaf, paused),
    "held": (deaf, paused),
    "identity": (the_same_cluster, rebuilt_meanwhile),
    "rights": (anybody, taken_back_by_a_stranger),
    "votes": (no_authors, approved_by_its_author),
    "answered": (answers_again, several_notes),
    "chain": (loose_chain, one_release),
    "no-bug": (a_fault, one_release),
    "main": (no_mistakes, broken_main),
    "told": (one_key, one_release),
    "mentions": (asks_a_stranger, asked_first),
    "delivered": (says_nothing, one_release),
    "proposed": (proposes_nothing, taken_back),
    "audit": (other_proof, one_release),
    "sticks": (blocks_nothing, taken_back),
    "no-rush": (in_a_rush, asked_first),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_law_sees_what_is_broken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only it is read, so that no other law speaks for it."""
    plant, history = BREAKS[name]
    assert broken(*history()) == set(), "the history itself has to be lawful"
    plant(monkeypatch)
    alone(monkeypatch, name)
    assert name in broken(*history())
