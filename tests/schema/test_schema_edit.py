"""The policy file as the bot edits it: one line more, and the author's own lines as they were."""

from __future__ import annotations

import difflib

import pytest

from release_repo_schema.edit import add_block

POLICY = b"""\
# who may what
apiVersion: sluice/v1
kind: Policy
metadata: {name: policy}
spec:
  floors:                # below it is an error
    - components: {matchLabels: {tier: "0"}}
      soak: 30m
  blocked:
    - {component: node-agent, version: 2.4.9, reason: "INC-1201: drops packets"}
"""


def added(before: bytes, after: bytes) -> list[str]:
    lines = difflib.ndiff(before.decode().splitlines(), after.decode().splitlines())
    return [line for line in lines if line[:1] in "+-"]


def test_a_block_is_one_line_more_in_the_authors_own_style() -> None:
    """A reviewer of the revert sees what was added and nothing else."""
    after = add_block(POLICY, component="node-agent", version="2.5.0", content=None, reason="crash")
    assert added(POLICY, after) == [
        "+     - {component: node-agent, version: 2.5.0, reason: crash}"
    ]


@pytest.mark.parametrize("dash", ["- ", "  - ", "    - "])
def test_lists_keep_the_indent_that_they_have(dash: str) -> None:
    """Some authors indent the dash and some do not."""
    head = "apiVersion: sluice/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  blocked:\n"
    text = f'{head}  {dash}component: a\n  {" " * len(dash)}version: "1"\n'
    after = add_block(text.encode(), component="b", version="2", content="sha256:00", reason="r")
    assert all(line.startswith("+") for line in added(text.encode(), after))


def test_blocking_twice_changes_nothing() -> None:
    """A revert that is proposed again is the same."""
    once = add_block(POLICY, component="a", version="1", content=None, reason="one")
    assert add_block(once, component="a", version="1", content=None, reason="two") == once


def test_a_repo_without_a_policy_gets_one() -> None:
    """The block needs a place to stand."""
    assert b"kind: Policy" in add_block(b"", component="a", version="1", content=None, reason="r")


@pytest.mark.parametrize("text", [b"{ broken", b"apiVersion: sluice/v1\nkind: People\n"])
def test_what_is_no_policy_is_refused(text: bytes) -> None:
    """Nothing is written into a file that is not understood."""
    with pytest.raises(ValueError, match=r"polic|Policy"):
        add_block(text, component="a", version="1", content=None, reason="r")
