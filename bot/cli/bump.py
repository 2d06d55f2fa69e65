"""bump: writes the Release file for a new version, where it lints; on a bare repo, proposes it.

Never touches a file that stands, and merges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import FOUND, GOOD, Ended, emit, note, wrong_usage
from bot.cli.refusing import standing_already

if TYPE_CHECKING:
    from release_repo_schema.findings import Finding
    from release_repo_schema.repo import Repo
    from release_repo_schema.tree import Entry, Tree


_LABEL_SAID = "expected lower case letters, digits and dashes, at most 63"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the new Release is to say."""

    component: str
    version: str
    pipeline: str
    selector: dict[str, Any]
    reason: str
    name: str


@click.command("bump", cls=Verb, asks=False, help="Write the Release file for a new version.")
@click.argument("component")
@click.argument("version")
@click.option("--units", metavar="SELECTOR", help="Such as group=prod-eu,size=small or names=eu-*.")
@click.option("--pipeline", metavar="P", help="Default: the only one, or `standard`.")
@click.option("--reason", metavar="R", default="", help="Why; people read it before they approve.")
@click.option("--name", metavar="NAME", help="Default: component and version.")
@pass_flags
def bump(
    flags: Flags,
    component: str,
    version: str,
    units: str | None,
    pipeline: str | None,
    reason: str,
    name: str | None,
) -> int:
    from bot.app.opening import is_bare, is_remote
    from bot.cli.reading import read_repo

    repo = read_repo(flags)
    _known(repo, component)
    wish = Wish(
        component=component,
        version=version,
        pipeline=_pipeline(repo, pipeline),
        selector=_selector(units),
        reason=reason,
        name=_label(name) if name is not None else _name(component, version),
    )
    path = f"releases/{flags.now.year}/{wish.name}.yaml"
    if wish.name in repo.releases or path in repo.tree.entries():
        where = repo.source("Release", wish.name) or path
        hint = "A name is unique for ever; --name gives another"
        raise standing_already(f"the release {wish.name}", where, hint)
    text = _text(path, wish).encode()
    findings = _findings(flags, repo, path, text, wish.name)
    if any(one.level == "error" for one in findings):
        lines = "\n".join(str(one) for one in findings)
        failed = {"release": wish.name, "findings": [one.to_json() for one in findings]}
        raise Ended(FOUND, f"nothing was written: {wish.name} would not lint\n{lines}", failed)
    location = flags.settings.repo
    bare = is_remote(location) or is_bare(Path(location))
    branch = None
    if bare:
        branch = _propose(flags, repo, wish, path, text)
    else:
        _write(flags, path, text)
    for finding in findings:
        note(str(finding))
    body = {
        "release": wish.name,
        "path": path,
        "branch": branch,
        "findings": [one.to_json() for one in findings],
    }
    emit(body, _next(wish, path, branch), as_json=flags.json)
    return GOOD


def _known(repo: Repo, component: str) -> None:
    """A component that nobody knows is mostly a slip of the finger.

    An unknown version is for lint to judge: where evidence is optional it may go out.
    """
    from bot.cli.refusing import unknown_component

    if component not in repo.components:
        raise unknown_component(component, repo.components)


def _pipeline(repo: Repo, named: str | None) -> str:
    from bot.cli.refusing import unknown_pipeline

    if named is not None:
        if named not in repo.pipelines:
            raise unknown_pipeline(named, repo.pipelines)
        return named
    if len(repo.pipelines) == 1:
        return next(iter(repo.pipelines))
    if "standard" in repo.pipelines:
        return "standard"
    known = ", ".join(sorted(repo.pipelines)) or "none in pipelines/"
    raise wrong_usage(f"which pipeline? --pipeline names one of: {known}")


def _selector(text: str | None) -> dict[str, Any]:
    """`group=prod-eu,size=small,names=eu-*` as a selector of the contract; "" is every unit.

    A selector as a file would write it, `{matchLabels: {…}}`, is taken as it is.
    """
    if (text or "").lstrip().startswith("{"):
        return _written(text or "")
    labels: dict[str, str] = {}
    names: list[str] = []
    for part in (text or "").split(","):
        if not part.strip():
            continue
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not key or not value or (key in labels):
            raise wrong_usage(f"--units {text!r}: expected key=value,key=value or names=GLOB")
        if key == "names":
            names.append(value)
        else:
            labels[key] = value
    selector: dict[str, Any] = {"matchLabels": labels} if labels else {}
    return {**selector, "names": names} if names else selector


def _written(text: str) -> dict[str, Any]:
    """A selector in YAML or JSON, judged by the model of the contract."""
    from pydantic import ValidationError

    from release_repo_schema.models import Selector
    from release_repo_schema.yamltext import read

    documents, findings = read("--units", text.encode())
    if findings or len(documents) != 1:
        why = findings[0].message if findings else "expected one selector"
        raise wrong_usage(f"--units {text!r}: {why}")
    try:
        selector = Selector.model_validate(documents[0].value, by_alias=True, by_name=False)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise wrong_usage(f"--units {text!r}: {where}: {first['msg']}") from wrong
    return selector.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _name(component: str, version: str) -> str:
    dashed = re.sub(r"[^a-z0-9]+", "-", version.lower()).strip("-")
    return f"{component}-{dashed}"[:63].rstrip("-")


