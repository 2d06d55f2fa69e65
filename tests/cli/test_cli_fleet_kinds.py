"""`fleet` tells how far a workload is, whatever its kind calls the counts."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cli.clusters import _object


@pytest.mark.parametrize(
    ("kind", "spec", "status", "told"),
    [
        (
            "MachineComponentSet",
            {"componentName": "kubelet", "version": "1.34.2"},
            {"observedGeneration": 3, "desiredNodes": 4, "updatedReadyNodes": 1, "readyNodes": 4},
            "MachineComponentSet kubelet 1.34.2 updatedReadyNodes=1 readyNodes=4 desiredNodes=4",
        ),
        (
            "Widget",
            {"template": "registry.local/widget:2", "replicas": 4},
            {"observedGeneration": 3, "changed": 1, "serving": 4, "ok": True, "newest": "w-1"},
            "Widget kubelet changed=1 serving=4",
        ),
        ("ConfigMap", None, None, "ConfigMap kubelet"),
    ],
)
def test_counts_of_any_kind_are_told(kind: str, spec: Any, status: Any, told: str) -> None:
    """A custom resource without a word of its progress looks like one that stands still."""
    obj = {"kind": kind, "metadata": {"name": "kubelet"}, "spec": spec, "status": status}
    assert _object(obj) == told
