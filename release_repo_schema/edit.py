"""Edits of a release repo's files that keep the author's comments and order. Text in, text out."""

from __future__ import annotations

import io
import re
from typing import Any

_EMPTY_POLICY = b"apiVersion: sluice/v1\nkind: Policy\nmetadata: {name: policy}\nspec: {}\n"


def add_block(
    policy: bytes, *, component: str, version: str, content: str | None, reason: str
) -> bytes:
    """The policy file with one more entry in `blocked`; the same when it stands there already.

    `policy` may be empty: a file is made. Raises ValueError when it holds no Policy.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=2 + _offset(policy), offset=_offset(policy))
    try:
        documents = list(yaml.load_all(io.BytesIO(policy or _EMPTY_POLICY)))
    except YAMLError as error:
        raise ValueError("the policy file is no YAML") from error
    found = next((d for d in documents if isinstance(d, dict) and d.get("kind") == "Policy"), None)
    if found is None:
        raise ValueError("the file holds no Policy")
    spec = found.setdefault("spec", {})
    blocked = spec.get("blocked")
    if blocked is None:
        blocked = spec["blocked"] = CommentedSeq()
    entry: dict[str, Any] = {"component": component, "version": version}
    if content is not None:
        entry["content"] = content
    if any(all(old.get(key) == value for key, value in entry.items()) for old in blocked):
        return policy
    added = CommentedMap(entry | {"reason": reason})
    if blocked and isinstance(blocked[-1], CommentedMap) and blocked[-1].fa.flow_style():
        added.fa.set_flow_style()
    blocked.append(added)
    out = io.BytesIO()
    yaml.dump_all(documents, out)
    return out.getvalue()


def _offset(text: bytes) -> int:
    """How far the author indents the dash of a list below its key; 2 where no list shows it."""
    found = re.search(
        rb"^( *)[\w-]+:[ \t]*(?:#[^\n]*)?\n(?: *#[^\n]*\n)*( *)- ", text, re.MULTILINE
    )
    return max(0, len(found[2]) - len(found[1])) if found else 2
