"""doctor: what is configured, reachable and missing, each with how to mend it. Mends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import FOUND, GOOD, Ended, emit

if TYPE_CHECKING:
    from release_repo_schema.repo import Repo

ROOM = 64 * 2**20
"""Bytes that the store should find free on its disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at. `ok` None: not in this version, and nothing is missing without it."""

    name: str
    ok: bool | None
    found: str
    mend: str = ""


@dataclass(slots=True)
class Patient:
    """What the checks find out on the way, for those after them."""

    flags: Flags
    repo: Repo | None = None
    damaged: bool = False


@click.command(
    "doctor", cls=Verb, help="What is configured, reachable and missing; how to mend it."
)
@pass_flags
def doctor(flags: Flags) -> int:
    patient = Patient(flags)
    checks = [found for check in CHECKS for found in _asked(check, patient)]
    body = {
        "checks": [
            {"name": one.name, "ok": one.ok is not False, "found": one.found, "mend": one.mend}
            for one in checks
        ]
    }
    emit(body, "\n".join(_lines(checks)), as_json=flags.json)
    return FOUND if any(one.ok is False for one in checks) else GOOD


def _asked(check: Callable[[Patient], Iterator[Check]], patient: Patient) -> Iterator[Check]:
    """A check that cannot even be asked is told like one that fails, and the next one is asked."""
    from bot.ports import PortError

    name = check.__name__.strip("_").replace("_", " ")
    try:
        yield from check(patient)
    except PortError as error:
        yield Check(name=name, ok=False, found=error.why, mend="see what it names")
    except Ended as ended:
        yield Check(name=name, ok=False, found=ended.text, mend="see what it names")


def _lines(checks: Sequence[Check]) -> Iterator[str]:
    """How to mend is said once below all that is mended alike."""
    for one, after in zip_longest(checks, checks[1:]):
        yield f"{_SIGNS[one.ok]}  {one.name}: {one.found}"
        if one.mend and one.ok is False and (after is None or after.mend != one.mend):
            yield f"         mend: {one.mend}"


_SIGNS = {True: "ok     ", False: "WRONG  ", None: "-      "}


def _settings(patient: Patient) -> Iterator[Check]:
    settings = patient.flags.settings
    secrets = ", ".join(sorted(settings.secrets)) or "none"
    tick = f"{settings.tick.total_seconds():g}s"
    found = f"store {settings.db}, tick {tick}, port {settings.port}, secrets: {secrets}"
    yield Check(name="settings", ok=True, found=found)


def _git(patient: Patient) -> Iterator[Check]:
    import shutil
    import subprocess

    where = shutil.which("git")
    if where is None:
        mend = "install Git 2.30 or later"
        yield Check(name="git", ok=False, found="not installed", mend=mend)
        return
    told = subprocess.run([where, "version"], capture_output=True, text=True, check=False)
    yield Check(name="git", ok=told.returncode == 0, found=told.stdout.strip() or where)


def _repo(patient: Patient) -> Iterator[Check]:
    from bot.app.opening import git_host
    from bot.core.messages_words import many
    from bot.ports import GitError, Unreachable
    from release_repo_schema.load import load_repo
    from release_repo_schema.rules import lint

    flags = patient.flags
    try:
        with git_host(flags.settings) as git:
            head = git.head()
            if head is None:
                mend = "commit the release repo to a branch main"
                yield Check(name="repo", ok=False, found="there is no branch main", mend=mend)
                return
            repo = patient.repo = load_repo(git.tree(head))
            pulls = len(git.pulls())
    except (GitError, Unreachable) as error:
        mend = "--repo or SLUICE_REPO names a Git repository; sluice init writes an example"
        yield Check(name="repo", ok=False, found=error.why, mend=mend)
        return
    found = f"main is {head[:12]}, {many(pulls, 'open pull request')}"
    yield Check(name="repo", ok=True, found=f"{flags.settings.repo}: {found}")
    errors = [one for one in lint(repo, now=flags.now, active=()) if one.level == "error"]
    mend = "mend them on main: until then the last good rules stay in force"
    if errors:
        said = f"{many(len(errors), 'error')}, the first: {errors[0]}"
        yield Check(name="main lints", ok=False, found=said, mend=mend)
    else:
        yield Check(name="main lints", ok=True, found=f"{many(len(repo.files), 'file')}, no errors")


def _me(patient: Patient) -> Iterator[Check]:
    from bot.cli.identity import asker_of
    from bot.core.people import Directory

    if patient.repo is None:
        return
    asker, directory = asker_of(patient.flags), Directory.of(patient.repo.people)
    member = directory.find(asker.account)
    if member is None:
        mend = f"give a member `os: {asker.os_user}` in people.yaml, or use --as NAME"
        found = f"{asker.account} is nobody in people.yaml"
        yield Check(name="who I am", ok=False, found=found, mend=mend)
    else:
        roles = ", ".join(sorted(directory.roles(member))) or "no role"
        yield Check(name="who I am", ok=True, found=f"{member} ({roles})")


def _store(patient: Patient) -> Iterator[Check]:
    import os
    import shutil

    from bot.core.messages_store import mend_store
    from bot.ports import StoreLocked

    db = patient.flags.settings.db
    folder = db.absolute().parent
    if not folder.is_dir():
        mend = "make it, or name another place with --db or SLUICE_DB"
        yield Check(name="store", ok=False, found=f"there is no folder {folder}", mend=mend)
        return
    if not os.access(db if db.exists() else folder, os.W_OK):
        mend = f"let the user that runs sluice write {folder}"
        yield Check(name="store", ok=False, found=f"{db} cannot be written", mend=mend)
    elif not db.exists():
        yield Check(name="store", ok=True, found=f"{db} is not there yet; sluice run makes it")
    else:
        try:
            yield from _looked_through(patient, db)
        except StoreLocked as locked:
            yield Check(name="store", ok=False, found=locked.why, mend=mend_store(locked.kind))
    free = shutil.disk_usage(folder).free
    mend = "make room: a full disk stops everything new"
    yield Check(
        name="disk", ok=free >= ROOM, found=f"{free // 2**20} MiB free at {folder}", mend=mend
    )


def _looked_through(patient: Patient, db: Path) -> Iterator[Check]:
    """Every row and every line of the store: what is damaged is named, each by itself."""
    from bot.adapters.sqlite_inspect import MOST, inspect
    from bot.app.opening import reader
    from bot.core.messages_store import mend_store
    from bot.core.messages_words import many

    damaged = inspect(db)
    patient.damaged = bool(damaged)
    for flaw in damaged:
        yield Check(name="store", ok=False, found=flaw, mend=mend_store("broken"))
    if damaged:
        count = f"{MOST} or more flaws" if len(damaged) == MOST else many(len(damaged), "flaw")
        yield Check(name="store", ok=False, found=f"{db}: {count}", mend=mend_store("broken"))
        return
    with reader(db) as store:
        events = store.event_count()
    yield Check(name="store", ok=True, found=f"{db}, {events} lines of record, no damage")


def _releases(patient: Patient) -> Iterator[Check]:
    """What waits at a block without an end: no mistake of main's, and nobody else would tell it."""
    from bot.app.standing import standing
    from bot.core.messages import why

    if patient.flags.store is None or patient.damaged:
        return
    with standing(patient.flags.settings, patient.flags.now) as here:
        for active in here.board.ordered():
            closed = [w for w in here.waiting(active) if w.gate == "not_blocked"]
            if closed:
                name = active.state.release
                mend = f"cancel {name}, or override {name} --gate blocked --reason R"
                yield Check(name=name, ok=False, found=why(closed[0].wait), mend=mend)


