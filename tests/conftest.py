"""What every test gets: a fixed environment, no network, Hypothesis profiles, and golden files.

Nothing here knows the product; the words that stories are written in stand beside the stories.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

GOLDEN = Path(__file__).parent / "golden"
CLUSTER = Path(__file__).parent / "cluster"
_LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "", None}


class NetworkUsed(AssertionError):
    """A test tried to leave this machine. No OSError: nobody may take it for an outage."""


def _profiles() -> None:
    """`HYPOTHESIS_PROFILE` names one; else `ci`, never random, where CI is set; else `dev`."""
    slow = [HealthCheck.too_slow]  # a busy machine is no reason to fail
    settings.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=slow)
    settings.register_profile(
        "ci",
        max_examples=100,
        deadline=None,
        derandomize=True,
        database=None,
        print_blob=True,
        suppress_health_check=slow,
    )
    settings.register_profile(
        "nightly", max_examples=5_000, deadline=None, print_blob=True, suppress_health_check=slow
    )
    settings.register_profile(
        "mutants",  # whether it fails is the question, not the smallest case of it
        max_examples=100,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=slow,
    )
    default = "ci" if os.environ.get("CI") else "dev"
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", default))


def _environment() -> None:
    """The same on every machine: no settings, identity or colours of whoever runs the tests."""
    # How many histories are simulated, and whether every kill and every verb is tried.
    kept = {"SLUICE_SEEDS", "SLUICE_EVERY_KILL", "SLUICE_EVERY_PAIR"}
    # A bot that a test starts would refuse it as a setting that it does not know.
    if tools := os.environ.get("SLUICE_CLUSTER_TOOLS"):
        os.environ["CLUSTER_TOOLS"] = tools
    for name in [n for n in os.environ if n.startswith(("SLUICE_", "GIT_")) and n not in kept]:
        del os.environ[name]
    os.environ |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.com",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.com",
        "NO_COLOR": "1",
        # Half an hour off and with daylight saving: whoever reads the local zone is found out.
        "TZ": "America/St_Johns",
    }
    time.tzset()


def _stay_on_this_machine(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook, so that it holds for every library; loopback and Unix sockets are fine."""
    if event in {"socket.connect", "socket.sendto"}:
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = args[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if host not in _LOOPBACK and not str(host).startswith("127."):
        raise NetworkUsed(f"{event} to {host}: tests stay on this machine")


_profiles()
_environment()
sys.addaudithook(_stay_on_this_machine)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --update-golden`, then read the diff as prose."""
    parser.addoption(
        "--update-golden", action="store_true", help="write what is said now into tests/golden"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """tests/cluster starts whole control planes: run when named, never in passing."""
    if collection_path != CLUSTER:
        return None
    named = (Path(config.invocation_params.dir, each.split("::")[0]) for each in config.args)
    return None if any(CLUSTER in (path, *path.parents) for path in named) else True


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden("transcripts/windows.txt", text)`: the text equals that file of tests/golden."""
    update = bool(request.config.getoption("--update-golden"))

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        if not path.exists():
            pytest.fail(f"tests/golden/{name} does not exist; pytest --update-golden writes it")
        expected = path.read_text(encoding="utf-8")
        assert text == expected, f"tests/golden/{name} reads otherwise (--update-golden accepts)"

    return compare
