"""The scalar types of the contract: durations, days, percentages, labels, as text and as values.

A value arrives either from YAML, as text that still knows whether it was quoted (`Plain` was not),
or from Python, as the value itself. Nothing here guesses: `"5"` in quotes is no number, `no` is no
boolean, and what YAML 1.1 would read differently from its text is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Never

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError


class Plain(str):
    """The text of an unquoted scalar."""

    __slots__ = ()


_BOOLEAN_WORDS = frozenset(
    word
    for lower in ("yes", "no", "true", "false", "on", "off")
    for word in (lower, lower.capitalize(), lower.upper())
)
_NULL_WORDS = frozenset(("", "~", "null", "Null", "NULL"))
_INT = re.compile(
    r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)"
)
_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*"
    r"|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)"
)
_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?"
    r"(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?"
)


def yaml_reads(text: str) -> str:
    """What YAML readers take this unquoted text for: text, boolean, number, date or nothing."""
    if text in _NULL_WORDS:
        return "nothing"
    first = text[0]
    if first.isdigit() or first in "+-.":
        if _INT.fullmatch(text) or _FLOAT.fullmatch(text):
            return "number"
        return "date" if _TIMESTAMP.fullmatch(text) else "text"
    return "boolean" if text in _BOOLEAN_WORDS else "text"


def found(value: object) -> str:
    """A value in the words of a finding."""
    match value:
        case None:
            return "nothing"
        case Plain():
            return f"`{_short(value)}`"
        case str():
            return f'the text "{_short(value)}"'
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return f"`{_short(str(value))}`"


def _short(text: str) -> str:
    text = text.replace("\n", "\\n")
    return text if len(text) <= 60 else text[:57] + "…"


def refuse(code: str, said: str, hint: str = "", at: str = "") -> Never:
    """Stop validation with one finding; `at` points to a field of the model that is validated."""
    raise PydanticCustomError(code, "{said}", {"said": said, "hint": hint, "at": at})


def _integer(minimum: int, maximum: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        number: int | None = None
        if isinstance(value, int) and not isinstance(value, bool):
            number = value
        elif isinstance(value, Plain) and re.fullmatch(r"-?(?:0|[1-9][0-9]{0,17})", value):
            number = int(value)
        if number is None:
            quoted = isinstance(value, str) and not isinstance(value, Plain)
            hint = "write it without quotes" if quoted else "write decimal digits, such as 12"
            refuse("wrong-type", f"expected a whole number, found {found(value)}", hint)
        if not minimum <= number <= maximum:
            bound = f"at least {minimum}" if number < minimum else f"at most {maximum}"
            refuse("out-of-range", f"expected a whole number of {bound}, found {number}")
        return number

    return read


_MOST = 1_000_000
Whole = Annotated[
    int,
    BeforeValidator(_integer(0, _MOST)),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": _MOST}),
]
Positive = Annotated[
    int,
    BeforeValidator(_integer(1, _MOST)),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _MOST}),
]
Weight = Annotated[
    int, BeforeValidator(_integer(-_MOST, _MOST)), WithJsonSchema({"type": "integer"})
]


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, Plain) and value in ("true", "false"):
        return value == "true"
    refuse("wrong-type", f"expected true or false, found {found(value)}", "write true or false")


Flag = Annotated[bool, BeforeValidator(_boolean)]

_DURATION = re.compile(r"(0|[1-9][0-9]{0,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = timedelta(days=3650)


def parse_duration(text: str) -> timedelta:
    """`30s`, `45m`, `2h`, `1d` → the time; ValueError for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a duration such as 30s, 45m, 2h or 1d, found {text!r}")
    duration = timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    if duration > _LONGEST:
        raise ValueError(f"expected a duration of at most 3650d, found {text!r}")
    return duration


def duration_text(duration: timedelta) -> str:
    """The shortest spelling: the widest unit that divides it."""
    seconds = int(duration.total_seconds())
    for unit in "dhm":
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError:
            pass
    said = f"expected a duration such as 30s, 45m, 2h or 1d, found {found(value)}"
    refuse("wrong-duration", said, "a whole number and one unit: s, m, h or d; at most 3650d")


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(duration_text, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^(0|[1-9][0-9]{0,6})[smhd]$",
            "examples": ["30s", "45m", "2h"],
        }
    ),
]


_YEARS = range(2000, 2200)


def _in_our_time(at: date) -> None:
    """A year far away is a slip, and near the end of time no zone can be reckoned with."""
    if at.year not in _YEARS:
        said = f"expected a year from {_YEARS[0]} to {_YEARS[-1]}, found {at.year}"
        refuse("wrong-year", said, "write the moment that is meant, or leave the field out")


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            pass
        else:
            _in_our_time(day)
            return day
    refuse("wrong-date", f"expected a day such as 2026-01-31, found {found(value)}")


Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
]
_LOCAL = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?"


def _local(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value
    if isinstance(value, str) and re.fullmatch(_LOCAL, value):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            _in_our_time(at)
            return at
    said = f"expected a local date and time such as 2026-11-24T09:00, found {found(value)}"
    refuse("wrong-date-time", said, "no offset and no Z here: the zone is a field of its own")


LocalTime = Annotated[
    datetime,
    BeforeValidator(_local),
    WithJsonSchema({"type": "string", "pattern": f"^{_LOCAL}$", "examples": ["2026-11-24T09:00"]}),
]
_INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})"


