"""Documents that use one field each: how the list of what is not in this version is read off.

`notyet` judges documents, so that one place knows; here each field is used once for it. The
documents are never read from a file and hold nothing that a rule would accept.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from release_repo_schema.models import KindModel, Model


def probes(kind: type[KindModel]) -> Iterator[KindModel]:
    """One document a field and value: the default everywhere, and this one thing written."""
    blank = _blank(kind)
    assert isinstance(blank, KindModel)
    for spec in _variants(type(blank).model_fields["spec"]):
        yield blank.model_copy(update={"spec": spec})


def _variants(info: FieldInfo) -> Iterator[Any]:
    """Values of a field: every choice of a literal, one and two entries of a list, models field by
    field.
    """
    for kind in _choices(info.annotation):
        yield from _values(kind)


def _values(kind: Any) -> Iterator[Any]:
    origin = get_origin(kind)
    if origin is Literal:
        yield from get_args(kind)
    elif origin in (tuple, list, dict):
        yield ("x",)
        yield ("x", "x")
    elif isinstance(kind, type) and issubclass(kind, Model):
        blank = _blank(kind)
        yield blank
        for name, info in kind.model_fields.items():
            for value in _variants(info):
                yield blank.model_copy(update={name: value})
    elif kind is bool:
        yield from (False, True)
    else:
        yield 1 if kind is int else "x"


def _choices(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, UnionType):
        return tuple(one for one in get_args(annotation) if one is not type(None))
    return (annotation,)


def _blank(kind: type[Model]) -> Model:
    """A document with nothing written; what is required is there, and empty."""
    needed: dict[str, Any] = {}
    for name, info in kind.model_fields.items():
        if info.is_required():
            first = _choices(info.annotation)[0]
            is_model = isinstance(first, type) and issubclass(first, Model)
            needed[name] = _blank(first) if is_model else ""
    return kind.model_construct(**needed)
