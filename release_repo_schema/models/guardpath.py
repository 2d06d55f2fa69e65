"""The paths of a component's `guard`: text → parts, or what is wrong with it. Knows no objects.

`spec.template.spec.containers[agent].image`, `metadata.annotations[example.com/owner]`,
`Service:spec.ports[port=53,protocol=UDP].nodePort`, `ConfigMap/settings:data.*`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from release_repo_schema.models.scalars import refuse

HINT = "write spec.replicas, spec.template.spec.containers[agent].image or Service:spec.type"

_SCOPE = re.compile(r"([A-Z][A-Za-z0-9]*)(?:/([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?))?:")
_FIELD = re.compile(r"[A-Za-z$_][A-Za-z0-9$_-]*|\*")
_PAIR = re.compile(r"([A-Za-z][A-Za-z0-9]*)=([^,=\]]+)")
_SERVERS = frozenset(
    ("name", "namespace", "uid", "resourceVersion", "generation", "generateName", "selfLink",
     "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields")
)  # fmt: skip
"""Fields of metadata that say which object it is, or that only the API server writes."""
_LONGEST = 500
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a path: a field, an element of a list, or all of them (`*`).

    `pairs`: the element whose fields have these values. In brackets a text is the key of a map, or
    the name or position of an element.
    """

    text: str
    pairs: tuple[tuple[str, str], ...] = ()
    bracket: bool = False

    @property
    def every(self) -> bool:
        return self.text == "*"


@dataclass(frozen=True, slots=True)
class GuardPath:
    """A path, and the objects of the component that it is about: all, those of a kind, or one."""

    text: str
    parts: tuple[Part, ...]
    kind: str = ""
    name: str = ""

    def reaches(self, kind: str, name: str) -> bool:
        """Whether it is about an object."""
        return self.kind in ("", kind) and self.name in ("", name)


def parse_guard_path(text: str) -> GuardPath:
    """The path; ValueError says what is wrong with it."""
    if len(text) > _LONGEST:
        raise ValueError(f"expected a path of at most {_LONGEST} signs")
    scope = _SCOPE.match(text)
    rest = text[scope.end() :] if scope else text
    parts = tuple(_parts(text, rest))
    if len(parts) > _DEEPEST:
        raise ValueError(f"expected at most {_DEEPEST} steps, found {len(parts)}")
    _ours(text, parts)
    kind, name = (scope[1], scope[2] or "") if scope else ("", "")
    return GuardPath(text, parts, kind, name)


def checked_guard_path(text: str) -> str:
    """The text of a path; refused with a finding where it is none."""
    try:
        parse_guard_path(text)
    except ValueError as error:
        refuse("guard-path", str(error), HINT)
    return text


def _parts(whole: str, rest: str) -> list[Part]:
    if rest.startswith(("/", "$")):
        what = "a JSON pointer" if rest.startswith("/") else "a JSONPath"
        raise ValueError(f"expected a path with dots, found {what} ({_short(whole)})")
    found: list[Part] = []
    at = 0
    while at < len(rest):
        if rest[at] == "[":
            part, at = _bracket(whole, rest, at)
            found.append(part)
            continue
        if found:
            if rest[at] != ".":
                raise ValueError(f"expected . or [ before {rest[at]!r} in {_short(whole)}")
            at += 1
        field = _FIELD.match(rest, at)
        if field is None:
            raise ValueError(f"expected the name of a field at sign {at + 1} of {_short(whole)}")
        found.append(Part(field[0]))
        at = field.end()
    if not found:
        raise ValueError("expected a path, found none")
    return found


def _bracket(whole: str, rest: str, at: int) -> tuple[Part, int]:
    quote = rest[at + 1 : at + 2]
    if quote and quote in "\"'":
        end = rest.find(quote + "]", at + 2)
        inside, after = rest[at + 2 : end], end + 2
    else:
        end = rest.find("]", at)
        inside, after = rest[at + 1 : end], end + 1
    if end < 0 or not inside:
        wrong = "an open [" if end < 0 else "empty brackets"
        raise ValueError(f"expected [NAME], [*] or [field=value], found {wrong} in {_short(whole)}")
    if quote in "\"'" or "=" not in inside:
        return Part(inside, bracket=True), after
    pairs = []
    for one in inside.split(","):
        pair = _PAIR.fullmatch(one.strip())
        if pair is None:
            raise ValueError(f"expected field=value, found {one.strip()!r} in {_short(whole)}")
        pairs.append((pair[1], pair[2].strip()))
    return Part(inside, tuple(pairs), bracket=True), after


def _ours(text: str, parts: tuple[Part, ...]) -> None:
    """Only what a release could write can be guarded."""
    first = parts[0]
    if first.bracket or first.every:
        raise ValueError(f"expected a field such as spec or data first, found {_short(text)}")
    if first.text in ("status", "apiVersion", "kind"):
        raise ValueError(f"{_short(text)} is never written by a release: it cannot be guarded")
    if first.text == "metadata" and len(parts) > 1 and parts[1].text in _SERVERS:
        raise ValueError(f"{_short(text)} is never written by a release: it cannot be guarded")


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}…"
