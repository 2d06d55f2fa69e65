"""What would change in each unit: objects as YAML text, and the diff between two of them.

Every distinct pair of objects is written and compared once, however many units share it. Data of a
Secret is never shown. It compares what was rendered; it never looks at a cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from json import dumps

from bot.model.plan import JSON, ObjectRef, PlannedObject

CONTEXT = 3
MOST_LINES = 3_000
"""Changed regions above this are told by their size: the comparison would take too long."""
HIDDEN = "(hidden)"

_FIRST = ("apiVersion", "kind", "metadata", "name", "namespace")
_PLAIN = re.compile(r"[A-Za-z_./](?:[\w./@+%-]|:(?=\S)| (?=[\w./(]))*\Z", re.ASCII)
_QUANTITY = re.compile(r"\d{1,9}(?:m|[KMGT]i?|s|h|%)\Z", re.ASCII)
_WORDS = frozenset(
    ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ".inf", ".nan", ".", "..")
)


@dataclass(frozen=True, slots=True)
class Change:
    """One diff and all the units that it is true of. `verb`: create | change | keep.

    keep: no longer rendered; what is in the cluster stays there.
    """

    ref: ObjectRef
    verb: str
    diff: str
    units: tuple[str, ...]


@dataclass(slots=True)
class Differ:
    """Diffs by content: `before` and `after` are digests, `blobs` finds their objects."""

    blobs: Mapping[str, JSON]
    compared: int = 0
    """How many pairs were really compared."""
    _texts: dict[str, list[str]] = field(default_factory=dict)
    _diffs: dict[tuple[ObjectRef, str | None, str | None], str] = field(default_factory=dict)

    def changes(
        self,
        units: Iterable[tuple[str, Sequence[PlannedObject] | None, Sequence[PlannedObject]]],
    ) -> tuple[Change, ...]:
        """All changes of (unit, objects before, objects after); equal ones are one entry.

        Before is None where nothing is known of it: everything is then shown as new.
        """
        found: dict[tuple[ObjectRef, str, str], list[str]] = {}
        pairs: dict[tuple[object, ...], tuple[tuple[ObjectRef, str, str], ...]] = {}
        for unit, before, after in units:
            key = (before, after) if isinstance(before, tuple | None) else (unit,)
            if key not in pairs:
                pairs[key] = tuple(self._unit(before or (), after))
            for entry in pairs[key]:
                found.setdefault(entry, []).append(unit)
        return tuple(
            Change(ref, verb, diff, tuple(names)) for (ref, verb, diff), names in found.items()
        )

    def _unit(
        self, before: Sequence[PlannedObject], after: Sequence[PlannedObject]
    ) -> Iterable[tuple[ObjectRef, str, str]]:
        had = {one.ref: one.digest for one in before}
        for one in after:
            old = had.pop(one.ref, None)
            if old != one.digest:
                verb = "create" if old is None else "change"
                yield one.ref, verb, self._diff(one.ref, old, one.digest)
        for ref in had:
            yield ref, "keep", ""

    def _diff(self, ref: ObjectRef, before: str | None, after: str) -> str:
        key = (ref, before, after)
        if key not in self._diffs:
            self.compared += 1
            old, new = self._lines(before), self._lines(after)
            said = unified(old, new)
            if not said and ref.kind == "Secret":
                said = f"  # data of the Secret changed: {HIDDEN}\n"
            self._diffs[key] = said
        return self._diffs[key]

    def _lines(self, digest: str | None) -> list[str]:
        if digest is None:
            return []
        if digest not in self._texts:
            self._texts[digest] = manifest(self.blobs[digest])[:-1].split("\n")
        return self._texts[digest]


def unified(before: Sequence[str], after: Sequence[str]) -> str:
    """A unified diff without file names; empty when nothing differs."""
    head = _shared(before, after)
    tail = _shared(before[head:][::-1], after[head:][::-1])
    low = max(0, head - CONTEXT)
    high = max(0, tail - CONTEXT)
    old, new = before[low : len(before) - high], after[low : len(after) - high]
    if len(old) + len(new) > MOST_LINES:
        verb = "becomes" if len(old) == 1 else "become"
        return f"@@ {_lines(len(old))} {verb} {_lines(len(new))} @@\n"
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    said: list[str] = []
    for group in matcher.get_grouped_opcodes(CONTEXT):
        (_, old_from, _, new_from, _), (_, _, old_to, _, new_to) = group[0], group[-1]
        said.append(
            f"@@ -{_range(low + old_from, low + old_to)} +{_range(low + new_from, low + new_to)} @@"
        )
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                said += [f" {line}" for line in old[i1:i2]]
                continue
            said += [f"-{line}" for line in old[i1:i2]]
            said += [f"+{line}" for line in new[j1:j2]]
    return "".join(f"{line}\n" for line in said)


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _range(start: int, stop: int) -> str:
    length = stop - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"


def manifest(obj: JSON) -> str:
    """An object as YAML, keys in a fixed order; the data of a Secret is hidden."""
    if isinstance(obj, dict) and obj.get("kind") == "Secret":
        obj = {
            key: dict.fromkeys(value, HIDDEN)
            if key in ("data", "stringData") and isinstance(value, dict)
            else value
            for key, value in obj.items()
        }
    lines: list[str] = []
    _write(obj, "", lines)
    return "".join(f"{line}\n" for line in lines)


def _write(value: JSON, pad: str, lines: list[str]) -> None:
    if isinstance(value, dict) and value:
        for key in sorted(value, key=_place):
            _entry(f"{pad}{_scalar(str(key))}:", value[key], pad, lines)
    elif isinstance(value, list | tuple) and value:
        for item in value:
            _item(item, pad, lines)
    else:
        lines.append(pad + _leaf(value, pad))


def _place(key: str) -> tuple[int, str]:
    return (_FIRST.index(key) if key in _FIRST else len(_FIRST), key)


def _entry(head: str, value: JSON, pad: str, lines: list[str]) -> None:
    if isinstance(value, dict) and value:
        lines.append(head)
        _write(value, pad + "  ", lines)
    elif isinstance(value, list | tuple) and value:
        lines.append(head)
        _write(value, pad, lines)
    else:
        lines += f"{head} {_leaf(value, pad + '  ')}".split("\n")


def _item(item: JSON, pad: str, lines: list[str]) -> None:
    if isinstance(item, dict | list | tuple) and item:
        first = len(lines)
        _write(item, pad + "  ", lines)
        lines[first] = f"{pad}- {lines[first][len(pad) + 2 :]}"
    else:
        lines += f"{pad}- {_leaf(item, pad + '  ')}".split("\n")


def _leaf(value: JSON, pad: str) -> str:
    if isinstance(value, str):
        if "\n" in value and (block := _block(value, pad)):
            return block
        return _scalar(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    return dumps(value)


def _block(text: str, pad: str) -> str:
    """A literal block, so that a change of one line of a file is one line of the diff."""
    body = text.rstrip("\n")
    lines = body.split("\n")
    plain = all(line.isprintable() or line.replace("\t", "").isprintable() for line in lines)
    if not body or not plain or lines[0].startswith((" ", "\t")):
        return ""
    ends = len(text) - len(body)
    mark = "|-" if ends == 0 else "|" if ends == 1 else "|+"
    body = "\n".join(pad + line if line else "" for line in lines)
    return f"{mark}\n{body}" + "\n" * max(0, ends - 1)


@lru_cache(maxsize=8192)
def _scalar(text: str) -> str:
    if (_PLAIN.match(text) and text.lower() not in _WORDS) or _QUANTITY.match(text):
        return text
    quoted = dumps(text, ensure_ascii=False)
    return quoted if quoted.isprintable() else "".join(map(_escaped, quoted))


def _escaped(sign: str) -> str:
    if sign.isprintable():
        return sign
    code = ord(sign)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )
