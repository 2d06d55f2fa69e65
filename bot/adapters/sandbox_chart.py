"""A Helm chart as text: what is handed to helm, and what its output and its complaints mean.

Pure. Runs nothing and reads no file. What would make two renderings differ, or would ask a cluster
or the network, is put out of action here, so that only a chart that really uses it is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.cluster.render_objects import Document
from bot.ports import RenderProblem

HOOK, TEST = "helm.sh/hook", "test"
CHART = "Chart.yaml"
_OUTWARD = ("lookup", "getHostByName")
_CHANCE = (
    "now", "ago", "randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt",
    "shuffle", "uuidv4", "genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert",
    "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "bcrypt", "htpasswd",
    "encryptAES",
)  # fmt: skip
_UNORDERED = re.compile(r"(?<![.$\w])(keys|values|tpl)(?!\w)")
_REFUSED = re.compile(rf"(?<![.$\w])({'|'.join((*_OUTWARD, *_CHANCE))})(?!\w)")
_OUT_OF_ACTION = "index nil"
_QUOTED = r"\"(?:\\.|[^\"\\])*\"|`[^`]*`|'(?:\\.|[^'\\])*'"
_TAG = re.compile(rf"\{{\{{(?!-?\s*/\*)(?:{_QUOTED}|.)*?\}}\}}", re.S)
_TEXT = re.compile(rf"({_QUOTED})", re.S)
_APP_VERSION = re.compile(rb"^appVersion:[^\n]*\n?", re.M)
_SOURCE = re.compile(r"^---\n# Source: ([^\n]+)\n", re.M)
_PLACE = re.compile(r"[\w.-]+(?:/[\w.@ -]+)+")
_LINE = re.compile(r"^[:(]+(\d+)|^:(\d+)")
_ASKS_NIL = "index of untyped nil"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart ready for helm. `path`: its folder in the repo."""

    path: str
    files: tuple[tuple[str, bytes], ...]
    """(path inside the chart, content as handed to helm), sorted."""
    twice: bool
    """Whether its output may change from one run to the next, and two have to be compared."""
    refused: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """(path inside, line) → the function there that was put out of action."""


def chart_of(
    files: Iterable[tuple[str, bytes]], version: str
) -> tuple[Chart | None, tuple[RenderProblem, ...]]:
    """The chart with the released version as its appVersion; or why it cannot be rendered."""
    files = tuple(sorted(files))
    tops = sorted((path.count("/"), path) for path, _ in files if _is(path, CHART))
    if not tops:
        first = files[0][0] if files else ""
        return None, (_problem(first, f"no {CHART} stands in the folder of the chart"),)
    folder = tops[0][1].removesuffix(CHART)
    problems = tuple(
        _problem(
            path,
            "a packed chart cannot be reviewed",
            f"unpack it: tar -xzf {path.rpartition('/')[2]} in {path.rpartition('/')[0]}/",
        )
        for path, _ in files
        if path.endswith((".tgz", ".tar.gz"))
    )
    if problems:
        return None, problems
    made: list[tuple[str, bytes]] = []
    refused: dict[tuple[str, int], str] = {}
    twice = False
    for path, content in files:
        inside = path.removeprefix(folder)
        if inside == path:
            continue  # beside the chart, not in it
        if "templates/" in inside:
            text, found = _without_chance(content.decode("utf-8", "surrogateescape"))
            refused |= {(inside, line): name for line, name in found}
            twice = twice or _unordered(text)
            content = text.encode("utf-8", "surrogateescape")
        elif inside == CHART:
            content = _with_version(content, version)
        made.append((inside, content))
    return Chart(folder.rstrip("/"), tuple(made), twice, refused), ()


def _is(path: str, name: str) -> bool:
    return path == name or path.endswith(f"/{name}")


def _with_version(content: bytes, version: str) -> bytes:
    rest = _APP_VERSION.sub(b"", content).removesuffix(b"\n")
    return rest + f"\nappVersion: {json.dumps(version)}\n".encode()


def _without_chance(text: str) -> tuple[str, list[tuple[int, str]]]:
    """Calls that would answer otherwise the next time fail where they are made, and only there."""
    found: list[tuple[int, str]] = []

    def in_tag(tag: re.Match[str]) -> str:
        parts = _TEXT.split(tag[0])
        line = text.count("\n", 0, tag.start()) + 1
        for at, part in enumerate(parts):
            if at % 2 == 0:
                for call in _REFUSED.finditer(part):
                    found.append((line + part.count("\n", 0, call.start()), call[1]))
                parts[at] = _REFUSED.sub(_OUT_OF_ACTION, part)
            line += part.count("\n")
        return "".join(parts)

    return _TAG.sub(in_tag, text), found


