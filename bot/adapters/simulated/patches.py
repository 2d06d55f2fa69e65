"""What the embedded API server makes of a patch, by the three types that there are.

Refused for what a real one answers with 400, 415 or 422. Never stores anything.
"""

from __future__ import annotations

from typing import Any

from bot.adapters.simulated.api_rules import written
from bot.cluster.json_patch import DoesNotHold, operated
from bot.cluster.merge import merge_patch
from bot.cluster.merge_table import fields_of_kind
from bot.cluster.strategic import BadPatch, strategic_patch
from bot.model.effects import PatchType, Write
from bot.model.plan import JSON, ObjectRef
from bot.ports import Refused


def patched(ref: ObjectRef, obj: JSON, write: Write) -> JSON:
    """The object after the patch: without status, without what the server owns."""
    if write.patch_type is PatchType.JSON:
        return written(_by_operations(ref, obj, write.body))
    if not isinstance(write.body, dict):
        raise Refused(f"{ref.short}: the patch is no object")
    patch = written(write.body)
    if write.patch_type is PatchType.MERGE:
        return merge_patch(obj, patch)
    fields = fields_of_kind(ref.api_version, ref.kind)
    if fields is None:
        raise Refused(
            f"{ref.short}: the body of the request was in an unknown format - accepted media types"
            " include: application/json-patch+json, application/merge-patch+json,"
            " application/apply-patch+yaml"
        )
    try:
        return strategic_patch(obj, patch, fields)
    except BadPatch as bad:
        raise Refused(f"{ref.short}: {bad}") from None


def _by_operations(ref: ObjectRef, obj: JSON, operations: Any) -> JSON:
    """RFC 6902. One operation that does not hold, and nothing is written."""
    if not isinstance(operations, list):
        raise Refused(f"{ref.short}: the patch is no list of operations")
    try:
        return operated(obj, operations)
    except DoesNotHold as wrong:
        raise Refused(f"{ref.short}: {wrong}") from None
