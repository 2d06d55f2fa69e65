"""What pydantic refuses, in the words of a finding: expected, found, and what to do about it.

Pure wording and lookup in the models; it validates nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from release_repo_schema.findings import Pointer, did_you_mean
from release_repo_schema.models import KindModel
from release_repo_schema.models.scalars import found


class Problem(NamedTuple):
    """One refusal: where, whether the key itself is meant, code, sentence and hint."""

    pointer: Pointer
    at_key: bool
    code: str
    message: str
    hint: str


_EXPECTED = {
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_HINTS = {"a list": "write [ … ] or one `- ` a line", "a mapping": "write key: value lines"}


def explain(kind: type[KindModel], error: Mapping[str, Any]) -> Problem:
    """One entry of ValidationError.errors() as a problem of the file."""
    loc: Pointer = tuple(error["loc"])
    context: Mapping[str, Any] = error.get("ctx") or {}
    value = error.get("input")
    match error["type"]:
        case "extra_forbidden":
            return _unknown_field(kind, loc)
        case "missing":
            return _missing(kind, loc)
        case "literal_error":
            return _not_one_of(kind, loc, value, str(context.get("expected", "")))
        case "less_than_equal":
            said = f"expected at most {context.get('le')}, found {found(value)}"
            return Problem(loc, False, "wrong-value", said, "")
        case str(wrong) if wrong in _EXPECTED:
            expected = _EXPECTED[wrong]
            said = f"expected {expected}, found {found(value)}"
            code = "empty-value" if value is None else "wrong-type"
            return Problem(loc, False, code, said, _HINTS.get(expected, ""))
        case str(code) if "said" in context:
            at = tuple(int(x) if x.isdigit() else x for x in context["at"].split("/") if x)
            return Problem((*loc, *at), False, code, context["said"], context["hint"])
        case _:
            return Problem(loc, False, "wrong-value", str(error["msg"]), "")


def _path(loc: Pointer) -> str:
    return "".join(f"[{x}]" if isinstance(x, int) else f".{x}" for x in loc).lstrip(".")


def _unknown_field(kind: type[KindModel], loc: Pointer) -> Problem:
    word = str(loc[-1])
    known = [str(info.alias) for info in _model_at(kind, loc[:-1]).model_fields.values()]
    hint = did_you_mean(word, known)
    if not hint and (places := _places_of(kind).get(word)):
        hint = f"`{word}` belongs in {places}: check the indentation"
    if not hint:
        hint = f"known here: {', '.join(known)}" if known else "nothing can be written here yet"
    where = _path(loc[:-1])
    said = f"unknown field `{word}`" + (f" in {where}" if where else "")
    return Problem(loc, True, "unknown-field", said, hint)


def _missing(kind: type[KindModel], loc: Pointer) -> Problem:
    name = str(loc[-1])
    description = next(
        (
            info.description or ""
            for info in _model_at(kind, loc[:-1]).model_fields.values()
            if info.alias == name
        ),
        "",
    )
    where = _path(loc[:-1])
    said = f"expected the field `{name}`" + (f" in {where}" if where else "") + ", found none"
    return Problem(loc[:-1], True, "missing-field", said, description)


def _not_one_of(kind: type[KindModel], loc: Pointer, value: Any, expected: str) -> Problem:
    choices = _choices(kind, loc)
    if choices:
        quoted = [f"`{choice}`" for choice in choices]
        expected = quoted[0] if len(quoted) == 1 else f"one of {', '.join(quoted)}"
    hint = did_you_mean(value, choices) if isinstance(value, str) else ""
    return Problem(loc, False, "not-one-of", f"expected {expected}, found {found(value)}", hint)


def _choices(kind: type[KindModel], loc: Pointer) -> list[str]:
    path = [part for part in loc if isinstance(part, str)]
    info = _field(_model_at(kind, tuple(path[:-1])), path[-1]) if path else None
    return list(_literals(info.annotation)) if info is not None else []


def _literals(annotation: Any) -> Iterator[str]:
    for part in get_args(annotation):
        if isinstance(part, str):
            yield part
        else:
            yield from _literals(part)


def _field(model: type[BaseModel], alias: str) -> Any:
    return next((i for i in model.model_fields.values() if i.alias == alias), None)


def _model_at(kind: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel]:
    """The model whose fields stand at a place, as far down as the models go."""
    here: type[BaseModel] = kind
    for part in loc:
        info = _field(here, part) if isinstance(part, str) else None
        inner = _inner(info.annotation) if info is not None else None
        here = inner or here
    return here


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found_inside = (_inner(part) for part in get_args(annotation))
    return next((model for model in found_inside if model is not None), None)


@lru_cache
def _places_of(kind: type[KindModel]) -> dict[str, str]:
    """Every field of a kind and the place where it belongs, for what is indented wrongly."""
    places: dict[str, str] = {}
    pending: list[tuple[type[BaseModel], str]] = [(kind, "")]
    while pending:
        model, where = pending.pop(0)
        if where.count(".") > 4:
            continue
        for info in model.model_fields.values():
            if where:
                places.setdefault(str(info.alias), where)
            if (inner := _inner(info.annotation)) is not None:
                pending.append((inner, f"{where}.{info.alias}".lstrip(".")))
    return places