def _unordered(text: str) -> bool:
    """Whether it takes the keys of a map, which come in another order every time."""
    return any(
        _UNORDERED.search(part) for tag in _TAG.finditer(text) for part in _TEXT.split(tag[0])[::2]
    )


def parts_of(chart: Chart, output: str) -> list[tuple[str, str]]:
    """(path in the repo, YAML) of each document that helm wrote, in its order."""
    # The first piece is what stands before the first document: nothing, by how helm writes.
    _, *pieces = _SOURCE.split(output if output.startswith("---\n") else f"---\n{output}")
    return [
        (_in_repo(chart, source.strip()), text)
        for source, text in zip(pieces[::2], pieces[1::2], strict=True)
    ]


def _in_repo(chart: Chart, named: str) -> str:
    """A path as helm says it begins with the name of the chart, not with its folder."""
    return f"{chart.path}/{_inside(named)}"


def _inside(named: str) -> str:
    return named.partition("/")[2]


def hooks_in(documents: Sequence[Document]) -> tuple[tuple[Document, ...], list[RenderProblem]]:
    """Documents without those that helm would run at moments of its own; each of these is told.

    Tests are left out with a warning. Other hooks do part of the work of a release: an error.
    """
    kept: list[Document] = []
    problems: list[RenderProblem] = []
    for document in documents:
        hook = _hook(document.value)
        if hook is None:
            kept.append(document)
            continue
        kinds = [kind.strip() for kind in hook.split(",")]
        tests = all(kind.startswith(TEST) for kind in kinds)
        what = f"{document.value.get('kind', 'object')} {_name(document.value)}"
        problems.append(
            RenderProblem(
                path=document.path,
                line=None,
                message=f"{what} is a test of Helm's and is left out"
                if tests
                else f"{what} is a hook of Helm's ({hook}), and no hook is run",
                hint="a Check asks after a batch; delete the file to lose this warning"
                if tests
                else "make it an object without the annotation, or a Task of kind job in a stage",
                code="helm-test" if tests else "helm-hook",
                level="warning" if tests else "error",
            )
        )
    return tuple(kept), problems


def _hook(value: object) -> str | None:
    found: object = value
    for step in ("metadata", "annotations", HOOK):
        found = found.get(step) if isinstance(found, Mapping) else None
    return None if found is None else str(found)


def _name(value: Mapping[str, object]) -> str:
    metadata = value.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, Mapping) else ""


def complaint(chart: Chart, said: str) -> RenderProblem:
    """What helm says on its way out, at the place that it names."""
    lines = [line for line in said.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("Use --debug", "WARNING:"))]
    text = " ".join(line.strip() for line in lines).removeprefix("Error: ") or "helm failed"
    inside, line = CHART, None
    known = {path for path, _ in chart.files}
    for place in _PLACE.finditer(text):
        if _inside(place[0]) in known:
            inside = _inside(place[0])
            number = _LINE.match(text[place.end() :])
            line = int(number[1] or number[2]) if number else None
            if line is not None:
                break
    path = f"{chart.path}/{inside}"
    if _ASKS_NIL in text and line is not None:
        for (where, at), name in chart.refused.items():
            if where == inside and at == line:
                return _problem(path, *_why_refused(name), line=line)
    return _problem(path, text, _hint(text), line=line)


def unsteady(chart: Chart) -> RenderProblem:
    """Two runs, two results."""
    return _problem(
        f"{chart.path}/{CHART}",
        "the chart renders otherwise each time: its keys come in no order",
        "sort them: keys … | sortAlpha",
    )


def _why_refused(name: str) -> tuple[str, str]:
    if name == "lookup":
        return (
            "it calls `lookup`: a plan asks no cluster what is there",
            "put into values what the chart should know",
        )
    if name in _OUTWARD:
        return f"it calls `{name}`: a rendering has no network", "put the answer into values"
    return (
        f"it calls `{name}`, which answers otherwise each time: no plan of it could be approved",
        "put the value into the values, or name a Secret that stands in the cluster",
    )


def _hint(text: str) -> str:
    if "missing in charts/" in text:
        return "helm dependency update, then unpack what it put into charts/ and commit it"
    if "chart requires kubeVersion" in text:
        return "a plan is made without the cluster: loosen kubeVersion in Chart.yaml"
    return ""


def _problem(path: str, message: str, hint: str = "", *, line: int | None = None) -> RenderProblem:
    return RenderProblem(path=path, line=line, message=message[:500], hint=hint, code="helm")
