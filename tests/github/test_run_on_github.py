"""A release on GitHub by real processes: `sluice run`, terminals beside it, and HTTP between."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github.town import APP, GitHub, GitHubTown
from tests.run.processes import Desk, wait_until
from tests.run.release_repo import CLUSTER, FILES, RELEASE, VERSION, ReleaseRepo

CARL = "carl@example.com"
MEMBERS = "    - {name: carl, emails: [carl@example.com], github: Carl}\n  teams:"
PEOPLE = FILES["people.yaml"].replace("  teams:", MEMBERS)


def release_repo() -> dict[str, bytes]:
    """The repo of the other stories, with an author whom GitHub knows."""
    files = {**FILES, "people.yaml": PEOPLE}
    files["fleet/clusters/eu-1.yaml"] = CLUSTER.format(name="eu-1", nodes=4)
    for version in ("1.0.0", "2.0.0", "3.0.0"):
        files[f"components/agent/versions/{version}.yaml"] = VERSION.format(version=version)
    return {path: text.lstrip("\n").encode() for path, text in files.items()}


def release(version: str) -> dict[str, bytes]:
    name = f"agent-{version.replace('.', '-')}"
    text = RELEASE.format(name=name, version=version, reason=f"Agent {version}")
    return {f"releases/2026/{name}.yaml": text.lstrip("\n").encode()}


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    github = GitHub(tmp_path_factory.mktemp("github"))
    yield github
    github.close()


@pytest.fixture
def town(github: GitHub) -> Iterator[GitHubTown]:
    town = github.repository(release_repo())
    yield town
    town.gateway.fault = lambda verb, path: None
    town.host.close()


@pytest.fixture
def desk(town: GitHubTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A terminal with the environment of docs/github.md."""
    desk = Desk(tmp_path, ReleaseRepo(tmp_path, clusters=1))
    key = tmp_path / "key.pem"
    key.write_text(town.github.key)
    desk.where = f"{town.gateway.url}/{town.slug}"
    monkeypatch.setenv("GITHUB_API_URL", town.gateway.url)
    monkeypatch.setenv("GITHUB_APP_ID", str(APP))
    monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY_FILE", str(key))
    monkeypatch.setenv("GITHUB_POLL", "1s")
    return desk


def test_a_release_on_github_goes_back_and_its_revert_is_a_pull_request(
    town: GitHubTown, desk: Desk
) -> None:
    """From the first pull request to the merged revert, with the App's own identity."""
    with desk.bot() as bot:
        bot.begun()
        town.push("pr/agent-1", release("1.0.0"), by=CARL, title="Agent 1.0.0")
        wait_until(lambda: "Pull request 1 proposes agent-1-0-0" in bot.chat)
        plan = desk.ask("plan", "--head", "1")
        assert [one["release"] for one in plan["releases"]] == ["agent-1-0-0"]
        town.merge("pr/agent-1")
        wait_until(lambda: desk.phase("agent-1-0-0") == "SCHEDULED")
        assert desk.release("agent-1-0-0")["pull"] == "1"

        said = desk.from_another_process("approve", "agent-1-0-0", "--as", "carl")
        assert said.returncode == 3, "who wrote it, and who opened it, does not approve it"
        said = desk.from_another_process("approve", "agent-1-0-0", "--as", "ana")
        assert said.returncode == 0, said.stderr
        wait_until(lambda: desk.phase("agent-1-0-0") == "SUCCEEDED")

        town.push("feature", release("2.0.0"), by=CARL, title="Agent 2.0.0")
        body = {"title": "Agent 2.0.0", "head": "feature", "base": "main", "body": ""}
        number = town.api("POST", "/pulls", body, by="carl")["number"]
        wait_until(lambda: f"Pull request {number} proposes agent-2-0-0" in bot.chat)
        town.api("PUT", f"/pulls/{number}/merge", {"merge_method": "squash"}, by="ben")
        wait_until(lambda: desk.phase("agent-2-0-0") == "SCHEDULED")
        said = desk.from_another_process("approve", "agent-2-0-0", "--as", "ana")
        assert said.returncode == 0, said.stderr
        wait_until(lambda: desk.release("agent-2-0-0").get("began"))
        said = desk.from_another_process(
            "rollback", "agent-2-0-0", "--reason", "slow", "--as", "ana"
        )
        assert said.returncode == 0, said.stderr
        wait_until(lambda: desk.phase("agent-2-0-0") == "ROLLED_BACK")

        revert = wait_until(lambda: desk.release("agent-2-0-0").get("revert"))
        pull = town.api("GET", f"/pulls/{revert}")
        assert pull["user"]["login"] == "sluice[bot]"
        assert pull["head"]["ref"] == "pr/revert-agent-2-0-0"
        town.api("PUT", f"/pulls/{revert}/merge", {}, by="ben")
        wait_until(lambda: "releases/2026/agent-2-0-0.yaml" not in files(town))
        assert bot.stop() == 0
    assert len(town.api("GET", "/pulls?state=all")) == 3
    assert desk.phase("agent-2-0-0") == "ROLLED_BACK"


def files(town: GitHubTown) -> set[str]:
    return set(town.host.tree(town.host.head() or "").entries())


def test_a_release_ends_while_github_is_down(town: GitHubTown, desk: Desk) -> None:
    """What is merged is frozen: an hour without GitHub stops nothing, and hides nothing."""
    with desk.bot() as bot:
        address = bot.begun()
        town.push("pr/agent-1", release("1.0.0"), by=CARL, title="Agent 1.0.0")
        wait_until(lambda: "Pull request 1 proposes" in bot.chat)
        town.merge("pr/agent-1")
        wait_until(lambda: desk.phase("agent-1-0-0") == "SCHEDULED")

        down = (503, {"Content-Type": "text/html"}, b"<html>Unicorn</html>")
        town.gateway.fault = lambda verb, path: down
        wait_until(lambda: "could not answer" in ready(address))
        said = desk.from_another_process("approve", "agent-1-0-0", "--as", "ana")
        assert said.returncode == 0, said.stderr
        wait_until(lambda: desk.phase("agent-1-0-0") == "SUCCEEDED")
        assert bot.stop() == 0
    with desk.bot() as bot:
        # Started in the middle of it: what was read before is enough to go on.
        bot.begun()
        assert desk.phase("agent-1-0-0") == "SUCCEEDED"
        town.gateway.fault = lambda verb, path: None
        town.push("pr/agent-2", release("2.0.0"), by=CARL, title="Agent 2.0.0")
        wait_until(lambda: "Pull request 2 proposes agent-2-0-0" in bot.chat)
        assert bot.stop() == 0


def ready(address: str) -> str:
    try:
        with urllib.request.urlopen(f"{address}/readyz") as answer:
            return str(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return str(error.read())