def _instant(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, str) and re.fullmatch(_INSTANT, value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    said = f"expected a moment with its offset such as 2026-11-24T10:00:00Z, found {found(value)}"
    refuse("wrong-date-time", said)


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{_INSTANT}$", "examples": ["2026-11-24T10:00:00Z"]}
    ),
]


def _step(value: object) -> int | str:
    if isinstance(value, str) and re.fullmatch(r"([1-9][0-9]?|100)%", value):
        return str(value)
    if isinstance(value, str) and (not isinstance(value, Plain) or value.endswith("%")):
        said = f"expected a number or a percentage from 1% to 100%, found {found(value)}"
        refuse("wrong-step", said, "such as 1 or 10%; a number has no quotes")
    return _integer(1, _MOST)(value)


_STEP_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": "^([1-9][0-9]?|100)%$"},
    ]
}
Step = Annotated[int | str, BeforeValidator(_step), WithJsonSchema(_STEP_SCHEMA)]
"""A number, or a percentage kept as written (`"10%"`)."""


def _share(value: object) -> int | str:
    return _step(value) if str(value).endswith("%") else _integer(0, _MOST)(value)


Share = Annotated[
    int | str,
    BeforeValidator(_share),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, _STEP_SCHEMA["anyOf"][1]]}),
]
"""A step that may also be none at all."""


def percent(step: int | str) -> int | None:
    """The percentage of a step, None where it is a number."""
    return int(step[:-1]) if isinstance(step, str) else None


def _label_value(value: object) -> str:
    if isinstance(value, Plain) and (reads := yaml_reads(value)) != "text":
        said = f"expected a text, found {found(value)}, which YAML reads as a {reads}"
        if reads == "nothing":
            said = "expected a text, found nothing"
        refuse("label-not-a-string", said, f'write "{value}" in quotes')
    if not isinstance(value, str):
        refuse("label-not-a-string", f"expected a text, found {found(value)}")
    return value


LabelText = Annotated[str, BeforeValidator(_label_value)]
Labels = dict[str, LabelText]


def _matching(pattern: str, code: str, expected: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            refuse(code, f"expected {expected}, found `{_short(value)}`")
        return value

    return check


def _schema(pattern: str) -> Any:
    return Field(json_schema_extra={"pattern": f"^(?:{pattern})$"})


_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_LABEL_SAID = "a name of lower case letters, digits and dashes, at most 63"
DnsLabel = Annotated[
    str, AfterValidator(_matching(_LABEL, "wrong-name", _LABEL_SAID)), _schema(_LABEL)
]
_DOTTED = r"[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?"
_DOTTED_SAID = "a name of lower case letters, digits, dashes and dots, at most 253"
DottedName = Annotated[
    str, AfterValidator(_matching(_DOTTED, "wrong-name", _DOTTED_SAID)), _schema(_DOTTED)
]
_FILE = r"[A-Za-z0-9](?:[-._A-Za-z0-9]{0,251}[A-Za-z0-9])?"
_FILE_SAID = "the plain name of a file: letters, digits, dots, dashes and `_`, at most 253, no path"
FileName = Annotated[
    str, AfterValidator(_matching(_FILE, "wrong-name", _FILE_SAID)), _schema(_FILE)
]
VERSION_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_VERSION_SAID = "a version that is a valid image tag (letters, digits, `_`, `.`, `-`; at most 128)"
Version = Annotated[
    str,
    AfterValidator(_matching(VERSION_PATTERN, "wrong-version", _VERSION_SAID)),
    # Editors read `version: 1.10` as a number; here its text counts, so they need not complain.
    Field(json_schema_extra={"type": ["string", "number"], "pattern": f"^(?:{VERSION_PATTERN})$"}),
]
_DIGEST = r"sha256:[0-9a-f]{64}"
Digest = Annotated[
    str,
    AfterValidator(_matching(_DIGEST, "wrong-digest", "sha256: and 64 hexadecimal digits")),
    _schema(_DIGEST),
]
NonEmpty = Annotated[
    str,
    AfterValidator(_matching(r"(?s:.*\S.*)", "empty-text", "a text that is not empty")),
    Field(json_schema_extra={"pattern": r"\S"}),
]
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00"
TimeOfDay = Annotated[
    str,
    AfterValidator(_matching(_TIME, "wrong-time", 'a time of day such as "09:00"')),
    _schema(_TIME),
]
_DAY_NAME = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_DAYS = f"{_DAY_NAME}(?:-{_DAY_NAME})?"
DayRange = Annotated[
    str,
    AfterValidator(_matching(_DAYS, "wrong-days", "a day or a range such as Fri or Mon-Thu")),
    _schema(_DAYS),
]
_FOLDER = r"(?!.*(?:^|/)\.\.?(?:/|$))[A-Za-z0-9_][A-Za-z0-9_./-]*"
Folder = Annotated[
    str,
    AfterValidator(
        _matching(_FOLDER, "wrong-folder-name", "a folder beside component.yaml such as templates/")
    ),
    _schema(_FOLDER),
]
