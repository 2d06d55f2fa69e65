"""The template language as components see it: sandboxed Jinja2, strict, and the same every time.

Runs inside the render worker. No loader but the component's own files; no clock, no chance.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import json
import posixpath
from collections.abc import Iterator, Mapping
from types import FrameType, TracebackType
from typing import Any, NoReturn

import jinja2
from jinja2.compiler import CodeGenerator
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from bot.adapters.sandbox_yaml import dumped

LONGEST = 1 << 20
"""Characters or elements that `*` may make."""
LARGEST_POWER = 4096
"""Bits that `**` may make: a number beyond is no setting of anything."""
_PRINTED = (str, int, float, bool, list, tuple, dict, type(None), jinja2.Undefined)

current: dict[str, Any] = {}
"""What the job in hand sees, so that a missing name can say of what it is missing."""


class Missing(jinja2.StrictUndefined):
    """A name that is not there: any use of it is an error that says what is there instead."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        name, owner = self._undefined_name, self._undefined_obj
        if owner is missing:
            return f"there is no `{name}` here\n{_near(name, current)}"
        if isinstance(owner, Mapping):
            return f"`{_path_of(owner) or 'the map'}` has no `{name}`\n{_near(name, owner)}"
        return f"{_kind(owner)} has no `{name}`"


class _PlacedText(str):
    """Constant text of a template that remembers its line."""

    __slots__ = ("line",)
    line: int


class _Compiler(CodeGenerator):
    """Notes the line of constant text too: every rendered line leads back to its template."""

    def _output_child_to_const(self, node: Any, frame: Any, finalize: Any) -> str:
        text = _PlacedText(super()._output_child_to_const(node, frame, finalize))
        text.line = node.lineno
        return text

    def _output_const_repr(self, group: Any) -> str:
        parts = list(group)
        line = getattr(parts[0], "line", None) if parts else None
        if line is not None:
            self._write_debug_info = self._last_line = line
        return super()._output_const_repr(parts)


class Templates(ImmutableSandboxedEnvironment):
    """The environment of one set of files. Templates are named by their path in the repo."""

    code_generator_class = _Compiler
    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, files: Mapping[str, str]) -> None:
        super().__init__(
            loader=jinja2.DictLoader(files),
            undefined=Missing,
            autoescape=False,
            keep_trailing_newline=True,
            auto_reload=False,
            finalize=_printable,
            cache_size=-1,
        )
        self._files = files
        del self.globals["lipsum"], self.filters["random"]
        self.filters.update(
            b64decode=lambda text: base64.b64decode(text, validate=True).decode(),
            b64encode=lambda text: base64.b64encode(str(text).encode()).decode(),
            quote=lambda value: json.dumps(str(value), ensure_ascii=False),
            sha256=lambda text: hashlib.sha256(str(text).encode()).hexdigest(),
            tojson=_tojson,
            toyaml=dumped,
        )

    def handle_exception(self, source: str | None = None) -> NoReturn:
        # The usual rewriting of tracebacks makes code objects; here the frames tell the lines.
        raise

    def join_path(self, template: str, parent: str) -> str:
        """`_labels.yaml` is looked for beside the template that names it, then further up."""
        folder = posixpath.dirname(parent)
        while True:
            path = posixpath.normpath(posixpath.join(folder, template))
            if path in self._files or not folder:
                return path if path in self._files else template
            folder = posixpath.dirname(folder)

    def getattr(self, obj: Any, attribute: str) -> Any:
        # `values.items` is the key `items` where there is one, not the method of the map.
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            _bounded_repeat(left, right)
            _bounded_repeat(right, left)
        elif _bits(left) * max(_number(right), 1) > LARGEST_POWER:
            raise OverflowError("the number would be too large")
        return super().call_binop(context, operator, left, right)


def chunks(template: jinja2.Template, seen: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """(text, line of the compiled template), piece by piece: the reader stops at too much."""
    running: Any = template.root_render_func(template.new_context(dict(seen)))
    for text in running:
        frame: FrameType | None = running.gi_frame
        yield text, frame.f_lineno if frame is not None else 0


def place_of(traceback: TracebackType | None) -> tuple[str | None, int | None]:
    """(template, line) of the innermost template in a traceback."""
    found: tuple[str | None, int | None] = (None, None)
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            found = (template.name, template.get_corresponding_lineno(traceback.tb_lineno))
        traceback = traceback.tb_next
    return found


def _printable(value: Any) -> Any:
    if isinstance(value, _PRINTED):
        return value
    # Its text would hold an address, another one each time.
    raise TypeError(
        f"{_kind(value)} cannot be written; `| list` or `| join` ends a chain of filters"
    )


def _bounded_repeat(what: Any, times: Any) -> None:
    if isinstance(what, (str, bytes, list, tuple)) and len(what) * _number(times) > LONGEST:
        raise OverflowError("the text would be too long")


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _bits(value: Any) -> int:
    return _number(value).bit_length()


def _tojson(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _near(name: Any, known: Mapping[str, Any]) -> str:
    names = [key for key in known if isinstance(key, str)]
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"there are {', '.join(f'`{key}`' for key in names[:8])}" if names else ""


def _path_of(owner: Any) -> str | None:
    pending: list[tuple[str, Any]] = list(current.items())
    while pending:
        path, value = pending.pop()
        if value is owner:
            return path
        if isinstance(value, dict):
            pending += [(f"{path}.{key}", inner) for key, inner in value.items()]
        elif isinstance(value, list):
            pending += [(f"{path}[{at}]", inner) for at, inner in enumerate(value)]
    return None


def _kind(value: Any) -> str:
    names = {"str": "a text", "int": "a number", "float": "a number", "bool": "a boolean"}
    names |= {"list": "a list", "dict": "a map", "NoneType": "null", "generator": "an open list"}
    name = type(value).__name__
    return names.get(name, f"a {name}")
