"""render: the YAML of a unit, as a release of a version would bring it. Shows no Secret's data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import FOUND, GOOD, Ended, emit, wrong_usage
from bot.cli.reading import read_repo
from bot.cli.refusing import unknown_unit

if TYPE_CHECKING:
    from bot.core.order import Candidate
    from release_repo_schema.repo import Repo

HIDDEN = "(not shown)"


@click.command("render", cls=Verb, help="The YAML of a unit, such as node-agent@eu-1.")
@click.argument("unit")
@click.option("--version", metavar="V", help="Default: what the Releases on main last asked for.")
@pass_flags
def render(flags: Flags, unit: str, version: str | None) -> int:
    from bot.app.opening import renderer
    from bot.cluster.marks import as_written
    from bot.core.plan_jobs import source_of, wanted
    from bot.reconciler.mistakes import render_findings
    from bot.reconciler.planner_caches import Renderings
    from release_repo_schema.models.scalars import VERSION_PATTERN

    repo = read_repo(flags)
    candidate = _candidate(repo, unit)
    component = unit.partition("@")[0]
    if version is not None and not re.fullmatch(VERSION_PATTERN, version):
        raise wrong_usage(f"{version!r} is no version: a version is a valid image tag, as 2.5.0 is")
    version = version or _version(repo, component, candidate)
    _readable(repo, component)
    with renderer() as sandbox:
        renderings = Renderings(sandbox)
        asked = {unit: wanted(source_of(repo, component, renderings.reads), version, candidate)}
        outputs = renderings.outputs(asked.values())
    findings = tuple(render_findings(asked, outputs))
    if outputs[asked[unit].key].failed:
        lines = "\n".join(str(one) for one in findings)
        failed = {"findings": [one.to_json() for one in findings]}
        raise Ended(FOUND, f"{unit} {version} does not render:\n{lines}", failed)
    output = outputs[asked[unit].key]
    for finding in findings:
        click.echo(str(finding), err=True)
    objects = [
        as_written(_shown(output.blobs[one.digest]), component, one.digest)
        for one in output.objects
    ]
    text = "---\n".join(as_yaml(one) for one in objects)
    body = {
        "unit": unit,
        "version": version,
        "revision": output.as_version(version).revision,
        "objects": objects,
    }
    emit(body, text, as_json=flags.json)
    return GOOD


def _readable(repo: Repo, component: str) -> None:
    """Ends with the findings where the component's own files cannot all be read."""
    folder = f"components/{component}/"
    wrong = [f for f in repo.findings if f.level == "error" and f.path.startswith(folder)]
    wrong = [f for f in wrong if f.code != "literal-secret"]  # its data is hidden below
    if wrong:
        failed = {"findings": [one.to_json() for one in wrong]}
        lines = "\n".join(str(one) for one in wrong)
        raise Ended(FOUND, f"{component} does not render:\n{lines}", failed)


def _candidate(repo: Repo, unit: str) -> Candidate:
    from bot.core.candidates import candidates

    component = unit.partition("@")[0]
    names = [component] if component in repo.components else sorted(repo.components)
    known = {one.unit: one for name in names for one in candidates(repo, name)}
    if unit not in known:
        raise unknown_unit(unit, known)
    return known[unit]


def _version(repo: Repo, component: str, unit: Candidate) -> str:
    """What the newest Release that reaches the unit asks for, else the highest version there is."""
    from bot.core.plan_versions import versions_by_releases
    from bot.reconciler.trying import highest_version

    asked = versions_by_releases(repo, component, [unit]).get(unit.unit)
    found = asked or highest_version(repo, component)
    if found is None:
        raise wrong_usage(f"no version of {component} is known; --version names one")
    return found


def as_yaml(obj: Any) -> str:
    """As an author would write it: keys in their order, long texts as blocks."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    Dumper.add_representer(
        str,
        lambda dumper, text: dumper.represent_scalar(
            "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
        ),
    )
    dumped: str = yaml.dump(obj, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return dumped


def _shown(obj: Any) -> Any:
    """An object for people: what a Secret holds is never shown."""
    if obj.get("kind") != "Secret":
        return obj
    hidden = {
        key: dict.fromkeys(obj[key], HIDDEN)
        for key in ("data", "stringData")
        if isinstance(obj.get(key), dict)
    }
    return {**obj, **hidden}


VERBS = {"render": render}
