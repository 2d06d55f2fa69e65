"""Settings: read once, mistakes told all at once, secrets never shown, each one documented."""

from __future__ import annotations

import ast
import inspect
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from bot import config
from bot.config import BadSettings, Settings

ROOT = Path(__file__).resolve().parent.parent.parent


def problems(**environment: str) -> tuple[str, ...]:
    with pytest.raises(BadSettings) as caught:
        Settings.read(environment)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_without_any_setting_the_defaults_are_those_that_are_documented() -> None:
    """`sluice run` in a release repo works as the first command typed."""
    settings = Settings.read({"PATH": "/bin", "HOME": "/root", "DB": "x", "PORTS": "1"})
    assert settings == Settings()
    assert (settings.repo, settings.db) == (".", Path("sluice.db"))
    assert (settings.tick, settings.port, settings.plain) == (timedelta(seconds=5), 8300, False)
    assert dict(settings.secrets) == {}


def test_settings_are_what_the_environment_says() -> None:
    """Empty ones count as not set: compose files and CI write them so."""
    settings = Settings.read(
        {
            "SLUICE_REPO": "https://git.example/releases.git",
            "SLUICE_DB": "/var/lib/sluice/sluice.db",
            "SLUICE_TICK": "2m",
            "PORT": "0",
            "NO_COLOR": "1",
            "SLUICE_SECRET_PROM_EU": "s3cret",
            "SLUICE_SECRET_EMPTY": "",
        }
    )
    assert settings.repo == "https://git.example/releases.git"
    assert settings.db == Path("/var/lib/sluice/sluice.db")
    assert (settings.tick, settings.port, settings.plain) == (timedelta(minutes=2), 0, True)
    secret = settings.secret("prom-eu")
    assert secret is not None
    assert secret.reveal() == "s3cret"
    assert settings.secret("empty") is settings.secret("prom-us") is None


def test_all_mistakes_are_told_at_once_each_with_what_was_expected() -> None:
    """One start, one list; not one mistake a restart."""
    told = problems(
        SLUICE_TICK="5 seconds",
        PORT="http",
        SLUICE_HOSTS="https://ops.example.com",
        SLUICE_DBB="x.db",
        SLUICE_COLOUR="yes",
        SLUICE_SECRET_prom="x",
        SLUICE_KUBECONFIG_DIR="/kube/is/not/here",
    )
    assert sorted(told) == [
        "PORT='http': expected a TCP port from 0 to 65535, such as 8300",
        "SLUICE_COLOUR: no such setting"
        " (known: SLUICE_REPO, SLUICE_DB, SLUICE_TICK, SLUICE_KUBECONFIG_DIR,"
        " SLUICE_HOSTS, SLUICE_SECRET_<NAME>)",
        "SLUICE_DBB: no such setting (did you mean `SLUICE_DB`?)",
        "SLUICE_HOSTS='https://ops.example.com': expected host or host:port,"
        " found 'https://ops.example.com'",
        "SLUICE_KUBECONFIG_DIR='/kube/is/not/here': expected a folder, and there is none",
        "SLUICE_SECRET_prom: the name of a secret has capital letters, digits and _ (PROM_EU)",
        "SLUICE_TICK='5 seconds': expected a time from 1s to 10m, such as 5s",
    ]


@pytest.mark.parametrize("tick", ["0s", "601s", "11m", "1h", "-5s", "5", "s", "1.5s", "\u0665s"])
def test_a_tick_that_would_make_the_bot_deaf_or_breathless_is_refused(tick: str) -> None:
    """A pause waits for the next tick; and no tick at all would be a silent bot."""
    (told,) = problems(SLUICE_TICK=tick)
    assert "from 1s to 10m" in told


@pytest.mark.parametrize("port", ["65536", "-1", "8300 ok", "999999", "\u0663"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    """The mistake is told at the start, not by a probe that finds nobody."""
    (told,) = problems(PORT=port)
    assert "TCP port" in told


def test_every_setting_can_stand_in_a_file(tmp_path: Path) -> None:
    """Orchestrators hand over secrets as files; the line end is not part of one."""
    for name, text in {"a": "s3cret\n", "b": "/var/sluice.db\n", "c": "7s"}.items():
        (tmp_path / name).write_text(text)
    settings = Settings.read(
        {
            "SLUICE_SECRET_PROM_EU_FILE": str(tmp_path / "a"),
            "SLUICE_DB_FILE": str(tmp_path / "b"),
            "SLUICE_TICK_FILE": str(tmp_path / "c"),
        }
    )
    secret = settings.secret("prom-eu")
    assert secret is not None
    assert secret.reveal() == "s3cret"
    assert (settings.db, settings.tick) == (Path("/var/sluice.db"), timedelta(seconds=7))


def test_files_that_cannot_be_read_or_are_meant_twice_are_told(tmp_path: Path) -> None:
    """A secret that is silently missing would show as a failing check, hours later."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    told = problems(
        SLUICE_SECRET_A_FILE=str(tmp_path / "none"),
        SLUICE_SECRET_B_FILE=str(tmp_path / "bytes"),
        SLUICE_DB="x.db",
        SLUICE_DB_FILE=str(tmp_path / "bytes"),
    )
    assert sorted(told) == [
        "SLUICE_DB and SLUICE_DB_FILE are both set: keep one of them",
        f"SLUICE_SECRET_A_FILE='{tmp_path}/none':"
        " the file cannot be read (No such file or directory)",
        f"SLUICE_SECRET_B_FILE='{tmp_path}/bytes': the file cannot be read (it is not UTF-8 text)",
    ]


def test_no_secret_is_ever_shown() -> None:
    """Settings end up in logs and bug reports."""
    settings = Settings.read(
        {"SLUICE_SECRET_PROM_EU": "s3cret", "SLUICE_REPO": "https://bot:s3cret@git.example/r.git"}
    )
    secret = settings.secret("prom-eu")
    for shown in (repr(settings), str(settings), repr(secret), f"{secret}", repr(settings.secrets)):
        assert "s3cret" not in shown
    assert "PROM_EU" in repr(settings)
    assert "https://…@git.example/r.git" in repr(settings)


def test_the_example_file_lists_every_setting_with_its_meaning_and_default() -> None:
    """`.env.example` is the page that operators read; it and the code say the same."""
    (shape,) = (
        node
        for node in ast.parse(inspect.getsource(config)).body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    )
    said = {
        node.target.id: inspect.cleandoc(after.value.value)
        for node, after in zip(shape.body, shape.body[1:], strict=False)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }
    default = {"repo": ".", "db": "sluice.db", "tick": "5s", "port": "8300", "github_poll": "1m"}
    expected = [
        "# Settings of `sluice run` and of every other command, with their defaults.",
        "# Each can also be given as NAME_FILE, the path of a file that holds the value.",
    ]
    for each in fields(Settings):
        assert f"`{default.get(each.name, '')}`" in said[each.name] or each.name not in default
        assert "Default" in said[each.name]
        lines = [line for line in said[each.name].splitlines() if line]
        expected += ["", *(f"# {line}" for line in lines)]
        expected.append(f"#{each.metadata['variable']}={default.get(each.name, '')}")
    assert (ROOT / ".env.example").read_text() == "\n".join(expected) + "\n"
    values = {each.metadata["variable"]: default.get(each.name, "") for each in fields(Settings)}
    assert Settings.read(values) == Settings()
