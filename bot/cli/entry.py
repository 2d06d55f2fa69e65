"""The script itself: which command there is, and how every end of one is told.

No traceback ever reaches a user; a bug is one line, with where the full report was saved.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from bot.cli.flags import Flags, common_options
from bot.cli.outcome import (
    BROKEN_PIPE,
    BUG,
    GOOD,
    INTERRUPTED,
    OUTSIDE,
    USAGE,
    Ended,
    emit,
    error,
    note,
)

COMMANDS = {
    "init": ("bot.cli.files", "Write a commented example release repo."),
    "lint": ("bot.cli.files", "Tell every mistake of a release repo, with its line."),
    "schema": ("bot.cli.files", "The JSON Schema of a kind, or of all."),
    "bump": ("bot.cli.bump", "Write the Release file for a new version of a component."),
    "plan": ("bot.cli.planning", "What merging head into base would do."),
    "windows": ("bot.cli.windows", "When batches may begin, and what decides it."),
    "forecast": ("bot.cli.planning", "When each batch of a release would start."),
    "rehearse": ("bot.cli.rehearsing", "A release on a virtual clock, with its conversation."),
    "render": ("bot.cli.rendering", "The YAML of a unit."),
    "merge": ("bot.cli.merging", "The three-way merge, on files."),
    "run": ("bot.cli.running", "The bot, in one process."),
    "status": ("bot.cli.board", "Where every release stands, or one of them."),
    "list": ("bot.cli.board", "All releases, one line each."),
    "why": ("bot.cli.board", "Why a release or a unit is not moving."),
    "approve": ("bot.cli.steering", "Say yes to an open decision."),
    "reject": ("bot.cli.steering", "Say no to an open decision; the release is held."),
    "accept": ("bot.cli.steering", "Let a held release go on, having looked at it."),
    "pause": ("bot.cli.steering", "No forward write begins until resumed."),
    "stop": ("bot.cli.steering", "Pause everything."),
    "resume": ("bot.cli.steering", "Lift a pause."),
    "rollback": ("bot.cli.steering", "Put back what was there before."),
    "retry": ("bot.cli.steering", "Begin a failed batch again."),
    "skip": ("bot.cli.steering", "Leave a unit out; it is listed as owed."),
    "cancel": ("bot.cli.steering", "End a release that has not begun."),
    "override": ("bot.cli.steering", "Go on although a check or a gate said no."),
    "freeze": ("bot.cli.steering", "An emergency freeze, until a time."),
    "unfreeze": ("bot.cli.steering", "Lift an emergency freeze."),
    "snooze": ("bot.cli.steering", "Begin and ask nothing of it until a time."),
    "audit": ("bot.cli.record", "The record of a release."),
    "fleet": ("bot.cli.clusters", "What the clusters run of what we own."),
    "backup": ("bot.cli.record", "A copy of the store, while it runs."),
    "doctor": ("bot.cli.doctor", "What is configured, reachable and missing."),
    "tidy": ("bot.cli.tidy", "Propose to delete old Release files."),
    "sim": ("bot.cli.simulating", "Seeded histories with faults; every law checked."),
    "demo": ("bot.cli.running", "The whole story of a release, on this machine."),
}
"""Name → where it stands, and what it does in one line. The order is that of the help."""


class Script(click.Group):
    """Loads a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(COMMANDS[cmd_name][0])
        found: click.Command = module.VERBS[cmd_name]
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from release_repo_schema.findings import did_you_mean

            hint = did_you_mean(args[0], COMMANDS, "sluice --help lists them all")
            raise click.UsageError(f"there is no command {args[0]}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in COMMANDS.items()])


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        print(f"sluice {version('sluice')}")
        ctx.exit()


def _begin(ctx: click.Context, /, **given: Any) -> None:
    given.pop("version", None)
    ctx.obj = Flags()
    ctx.obj.merge(given)


cli = Script(
    name="sluice",
    callback=click.pass_context(_begin),
    params=[
        *common_options(hidden=False),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            callback=_version,
            help="The version of sluice.",
        ),
    ],
    help="Releases infrastructure components to many Kubernetes clusters, a little at a time.",
    epilog="Exit: 0 good, 1 findings or a failed check, 2 wrong usage, 3 refused,"
    " 4 something outside could not be reached.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
)


def run(argv: Sequence[str] | None = None) -> int:
    """One command, from its words to its exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # a stream that tests put there
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = cli.main(args, prog_name="sluice", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else GOOD
    except Ended as ended:
        if isinstance(ended.__cause__, OSError):
            _silent()  # else Python complains of the same stream again at its end
            args = []
        return _end(ended.code, ended.text, ended.body, args)
    except click.exceptions.NoArgsIsHelpError as help_asked:
        note(help_asked.format_message())
        return USAGE
    except click.ClickException as wrong:
        return _end(USAGE, _usage_text(wrong), error("usage", wrong.format_message()), args)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return _silent()
    except SystemExit as left:  # click's own answer to a closed pipe
        return _silent() if left.code == 1 else BUG
    except Exception as unforeseen:  # noqa: BLE001 no traceback reaches a user
        return _unforeseen(unforeseen, args)


def _end(code: int, text: str, body: Any, args: Sequence[str]) -> int:
    if "--json" in args and body is not None:
        emit(body, "", as_json=True)
    else:
        note(text if text.startswith(("Refused", "Usage")) else f"sluice: {text}")
    return code


def _usage_text(wrong: click.ClickException) -> str:
    said = wrong.format_message()
    ctx = getattr(wrong, "ctx", None)
    return f"{said}\n{ctx.get_usage()}" if ctx is not None else said


def _unforeseen(raised: Exception, args: Sequence[str]) -> int:
    from bot.failures import PortError

    if isinstance(raised, PortError):
        return _end(OUTSIDE, raised.why, error("unreachable", raised.why), args)
    from bot.app.report import save_report

    where = save_report(raised, args)
    said = f"a fault in sluice itself ({type(raised).__name__}); the full report is in {where}"
    return _end(BUG, said, error("bug", said, report=str(where)), args)


def _silent() -> int:
    """Whoever read our output has closed it: nothing more to say, and nothing to complain of."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
    return BROKEN_PIPE
