"""A name of the release repo picks a file of the bot's own folder, and nothing else at all."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.kubernetes_fleet.kubeconfig import Access, in_cluster, kubeconfig
from bot.ports import Unreachable


def config(user: dict[str, Any] | None = None, **cluster: Any) -> dict[str, Any]:
    return {
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": "https://10.0.0.1:6443"} | cluster}],
        "users": [{"name": "it", "user": {"token": "t"} if user is None else user}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def read(folder: Path, name: str = "eu-1") -> Access:
    return kubeconfig("eu-1", name, str(folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "kubeconfigs"
    found.mkdir()
    write(tmp_path / "outside", config())
    return found


@pytest.mark.parametrize("name", ["eu-1", "eu-1.yaml", "eu-1.yml", "eu-1.kubeconfig"])
def test_a_kubeconfig_is_found_by_the_plain_name_of_its_cluster(folder: Path, name: str) -> None:
    write(folder / name, config())
    access = read(folder)
    assert (access.server, access.token, access.insecure) == ("https://10.0.0.1:6443", "t", False)


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "", ".", "..", "a/b", "a\x00b", "~root", ".hidden", "a\n"]
)
def test_no_path_leads_out_of_the_folder(folder: Path, name: str) -> None:
    """A pull request names it: whatever it names, only a file of the folder is opened."""
    with pytest.raises(Unreachable, match="is no plain name of a file"):
        read(folder, name)


def test_no_link_leads_out_of_the_folder_but_those_of_a_mounted_secret_work(folder: Path) -> None:
    """Kubernetes mounts a Secret as links within one folder; a link elsewhere is a way out."""
    (folder / "eu-1").symlink_to("../outside")
    with pytest.raises(Unreachable, match="a link that leaves SLUICE_KUBECONFIG_DIR"):
        read(folder)
    (folder / "eu-1").unlink()
    (folder / "..2026").mkdir()
    write(folder / "..2026" / "eu-1", config())
    (folder / "..data").symlink_to("..2026")
    (folder / "eu-1").symlink_to("..data/eu-1")
    assert read(folder).token == "t"


def test_what_is_no_plain_file_is_not_waited_for(folder: Path) -> None:
    """A pipe would hold the bot for ever."""
    os.mkfifo(folder / "eu-1")
    with pytest.raises(Unreachable, match="is no plain file"):
        read(folder)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{{{", "is no YAML"),
        ("just text", "names context None"),
        (config(server="file:///etc/passwd"), "no http or https address"),
        (config(server="https://bot:secret@host"), "no http or https address"),
        (config({"auth-provider": {"name": "gcp"}}), "`auth-provider` is not supported"),
        (config({"as": "admin", "token": "t"}), "`as` is not supported"),
        (config({"client-certificate-data": "eA=="}), "without its key"),
        (config({"tokenFile": "gone", "exec": {}}), "exec has no command"),
        (config({"exec": {"command": ""}}), "exec has no command"),
        (config({"exec": {"command": "x", "interactiveMode": "Always"}}), "wants a terminal"),
        (config(**{"certificate-authority": "gone.crt"}), "cannot be read: No such file"),
        (config(**{"certificate-authority-data": "%%%"}), "no base64 of a PEM"),
        (config(**{"certificate-authority": "a\0b"}), "its name is none"),
        (config(server="https://[::1"), "no http or https address"),
        (config(server="https://host:99999999"), "no http or https address"),
        (config(**{"proxy-url": "socks5://host"}), "proxy-url is no http or https address"),
        (config(**{"proxy-url": 5}), "proxy-url is no http or https address"),
        (config({"exec": {"command": "x", "env": [{"name": "A"}]}}), "a name and a value"),
        (config({"exec": {"command": "x", "env": "A=1"}}), "args and env of exec are lists"),
        (config({"exec": {"command": "x", "args": 5}}), "args and env of exec are lists"),
        (config({"exec": {"command": "x", "args": ["a\0b"]}}), "exec has a NUL"),
        ("since: 2026-99-99", "is no YAML"),
    ],
)  # fmt: skip
def test_what_a_kubeconfig_cannot_mean_is_told_and_never_guessed(
    folder: Path, content: Any, why: str
) -> None:
    """A field that is accepted and ignored would connect as somebody else."""
    write(folder / "eu-1", content)
    with pytest.raises(Unreachable, match=why) as told:
        read(folder)
    assert told.value.why.startswith("eu-1: ")
    assert "secret" not in told.value.why


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 100_000 + "]" * 100_000])
def test_a_kubeconfig_that_is_all_brackets_ends_no_process(folder: Path, text: str) -> None:
    """One broken file would take the releases of all other clusters along, without a word."""
    write(folder / "eu-1", text)
    reader = "import sys; from bot.adapters.kubernetes_fleet.kubeconfig import kubeconfig\n"
    reader += "from bot.failures import Unreachable\n"
    reader += "try: kubeconfig('eu-1', 'eu-1', sys.argv[1])\n"
    reader += "except Unreachable as error: print(error.why)\n"
    run = [sys.executable, "-c", reader, str(folder)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "eu-1: kubeconfig eu-1 is no YAML\n"), done.stderr


def test_a_change_of_any_file_that_was_read_is_seen(folder: Path) -> None:
    """Certificates rotate in files of their own, beside a kubeconfig that stays."""
    pem = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
    write(folder / "ca.crt", pem)
    write(folder / "eu-1", config(**{"certificate-authority": "ca.crt"}))
    access = read(folder)
    assert access.ca == pem
    assert not access.stale()
    write(folder / "ca.crt", pem + "\n")
    assert access.stale()
    access = read(folder)
    (folder / "ca.crt").unlink()
    assert access.stale()


def test_no_secret_of_a_kubeconfig_shows_itself(folder: Path) -> None:
    """What was read ends up in logs and reports of bugs."""
    key = base64.b64encode(b"k3y").decode()
    user = {"token": "s3cret", "username": "u", "password": "s3cret"}
    user |= {"client-certificate-data": key, "client-key-data": key}
    write(folder / "eu-1", config(user))
    shown = repr(read(folder))
    assert "s3cret" not in shown
    assert "k3y" not in shown


def test_the_cluster_of_the_bot_itself_is_reached_by_its_service_account(tmp_path: Path) -> None:
    write(tmp_path / "ca.crt", "pem")
    there = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    access = in_cluster("here", there, tmp_path)
    assert access.server == "https://[fd00::1]:443"
    assert access.token_file == str(tmp_path / "token")
    with pytest.raises(Unreachable, match="the bot runs in no cluster"):
        in_cluster("here", {}, tmp_path)
