"""What goes into a rendering and what comes out: values, content keys, digests, order of applying.

Pure. Never runs a template: that happens in a sandbox of its own, on what is made here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bot.model.plan import JSON, ObjectRef
from bot.ports import RenderProblem

WORKLOADS = frozenset(
    {
        ("", "Pod"),
        ("", "ReplicationController"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("batch", "CronJob"),
        ("batch", "Job"),
        ("apps.kruise.io", "AdvancedCronJob"),
        ("apps.kruise.io", "BroadcastJob"),
        ("apps.kruise.io", "CloneSet"),
        ("apps.kruise.io", "DaemonSet"),
        ("apps.kruise.io", "StatefulSet"),
        ("kubenode.alibabacloud.com", "MachineComponentSet"),
    }
)
"""(group, kind) of what runs pods or nodes and so is applied last, when all that it mounts is
there."""

_ROOTS = ("version", "images", "cluster", "unit")
_NAME = re.compile(rf"(?<![.\w])({'|'.join(_ROOTS)})\b((?:\s*\.\s*[A-Za-z_]\w*)*)")
_OPENER = re.compile(r"\{\{|\{%|\{#")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
_END_RAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_IN_TAG = re.compile(
    r"""(?P<string>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<end>\}\}|%\})|(?P<open>[(\[{])|(?P<close>[)\]}])""",
    re.DOTALL,
)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def values_for(layers: Sequence[JSON], *, keep_nulls: bool = False) -> dict[str, JSON]:
    """Default ← group ← cluster, wide to narrow: maps merge, all else replaces, null deletes.

    `keep_nulls`: a chart has values of its own below these, where a null has to arrive to delete.
    """
    merged: dict[str, JSON] = {}
    for layer in layers:
        if layer is not None:
            merged = _overlaid(merged, layer, keep_nulls)
    return merged


def _overlaid(wide: JSON, narrow: Mapping[str, JSON], keep_nulls: bool) -> dict[str, JSON]:
    result = dict(wide) if isinstance(wide, Mapping) else {}
    for key, value in narrow.items():
        if value is None and not keep_nulls:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            result[key] = _overlaid(result.get(key), value, keep_nulls)
        else:
            result[key] = value
    return result


def template_context(
    *,
    version: str,
    images: JSON,
    cluster: str,
    labels: Mapping[str, str],
    group: str,
    unit: str,
    scope: str = "cluster",
    place: str = "",
) -> dict[str, JSON]:
    """What templates and strings of values see beside `values`."""
    return {
        "version": version,
        "images": images,
        "cluster": {"name": cluster, "labels": dict(labels), "group": group},
        "unit": {
            "name": unit,
            "scope": scope,
            "place": place,
            "namespace": place if scope == "namespace" else "",
        },
    }


def strings_in(value: JSON) -> Iterator[str]:
    """Every string among values: each is a template of its own."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from strings_in(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from strings_in(item)


def names_used(*texts: str) -> frozenset[str]:
    """Which parts of the context templates could read: `version`, `cluster.labels.region`, …

    May name too much, never too little: the words are looked for in all that stands in a tag.
    """
    return frozenset(
        re.sub(r"\s", "", found[0])
        for text in texts
        if "{{" in text or "{%" in text
        for tag in _tags(text)
        for found in _NAME.finditer(tag)
    )


def _tags(text: str) -> Iterator[str]:
    """The inside of every tag, found as the lexer of the template language finds it."""
    at = 0
    while opener := _OPENER.search(text, at):
        if opener[0] == "{#":
            end = text.find("#}", opener.end())
            if end < 0:
                return
            at = end + 2
        elif raw := _RAW.match(text, opener.start()):
            closing = _END_RAW.search(text, raw.end())
            at = closing.end() if closing else len(text)
        else:
            at = _end_of_tag(text, opener.end())
            yield text[opener.end() : at]


