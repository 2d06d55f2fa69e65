"""What a certificate keeps of each kind: revision and digest of every pod that counted."""

from __future__ import annotations

import pytest

from tests.cluster_rules.unit import KINDS, MACHINES, release


@pytest.mark.parametrize("kind", KINDS, ids="/".join)
@pytest.mark.parametrize("updated", [1, 4, 10])
def test_every_pod_that_counts_is_told_with_revision_and_digest(
    kind: tuple[str, str], updated: int
) -> None:
    """What ran, by what its node said it ran, and not by what was asked for."""
    unit = release(*kind)
    progress = unit.forward(updated) if updated < 10 else unit.finish()
    assert progress.converged
    assert len(progress.pods) == updated
    for pod in progress.pods:
        assert pod["revision"]
        assert pod["images"] == ["registry.local/agent:2"]
        assert [digest.partition(":")[0] for digest in pod["digests"]] == ["sha256"]
        assert pod["node"]
    assert len({pod["revision"] for pod in progress.pods}) == 1


def test_of_nodes_themselves_the_version_that_they_report_is_the_proof() -> None:
    unit = release(*MACHINES)
    progress = unit.forward(3)
    assert progress.converged
    assert [(pod["node"], pod["revision"], pod["digests"]) for pod in progress.pods] == [
        (node, "2", []) for node in unit.nodes_on("2")
    ]
