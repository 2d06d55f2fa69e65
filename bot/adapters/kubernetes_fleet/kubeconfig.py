"""How one cluster is reached: a kubeconfig of the bot's own folder, or the pod the bot runs in.

A name of the release repo only ever picks a file of that folder. Opens no connection and starts no
program; every file that was read is remembered, so that a change of any of them is seen.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from bot.failures import Unreachable
from bot.model.plan import JSON

LARGEST = 2**20
"""Bytes of a file that is read."""
DEEPEST = 64
"""Levels of a kubeconfig: far fewer than the stack of the process has room for."""
ENDINGS = ("", ".yaml", ".yml", ".kubeconfig")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

Stamp = tuple[str, int, int, int]
"""A file as it was: path, inode, size, time of its last change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecPlugin:
    """A program that is run for credentials, as the kubeconfig names it."""

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    api_version: str = "client.authentication.k8s.io/v1"
    folder: str = ""
    cluster: JSON = None
    """What the program is told of the cluster, where the kubeconfig says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Everything that a kubeconfig says. Never shows its secrets."""

    server: str
    ca: str | None = field(default=None, repr=False)
    insecure: bool = False
    tls_name: str | None = None
    proxy: str | None = None
    token: str | None = field(default=None, repr=False)
    token_file: str | None = None
    basic: tuple[str, str] | None = field(default=None, repr=False)
    certificate: tuple[str, str] | None = field(default=None, repr=False)
    """Client certificate and key, PEM."""
    plugin: ExecPlugin | None = field(default=None, repr=False)
    stamps: tuple[Stamp, ...] = ()

    def stale(self) -> bool:
        """Whether a file that it was read from is another now."""
        return any(stamp_of(told[0]) != told for told in self.stamps)


