"""What is still to be sent: done once a list is at rest, whoever adds to its elements."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from bot.cluster.merge import merge3
from bot.cluster.settle import pending
from tests.cluster_rules.merging import custom


def clone_set(*containers: dict[str, Any]) -> dict[str, Any]:
    return custom(spec={"template": {"spec": {"containers": list(containers)}}})


OURS = {"name": "web", "image": "web:2"}
FILLED = {**OURS, "imagePullPolicy": "Always"}
OLD = {"name": "web", "image": "web:1"}


def test_what_a_webhook_fills_into_a_custom_resource_is_not_taken_away_for_ever() -> None:
    """It would be filled in again, and the batch would never end."""
    live, target = clone_set(FILLED, {"name": "mesh"}), clone_set(OURS)
    assert merge3(target, live, target) is not None
    assert pending(clone_set(OLD), live, target) is None
    assert pending(None, live, target) is None


def test_what_is_ours_and_left_is_still_taken_away() -> None:
    last = clone_set({**OURS, "args": ["-v"]})
    live = clone_set({**FILLED, "args": ["-v"]})
    assert pending(last, live, clone_set(OURS)) is not None
    assert pending(
        clone_set(OURS, {"name": "old"}), clone_set(OURS, {"name": "old"}), clone_set(OURS)
    )


def test_a_new_image_is_sent_with_the_list_as_kubectl_sends_it() -> None:
    live, target = clone_set({**OLD, "imagePullPolicy": "Always"}), clone_set(OURS)
    before = deepcopy(live)
    merge = pending(clone_set(OLD), live, target)
    assert merge is not None
    assert merge.patch == {"spec": {"template": {"spec": {"containers": [OURS]}}}}
    assert live == before


def test_names_that_are_none_break_nothing() -> None:
    odd = clone_set({"name": {"a": 1}})
    assert pending(None, clone_set(OURS), odd) is not None
    assert pending(odd, odd, odd) is None


def test_a_gate_alone_does_not_bring_the_template_along() -> None:
    """A list with what a webhook added to it is no other template: its revision stays the same."""
    live, target = clone_set(FILLED), clone_set(OURS)
    target["spec"]["updateStrategy"] = {"partition": 7}
    merge = pending(target, live, target)
    assert merge is not None
    assert merge.patch == {"spec": {"updateStrategy": {"partition": 7}}}
    assert merge.result["spec"]["template"] == live["spec"]["template"]
