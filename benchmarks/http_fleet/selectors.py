"""Label and field selectors of a list, as the API server reads them. Chooses, never changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.http_fleet.answers import bad_request

Choice = Callable[[Any], bool]
_SET = re.compile(r"\s*(?P<key>[^\s!=,()]+)\s+(?P<how>in|notin)\s*\((?P<values>[^)]*)\)\s*")
FIELDS = {
    "metadata.name": lambda obj: obj["metadata"]["name"],
    "metadata.namespace": lambda obj: obj["metadata"].get("namespace", ""),
    "spec.nodeName": lambda obj: obj.get("spec", {}).get("nodeName", ""),
    "status.phase": lambda obj: obj.get("status", {}).get("phase", ""),
    "type": lambda obj: obj.get("type", ""),
    "involvedObject.name": lambda obj: obj.get("involvedObject", {}).get("name", ""),
    "involvedObject.uid": lambda obj: obj.get("involvedObject", {}).get("uid", ""),
}


def chosen_by(labels: str, fields: str) -> Choice:
    """Whether an object is meant by both selectors."""
    by_label = [_label(term) for term in _terms(labels)]
    by_field = [_field(term) for term in _terms(fields)]

    def choose(obj: Any) -> bool:
        own = obj["metadata"].get("labels") or {}
        return all(one(own) for one in by_label) and all(one(obj) for one in by_field)

    return choose


def _terms(selector: str) -> list[str]:
    """Split at the commas that are outside of brackets."""
    terms = re.split(r",(?![^(]*\))", selector)
    return [term.strip() for term in terms if term.strip()]


def _label(term: str) -> Callable[[Mapping[str, str]], bool]:
    if found := _SET.fullmatch(term):
        key, values = found["key"], {value.strip() for value in found["values"].split(",")}
        if found["how"] == "in":
            return lambda own: own.get(key) in values
        return lambda own: own.get(key) not in values
    for sign, equal in (("!=", False), ("==", True), ("=", True)):
        key, found_sign, value = (part.strip() for part in term.partition(sign))
        if found_sign:
            return lambda own: (own.get(key) == value) is equal
    if term.startswith("!"):
        absent = term[1:].strip()
        return lambda own: absent not in own
    if re.search(r"[\s()]", term):
        raise bad_request(f"unable to parse requirement: {term!r}")
    return lambda own: term in own


def _field(term: str) -> Choice:
    for sign, equal in (("!=", False), ("==", True), ("=", True)):
        name, found, value = term.partition(sign)
        if found:
            read = FIELDS.get(name)
            if read is None:
                raise bad_request(f'field label not supported: "{name}"')
            return lambda obj: (read(obj) == value) is equal
    raise bad_request(f"invalid selector: {term!r}")
