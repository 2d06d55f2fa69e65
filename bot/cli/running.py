"""run and demo: what goes on until it is stopped. Signals end it cleanly; logs go to stderr."""

from __future__ import annotations

import logging
import re
import signal
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import GOOD, emit
from bot.cli.refusing import as_ended

_UNITS = {"ms": 0.001, "s": 1, "m": 60}


class Tick(click.ParamType[timedelta]):
    """`5s`, `200ms`, `1m`."""

    name = "DURATION"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(\d{1,5}(?:\.\d{1,3})?)(ms|s|m)", str(value).strip())
        seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
        if not 0.1 <= seconds <= 600:
            self.fail(f"{value!r}: expected a time from 100ms to 10m, such as 5s")
        return timedelta(seconds=seconds)


@click.command("run", cls=Verb, asks=False, help="The bot in one process, until it is stopped.")
@click.option("--tick", type=Tick(), help="From one look at the world to the next. Default 5s.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Of /healthz, /readyz and /metrics on loopback; 0 is any free one. Default 8300.",
)
@click.option("--since", metavar="COMMIT", help="Run what came to main after this commit.")
@pass_flags
def run(flags: Flags, tick: timedelta | None, port: int | None, since: str | None) -> int:
    from bot.app.running import running
    from bot.core.messages_refusal import Refusal
    from bot.ports import StoreLocked

    settings = flags.settings
    _log_to_stderr()
    stop = _stopped_by_signals()
    log = logging.getLogger("sluice")
    try:
        with running(
            settings,
            tick=tick or settings.tick,
            port=settings.port if port is None else port,
            since=since,
            stream=sys.stderr if flags.json else sys.stdout,
        ) as bot:
            log.info("running on %s, store %s, %s", settings.repo, settings.db, bot.address)
            while not stop.wait(3600):
                pass
            log.info("stopping: the tick in hand ends first")
    except StoreLocked as locked:
        if locked.kind != "locked":
            raise
        # Its own sentence says who holds it, since when, and what to do.
        raise as_ended(Refusal(code="locked-store", why=locked.why)) from locked
    log.info("stopped")
    if flags.json:
        emit({"stopped": True, "ticks": bot.vitals.ticks}, "", as_json=True)
    return GOOD


def _stopped_by_signals() -> threading.Event:
    """SIGTERM and SIGINT ask for a clean end; the second one of them does not wait for it."""
    stop = threading.Event()

    def ask(number: int, _: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return stop


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # What the scheduler says of itself at every run is no news.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


class _Lines(logging.Formatter):
    """One line for everything: a traceback goes into a report, and the line says where it is."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.converter = time.gmtime
        self._reports: dict[str, Path] = {}

    def format(self, record: logging.LogRecord) -> str:
        raised = record.exc_info[1] if record.exc_info else None
        record.exc_info, record.exc_text = None, None
        line = super().format(record)
        return line if raised is None else f"{line}: {self._reported(raised)}"

    def _reported(self, raised: BaseException) -> str:
        """The same bug at every tick is one report."""
        from bot.app.report import save_report

        sign = f"{type(raised).__name__}: {raised}"
        where = self._reports.get(sign)
        if where is None:
            where = self._reports[sign] = save_report(raised, ("run",))
        return f"{sign.splitlines()[0]}; the full report is in {where}"


@click.command("demo", cls=Verb, asks=False, help="The whole story of a release, on this machine.")
@click.option("--auto", is_flag=True, help="Decide by itself, and end by itself.")
@click.option("--speed", type=click.FloatRange(min=0), help="2 is twice as fast, 0 has no pauses.")
@pass_flags
def demo(flags: Flags, auto: bool, speed: float | None) -> int:
    from bot.demo import run as tell

    return tell(auto=auto or not sys.stdin.isatty(), speed=speed, stream=sys.stdout)


VERBS = {"run": run, "demo": demo}
