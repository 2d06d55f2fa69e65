"""Edits of a release repo's files that keep the author's comments and order. Text in, text out."""

from __future__ import annotations

import io
from typing import Any

_EMPTY_POLICY = b"apiVersion: sluice/v1\nkind: Policy\nmetadata: {name: policy}\nspec: {}\n"


def add_block(
    policy: bytes, *, component: str, version: str, content: str | None, reason: str
) -> bytes:
    """The policy file with one more entry in `blocked`; the same when it stands there already.

    `policy` may be empty: a file is made. Raises ValueError when it holds no Policy.
    """
    from ruamel.yaml import YAML, YAMLError
    from ruamel.yaml.comments import CommentedSeq

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
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
    blocked.append(entry | {"reason": reason})
    out = io.BytesIO()
    yaml.dump_all(documents, out)
    return out.getvalue()