def _bot(patient: Patient) -> Iterator[Check]:
    from bot.adapters.sqlite_guard import holder
    from bot.core.messages_terminal import holder_text

    who = holder(patient.flags.settings.db)
    found = "none runs on this store; sluice run starts one"
    if who is not None:
        found = holder_text(who.pid, who.host, who.since)
    yield Check(name="bot", ok=True, found=found)


def _clusters(patient: Patient) -> Iterator[Check]:
    from bot.cli.doctor_clusters import clusters

    yield from clusters(patient)


def _sandbox(patient: Patient) -> Iterator[Check]:
    from bot.app.opening import renderer
    from bot.ports import RenderJob

    job = RenderJob(
        key="doctor",
        kind="jinja",
        files=(("templates/a.yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),),
        values={},
        context={},
    )
    with renderer() as sandbox:
        (done,) = sandbox.render([job])
    why = done.problems[0].message if done.problems else ""
    mend = "templates are rendered in processes of their own: see that python may start some"
    yield Check(name="sandbox", ok=not why, found=why or "renders", mend=mend)


def _surfaces(patient: Patient) -> Iterator[Check]:
    yield Check(name="GitHub", ok=None, found="not in this version; a plain Git repo serves")
    yield Check(name="Slack", ok=None, found="not in this version; the terminal serves")


CHECKS: tuple[Callable[[Patient], Iterator[Check]], ...] = (
    _settings,
    _git,
    _repo,
    _me,
    _store,
    _releases,
    _bot,
    _clusters,
    _sandbox,
    _surfaces,
)
VERBS: dict[str, Any] = {"doctor": doctor}
