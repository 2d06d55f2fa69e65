"""Runs a kubeconfig's exec plugin for credentials: within a time, without our own secrets.

It gets no terminal and none of the bot's settings; what it started is ended with it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from selectors import EVENT_READ, DefaultSelector
from typing import Any

from bot.adapters.kubernetes_fleet.kubeconfig import ExecPlugin
from bot.failures import Unreachable

SECONDS = 15.0
"""How long a plugin may take."""
LARGEST = 2**20
SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a plugin gave. Never shows it."""

    token: str | None = field(default=None, repr=False)
    certificate: tuple[str, str] | None = field(default=None, repr=False)
    until: datetime | None = None


def run_plugin(
    cluster: str, plugin: ExecPlugin, environment: Mapping[str, str], seconds: float = SECONDS
) -> Given:
    """Its credentials. Unreachable when it fails, hangs, or tells something else."""
    what = f"{cluster}: the exec plugin {os.path.basename(plugin.command)}"
    try:
        running = subprocess.Popen(
            [plugin.command, *plugin.args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=plugin.folder or None,
            env=_environment(plugin, environment),
            start_new_session=True,
        )
    except OSError as error:
        raise Unreachable(f"{what} cannot be started: {error.strerror}") from error
    try:
        out, err = _said(running, seconds)
        running.wait(max(seconds / 10, 0.1))
    except (TimeoutError, subprocess.TimeoutExpired) as slow:
        raise Unreachable(f"{what} gave no credentials in {seconds:g} s and was ended") from slow
    except _TooMuch as much:
        raise Unreachable(f"{what} told more than {LARGEST >> 20} MiB and was ended") from much
    finally:
        _end(running)
    if running.returncode != 0:
        said = " ".join(err.decode("utf-8", "replace").split())[:SHOWN]
        raise Unreachable(f"{what} ended with {running.returncode}: {said}")
    return _given(what, plugin, out)


class _TooMuch(Exception):
    """More than any credentials are."""


def _said(running: subprocess.Popen[bytes], seconds: float) -> tuple[bytes, bytes]:
    """What it told and the beginning of what it complained, until both pipes are closed. No more
    is kept than is looked at: a plugin that talks without end must not fill the bot's memory.
    """
    until = time.monotonic() + seconds
    out, err = bytearray(), bytearray()
    with DefaultSelector() as open_pipes:
        for pipe, kept in ((running.stdout, out), (running.stderr, err)):
            assert pipe is not None
            open_pipes.register(pipe, EVENT_READ, kept)
        while open_pipes.get_map():
            ready = open_pipes.select(max(until - time.monotonic(), 0))
            if not ready or time.monotonic() >= until:
                raise TimeoutError
            for key, _ in ready:
                piece = os.read(key.fd, 2**16)
                if not piece:
                    open_pipes.unregister(key.fileobj)
                elif key.data is out or len(err) < SHOWN:
                    key.data.extend(piece)
            if len(out) > LARGEST:
                raise _TooMuch
    return bytes(out), bytes(err)


def _environment(plugin: ExecPlugin, environment: Mapping[str, str]) -> dict[str, str]:
    info: dict[str, Any] = {"interactive": False}
    if plugin.cluster is not None:
        info["cluster"] = _cluster_info(plugin.cluster)
    told = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": info}
    # Tokens of Slack and GitHub and the secrets of checks are no business of a plugin.
    own = {name: text for name, text in environment.items() if not name.startswith("SLUICE_")}
    return {**own, **plugin.env, "KUBERNETES_EXEC_INFO": json.dumps(told)}


def _cluster_info(cluster: Mapping[str, Any]) -> dict[str, Any]:
    names = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
    found = {name: cluster[name] for name in names if name in cluster}
    if "certificate-authority-data" in cluster:
        found["certificate-authority-data"] = cluster["certificate-authority-data"]
    for one in cluster.get("extensions") or ():
        if one.get("name") == "client.authentication.k8s.io/exec":
            found["config"] = one.get("extension")
    return found


def _end(running: subprocess.Popen[bytes]) -> None:
    """End it and all that it started: a helper that it left behind would hold its pipes open, and
    one that closed them would go on for ever.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    for pipe in (running.stdout, running.stderr):
        if pipe is not None:
            pipe.close()


def _given(what: str, plugin: ExecPlugin, out: bytes) -> Given:
    wrong = Unreachable(f"{what} told no ExecCredential of {plugin.api_version}")
    try:
        told = json.loads(out)
    except (ValueError, RecursionError) as error:
        raise wrong from error
    status = told.get("status") if isinstance(told, dict) else None
    if not isinstance(status, dict) or told.get("apiVersion") != plugin.api_version:
        raise wrong
    chain, key = status.get("clientCertificateData"), status.get("clientKeyData")
    token = status.get("token")
    if not token and not (chain and key):
        raise wrong
    return Given(
        token=str(token) if token else None,
        certificate=(str(chain), str(key)) if chain and key else None,
        until=_moment(status.get("expirationTimestamp")),
    )


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