class _Reader:
    """Reads files and remembers them."""

    def __init__(self, cluster: str, folder: str) -> None:
        self.cluster, self.folder = cluster, folder
        self.stamps: list[Stamp] = []

    def wrong(self, why: str) -> Unreachable:
        return Unreachable(f"{self.cluster}: {why}")

    def read(self, path: str, what: str) -> bytes:
        """A file beside the kubeconfig, or at an absolute path. Never waits for a pipe."""
        if "\0" in path:
            raise self.wrong(f"{what} cannot be read: its name is none")
        where = os.path.join(self.folder, os.path.expanduser(path))
        self.stamps.append(stamp_of(where))
        try:
            handle = os.open(where, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise self.wrong(f"{what} cannot be read: {error.strerror}") from error
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise self.wrong(f"{what} is no plain file")
            found = file.read(LARGEST + 1)
        if len(found) > LARGEST:
            raise self.wrong(f"{what} is larger than {LARGEST} bytes")
        return found

    def text(self, path: str, what: str) -> str:
        try:
            return self.read(path, what).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.wrong(f"{what} is no text") from error

    def pem(self, of: Mapping[str, Any], name: str) -> str | None:
        """`name-data` (base64) or the file that `name` tells; the data wins, as for kubectl."""
        data = of.get(f"{name}-data")
        if data:
            try:
                return base64.b64decode(str(data), validate=True).decode("ascii")
            except (binascii.Error, ValueError) as error:
                raise self.wrong(f"{name}-data of its kubeconfig is no base64 of a PEM") from error
        path = of.get(name)
        return self.text(str(path), name) if path else None


def kubeconfig(cluster: str, name: str, folder: str | None) -> Access:
    """What the kubeconfig of a name says. Unreachable where there is none, or none that serves."""
    if folder is None:
        raise Unreachable(f"{cluster}: SLUICE_KUBECONFIG_DIR is not set: no kubeconfig can be read")
    path = _chosen(cluster, name, folder)
    reader = _Reader(cluster, os.path.dirname(path))
    text = reader.text(path, f"kubeconfig {name}")
    try:
        told = _loaded(text)
    except (yaml.YAMLError, ValueError) as error:
        raise reader.wrong(f"kubeconfig {name} is no YAML") from error
    return _access(reader, told if isinstance(told, dict) else {}, name)


def _loaded(text: str) -> Any:
    """The fast loader calls itself for every level: too many of them would end the process."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise ValueError("nested too deep")
    return yaml.load(text, Loader=loader)


def in_cluster(cluster: str, environment: Mapping[str, str], account: Path | None = None) -> Access:
    """The cluster in which the bot itself runs, by its service account."""
    account = account or _ACCOUNT
    host = environment.get("KUBERNETES_SERVICE_HOST", "")
    port = environment.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        raise Unreachable(f"{cluster}: inCluster, and the bot runs in no cluster")
    reader = _Reader(cluster, str(account))
    ca = reader.text("ca.crt", "the service account's ca.crt")
    where = f"[{host}]" if ":" in host else host
    return Access(
        server=f"https://{where}:{port}",
        ca=ca,
        token_file=str(account / "token"),
        stamps=tuple(reader.stamps),
    )


def _chosen(cluster: str, name: str, folder: str) -> str:
    """The file of a name, in the folder itself: no path leads out of it, no link either."""
    if not _NAME.fullmatch(name):
        raise Unreachable(f"{cluster}: kubeconfig {name!r} is no plain name of a file")
    root = os.path.realpath(folder)
    for ending in ENDINGS:
        path = os.path.join(root, name + ending)
        if not os.path.lexists(path):
            continue
        real = os.path.realpath(path)
        if os.path.commonpath((root, real)) != root:
            why = f"kubeconfig {name} is a link that leaves SLUICE_KUBECONFIG_DIR"
            raise Unreachable(f"{cluster}: {why}")
        return path
    raise Unreachable(f"{cluster}: there is no kubeconfig {name} in SLUICE_KUBECONFIG_DIR")


def _access(reader: _Reader, told: Mapping[str, Any], name: str) -> Access:
    current = told.get("current-context")
    context = _named(reader, told, "contexts", current, "context", name)
    cluster = _named(reader, told, "clusters", context.get("cluster"), "cluster", name)
    user: Mapping[str, Any] = {}
    if context.get("user"):
        user = _named(reader, told, "users", context["user"], "user", name)
    server = str(cluster.get("server") or "").rstrip("/")
    if not _is_address(server):
        raise reader.wrong(f"kubeconfig {name}: its server is no http or https address")
    proxy = str(cluster.get("proxy-url") or "")
    if proxy and not _is_address(proxy.rstrip("/"), with_user=True):
        raise reader.wrong(f"kubeconfig {name}: its proxy-url is no http or https address")
    for unknown in ("auth-provider", "as", "as-groups", "as-uid", "as-user-extra"):
        if user.get(unknown):
            raise reader.wrong(f"kubeconfig {name}: `{unknown}` is not supported, exec is")
    certificate = _certificate(reader, user)
    ca = reader.pem(cluster, "certificate-authority")
    if ca is not None:
        encoded = base64.b64encode(ca.encode()).decode()
        cluster = {**cluster, "certificate-authority-data": encoded}
    token_file, plugin = user.get("tokenFile"), user.get("exec")
    username = user.get("username")
    return Access(
        server=server,
        ca=ca,
        insecure=bool(cluster.get("insecure-skip-tls-verify", False)),
        tls_name=str(cluster.get("tls-server-name") or "") or None,
        proxy=proxy or None,
        # The file wins over the text beside it, as for kubectl: it is the one that is renewed.
        token=str(user["token"]) if user.get("token") and not token_file else None,
        token_file=os.path.join(reader.folder, str(token_file)) if token_file else None,
        basic=(str(username), str(user.get("password", ""))) if username else None,
        certificate=certificate,
        plugin=_plugin(reader, plugin, cluster, name) if isinstance(plugin, dict) else None,
        stamps=tuple(reader.stamps),
    )


def _is_address(text: str, *, with_user: bool = False) -> bool:
    user = r"([^/@\s?#]+@)?" if with_user else ""
    if not re.fullmatch(rf"https?://{user}[^/@\s?#]+(/[^@\s?#]*)?", text):
        return False
    try:
        # Both are worked out when they are asked for, and fail where they cannot be meant.
        return bool(urlsplit(text).hostname) and urlsplit(text).port != 0
    except ValueError:
        return False


def _named(
    reader: _Reader, told: Mapping[str, Any], part: str, name: object, inner: str, config: str
) -> Mapping[str, Any]:
    entries = told.get(part)
    found = [
        entry.get(inner) or {}
        for entry in (entries if isinstance(entries, Sequence) else ())
        if isinstance(entry, dict) and entry.get("name") == name
    ]
    if name is None or len(found) != 1 or not isinstance(found[0], dict):
        raise reader.wrong(f"kubeconfig {config} names {inner} {name!r}, and has not just one")
    return found[0]


def _certificate(reader: _Reader, user: Mapping[str, Any]) -> tuple[str, str] | None:
    chain, key = reader.pem(user, "client-certificate"), reader.pem(user, "client-key")
    if (chain is None) != (key is None):
        raise reader.wrong("its kubeconfig has a client certificate without its key, or a key only")
    return (chain, key) if chain is not None and key is not None else None


def _plugin(
    reader: _Reader, told: Mapping[str, Any], cluster: Mapping[str, Any], name: str
) -> ExecPlugin:
    command = str(told.get("command") or "")
    if not command:
        raise reader.wrong(f"kubeconfig {name}: exec has no command")
    if told.get("interactiveMode") == "Always":
        raise reader.wrong(f"kubeconfig {name}: exec wants a terminal; nobody sits at the bot's")
    args, env = told.get("args") or [], told.get("env") or []
    if not isinstance(args, list) or not isinstance(env, list):
        raise reader.wrong(f"kubeconfig {name}: args and env of exec are lists")
    if not all(isinstance(one, dict) and "name" in one and "value" in one for one in env):
        raise reader.wrong(f"kubeconfig {name}: every env of exec has a name and a value")
    texts = [command, *map(str, args), *(str(one[key]) for one in env for key in ("name", "value"))]
    if any("\0" in text for text in texts):
        raise reader.wrong(f"kubeconfig {name}: exec has a NUL, which no program can be given")
    if os.sep in command:
        command = os.path.join(reader.folder, command)
    return ExecPlugin(
        command=command,
        args=tuple(map(str, args)),
        env={str(one["name"]): str(one["value"]) for one in env},
        api_version=str(told.get("apiVersion") or "client.authentication.k8s.io/v1"),
        folder=reader.folder,
        cluster=dict(cluster) if told.get("provideClusterInfo") else None,
    )


def stamp_of(path: str) -> Stamp:
    """A file as it is now."""
    try:
        found = os.stat(path)
    except OSError:
        return (path, 0, 0, 0)
    return (path, found.st_ino, found.st_size, found.st_mtime_ns)
