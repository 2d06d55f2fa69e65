"""What real `kubectl apply` left on a real API server, replayed without a cluster.

Recorded by tests/cluster/test_merge_like_kubectl.py, which compares the two on the server.
"""

from __future__ import annotations

from typing import Any

import pytest

from bot.cluster.merge import merge3
from tests.cluster.merge_record import recorded

CASES = recorded()


@pytest.mark.parametrize("name", CASES)
def test_the_patch_is_the_one_that_left_what_kubectl_leaves(name: str) -> None:
    case = CASES[name]
    merge = merge3(case["last"], case["live"], case["target"])
    sent: Any = (merge.patch_type.value, merge.patch) if merge else ("none", None)
    assert sent == (case["patchType"], case["patch"])


@pytest.mark.parametrize("name", CASES)
def test_what_the_server_made_of_it_is_at_rest(name: str) -> None:
    """Nothing is sent again, whatever the server wrote differently or filled in."""
    case = CASES[name]
    assert merge3(case["last"], case["afterwards"], case["target"]) is None
    assert merge3(case["target"], case["afterwards"], case["target"]) is None


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 150
