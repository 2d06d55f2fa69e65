"""What the contract names and this version does not do: using it is an error, never ignored.

The list shrinks as the version grows; a field leaves it in the same change that makes it work.
"""

from __future__ import annotations

from collections.abc import Iterator

from release_repo_schema.findings import Pointer
from release_repo_schema.models import (
    Check,
    KindModel,
)

CHECK_KINDS_NOW = frozenset(("workload", "cel"))


def not_in_this_version(model: KindModel) -> Iterator[tuple[Pointer, str]]:
    """Each use of what is not done yet: where, and what."""
    match model:
        case Check():
            for kind in model.spec.kinds():
                if kind not in CHECK_KINDS_NOW:
                    yield ("spec", kind), f"a check by {kind}"
        case _:
            return
