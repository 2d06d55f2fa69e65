"""YAML as the contract reads it: the text of every scalar, its place, and nothing guessed.

Built from the parser's events, one after another: nothing is resolved, constructed, merged or
expanded behind one's back, and every limit is checked before memory is spent. Whatever the bytes
are, the answer is documents and findings, never an exception.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml

from release_repo_schema.encoding import INVISIBLE, decode
from release_repo_schema.findings import Finding, Level, Pointer
from release_repo_schema.models.scalars import Plain, yaml_reads

MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_DOCUMENTS = 2_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Place(NamedTuple):
    """Where a node stands, and where the key before it, both counted from 1."""

    line: int
    column: int
    key_line: int
    key_column: int
    is_scalar: bool


@dataclass(slots=True)
class Raw:
    """One document as text: dicts, lists, `Plain` for unquoted and `str` for quoted scalars."""

    value: Any
    line: int
    places: dict[Pointer, Place] | None = None


class _Stop(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(slots=True)
class _Anchor:
    value: Any
    nodes: int
    depth: int


Scalar = Callable[["Reader", Any], Any]


def read(
    path: str, data: bytes, scalar: Scalar | None = None, *, places: bool = False
) -> tuple[list[Raw], list[Finding]]:
    """All documents of a file, as far as they can be read, and everything wrong with it as YAML."""
    reader = Reader(path, scalar or keep_text, places)
    reader.run(data)
    return reader.documents, reader.findings


def keep_text(reader: Reader, event: Any) -> Any:
    """A scalar of a kind file: its text, and whether it was quoted. Nothing is no value there."""
    text: str = event.value
    if event.style:
        return text
    if not text or (text[0] in "~nN" and yaml_reads(text) == "nothing"):
        hint = "leave the field out, or quote the text" if text else "leave the field out"
        reader.report(event.start_mark, "empty-value", "expected a value, found nothing", hint)
        return None
    return Plain(text)


class Reader:
    """Reads one file. Findings are collected; only a broken file ends early."""

    def __init__(self, path: str, scalar: Scalar, places: bool) -> None:
        self.path = path
        self.documents: list[Raw] = []
        self.findings: list[Finding] = []
        self._scalar = scalar
        self._with_places = places
        self._places: dict[Pointer, Place] | None = None
        self._anchors: dict[str, _Anchor | None] = {}
        self._nodes = 0
        self._next: Callable[[], Any] = lambda: None

    def report(
        self, mark: Any, code: str, message: str, hint: str = "", level: Level = "error"
    ) -> None:
        """Collect a finding at a mark of the parser."""
        self.findings.append(self._finding(mark, code, message, hint, level))

    def _finding(
        self, mark: Any, code: str, message: str, hint: str = "", level: Level = "error"
    ) -> Finding:
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (None, None)
        return Finding(
            path=self.path, line=line, column=column, level=level, code=code, message=message,
            hint=hint,
        )  # fmt: skip

    def run(self, data: bytes) -> None:
        """Read everything that can be read."""
        text, self.findings = decode(self.path, data)
        if text is None:
            return
        loader = None
        try:
            loader = _LOADER(text)
            self._next = loader.get_event
            self._stream()
        except _Stop as stop:
            # Beyond a limit nothing of the file counts: one line says why.
            self.documents.clear()
            self.findings = [stop.finding]
        except yaml.MarkedYAMLError as error:
            self._syntax(error, text)
        except (yaml.YAMLError, ValueError) as error:
            said = str(error).splitlines()[0]
            self.report(None, "yaml-syntax", f"not valid YAML: {said}")
        finally:
            if loader is not None:
                loader.dispose()

    def _syntax(self, error: yaml.MarkedYAMLError, text: str) -> None:
        mark: Any = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it cannot be read"
        line = ""
        if mark is not None:
            lines = text.splitlines()
            line = lines[mark.line] if mark.line < len(lines) else ""
        self.report(mark, "yaml-syntax", f"not valid YAML: {problem}", _syntax_hint(problem, line))

    def _stream(self) -> None:
        self._next()  # the stream's start
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if len(self.documents) >= MAX_DOCUMENTS:
                said = f"expected at most {MAX_DOCUMENTS} documents in a file"
                raise _Stop(self._finding(event.start_mark, "too-many-documents", said))
            self._document()

    def _document(self) -> None:
        self._anchors.clear()
        self._places = {} if self._with_places else None
        first: Any = self._next()
        raw = Raw(None, first.start_mark.line + 1, self._places)
        blank = isinstance(first, yaml.ScalarEvent) and not first.value and not first.style
        if not blank:
            raw.value = self._node(first, 1, (), first.start_mark)
        if blank and first.tag is None:
            self._next()  # an empty document between two markers says nothing
            return
        self._next()  # the document's end
        self.documents.append(raw)

    def _node(self, event: Any, depth: int, pointer: Pointer, key_mark: Any) -> Any:
        mark = event.start_mark
        self._count(1, depth, mark)
        if self._places is not None:
            self._places[pointer] = Place(
                mark.line + 1, mark.column + 1, key_mark.line + 1, key_mark.column + 1,
                isinstance(event, yaml.ScalarEvent | yaml.AliasEvent),
            )  # fmt: skip
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if event.tag is not None:
            said = f"expected no tag, found `{_tag(event.tag)}`"
            self.report(mark, "explicit-tag", said, "drop the tag; quote a text")
        before = self._nodes
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        value: Any
        deepest = depth
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(self, event)
            if event.style == '"' and INVISIBLE.search(event.value):
                said = "the text holds a character that cannot be seen, written as an escape"
                self.report(mark, "invisible-character", said, "delete it")
        elif isinstance(event, yaml.MappingStartEvent):
            value, deepest = self._mapping(depth, pointer)
        else:
            value, deepest = self._sequence(depth, pointer)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(value, self._nodes - before + 1, deepest - depth)
        self._deepest = deepest
        return value

    _deepest = 0

    def _count(self, nodes: int, depth: int, mark: Any) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            said = f"expected at most {MAX_NODES} nodes in a file, aliases expanded"
            raise _Stop(
                self._finding(mark, "too-many-nodes", said, "split it; write fewer aliases")
            )
        if depth > MAX_DEPTH:
            said = f"expected at most {MAX_DEPTH} levels of nesting"
            raise _Stop(self._finding(mark, "too-deep", said, "flatten it"))

    def _alias(self, event: yaml.AliasEvent, depth: int) -> Any:
        mark = event.start_mark
        if event.anchor not in self._anchors:
            said = f"no anchor `&{event.anchor}` stands before this alias in its document"
            self.report(mark, "unknown-alias", said)
            return None
        anchor = self._anchors[event.anchor]
        if anchor is None:
            self.report(mark, "recursive-alias", f"`*{event.anchor}` stands inside its own anchor")
            return None
        self._count(anchor.nodes - 1, depth + anchor.depth, mark)
        self._deepest = depth + anchor.depth
        return anchor.value

    def _sequence(self, depth: int, pointer: Pointer) -> tuple[list[Any], int]:
        items: list[Any] = []
        deepest = depth
        recording = self._places is not None
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            inner = (*pointer, len(items)) if recording else pointer
            self._deepest = depth + 1
            items.append(self._node(event, depth + 1, inner, event.start_mark))
            deepest = max(deepest, self._deepest)
        return items, deepest

    def _mapping(self, depth: int, pointer: Pointer) -> tuple[dict[str, Any], int]:
        items: dict[str, Any] = {}
        lines: dict[str, int] = {}
        deepest = depth
        recording = self._places is not None
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event, depth)
            odd, said = not isinstance(event, yaml.ScalarEvent), len(self.findings)
            mark = event.start_mark
            if key is not None and key in items:
                twice = f"the key `{key}` is there twice, first in line {lines[key]}"
                self.report(mark, "duplicate-key", twice, "keep one of them")
                key = None
            inner = (*pointer, key) if recording and key is not None else (*pointer, "\0")
            self._deepest = depth + 1
            value = self._node(self._next(), depth + 1, inner if recording else pointer, mark)
            if odd:
                del self.findings[said:]  # one mistake, one line: `{{ x }}` without quotes
            deepest = max(deepest, self._deepest)
            if key is not None:
                items[key] = value
                lines[key] = mark.line + 1
        return items, deepest

    def _key(self, event: Any, depth: int) -> str | None:
        mark = event.start_mark
        if not isinstance(event, yaml.ScalarEvent):
            places, self._places = self._places, None
            before = len(self.findings)
            self._node(event, depth + 1, (), mark)
            self._places = places
            del self.findings[before:]
            said = "expected a key that is a text, found a mapping, list or alias"
            self.report(mark, "key-not-a-string", said, "quote a text that begins with {{ or *")
            return None
        self._count(1, depth, mark)
        text: str = event.value
        if event.tag is not None:
            said = f"expected no tag, found `{_tag(event.tag)}`"
            self.report(mark, "explicit-tag", said, "drop it")
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(text, 1, 0)
        if event.style:
            return text
        if text == "<<":
            self.report(mark, "merge-key", "merge keys `<<` are not read", "write the keys out")
            return None
        if (reads := yaml_reads(text)) != "text":
            kind = reads if reads == "nothing" else f"a {reads}"
            said = f"expected a key that is a text, found `{text}`, which YAML reads as {kind}"
            self.report(mark, "key-not-a-string", said, f'write "{text}" in quotes')
            return None
        return text


def _tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def _syntax_hint(problem: str, line: str) -> str:
    if line.lstrip(" ").startswith("\t"):
        return "indent with spaces, not with tabs"
    if "mapping values are not allowed" in problem:
        return "quote a text that holds `: `, or check the indentation"
    if "cannot start any token" in problem:
        return "quote a text that begins with %, @, ` or a tab"
    if "{{" in line:
        return 'quote a text that begins with {{, such as "{{ version }}"'
    if "did not find expected" in problem or "block end" in problem:
        return "check the indentation, brackets and quotes here and just above"
    return ""
