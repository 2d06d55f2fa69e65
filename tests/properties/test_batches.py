"""What holds of every batch, however a cluster changes between two of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.core.batches import cumulative, next_step

WRITTEN = st.lists(
    st.integers(1, 12) | st.integers(1, 99).map(lambda share: f"{share}%"), min_size=0, max_size=4
).map(lambda written: [*written, "100%"])
COUNTS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 12), min_size=1)


@given(WRITTEN, st.lists(COUNTS, min_size=1, max_size=6))
def test_no_batch_is_smaller_than_the_one_before(
    written: list[int | str], seen: list[dict[str, int]]
) -> None:
    """Nodes come and go, workloads too: what was updated is never given up by a later batch."""
    done, previous = -1, dict[str, int]()
    for totals in seen:
        step = next_step(written, totals, done=done, previous=previous)
        assert step.index > done or step.last
        for key in totals:
            assert step.targets[key] >= previous.get(key, 0)
        done, previous = step.index, dict(step.targets)
        if step.last:
            assert all(step.targets[key] >= totals[key] for key in totals)
            return


@given(st.integers(1, 100), st.integers(0, 1000))
def test_a_share_is_never_less_than_it_says(share: int, total: int) -> None:
    """Rounded up: a share of few is one, and the whole is everything."""
    found = cumulative(f"{share}%", total)
    assert found * 100 >= share * total
    assert (found - 1) * 100 < share * total
