"""Bytes of a file → text that can be shown, or the findings that say why not.

What an editor hides is refused: control characters, reversed writing direction, invisible spaces.
"""

from __future__ import annotations

import re
from itertools import islice

from release_repo_schema.findings import Finding, Level

MAX_BYTES = 1024 * 1024
SHOWN_AT_MOST = 20
INVISIBLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    "|[\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def decode(path: str, data: bytes) -> tuple[str | None, list[Finding]]:
    """The text of a file and what is wrong with it; None where it cannot be read on."""
    if len(data) > MAX_BYTES:
        said = f"expected a file of at most {MAX_BYTES} bytes, found {len(data)}"
        hint = "split it into several files"
        return None, [Finding(path=path, code="file-too-large", message=said, hint=hint)]
    findings: list[Finding] = []
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        hint = "save it as UTF-8 without BOM"
        said = "the file begins with a byte order mark"
        findings.append(_at(path, "byte-order-mark", said, hint, "", 0, "warning"))
    if b"\r\n" in data:
        hint = "save it with LF line endings"
        said = "the file has Windows line endings"
        findings.append(_at(path, "crlf-line-endings", said, hint, "", 0, "warning"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        said = f"expected UTF-8, found the byte 0x{data[error.start]:02x}"
        hint = "save it as UTF-8"
        findings.append(_at(path, "not-utf-8", said, hint, before, len(before)))
        return None, findings
    matches = islice(INVISIBLE.finditer(text), SHOWN_AT_MOST)
    hidden = [_hidden(path, text, match) for match in matches]
    return (None if hidden else text), findings + hidden


def _hidden(path: str, text: str, match: re.Match[str]) -> Finding:
    said = f"a character that cannot be seen: U+{ord(match[0]):04X}"
    return _at(path, "invisible-character", said, "delete it", text, match.start())


def _at(
    path: str, code: str, said: str, hint: str, text: str, position: int, level: Level = "error"
) -> Finding:
    return Finding(
        path=path,
        line=text.count("\n", 0, position) + 1,
        column=position - text.rfind("\n", 0, position),
        level=level,
        code=code,
        message=said,
        hint=hint,
    )
