"""Settings of the bot, read once from its environment. Opens nothing but `…_FILE`s.

Every variable may also be given as NAME_FILE: the path of a file that holds the value. What is not
known, or cannot be what it says, is refused; all mistakes at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from release_repo_schema.findings import did_you_mean

_PREFIX = "SLUICE_"
SECRET = "SLUICE_SECRET_"
_UNITS = {"s": 1, "m": 60}


class BadSettings(Exception):
    """The environment is not what it should be. `problems`: one line each, all of them."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that never shows itself: not in a log, a repr or a traceback."""

    _value: str

    def reveal(self) -> str:
        """The value, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


def _from(variable: str) -> Mapping[str, str]:
    return MappingProxyType({"variable": variable})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the bot was told at its start. `Settings.read(os.environ)` or BadSettings."""

    repo: str = field(default=".", metadata=_from("SLUICE_REPO"))
    """The release repo: a path, or the URL of a Git repository. Default `.`, the current folder."""
    db: Path = field(default=Path("sluice.db"), metadata=_from("SLUICE_DB"))
    """The store, an SQLite file; its folder must exist. Default `sluice.db` in the current folder.

    Lock, log and embedded clusters stand beside it. On a local disk: network disks lose locks.
    """
    tick: timedelta = field(default=timedelta(seconds=5), metadata=_from("SLUICE_TICK"))
    """From one look at the world to the next, in seconds or minutes, 1s to 10m. Default `5s`."""
    port: int = field(default=8300, metadata=_from("PORT"))
    """TCP port of /healthz, /readyz, /metrics and the board; 0 is any free one. Default `8300`."""
    plain: bool = field(default=False, metadata=_from("NO_COLOR"))
    """No colours in the terminal, whatever the value is. Default: unset, colours on a terminal."""
    kubeconfigs: Path | None = field(default=None, metadata=_from("SLUICE_KUBECONFIG_DIR"))
    """The folder of the kubeconfigs that clusters name, one file a cluster; never inside the
    release repo. Default: none, and only clusters with `simulated` or `inCluster` can be reached.
    """
    hosts: Mapping[str, frozenset[str]] = field(
        default_factory=lambda: MappingProxyType({}), metadata=_from("SLUICE_HOSTS")
    )
    """Hosts that tasks may call, with the secrets that may be sent there: `ops.example.com=ops
    probe.example.com:8443`, separated by spaces. A host without a port is any port of it. Default:
    none.
    """
    github_app: str = field(default="", metadata=_from("GITHUB_APP_ID"))
    """Id of the GitHub App that the bot is. Default: none, and a repo on GitHub is a plain one."""
    github_key: Secret | None = field(default=None, metadata=_from("GITHUB_APP_PRIVATE_KEY"))
    """The App's private key, PEM. Default: none."""
    github_installation: int | None = field(
        default=None, metadata=_from("GITHUB_APP_INSTALLATION_ID")
    )
    """Which installation of the App. Default: the one that the release repo has."""
    github_token: Secret | None = field(default=None, metadata=_from("GITHUB_TOKEN"))
    """A person's token, for a trial without an App. Default: none."""
    github_api: str | None = field(default=None, metadata=_from("GITHUB_API_URL"))
    """Base of the REST API of a GitHub Enterprise server, `https://HOST/api/v3`; of the host that
    the release repo is on. Default: GitHub's own for github.com."""
    github_hook: Secret | None = field(default=None, metadata=_from("GITHUB_WEBHOOK_SECRET"))
    """Secret of the webhook that GitHub signs its deliveries with. Default: none, and nothing is
    taken on /webhooks/github."""
    github_poll: timedelta = field(default=timedelta(minutes=1), metadata=_from("GITHUB_POLL"))
    """From one question to GitHub to the next, 1s to 10m. Default `1m`."""
    secrets: Mapping[str, Secret] = field(
        default_factory=lambda: MappingProxyType({}), metadata=_from("SLUICE_SECRET_PROM_EU")
    )
    """A secret that a check names, here `secret: prom-eu`; one variable for each. Default: none."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """The settings of an environment; variables that are empty count as not set."""
        problems: list[str] = []
        given = {name: text for name, text in environment.items() if _ours(name) and text.strip()}
        values = dict(_values(given, problems))
        problems.extend(_unknown(name) for name in sorted(values) if not _known(name))
        read: dict[str, Any] = {}
        for name, (variable, parse) in _PARSED.items():
            if variable in values:
                try:
                    read[name] = parse(values[variable])
                except ValueError as error:
                    problems.append(f"{variable}={values[variable]!r}: {error}")
        if bool(read.get("github_app")) != bool(read.get("github_key")):
            problems.append("GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY go together: one is missing")
        if problems:
            raise BadSettings(tuple(problems))
        secrets = {
            name.removeprefix(SECRET): Secret(text)
            for name, text in sorted(values.items())
            if name.startswith(SECRET)
        }
        return cls(**read, secrets=MappingProxyType(secrets))

    def secret(self, name: str) -> Secret | None:
        """The secret that the release repo calls `name`, or None when it was not given."""
        return self.secrets.get(name.upper().replace("-", "_"))

    def reveal(self, name: str) -> str | None:
        """The value of a secret, for the one place that sends it."""
        found = self.secret(name)
        return found.reveal() if found is not None else None

    def __repr__(self) -> str:
        """For logs: a password in the URL of the repo is no more shown than a secret."""
        shown = {each.name: repr(getattr(self, each.name)) for each in fields(self)}
        shown["repo"] = repr(re.sub(r"(?<=://)[^/@]*@", "…@", self.repo))
        shown["secrets"] = f"{{{', '.join(sorted(self.secrets))}}}"
        return f"Settings({', '.join(f'{name}={value}' for name, value in shown.items())})"


def parse_tick(text: str) -> timedelta:
    """`5s` or `2m` as time; ValueError says what was expected."""
    match = re.fullmatch(r"([0-9]{1,4})([sm])", text.strip())
    expected = "expected a time from 1s to 10m, such as 5s"
    if not match:
        raise ValueError(expected)
    seconds = int(match[1]) * _UNITS[match[2]]
    if not 1 <= seconds <= 600:
        raise ValueError(expected)
    return timedelta(seconds=seconds)


def parse_port(text: str) -> int:
    """A TCP port; ValueError says what was expected."""
    if not re.fullmatch(r"[0-9]{1,5}", text.strip()) or int(text) > 65535:
        raise ValueError("expected a TCP port from 0 to 65535, such as 8300")
    return int(text)


def parse_folder(text: str) -> Path:
    """A folder that there is; ValueError says what was expected."""
    found = Path(text.strip()).expanduser().absolute()
    if not found.is_dir():
        raise ValueError("expected a folder, and there is none")
    return found


def parse_hosts(text: str) -> Mapping[str, frozenset[str]]:
    """`host`, `host:port`, `host=secret,secret`; ValueError says what was expected."""
    found: dict[str, frozenset[str]] = {}
    for entry in text.split():
        host, _, secrets = entry.partition("=")
        if not _HOST.fullmatch(host):
            raise ValueError(f"expected host or host:port, found {host!r}")
        found[host.lower()] = frozenset(filter(None, secrets.split(",")))
    return MappingProxyType(found)


def parse_number(text: str) -> int:
    """An id of GitHub's; ValueError says what was expected."""
    if not re.fullmatch(r"[1-9][0-9]{0,18}", text.strip()):
        raise ValueError("expected a number, such as 1234567")
    return int(text)


