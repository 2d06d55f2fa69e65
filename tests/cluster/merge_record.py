"""The recorded cases of the differential suite: a file that `make test` replays without a cluster.

Written by tests/cluster/test_merge_like_kubectl.py with --update-golden.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.cluster.merge_duel import Duel

FILE = Path(__file__).parents[1] / "cluster_rules" / "kubectl_apply.jsonl"


def write(duels: Iterable[Duel]) -> None:
    """One line a case."""
    lines = [json.dumps(_told(duel), sort_keys=True) for duel in duels]
    FILE.write_text("".join(f"{line}\n" for line in sorted(lines)))


def recorded() -> dict[str, Any]:
    if not FILE.exists():
        return {}
    found = map(json.loads, FILE.read_text(encoding="utf-8").splitlines())
    return {one["case"]: one for one in found}


def _told(duel: Duel) -> dict[str, Any]:
    from tests.cluster.merge_duel import bare

    return {
        "case": duel.case.name,
        "last": duel.last,
        "live": bare(duel.live),
        "target": duel.target,
        "patchType": duel.merge.patch_type.value if duel.merge else "none",
        "patch": duel.merge.patch if duel.merge else None,
        "afterwards": bare(duel.ours),
    }
