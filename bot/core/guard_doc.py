"""The built-in list of the guard as a table of the docs, read off the rules themselves.

`docs/generate.py` writes it; a test holds the page to it. Reads and writes no file itself.
"""

from __future__ import annotations

from bot.cluster.guard_rules import DELETED, Act, built_in
from bot.core.messages_guard import REASONS

_SOME = {
    "to_nothing": "to 0",
    "shrinks": "when it shrinks",
    "to_recreate": "to Recreate",
    "both_are_set": "from one value to another",
    "was_set": "when there was one",
    "is_on": "when it was true",
    "loses_data": "to Delete",
}
"""Where a rule holds in some cases only: the name of its condition → these cases."""


def guard_markdown() -> str:
    """One row a reason, kinds and fields in it."""
    rows: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for rule in built_in():
        kinds, fields = rows.setdefault((rule.act.value, rule.reason), ({}, {}))
        when = f" {_SOME[rule.when.__name__]}" if rule.when is not None else ""
        kinds |= dict.fromkeys(sorted({kind for _, kind in rule.kinds}))
        fields[f"`{rule.path.text}`{when}"] = None
    block, ask = Act.BLOCK.value, Act.ASK.value
    crd, sealed = {"CustomResourceDefinition": None}, {"ConfigMap": None, "Secret": None}
    stored = "`spec.versions`: one that is among `status.storedVersions`"
    rows[block, "crd-stored"] = (crd, {stored: None})
    rows[block, "sealed-data"] = (sealed, {"`data`, `binaryData` where `immutable` is true": None})
    for (_, kind), reason in DELETED.items():
        rows[block, reason] = ({kind: None}, {"its deletion on the way forward": None})
    lines = ["| | Kinds | Fields | Why |", "|---|---|---|---|"]
    for act in (block, ask):
        lines += [
            f"| {act} | {', '.join(kinds) or 'every kind'} | {', '.join(fields)} "
            f"| {REASONS[reason]} |"
            for (of, reason), (kinds, fields) in rows.items()
            if of == act
        ]
    return "\n".join(lines)