def parse_app(text: str) -> str:
    """An App's id, or its client id; ValueError says what was expected."""
    if not re.fullmatch(r"[A-Za-z0-9.]{1,40}", text.strip()):
        raise ValueError("expected the App's id, such as 1234567")
    return text.strip()


def parse_api(text: str) -> str:
    """The base of an API; ValueError says what was expected."""
    if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[\w./-]*)?", text.strip()):
        raise ValueError("expected an address, such as https://github.example.com/api/v3")
    return text.strip().rstrip("/")


def parse_secret(text: str) -> Secret:
    """A value that never shows itself. Lines of a key may stand as \\n in one line."""
    return Secret(text.strip().replace("\\n", "\n"))


_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")
_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "repo": str.strip,
    "db": lambda text: Path(text).expanduser(),
    "tick": parse_tick,
    "port": parse_port,
    "kubeconfigs": parse_folder,
    "hosts": parse_hosts,
    "plain": lambda text: True,
    "github_app": parse_app,
    "github_key": parse_secret,
    "github_installation": parse_number,
    "github_token": parse_secret,
    "github_api": parse_api,
    "github_hook": parse_secret,
    "github_poll": parse_tick,
}
_PARSED = {
    each.name: (str(each.metadata["variable"]), _PARSERS[each.name])
    for each in fields(Settings)
    if each.name in _PARSERS
}
_VARIABLES = tuple(variable for variable, _ in _PARSED.values())
_SECRET_NAME = re.compile(rf"{SECRET}[A-Z0-9][A-Z0-9_]*")


def _ours(name: str) -> bool:
    return name.startswith(_PREFIX) or name.removesuffix("_FILE") in _VARIABLES


def _known(name: str) -> bool:
    return name in _VARIABLES or bool(_SECRET_NAME.fullmatch(name))


def _values(given: Mapping[str, str], problems: list[str]) -> Iterator[tuple[str, str]]:
    """Variable and value, whether it was given itself or as a file."""
    for name, text in sorted(given.items()):
        base = name.removesuffix("_FILE")
        if base == name or not _known(base):
            yield name, text
        elif base in given:
            problems.append(f"{base} and {name} are both set: keep one of them")
        else:
            try:
                yield base, Path(text).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or "it is not UTF-8 text"
                problems.append(f"{name}={text!r}: the file cannot be read ({why})")


def _unknown(name: str) -> str:
    if name.startswith(SECRET):
        return f"{name}: the name of a secret has capital letters, digits and _ (PROM_EU)"
    known = [variable for variable in _VARIABLES if variable.startswith(_PREFIX)]
    # What all names share would make any two of them look alike.
    hint = did_you_mean(
        name.removeprefix(_PREFIX), [variable.removeprefix(_PREFIX) for variable in known]
    ).replace("`", f"`{_PREFIX}", 1)
    listed = f"known: {', '.join([*known, f'{SECRET}<NAME>'])}"
    return f"{name}: no such setting ({hint or listed})"
