"""The door of the GitHub that tests see: Git over HTTP by Git's own backend, and the REST server
behind it, with what that server is known to do otherwise than GitHub put right and named here.

- It takes any token: here an unknown one is 401, as on GitHub.
- It sends no ETags: here every answer has one, and `If-None-Match` gets a 304.
- It serves no Git: `git http-backend` does, from a bare repository that is kept in step with it.
- The head of a pull request never moves there: here it is what its branch is.
- It merges by taking the head's tree as it was when the pull request was opened: here Git merges.
- A pull request whose commits were pushed to main, or whose branch is gone, stays open there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from tests.github.copying import ENV, Copier, git

BACKEND = "/usr/lib/git-core/git-http-backend"
Answer = tuple[int, Mapping[str, str], bytes]
_MERGE = re.compile(r"/repos/[^/]+/[^/]+/pulls/([0-9]+)/merge")
Fault = Callable[[str, str], Answer | None]


def _problem(status: int, message: str) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode()


class Repository:
    """One repository: a bare one for Git, and what the REST server knows of it."""

    def __init__(self, gateway: Gateway, slug: str, bare: Path) -> None:
        self.slug, self.bare, self._gateway = slug, bare, gateway
        self.copier = Copier(bare, gateway.upstream, slug, gateway.master)
        self.closed: dict[int, bool] = {}
        """Pull request → whether it was merged, where a push ended it."""

    def publish(self) -> None:
        """The REST server learns what was pushed, and pull requests what it means for them."""
        self.copier.publish()
        branches = self.copier.branches()
        for pull in self._gateway.direct(
            "GET", f"/repos/{self.slug}/pulls?state=open&per_page=100"
        ):
            head, number = branches.get(pull["head"]["ref"]), pull["number"]
            if head is None:
                self._end(number, merged=False)
                continue
            git(self.bare, "update-ref", f"refs/pull/{number}/head", head)
            if self._contains(branches["main"], head):
                self._end(number, merged=True)

    def _end(self, number: int, *, merged: bool) -> None:
        self.closed[number] = merged
        path = f"/repos/{self.slug}/pulls/{number}"
        self._gateway.direct("PATCH", path, {"state": "closed"})

    def _contains(self, main: str, head: str) -> bool:
        command = ["git", "--git-dir", str(self.bare), "merge-base", "--is-ancestor", head, main]
        return subprocess.run(command, env=ENV, check=False).returncode == 0

    def merge(self, number: int, how: str, who: str, guard: str | None) -> Answer:
        """As GitHub merges: 405 where it cannot, 409 where the head is another one."""
        pull = self.right(self._gateway.direct("GET", f"/repos/{self.slug}/pulls/{number}"))
        head, main = pull["head"]["sha"], self.copier.branches()["main"]
        if pull["state"] != "open":
            return _problem(405, "Pull Request is not mergeable")
        if guard is not None and guard != head:
            return _problem(409, "Head branch was modified. Review and try the merge again.")
        tried = subprocess.run(
            ["git", "--git-dir", str(self.bare), "merge-tree", "--write-tree", main, head],
            env=ENV,
            capture_output=True,
            check=False,
        )
        if tried.returncode != 0:
            return _problem(405, "Merge conflict")
        tree = tried.stdout.decode().split()[0]
        parents = ["-p", main, *(["-p", head] if how == "merge" else [])]
        title = f"Merge pull request #{number}" if how == "merge" else pull["title"]
        names = {"NAME": who, "EMAIL": f"{who}@example.com"}
        env = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
               for what, value in names.items()}  # fmt: skip
        made = git(self.bare, "commit-tree", tree, *parents, "-m", title, env=env).decode().strip()
        git(self.bare, "update-ref", "refs/heads/main", made)
        self._end(number, merged=True)
        self.copier.publish()
        body = {"sha": made, "merged": True, "message": "Pull Request successfully merged"}
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()

    def right(self, found: Any) -> Any:
        """A pull request as GitHub would tell it."""
        if not isinstance(found, dict) or "head" not in found:
            return found
        branch = self.copier.branches().get(found["head"]["ref"])
        if found.get("state") == "open" and branch is not None:
            found["head"]["sha"] = branch
        if self.closed.get(found["number"]):
            found["merged"], found["merged_at"] = True, found.get("closed_at")
        return found


class Gateway:
    """Serves `upstream` and bare repositories beside it, until `close`."""

    def __init__(self, port: int, upstream: str, tokens: set[str]) -> None:
        self.upstream, self.tokens = upstream, set(tokens)
        self.master = sorted(tokens)[0]
        """Of somebody who may everything."""
        self.asked: list[tuple[str, str, int]] = []
        """Every call: verb, path, status."""
        self.fault: Fault = lambda verb, path: None
        """What is answered in place of a call; None: the call is made."""
        self.lock = threading.RLock()
        self.repositories: dict[str, Repository] = {}
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.gateway = self
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for repository in self.repositories.values():
            repository.copier.close()

    def serve(self, slug: str, bare: Path) -> Repository:
        """A repository of the REST server gets its Git."""
        found = self.repositories[slug] = Repository(self, slug, bare)
        return found

    def repository(self, path: str) -> Repository | None:
        """Which repository a call is about."""
        parts = path.partition("?")[0].removeprefix("/repos").split("/")
        slug = "/".join(parts[1:3]).removesuffix(".git")
        return self.repositories.get(slug)

    def direct(self, verb: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """A call past the door."""
        headers = {"Authorization": f"token {token or self.master}"}
        answer = requests.request(
            verb, self.upstream + path, json=body, headers=headers, timeout=30
        )
        return answer.json() if answer.content else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    gateway: Gateway


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        gateway = self.server.gateway
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        fault = gateway.fault(self.command, self.path)
        with gateway.lock:
            if fault is not None:
                status, headers, content = fault
            elif ".git/" in self.path and not self.path.startswith("/repos/"):
                status, headers, content = self._git(gateway, body)
            else:
                status, headers, content = self._rest(gateway, body)
            gateway.asked.append((self.command, self.path, status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status != 304:
            self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _any  # noqa: N815

    def _rest(self, gateway: Gateway, body: bytes) -> Answer:
        given = self.headers.get("Authorization", "")
        kind, _, token = given.partition(" ")
        is_app = kind == "Bearer" and token.count(".") == 2
        if not is_app and token not in gateway.tokens:
            return 401, {"Content-Type": "application/json"}, b'{"message": "Bad credentials"}'
        merges = _MERGE.fullmatch(self.path)
        repository = gateway.repository(self.path)
        if self.command == "PUT" and merges and repository is not None:
            asked = json.loads(body or b"{}")
            who = gateway.direct("GET", "/user", token=token)["login"]
            how = asked.get("merge_method", "merge")
            return repository.merge(int(merges[1]), how, who, asked.get("sha"))
        headers = {"Authorization": given, "Content-Type": "application/json"}
        answer = requests.request(
            self.command, gateway.upstream + self.path, data=body, headers=headers, timeout=30
        )
        content = answer.content
        if "application/json" in answer.headers.get("Content-Type", "") and content:
            content = self._put_right(gateway, answer.status_code, answer.json())
        sent = {"Content-Type": answer.headers.get("Content-Type", "application/json")}
        if answer.headers.get("Link"):
            sent["Link"] = answer.headers["Link"].replace(gateway.upstream, gateway.url)
        if self.command == "GET" and answer.status_code == 200:
            sent["ETag"] = f'"{hashlib.sha256(content).hexdigest()}"'
            if self.headers.get("If-None-Match") == sent["ETag"]:
                return 304, sent, b""
        return answer.status_code, sent, content

    def _put_right(self, gateway: Gateway, status: int, found: Any) -> bytes:
        path = self.path.partition("?")[0]
        if path.endswith("/access_tokens") and status == 201:
            gateway.tokens.add(found["token"])
        repository = gateway.repository(path)
        if repository is not None and path.split("/")[4:5] == ["pulls"] and status < 300:
            if self.command == "POST" and path.endswith("/pulls"):
                repository.publish()
            many = isinstance(found, list)
            found = [*map(repository.right, found)] if many else repository.right(found)
        return json.dumps(found).encode()

    def _git(self, gateway: Gateway, body: bytes) -> Answer:
        asks = {"WWW-Authenticate": 'Basic realm="GitHub"'}
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        token = base64.b64decode(given or b"").decode().partition(":")[2]
        if kind != "Basic" or token not in gateway.tokens:
            return 401, asks, b"authentication needed\n"
        path, _, query = self.path.partition("?")
        repository = gateway.repository(path)
        if repository is None:
            return 404, {}, b"not found\n"
        bare = repository.bare
        env = {
            **ENV,
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(bare.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{bare.name}{path.partition('.git')[2]}",
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "git",
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run([BACKEND], input=body, env=env, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers, status = {}, 200
        for line in head.decode().splitlines():
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers[name] = value
        if path.endswith("/git-receive-pack") and self.command == "POST":
            repository.publish()
        return status, headers, content

    def log_message(self, format: str, *args: Any) -> None:
        pass
