"""Rendered text → JSON values, by the rules that Kubernetes' own tools read YAML with.

Runs inside the render worker. Builds plain data only: tags make no objects, aliases cannot grow
without end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

NODES = 50_000
DEPTH = 64

try:
    from yaml._yaml import CParser as _Parser

    class _Loader(_Parser):
        """The fast parser; plain and quoted scalars are told apart, nothing else is decided."""

        def resolve(self, kind: object, value: object, implicit: Any) -> str:
            return _resolve(implicit)

        def descend_resolver(self, *_: object) -> None: ...

        def ascend_resolver(self) -> None: ...
except ImportError:  # PyYAML without its C part

    class _Loader(  # type: ignore[no-redef]
        yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser, yaml.composer.Composer
    ):
        """The same in Python alone."""

        def __init__(self, text: str) -> None:
            yaml.reader.Reader.__init__(self, text)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)
            yaml.composer.Composer.__init__(self)

        def resolve(self, kind: object, value: object, implicit: Any) -> str:
            return _resolve(implicit)

        def descend_resolver(self, *_: object) -> None: ...

        def ascend_resolver(self) -> None: ...

        def dispose(self) -> None: ...


_TRUE = ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
_FALSE = ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(_TRUE, True),
    **dict.fromkeys(_FALSE, False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_NO_NUMBER = frozenset((".inf", ".Inf", ".INF", "+.inf", "-.inf", "-.Inf", ".nan", ".NaN", ".NAN"))
_INT = re.compile(r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TAG = "tag:yaml.org,2002:"


class Mistake(Exception):
    """Text that is no YAML or no JSON value. `line` counts from 0 in the text."""

    def __init__(self, message: str, line: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.line, self.hint = message, line, hint


def documents(text: str) -> Iterator[tuple[int, Any]]:
    """(line counted from 0, value) of each document."""
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None, "check_node said that there is one"
            yield node.start_mark.line, _Builder().value(node, 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = error.problem or error.context or "this is no YAML"
        raise Mistake(f"this is no YAML: {message}", mark.line if mark else 0) from None
    except yaml.YAMLError as error:
        raise Mistake(f"this is no YAML: {' '.join(str(error).split())}", 0) from None
    finally:
        loader.dispose()


def _resolve(implicit: Any) -> str:
    if isinstance(implicit, tuple):
        return "plain" if implicit[0] else "quoted"
    return "collection"


class _Builder:
    """Builds the value of one document; counts, so that aliases of aliases end early."""

    def __init__(self) -> None:
        self._nodes = 0

    def value(self, node: yaml.Node, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > NODES:
            raise Mistake(
                f"the document has more than {NODES} values",
                node.start_mark.line,
                "aliases count in full",
            )
        if depth > DEPTH:
            raise Mistake(f"the document is nested deeper than {DEPTH}", node.start_mark.line)
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if node.tag not in ("collection", f"{_TAG}map", f"{_TAG}seq"):
            raise _foreign_tag(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        return self._map(node, depth)

    def _map(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.value == "<<" and key_node.tag == "plain":
                merged.append(value_node)
                continue
            key = _key(key_node)
            if key in found:
                raise Mistake(f"the key `{key}` stands twice in one map", key_node.start_mark.line)
            found[key] = self.value(value_node, depth + 1)
        for source in merged:
            for key, value in self._merged(source, depth + 1).items():
                found.setdefault(key, value)
        return found

    def _merged(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        value = self.value(node, depth)
        found: dict[str, Any] = {}
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict):
                raise Mistake("`<<` takes a map or a list of maps", node.start_mark.line)
            for key, inner in item.items():
                found.setdefault(key, inner)
        return found


def _scalar(node: yaml.Node) -> Any:
    text: str = node.value
    if node.tag == "quoted" or node.tag == f"{_TAG}str":
        return text
    if node.tag != "plain":
        raise _foreign_tag(node)
    return resolved(text, node.start_mark.line)


def resolved(text: str, line: int = 0) -> Any:
    """The value of an unquoted scalar: dates, times and versions with two dots stay text."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first not in "+-.0123456789":
        return text
    if text in _NO_NUMBER:
        raise Mistake(f"`{text}` is no number that JSON knows", line, "put it in quotes")
    if _INT.fullmatch(text):
        digits = text.replace("_", "")
        unsigned = digits.lstrip("+-")
        octal = len(unsigned) > 1 and unsigned[0] == "0" and unsigned[1].isdigit()
        return int(digits, 8) if octal else int(digits, 0)
    if _FLOAT.fullmatch(text):
        number = float(text)
        # Too large for a number: Kubernetes keeps the text too (a short commit id may look so).
        return text if number in (float("inf"), float("-inf")) else number
    return text


def _key(node: yaml.Node) -> str:
    line = node.start_mark.line
    if not isinstance(node, yaml.ScalarNode):
        raise Mistake("a key must be text", line)
    value = _scalar(node)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and str(value) == node.value:
        return str(node.value)
    raise Mistake(
        f"the key `{node.value}` is read as {value!r}, not as text", line, "put it in quotes"
    )


def _foreign_tag(node: yaml.Node) -> Mistake:
    tag = str(node.tag).replace(_TAG, "!!")
    return Mistake(
        f"the tag `{tag}` is not taken", node.start_mark.line, "plain YAML has all that is needed"
    )


class _Dumper(yaml.SafeDumper):
    """Writes text so that it is read as text again."""

    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.add_implicit_resolver(f"{_TAG}bool", re.compile("^[yYnN]$"), list("yYnN"))
_Dumper.add_implicit_resolver(
    f"{_TAG}float", re.compile(f"^(?:{_FLOAT.pattern})$"), list("+-.0123456789")
)
_Dumper.add_implicit_resolver(
    f"{_TAG}int", re.compile(f"^(?:{_INT.pattern})$"), list("+-0123456789")
)


def dumped(value: Any) -> str:
    """Block YAML, keys in their order, no line at the end."""
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        default_flow_style=False,
        sort_keys=False,
        allow_unicode=True,
        width=1 << 20,
    )
    return text.removesuffix("...\n").rstrip("\n")
