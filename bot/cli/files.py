"""init, lint, schema: questions about files, that need no store and no bot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import FOUND, GOOD, emit, wrong_usage


@click.command("init", cls=Verb, help="Write a commented example release repo that passes lint.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@pass_flags
def init(flags: Flags, folder: Path) -> int:
    from release_repo_schema.example import FolderNotEmpty, write_example

    try:
        written = write_example(folder)
    except FolderNotEmpty as full:
        raise wrong_usage(f"{full}; init writes into an empty folder only") from full
    except OSError as refused:
        raise wrong_usage(f"{folder} cannot be written: {refused.strerror or refused}") from refused
    text = (
        f"{folder}: {len(written)} files of an example release repo\n"
        f"Next: sluice lint {folder}; then git init and commit it, and sluice run --repo {folder}"
    )
    emit({"folder": str(folder), "files": list(written)}, text, as_json=flags.json)
    return GOOD


@click.command("schema", cls=Verb, help="The JSON Schema (draft-07) of a kind; of all without one.")
@click.argument("kind", required=False)
@pass_flags
def schema(flags: Flags, kind: str | None) -> int:
    from release_repo_schema.findings import did_you_mean
    from release_repo_schema.jsonschema import schema as schema_of
    from release_repo_schema.models import KINDS

    if kind is not None and kind not in KINDS:
        named = {one.casefold(): one for one in KINDS}.get(kind.casefold())
        known = f"known: {', '.join(KINDS)}"
        hint = f"did you mean `{named}`?" if named else did_you_mean(kind, KINDS, known)
        raise wrong_usage(f"there is no kind {kind}; {hint}")
    body: Any = {one: schema_of(one) for one in KINDS} if kind is None else schema_of(kind)
    emit(body, json.dumps(body, indent=2, ensure_ascii=False), as_json=flags.json)
    return GOOD


@click.command("lint", cls=Verb, help="Every mistake of a release repo at once, with its line.")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--no-render", is_flag=True, help="Do not try the templates.")
@pass_flags
def lint(flags: Flags, path: Path | None, no_render: bool) -> int:
    from bot.app.opening import renderer

    tried = None if no_render else renderer()
    try:
        if tried is not None:
            tried.warm()  # first of all: its process starts while this one reads the repo
        from bot.cli.reading import read_repo
        from bot.core.guard_findings import guard_findings
        from bot.reconciler.mistakes import condition_findings
        from bot.reconciler.rule_trial import rule_findings
        from bot.reconciler.trying import try_templates
        from release_repo_schema.rules import lint as rules_of

        repo = read_repo(flags, _settings(flags, path))
        active, blocked = _by_the_store(flags, repo)
        findings = list(rules_of(repo, now=flags.now, active=active))
        findings += blocked
        findings += condition_findings(repo)
        findings += guard_findings(repo)
        findings += rule_findings(repo)
        if tried is not None:
            findings += try_templates(repo, tried)
    finally:
        if tried is not None:
            tried.close()
    return told(flags, findings)


def told(flags: Flags, findings: list[Any]) -> int:
    """Findings by place, each once; 1 when one is an error."""
    from bot.core.messages_text import clean
    from bot.core.messages_words import many

    found = sorted(set(findings), key=lambda one: one.sort_key)
    errors = sum(one.level == "error" for one in found)
    lines = [clean(str(one)) for one in found]
    counted = f"{many(errors, 'error')}, {many(len(found) - errors, 'warning')}"
    lines.append(counted if found else "No findings.")
    emit({"findings": [one.to_json() for one in found]}, "\n".join(lines), as_json=flags.json)
    return FOUND if errors else GOOD


def _settings(flags: Flags, path: Path | None) -> Any:
    """The settings with PATH as the repo. A folder that is named is linted as it is."""
    from dataclasses import replace

    if path is None:
        return flags.settings
    if not path.is_dir():
        raise wrong_usage(
            f"{path} is a file; lint reads a whole release repo, since its files refer to each"
            " other: name its folder"
        )
    return replace(flags.settings, repo=str(path))


def _by_the_store(flags: Flags, repo: Any) -> tuple[frozenset[str] | None, list[Any]]:
    """Releases that have not ended, where a store knows, and which of them bring what a rollback
    has blocked; None without a store: all are judged.
    """
    if flags.store is None:
        return None, []
    from bot.app.opening import reader
    from bot.core.plan_blocks import blocked_releases
    from bot.model.state import Blocked, ReleaseState

    with reader(flags.store) as store:
        ended = {state.release for state in store.rows(ReleaseState) if state.phase.ended}
        active = frozenset(repo.releases) - ended
        return active, list(blocked_releases(repo, active, store.rows(Blocked)))


VERBS = {"init": init, "lint": lint, "schema": schema}
