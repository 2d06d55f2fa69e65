"""A kubeconfig's exec plugin is a foreign program: it may hang, flood, lie, or leave helpers."""

from __future__ import annotations

import json
import os
import select
import stat
import sys
from pathlib import Path

import pytest

from bot.adapters.kubernetes_fleet.exec_plugin import LARGEST, run_plugin
from bot.adapters.kubernetes_fleet.kubeconfig import ExecPlugin
from bot.failures import Unreachable

GOOD = {
    "apiVersion": "client.authentication.k8s.io/v1",
    "kind": "ExecCredential",
    "status": {"token": "s3cret"},
}


def plugin(folder: Path, body: str) -> ExecPlugin:
    path = folder / "plugin"
    path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return ExecPlugin(command=str(path))


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or goes within ten seconds."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 10)[0])
    finally:
        os.close(watched)


def refused(folder: Path, body: str, seconds: float = 10) -> str:
    with pytest.raises(Unreachable) as error:
        run_plugin("eu-1", plugin(folder, body), os.environ, seconds)
    assert error.value.why.startswith("eu-1: the exec plugin plugin ")
    return error.value.why


def test_what_it_tells_is_taken_however_much_it_complains(tmp_path: Path) -> None:
    """Megabytes of warnings are read away, so that it can go on, and not kept."""
    body = f'sys.stderr.write("warning " * 500_000)\nprint({json.dumps(json.dumps(GOOD))})'
    assert run_plugin("eu-1", plugin(tmp_path, body), os.environ).token == "s3cret"


def test_one_that_talks_without_end_is_ended_long_before_its_time(tmp_path: Path) -> None:
    """It must not fill the memory of a bot that drives a thousand clusters."""
    assert "told more than 1 MiB and was ended" in refused(
        tmp_path, "while True: sys.stdout.write('x' * 65536)", seconds=300
    )


def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """A helper that holds its pipes would keep the bot waiting for ever."""
    pid = tmp_path / "helper"
    body = f"""
if os.fork() == 0:
    open({str(pid)!r}, "w").write(str(os.getpid()))
    time.sleep(600)
while not os.path.exists({str(pid)!r}) or not open({str(pid)!r}).read(): time.sleep(0.01)
"""
    assert "gave no credentials in 1 s and was ended" in refused(tmp_path, body, seconds=1)
    assert has_ended(int(pid.read_text()))


def test_one_that_closes_its_output_and_stays_is_ended_too(tmp_path: Path) -> None:
    body = "os.close(1); os.close(2); time.sleep(600)"
    assert "gave no credentials" in refused(tmp_path, body, seconds=1)


@pytest.mark.parametrize(
    "told",
    [
        "[" * 100_000,
        '{"status": ' * 50_000,
        "not json",
        "",
        json.dumps(GOOD | {"apiVersion": "client.authentication.k8s.io/v1beta1"}),
        json.dumps(GOOD | {"status": {}}),
        json.dumps(GOOD | {"status": {"clientKeyData": "only the key"}}),
    ],
    ids=["deep list", "deep object", "no json", "nothing", "version", "no status", "half"],
)
def test_what_is_no_credential_is_refused_in_one_sentence(tmp_path: Path, told: str) -> None:
    """However deep it is nested; and nothing of it is shown, for it may be a secret."""
    path = tmp_path / "told"
    path.write_text(told)
    assert path.stat().st_size < LARGEST
    why = refused(tmp_path, f"sys.stdout.write(open({str(path)!r}).read())")
    assert why.endswith("told no ExecCredential of client.authentication.k8s.io/v1")


def test_a_failure_is_told_with_its_reason_and_without_its_output(tmp_path: Path) -> None:
    why = refused(tmp_path, "print('s3cret'); sys.exit('no session: log in again')")
    assert why.endswith("ended with 1: no session: log in again")
    assert "s3cret" not in why
