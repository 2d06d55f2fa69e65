"""sim from the terminal: what it refuses before it runs anything."""

from __future__ import annotations

from tests.cli.terminal import sluice


def test_a_time_and_a_number_of_histories_are_not_given_together() -> None:
    """One of the two would be passed over in silence."""
    said = sluice("sim", "--seconds", "1", "--seeds", "1")
    assert said.code == 2
    assert "instead of --seeds: give one" in said.err
