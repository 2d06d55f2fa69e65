"""merge: the three-way merge on files, as the bot does it before every write. Contacts nothing.

What a Secret holds is never shown.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import GOOD, emit, wrong_usage

if TYPE_CHECKING:
    from bot.cluster.merge import Merge

HIDDEN = "(not shown)"
NONE = "none"
_SECRETS = ("data", "stringData")


@click.command(
    "merge",
    cls=Verb,
    help="What we applied last, what the cluster has, what we want: the patch, and what stands"
    " after it. Files of one object, YAML or JSON; - is the standard input.",
)
@click.option("--last", metavar="A", required=True, help="What was last applied, or none.")
@click.option("--live", metavar="B", required=True, help="What the cluster has now.")
@click.option("--target", metavar="C", required=True, help="What is wanted.")
@pass_flags
def merge(flags: Flags, last: str, live: str, target: str) -> int:
    from bot.cluster.merge import merge3

    if [last, live, target].count("-") > 1:
        raise wrong_usage("only one of the three can be the standard input")
    ours = None if last == NONE else _object("--last", last)
    here, wanted = _object("--live", live), _object("--target", target)
    _same_object("--target", wanted, "--live", here, ("apiVersion", "kind"))
    if ours is not None:
        _same_object("--last", ours, "--live", here, ("kind",))
    merged = merge3(ours, here, wanted)
    body = {
        "patchType": merged.patch_type.value if merged else "none",
        "patch": _shown(here, merged.patch) if merged else {},
        "result": _shown(here, merged.result if merged else here),
        "blocked": _guarded(here, merged, "block"),
        "asked": _guarded(here, merged, "ask"),
    }
    emit(body, _text(body), as_json=flags.json)
    return GOOD


def _guarded(live: Any, merged: Merge | None, act: str) -> list[Any]:
    """What the guard's own list would block, or ask about."""
    from bot.cluster.guard import judge
    from bot.model.plan import GuardLists, ObjectRef

    if merged is None:
        return []
    named = live["metadata"]
    ref = ObjectRef(live["apiVersion"], live["kind"], named.get("namespace") or "", named["name"])
    found = judge(GuardLists(), ref, live, merged.result)
    return [one.shown() for one in found if one.act == act]


def _object(option: str, name: str) -> Any:
    """The one object of a file. Ends with what is wrong with it, and where."""
    from bot.adapters.sandbox_yaml import Mistake, documents

    where = "the standard input" if name == "-" else name
    text = _read(option, name)
    try:
        found = [(line, value) for line, value in documents(text) if value is not None]
    except Mistake as wrong:
        hint = f" ({wrong.hint})" if wrong.hint else ""
        raise wrong_usage(f"{option}: {where}:{wrong.line + 1}: {wrong.message}{hint}") from None
    if not found:
        said = f"{option}: {where} holds no object"
        raise wrong_usage(f"{said}; write none" if option == "--last" else said)
    if len(found) > 1:
        line = found[1][0] + 1
        raise wrong_usage(f"{option}: {where}:{line}: a second object; merge takes one at a time")
    return _checked(f"{option}: {where}", found[0][1])


def _read(option: str, name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as wrong:
        raise wrong_usage(f"{option}: {name}: {wrong.strerror or wrong}") from None
    except ValueError:
        raise wrong_usage(f"{option}: {name!r} is no name of a file") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise wrong_usage(f"{option}: {name} is no text in UTF-8 ({wrong.reason})") from None


def _checked(where: str, value: Any) -> Any:
    if not isinstance(value, dict):
        raise wrong_usage(f"{where} holds no object but a {_word(value)}")
    for field in ("apiVersion", "kind"):
        if not isinstance(value.get(field), str) or not value[field]:
            raise wrong_usage(f"{where}: {field} is missing; every object says what it is")
    if value["kind"] == "List" and isinstance(value.get("items"), list):
        raise wrong_usage(f"{where} holds a List; merge takes one object at a time")
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise wrong_usage(f"{where}: metadata.name is missing")
    for texts in ("labels", "annotations"):
        if not isinstance(metadata.get(texts, {}), dict | None):
            raise wrong_usage(f"{where}: metadata.{texts} is no map")
    return value


def _word(value: Any) -> str:
    return "list" if isinstance(value, list) else "text" if isinstance(value, str) else "value"


def _same_object(one: str, ours: Any, other: str, live: Any, fields: tuple[str, ...]) -> None:
    """A merge of two different objects would be a deletion of one and a making of the other."""
    for field in fields:
        if ours[field] != live[field]:
            raise wrong_usage(
                f"{one} and {other} are not the same object: {field} is {ours[field]} and"
                f" {live[field]}"
            )
    for field in ("name", "namespace"):
        left, right = ours["metadata"].get(field), live["metadata"].get(field)
        if left != right and (field == "name" or (left and right)):
            raise wrong_usage(
                f"{one} and {other} are not the same object: metadata.{field} is {left} and {right}"
            )


def _shown(live: Any, obj: Any) -> Any:
    if live["kind"] != "Secret":
        return obj
    shown = {
        name: {key: None if v is None else HIDDEN for key, v in value.items()}
        if name in _SECRETS and isinstance(value, dict)
        else value
        for name, value in obj.items()
    }
    metadata = obj.get("metadata") or {}
    notes = metadata.get("annotations")
    if not notes:
        return shown
    # kubectl keeps a copy of the whole object in there.
    kept = {k: HIDDEN if "last-applied" in k else v for k, v in notes.items()}
    return {**shown, "metadata": {**metadata, "annotations": kept}}


def _text(body: Any) -> str:
    from bot.cli.rendering import as_yaml
    from bot.core.messages_guard import change

    if body["patchType"] == "none":
        return "Nothing to do: the API server would store what it has."
    parts = [f"# the patch, of type {body['patchType']}", as_yaml(body["patch"]).rstrip()]
    parts += ["---", "# the object after it", as_yaml(body["result"]).rstrip()]
    parts += [f"# blocked: {change(one)}" for one in body["blocked"]]
    parts += [f"# asked about: {change(one)}" for one in body["asked"]]
    return "\n".join(parts)


VERBS = {"merge": merge}
