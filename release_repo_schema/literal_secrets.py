"""Secrets written out in templates and manifests: an error, wherever they stand.

It looks at text, since templates are no YAML yet; what it finds is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from release_repo_schema.findings import Finding

MAX_BYTES = 4 * 1024 * 1024
_SECRET = re.compile(r"""(?:^|[{,\s"'])kind["']?[ \t]*:[ \t]*["']?Secret["']?(?=[\s,}#]|$)""", re.M)
_DATA = re.compile(
    r"""(?:^|[{,\s"'])(?:data|stringData)["']?[ \t]*:"""
    r"""(?![ \t]*(?:\{[ \t]*\}|null|~)[ \t]*(?:$|[,}#]))""",
    re.M,
)
_BETWEEN = re.compile(r"^---", re.M)


def literal_secrets(path: str, data: bytes) -> Iterator[Finding]:
    """A finding for every document of kind Secret that carries data."""
    if len(data) > MAX_BYTES:
        said = f"expected a file of at most {MAX_BYTES} bytes, found {len(data)}"
        yield Finding(path=path, code="file-too-large", message=said, hint="split it")
        return
    if b"Secret" not in data:
        return
    text = data.decode("utf-8", "replace")
    starts = [0, *(match.start() for match in _BETWEEN.finditer(text)), len(text)]
    for start, end in pairwise(starts):
        document = text[start:end]
        held = _DATA.search(document) if _SECRET.search(document) else None
        if held is not None:
            position = start + held.start() + (len(held[0]) - len(held[0].lstrip()))
            yield Finding(
                path=path,
                line=text.count("\n", 0, position) + 1,
                column=position - text.rfind("\n", 0, position),
                code="literal-secret",
                message="expected no data in a Secret, found some written out",
                hint="name a Secret that exists in the cluster; take this one out of Git's history",
            )
