"""Values files: plain mappings without a kind, as JSON values.

Numbers and booleans are those on which every YAML reader agrees; what readers of YAML 1.1 and 1.2
take differently (`no`, `0644`, `1_000`) is refused.
"""

from __future__ import annotations

import re
from typing import Any

from release_repo_schema.findings import Finding
from release_repo_schema.models.scalars import yaml_reads
from release_repo_schema.yamltext import Reader, read

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]{1,2})?")


def read_values(path: str, data: bytes) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The mapping of a values file, {} where it is empty, None where it has errors."""
    documents, findings = read(path, data, _json_scalar)
    if any(finding.level == "error" for finding in findings):
        return None, findings
    if not documents:
        return {}, findings
    if len(documents) > 1:
        place = documents[1].line
        said = "expected one document in a values file, found several"
        findings.append(_finding(path, place, "several-documents", said, "merge them into one"))
        return None, findings
    value = documents[0].value
    if not isinstance(value, dict):
        said = "expected a mapping of values"
        findings.append(_finding(path, documents[0].line, "wrong-type", said, "write key: value"))
        return None, findings
    return value, findings


def _finding(path: str, line: int, code: str, said: str, hint: str) -> Finding:
    return Finding(path=path, line=line, column=1, code=code, message=said, hint=hint)


def _json_scalar(reader: Reader, event: Any) -> Any:
    text: str = event.value
    if event.style:
        return text
    match yaml_reads(text):
        case "nothing":
            return None
        case "boolean" if text in ("true", "false"):
            return text == "true"
        case "number" if _INTEGER.fullmatch(text):
            return int(text)
        case "number" if _DECIMAL.fullmatch(text):
            return _decimal(reader, text, event)
        case "text" | "date":
            return text
        case reads:
            said = f"`{text}` is a {reads} to some readers of YAML and a text to others"
            plain = "true or false" if reads == "boolean" else "decimal digits"
            hint = f'write "{text}" in quotes, or {plain}'
            reader.report(event.start_mark, "ambiguous-scalar", said, hint)
            return None


def _decimal(reader: Reader, text: str, event: Any) -> float:
    number = float(text)
    if repr(number) != text:
        said = f"`{text}` is a number here, and reads as {number!r}"
        hint = f'write "{text}" in quotes if a text is meant'
        reader.report(event.start_mark, "number-loses-text", said, hint, level="warning")
    return number
