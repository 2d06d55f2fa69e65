"""A release repo on the GitHub of the tests, and the people who push, open and merge there."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.adapters.clock import SystemClock
from bot.adapters.git_github import GitHubHost, place_of
from bot.adapters.git_github.credentials import PERMISSIONS, AppCredential, Credential
from bot.ports import Clock
from tests.contracts.githosts import ANA, BEN, Files
from tests.github.emulator import Emulator, free_port
from tests.github.gateway import Gateway

OWNER = "acme"
APP, INSTALLATION = 4711, 99
TOKENS = {"ana": "ghp_ana", "ben": "ghp_ben", "carl": "ghp_carl"}
START: Files = {
    "people.yaml": b"people\n",
    "fleet/c.yaml": b"c\n",
    "components/a/component.yaml": b"a\n",
}


def new_key() -> str:
    """A private key as GitHub gives one to an App."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


class GitHub:
    """One GitHub with many repositories that nobody uses yet; `repository` gives the next."""

    def __init__(self, home: Path, repositories: int = 60) -> None:
        self.home, self.key, self._next = home, new_key(), iter(range(repositories))
        port = free_port()
        self._emulator = Emulator(self._seed(f"http://127.0.0.1:{port}", repositories), home)
        self.gateway = Gateway(port, self._emulator.url, set(TOKENS.values()))

    def repository(self, start: Files | None = None) -> GitHubTown:
        return GitHubTown(self, f"releases-{next(self._next)}", START if start is None else start)

    def close(self) -> None:
        self.gateway.close()
        self._emulator.close()

    def _seed(self, url: str, repositories: int) -> dict[str, Any]:
        people = [{"login": name, "email": f"{name}@example.com"} for name in TOKENS]
        members = [{"login": name, "role": "admin"} for name in TOKENS]
        scopes = ["repo", "user", "admin:repo_hook"]
        return {
            "tokens": {token: {"login": name, "scopes": scopes} for name, token in TOKENS.items()},
            "github": {
                "baseUrl": url,
                "users": people,
                "orgs": [{"login": OWNER, "members": members}],
                "repos": [
                    {"owner": OWNER, "name": f"releases-{number}", "auto_init": True}
                    for number in range(repositories)
                ],
                "apps": [
                    {
                        "app_id": APP,
                        "slug": "sluice",
                        "name": "sluice",
                        "private_key": self.key,
                        "permissions": dict(PERMISSIONS),
                        "events": ["push", "pull_request", "issue_comment"],
                        "installations": [{"installation_id": INSTALLATION, "account": OWNER}],
                    }
                ],
            },
        }


class GitHubTown:
    """One repository. A branch under `pr/` that is pushed is opened at once."""

    def __init__(self, github: GitHub, name: str, start: Files) -> None:
        self.github, self.gateway, self.slug = github, github.gateway, f"{OWNER}/{name}"
        self._home = github.home / name
        self._home.mkdir()
        self.bare, self._clone = self._home / f"{name}.git", self._home / "clone"
        self._run("init", "-q", "--bare", "-b", "main", "--template=", str(self.bare))
        self.repository = self.gateway.serve(self.slug, self.bare)
        self._run("init", "-q", "-b", "main", "--template=", str(self._clone))
        url = f"{self.gateway.url}/{self.slug}.git".replace("://", f"://ana:{TOKENS['ana']}@")
        self._git("remote", "add", "origin", url)
        self._commit(start, by=ANA, title="Begin")
        self._publish("main")
        self.numbers: dict[str, str] = {}
        self.host = self.new_host()

    def new_host(
        self,
        credential: Credential | None = None,
        *,
        poll: timedelta = timedelta(0),
        clock: Clock | None = None,
        cache: str = "cache",
    ) -> GitHubHost:
        """The adapter on this repository, as the App that is installed there."""
        return GitHubHost(
            place_of(f"{self.gateway.url}/{self.slug}", self.gateway.url),
            credential or AppCredential(app=str(APP), key=self.github.key),
            cache=self._home / cache,
            clock=clock or SystemClock(),
            poll_every=poll,
            between_writes=0,
        )

    # the verbs of the stories

    def push(self, branch: str, files: Files, *, by: str = ANA, title: str = "Change") -> str:
        there = (self._clone / ".git/refs/heads" / branch).exists()
        self._git("checkout", "-q", *([branch] if there else ["-B", branch, "main"]))
        self._commit(files, by=by, title=title)
        head = self._publish(branch)
        if branch.startswith("pr/") and branch not in self.numbers:
            body = {"title": title, "head": branch, "base": "main", "body": ""}
            made = self.api("POST", "/pulls", body, by=login(by))
            self.numbers[branch] = str(made["number"])
        return head

    def merge(self, branch: str, *, how: str = "merge", by: str = BEN) -> str:
        if how == "fast-forward":
            self._git("checkout", "-q", "main")
            self._git("merge", "-q", "--ff-only", branch, by=by)
            return self._publish("main")
        path = f"/pulls/{self.numbers[branch]}/merge"
        self.api("PUT", path, {"merge_method": how}, by=login(by))
        self._git("checkout", "-q", "main")
        self._git("fetch", "-q", "origin")
        self._git("reset", "-q", "--hard", "origin/main")
        return self._git("rev-parse", "HEAD")

    def merge_into(self, branch: str, other: str) -> str:
        self._git("checkout", "-q", branch)
        self._git("merge", "-q", "--no-ff", "-m", "merge", other)
        return self._publish(branch)

    def close(self, branch: str) -> None:
        self._git("push", "-q", "origin", f":{branch}")
        self._git("checkout", "-q", "main")
        self._git("branch", "-q", "-D", branch)

    def rewrite_main(self, commit: str) -> None:
        self._git("checkout", "-q", "-B", "main", commit)
        self._publish("main")

    def id(self, branch: str) -> str:
        return self.numbers[branch]

    def account(self, mail: str) -> str:
        return f"github:{login(mail)}"

    def opener(self, author: str) -> str:
        return ""

    # GitHub as a person uses it

    def api(self, verb: str, path: str, body: Any = None, *, by: str = "ana") -> Any:
        headers = {"Authorization": f"token {TOKENS[by]}"}
        url = f"{self.gateway.url}/repos/{self.slug}{path}"
        answer = requests.request(verb, url, json=body, headers=headers, timeout=30)
        assert answer.status_code < 300, (verb, path, answer.status_code, answer.text[:400])
        return answer.json() if answer.content else None

    def _commit(self, files: Files, *, by: str, title: str) -> None:
        for path, content in files.items():
            file = self._clone / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                file.unlink()
            else:
                file.write_bytes(content)
        self._git("add", "-A")
        self._git("commit", "-q", "-m", title, by=by)

    def _publish(self, branch: str) -> str:
        self._git("push", "-q", "-f", "origin", branch)
        return (self._clone / ".git/refs/heads" / branch).read_text().strip()

    def _git(self, *arguments: str, by: str = ANA) -> str:
        return self._run("-C", str(self._clone), *arguments, by=by)

    def _run(self, *arguments: str, by: str = ANA) -> str:
        roles = [f"GIT_{role}" for role in ("AUTHOR", "COMMITTER")]
        env = {
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "HOME": str(self._home),
            "TZ": "UTC",
            **{f"{role}_NAME": login(by) for role in roles},
            **{f"{role}_EMAIL": by for role in roles},
        }
        done = subprocess.run(["git", *arguments], env=env, capture_output=True, check=False)
        assert done.returncode == 0, (arguments, done.stderr.decode())
        return done.stdout.decode().strip()


def login(mail: str) -> str:
    return mail.partition("@")[0]
