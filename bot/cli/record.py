"""audit, backup: what was done, and a copy of it all. Reads only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import FOUND, GOOD, emit, wrong_usage
from bot.cli.refusing import unknown_release
from bot.cli.telling import instant
from bot.cli.telling_runs import runs_json, runs_lines

if TYPE_CHECKING:
    from bot.adapters.sqlite import SqliteStore
    from bot.core.chain import Break
    from bot.core.chain_rows import Record
    from bot.model.state import Certificate


@click.command("audit", cls=Verb, help="The record of a release: every event, every certificate.")
@click.argument("release")
@click.option(
    "--verify",
    is_flag=True,
    help="Follow the chain of the whole record, with certificates, writes and votes; 1 if broken.",
)
@click.option(
    "--expect",
    metavar="SEQ:HASH",
    multiple=True,
    help="With --verify: a line and its hash as they were noted elsewhere; may be repeated.",
)
@pass_flags
def audit(flags: Flags, release: str, verify: bool, expect: tuple[str, ...]) -> int:
    from bot.app.opening import reader
    from bot.core import chain
    from bot.core.chain_rows import verify as verified
    from bot.core.messages_audit import line_text, people, proof_text
    from bot.core.messages_text import clean
    from bot.core.messages_words import many, row
    from bot.model.runs import PipelineRun, TaskRun
    from bot.model.state import Certificate, ReleaseState

    if not release.strip():
        raise wrong_usage("which release? audit RELEASE; list names them")
    with reader(flags.settings.db) as store, store.snapshot():
        events = store.events(release=release)
        certificates = store.rows(Certificate, parent=release)
        if not events and store.get(ReleaseState, release) is None:
            raise unknown_release(release, [row.release for row in store.rows(ReleaseState)])
        noted = _noted(expect)
        record = _record(store, noted) if verify or noted else None
        runs = runs_json(store.get(PipelineRun, release), store.rows(TaskRun, parent=release))
    body: dict[str, Any] = {
        "events": [{**chain.line(event), "hash": event.hash} for event in events],
        "certificates": [_certificate(one) for one in certificates],
        **runs,
    }
    lines = [f"{event.seq:>6}  {instant(event.at)}  {clean(line_text(event))}" for event in events]
    lines += [*map(clean, runs_lines(runs)), "", many(len(certificates), "certificate")]
    lines += [f"  {clean(proof_text(one))}" for one in certificates]
    if who := people(events):
        lines.append(f"People: {row([clean(name) for name in who])}")
    broken = None
    if record is not None:
        broken, last = verified(record), next(reversed(record.lines), None)
        body["verified"] = broken is None
        body["broken"] = _break(broken) if broken else None
        body["head"] = {"seq": last.seq, "hash": last.hash} if last else None
        holds = f"The chain holds; its head is {last.seq}:{last.hash}" if last else "No line yet"
        lines.append(_break_text(broken) if broken else f"{holds}.")
    emit(body, "\n".join(lines), as_json=flags.json)
    return FOUND if broken else GOOD


def _noted(expect: tuple[str, ...]) -> dict[int, str]:
    """Lines and hashes that somebody noted elsewhere."""
    found: dict[int, str] = {}
    for one in expect:
        seq, _, noted = one.partition(":")
        if not (seq.isascii() and seq.isdigit() and len(noted) == 64):
            raise click.BadParameter(f"{one} is not SEQ:HASH", param_hint="--expect")
        found[int(seq)] = noted
    return found


def _record(store: SqliteStore, noted: dict[int, str]) -> Record:
    """All that the audit of the store can be held against."""
    from bot.core.chain_rows import Record
    from bot.model.state import Certificate, Decision, Intent

    return Record(
        lines=tuple(store.events()),
        count=store.event_count(),
        certificates=store.rows(Certificate),
        intents=store.rows(Intent),
        decisions=store.rows(Decision),
        known=noted,
    )


def _break(broken: Break) -> dict[str, Any]:
    found: dict[str, Any] = {"seq": broken.seq or None, "flaw": broken.flaw.value}
    return {**found, "certificate": broken.certificate} if broken.certificate else found


def _break_text(broken: Break) -> str:
    where = f"at line {broken.seq}" if broken.seq else "beside the lines"
    what = f" {broken.certificate}" if broken.certificate else ""
    return f"Broken {where}: {broken.flaw}{what}"


def _certificate(one: Certificate) -> dict[str, Any]:
    return {
        "release": one.release,
        "unit": one.unit,
        "batch": one.batch,
        "planHash": one.plan_hash,
        "revision": one.revision,
        "updated": one.updated,
        "total": one.total,
        "pods": list(one.pods),
        "checks": [
            {
                "name": run.name,
                "verdict": run.verdict.name,
                "why": run.why,
                "overriddenBy": run.overridden_by,
                "when": run.when,
                "measurements": len(run.measurements),
                "samples": [
                    {
                        "at": instant(one.at),
                        "verdict": one.verdict.name,
                        "why": one.why,
                        "value": one.value,
                    }
                    for one in run.measurements
                ],
            }
            for run in one.checks
        ],
        "soakFrom": instant(one.soak_from),
        "soakUntil": instant(one.soak_until),
        "approvers": list(one.approvers),
        "at": instant(one.at),
        "final": one.final,
    }


@click.command(
    "backup", cls=Verb, asks=False, help="A copy of the store, while the bot runs or not."
)
@click.argument("file", type=click.Path(path_type=Path))
@pass_flags
def backup(flags: Flags, file: Path) -> int:
    from bot.app.opening import reader
    from bot.cli.refusing import as_ended
    from bot.core.messages_refusal import Refusal
    from bot.core.messages_store import backup_exists

    if file.exists():
        raise as_ended(Refusal(code="exists", why=backup_exists(str(file))))
    with reader(flags.settings.db) as store:
        store.backup(file, at=flags.now)
    text = f"{file} is a copy of {flags.settings.db}. A bot started on it holds everything first."
    emit({"file": str(file), "store": str(flags.settings.db)}, text, as_json=flags.json)
    return GOOD


VERBS = {"audit": audit, "backup": backup}
