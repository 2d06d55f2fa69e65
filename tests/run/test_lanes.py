"""Calls to many clusters: side by side, in order within each, and nobody waits for one that hangs.

Hanging calls wait for an event of the test's own; no time passes but the patience that is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock

import pytest

from bot.reconciler.lanes import AT_ONCE, BEHIND, THREADS, Call, Lanes, Late

BRIEF = 0.05
LONG = 20.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(THREADS) as found:
        yield found


@pytest.fixture
def answers() -> Iterator[Event]:
    """Set: whoever hangs gets its answer. At the end in any case, so that no thread stays."""
    found = Event()
    yield found
    found.set()


def hanging(event: Event, said: str = "at last") -> Callable[[], str]:
    def do() -> str:
        assert event.wait(LONG)
        return said

    return do


def saying(text: str) -> Callable[[], str]:
    return lambda: text


def test_without_a_pool_everything_is_done_in_order_by_the_caller() -> None:
    """The simulation and every story stand on it: the same again gives the same again."""
    done: list[int] = []
    calls = [Call(f"c-{n % 3}", ("look", str(n)), lambda n=n: done.append(n)) for n in range(9)]
    Lanes(None).run(calls)
    assert done == list(range(9))


def test_different_clusters_are_called_side_by_side(pool: ThreadPoolExecutor) -> None:
    """Each waits until all have come: one after the other they would never meet."""
    meeting = Barrier(AT_ONCE, timeout=LONG)
    calls = [Call(f"c-{n}", ("look", str(n)), meeting.wait) for n in range(AT_ONCE)]
    assert sorted(Lanes(pool, patience=LONG).run(calls)) == list(range(AT_ONCE))


def test_a_thousand_clusters_never_have_more_threads_than_agreed(pool: ThreadPoolExecutor) -> None:
    """The limit is the machine's, not the fleet's."""
    lock, now, most = Lock(), [0], [0]

    def do() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        with lock:
            now[0] -= 1

    Lanes(pool).run([Call(f"c-{n}", ("look", str(n)), do) for n in range(1000)])
    assert 1 <= most[0] <= AT_ONCE


def test_the_writes_of_one_cluster_keep_their_order(pool: ThreadPoolExecutor) -> None:
    """Namespaces before what is in them, whoever else is being written meanwhile."""
    done: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    calls = [
        Call(name, ("write", f"{name}{n}"), lambda name=name, n=n: done[name].append(n))
        for n in range(50)
        for name in done
    ]
    Lanes(pool).run(calls)
    assert all(order == list(range(50)) for order in done.values())


def test_what_came_of_each_call_is_told_in_the_order_of_the_calls(pool: ThreadPoolExecutor) -> None:
    calls = [Call(f"c-{n % 7}", ("look", str(n)), saying(str(n))) for n in range(100)]
    assert Lanes(pool).run(calls, width=4) == [str(n) for n in range(100)]


def test_a_hanging_cluster_delays_nobody_else(pool: ThreadPoolExecutor, answers: Event) -> None:
    """The night's worst cluster is one line of the report, not the pace of the fleet."""
    lanes = Lanes(pool, patience=BRIEF)
    calls = [Call("hangs", ("look", "h"), hanging(answers))]
    calls += [Call(f"c-{n}", ("look", str(n)), saying("fine")) for n in range(200)]
    found = lanes.run(calls)
    assert found[0] == Late(begun=True)
    assert found[1:] == ["fine"] * 200
    assert lanes.behind == 1


def test_nothing_new_is_sent_to_where_a_call_hangs(
    pool: ThreadPoolExecutor, answers: Event
) -> None:
    """It would hang behind it, and of two writes nobody could say which comes first."""
    lanes, sent = Lanes(pool, patience=BRIEF), list[str]()
    after = Call("hangs", ("write", "after"), lambda: sent.append("after"))
    assert lanes.run([Call("hangs", ("write", "h"), hanging(answers)), after]) == [
        Late(begun=True),
        Late(begun=False),
    ]
    assert lanes.run([after]) == [Late(begun=False)]
    assert lanes.waits("hangs") > 0
    assert lanes.waits("other") == 0
    assert sent == []


def test_what_comes_in_late_is_told_once_and_the_way_is_open_again(
    pool: ThreadPoolExecutor, answers: Event
) -> None:
    lanes = Lanes(pool, patience=BRIEF)
    lanes.run([Call("slow", ("write", "w"), hanging(answers, "done"))])
    assert lanes.came("write") == {}
    answers.set()
    pool.shutdown(wait=True)
    assert lanes.came("look") == {}
    assert lanes.came("write") == {"w": "done"}
    assert lanes.came("write") == {}
    assert (lanes.behind, lanes.waits("slow")) == (0, 0.0)


def test_a_fault_of_our_own_in_a_call_is_raised_where_it_is_waited_for(
    pool: ThreadPoolExecutor,
) -> None:
    """A bug stops a release; it must not vanish in a thread."""

    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Lanes(pool).run([Call("c", ("look", "c"), broken)])


def test_a_dead_data_centre_does_not_take_all_threads(
    pool: ThreadPoolExecutor, answers: Event
) -> None:
    """A hundred clusters that all hang: the others are seen in the same round."""
    lanes = Lanes(pool, patience=BRIEF)
    dead = [Call(f"dead-{n}", ("look", f"d{n}"), hanging(answers)) for n in range(BEHIND)]
    well = [Call(f"c-{n}", ("look", str(n)), saying("fine")) for n in range(100)]
    assert lanes.run([*dead, *well])[BEHIND:] == ["fine"] * 100
    assert lanes.behind == BEHIND
    more = [Call(f"more-{n}", ("look", f"m{n}"), hanging(answers)) for n in range(AT_ONCE)]
    lanes._slow |= {call.cluster for call in more}
    assert lanes.run([*more, *well])[AT_ONCE:] == ["fine"] * 100
    assert lanes.behind == BEHIND, "who is known to hang gets no thread that others need"


def test_who_was_slow_is_asked_last_and_who_was_passed_over_first(
    pool: ThreadPoolExecutor,
) -> None:
    """A round that ends before all had their turn goes on with them, not from the front."""
    lanes = Lanes(pool, whole=0.0)
    calls = [Call(f"c-{n}", ("look", str(n)), saying("fine")) for n in range(3)]
    assert lanes.run(calls) == [Late(begun=False)] * 3
    lanes.whole = LONG
    asked: list[str] = []
    lanes._passed, lanes._slow = {"c-2"}, {"c-0"}
    order = Lock()

    def note(name: str) -> Callable[[], None]:
        def do() -> None:
            with order:
                asked.append(name)

        return do

    with ThreadPoolExecutor(1) as alone:
        lanes.pool = alone
        lanes.run([Call(f"c-{n}", ("look", str(n)), note(f"c-{n}")) for n in range(3)])
    assert asked == ["c-2", "c-1", "c-0"]
