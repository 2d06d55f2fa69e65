"""The command line: words in, text or one JSON document out, and the exit code of the contract.

Nothing is decided here. A command imports only what it needs: `sluice windows` knows no store, no
Git and no web. `main` is the script.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    from bot.cli.entry import run

    return run(argv)