def _label(name: str) -> str:
    """The name that was given. It becomes a path, so nothing but a label may pass."""
    from pydantic import TypeAdapter, ValidationError

    from release_repo_schema.models.scalars import DnsLabel

    try:
        return TypeAdapter[str](DnsLabel).validate_python(name)
    except ValidationError as wrong:
        raise wrong_usage(f"--name {name!r}: {_LABEL_SAID}") from wrong


def _text(path: str, wish: Wish) -> str:
    from release_repo_schema.jsonschema import header

    quoted = _scalar
    return (
        f"{header(path, 'Release')}\n"
        "apiVersion: sluice/v1\n"
        "kind: Release\n"
        "metadata:\n"
        f"  name: {quoted(wish.name)}\n"
        "spec:\n"
        "  components:\n"
        f"    - {{name: {quoted(wish.component)}, version: {quoted(wish.version)}}}\n"
        f"  pipeline: {quoted(wish.pipeline)}\n"
        f"  units: {_flow(wish.selector)}\n"
        f"  reason: {quoted(wish.reason or f'{wish.component} {wish.version}')}\n"
    )


def _flow(selector: dict[str, Any]) -> str:
    parts = []
    if labels := selector.get("matchLabels"):
        inner = ", ".join(f"{_scalar(key)}: {_scalar(value)}" for key, value in labels.items())
        parts.append(f"matchLabels: {{{inner}}}")
    if expressions := selector.get("matchExpressions"):
        parts.append(f"matchExpressions: [{', '.join(_expression(one) for one in expressions)}]")
    if names := selector.get("names"):
        parts.append(f"names: [{', '.join(_scalar(name) for name in names)}]")
    return f"{{{', '.join(parts)}}}"


def _expression(one: dict[str, Any]) -> str:
    values = ", ".join(_scalar(value) for value in one.get("values", ()))
    values = f", values: [{values}]" if values else ""
    return f"{{key: {_scalar(one['key'])}, operator: {one['operator']}{values}}}"


def _scalar(text: str) -> str:
    """A text as YAML: bare where it reads back as itself even inside brackets, else quoted."""
    import json

    from release_repo_schema.models.scalars import yaml_reads

    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", text)
    if plain and yaml_reads(text) == "text":
        return text
    if plain and re.fullmatch(r"\d+(\.\d+)+(-[\w.]+)?", text):
        return text  # a string field takes the text as written
    return json.dumps(text, ensure_ascii=False)


class _Over:
    """A tree with files laid over it."""

    def __init__(self, tree: Tree, files: Mapping[str, bytes]) -> None:
        from release_repo_schema.tree import Entry

        self._tree = tree
        self._files = files
        self._entries = {
            **tree.entries(),
            **{path: Entry(f"new:{path}", None, len(data)) for path, data in files.items()},
        }

    def entries(self) -> Mapping[str, Entry]:
        return self._entries

    def read(self, path: str) -> bytes:
        return self._files[path] if path in self._files else self._tree.read(path)


def _findings(flags: Flags, repo: Repo, path: str, text: bytes, name: str) -> tuple[Finding, ...]:
    """What the new file brings that was not there before, and what a rollback has blocked of it."""
    from release_repo_schema.load import load_repo
    from release_repo_schema.rules import lint

    before = set(lint(repo, now=flags.now, active=()))
    after = load_repo(_Over(repo.tree, {path: text}))
    found: Iterable[Finding] = lint(after, now=flags.now, active=(), base=repo)
    return (*(one for one in found if one not in before), *_blocked(flags, after, name))


def _blocked(flags: Flags, repo: Repo, name: str) -> Iterable[Finding]:
    """What the store says against the new Release, where one is."""
    from bot.app.opening import reader
    from bot.core.plan_blocks import blocked_releases
    from bot.model.state import Blocked

    if flags.store is None:
        return ()
    with reader(flags.store) as store:
        return tuple(blocked_releases(repo, [name], store.rows(Blocked)))


def _write(flags: Flags, path: str, text: bytes) -> None:
    from bot.app.opening import root_of

    target = root_of(Path(flags.settings.repo)) / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb") as file:
            file.write(text)
    except OSError as no:
        raise wrong_usage(f"{target} cannot be written: {no.strerror or no}") from no


def _propose(flags: Flags, repo: Repo, wish: Wish, path: str, text: bytes) -> str:
    from bot.app.opening import git_host
    from bot.cli.identity import author_of

    title = f"Release {wish.component} {wish.version}" + (f": {wish.reason}" if wish.reason else "")
    with git_host(flags.settings) as git:
        return git.propose(
            f"pr/{wish.name}",
            {path: text},
            title=title,
            author=author_of(flags, repo.people),
            at=flags.now,
        )


def _next(wish: Wish, path: str, branch: str | None) -> str:
    if branch is not None:
        return f"{branch} is open as a pull request with {path}\nNext: sluice plan --head {branch}"
    commit = f"git add {path} && git commit -m 'Release {wish.component} {wish.version}'"
    return f"{path} is written\nNext: git switch -c pr/{wish.name}; {commit}; sluice plan"


VERBS = {"bump": bump}
