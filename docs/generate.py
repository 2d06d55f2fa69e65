"""Writes the pages of docs/ that are read off the code; `make docs` runs it.

A page that is wrong is mended in the code that it is read off, never here. In `commands.md` only
the part of each command between its two marks is written; the rest is by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import click

DOCS = Path(__file__).resolve().parent
MARKED = re.compile(r"(<!-- usage: (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def pages() -> Mapping[str, Callable[[], str]]:
    """Name of a page → the function that makes it."""
    from release_repo_schema.reference import reference_markdown

    made: dict[str, Callable[[], str]] = {
        "release-repo.md": reference_markdown,
        "commands.md": commands_page,
        "simulation.md": simulation_page,
        "guard.md": guard_page,
    }
    if find_spec("bot.core.lifecycle_doc") is not None:
        from bot.core.lifecycle_doc import lifecycle_markdown

        made["lifecycle.md"] = lifecycle_markdown
    return made


def simulation_page() -> str:
    """The page as it stands, with every law that a history is checked by."""
    from bot.sim import laws_all
    from bot.sim.laws import AT_THE_END, LAWS

    assert laws_all
    rows = [f"| `{name}` | {says} |" for name, (says, _) in {**LAWS, **AT_THE_END}.items()]
    table = "\n".join(["| Law | Says |", "|---|---|", *rows])
    page = (DOCS / "simulation.md").read_text(encoding="utf-8")
    head, _, rest = page.partition("<!-- laws -->")
    return f"{head}<!-- laws -->\n{table}\n<!-- end -->{rest.partition('<!-- end -->')[2]}"


def guard_page() -> str:
    """The page as it stands, with the built-in list."""
    from bot.core.guard_doc import guard_markdown

    page = (DOCS / "guard.md").read_text(encoding="utf-8")
    head, _, rest = page.partition("<!-- list -->")
    table = guard_markdown()
    return f"{head}<!-- list -->\n{table}\n<!-- end -->{rest.partition('<!-- end -->')[2]}"


def commands_page() -> str:
    """The page as it stands, with every command's usage as the command line has it."""
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    return MARKED.sub(lambda mark: f"{mark[1]}{usage(mark[2])}{mark[4]}", page)


def usage(name: str) -> str:
    """How a command is called, and what each option means."""
    from bot.cli.entry import cli

    command = cli.get_command(click.Context(cli), name)
    if command is None:
        raise KeyError(f"there is no command {name}")
    own = [param for param in command.params if not getattr(param, "hidden", False)]
    words = " ".join(["sluice", name, *map(_synopsis, own)])
    options = [param for param in own if isinstance(param, click.Option)]
    rows = [f"- `{_written(option)}`: {option.help}" for option in options if option.help]
    return "\n".join(
        ["```", words, "```", "", f"{command.help}", *(["", *rows] if rows else []), "", ""]
    )


def _synopsis(param: click.Parameter) -> str:
    if isinstance(param, click.Option):
        return _written(param) if param.required else f"[{_written(param)}]"
    shown = param.metavar or (param.name or "").upper()
    required = param.required or param.metavar is not None
    return shown if required else f"[{shown}]"


def _written(option: click.Option) -> str:
    if option.is_flag:
        return option.opts[0]
    if isinstance(option.type, click.Choice):
        return f"{option.opts[0]} {'|'.join(option.type.choices)}"
    plain = {"integer range": "N", "float range": "X"}.get(option.type.name, option.type.name)
    return f"{option.opts[0]} {option.metavar or plain}"


def main() -> int:
    """Write what differs, and say so."""
    for name, make in pages().items():
        path = DOCS / name
        text = make()
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if text != before:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"docs/{name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