def _end_of_tag(text: str, at: int) -> int:
    depth = 0
    while token := _IN_TAG.search(text, at):
        at = token.end()
        if token["open"]:
            depth += 1
        elif token["close"]:
            depth -= 1
        elif token["end"]:
            if depth <= 0:
                return at
            # Inside brackets `}}` is two closing ones, as in {{ {'a': {}} }}.
            depth, at = depth - 1, token.start() + 1
    return len(text)


def rendering_key(
    kind: str,
    files: Iterable[tuple[str, str]],
    layers: Iterable[str],
    used: Collection[str],
    context: JSON,
) -> str:
    """Equal keys render equally: done once for all clusters that share it.

    `files`: (path, blob id). `layers`: blob ids of the values, wide to narrow. `used`: `names_used`
    of the files and of the strings of the values. Plain manifests see neither values nor context.
    """
    parts: list[JSON] = [kind, sorted(map(list, files))]
    if kind != "plain":
        parts += [list(layers), {name: _part(context, name) for name in sorted(used)}]
    return _sha256(parts)


def _part(context: JSON, name: str) -> JSON:
    """The part of the context behind a dotted name; before a method, all that it is called on."""
    value = context
    for step in name.split("."):
        if not isinstance(value, Mapping) or step not in value:
            break
        value = value[step]
    return value


def at_source(problem: RenderProblem, layers: Sequence[tuple[str, JSON]]) -> RenderProblem:
    """A problem of a string in the values, told at the narrowest file that holds it.

    `layers`: (path, content) as merged. Its code is `values`, its message begins `values.a.b[0]: `.
    """
    if problem.code != "values":
        return problem
    steps = [
        name or int(number) for name, number in _STEP.findall(problem.message.partition(":")[0])
    ]
    for path, layer in reversed(layers):
        if _has(layer, steps):
            return replace(problem, path=path)
    return problem


def _has(value: JSON, steps: Sequence[str | int]) -> bool:
    for step in steps:
        if isinstance(value, list):
            if not isinstance(step, int) or step >= len(value):
                return False
        elif not isinstance(value, Mapping) or step not in value:
            return False
        value = value[step]
    return True


def ref_of(obj: JSON) -> ObjectRef:
    """Which object a manifest is."""
    metadata = obj["metadata"]
    return ObjectRef(
        obj["apiVersion"], obj["kind"], metadata.get("namespace") or "", metadata["name"]
    )


def group_kind(obj: JSON) -> tuple[str, str]:
    """API group and kind; the group of core kinds is empty."""
    group, slash, _ = str(obj["apiVersion"]).rpartition("/")
    return (group if slash else "", str(obj["kind"]))


_ASKED_BY_THE_SERVER = ("admissionregistration.k8s.io", "apiregistration.k8s.io")


def apply_order(
    objects: Iterable[JSON], workloads: Collection[tuple[str, str]] = WORKLOADS
) -> tuple[JSON, ...]:
    """Namespaces, then custom resource definitions, then the rest as written, of it what the API
    server asks on every call (webhooks, API services) at the end, workloads last.
    """

    def rank(obj: JSON) -> int:
        match group_kind(obj):
            case ("", "Namespace"):
                return 0
            case ("apiextensions.k8s.io", "CustomResourceDefinition"):
                return 1
            case found:
                return 4 if found in workloads else 3 if found[0] in _ASKED_BY_THE_SERVER else 2

    return tuple(sorted(objects, key=rank))


def canonical(obj: JSON) -> bytes:
    """The one way to write an object down: what digests are taken of."""
    text = json.dumps(obj, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def digest(obj: JSON) -> str:
    """`sha256:<hex>` of the canonical form."""
    return f"sha256:{hashlib.sha256(canonical(obj)).hexdigest()}"


def revision(version: str, digests: Iterable[str]) -> str:
    """`<version>@<12 hex>`: the version and all objects, whatever their order."""
    return f"{version}@{_sha256(sorted(digests))[7:19]}"


def _sha256(value: JSON) -> str:
    return digest(value)
