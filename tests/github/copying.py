"""Copies commits of a bare repository to the REST server, so that both tell one history.

Ids are Git's own on both sides: a copy that had another id fails at once.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

ENV = {"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/"}
NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def git(
    folder: Path, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
) -> bytes:
    done = subprocess.run(
        ["git", "--git-dir", str(folder), *arguments],
        env={**ENV, **(env or {})},
        input=stdin,
        capture_output=True,
        check=True,
    )
    return done.stdout


class Copier:
    """One repository on both sides. `token`: of somebody who may write on the REST side."""

    def __init__(self, bare: Path, api: str, slug: str, token: str) -> None:
        self._bare = bare
        self._base = f"{api}/repos/{slug}/git"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"token {token}"
        self._there: set[str] = set()
        self._refs: dict[str, str] = {}

    def close(self) -> None:
        self._session.close()

    def branches(self) -> dict[str, str]:
        """Branch → commit, as Git has them."""
        rows = git(self._bare, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads")
        pairs = (row.split() for row in rows.decode().splitlines())
        return {name.removeprefix("refs/heads/"): commit for name, commit in pairs}

    def publish(self) -> dict[str, str | None]:
        """What was pushed since; branch → its commit, None where it is gone."""
        now = self.branches()
        changed: dict[str, str | None] = {}
        for name, commit in now.items():
            if self._refs.get(name) == commit:
                continue
            for new in git(self._bare, "rev-list", "--reverse", "--topo-order", commit).split():
                self._commit(new.decode())
            body = {"sha": commit, "force": True}
            if self._call("PATCH", f"/refs/heads/{name}", body, may_fail=True) is None:
                self._call("POST", "/refs", {"ref": f"refs/heads/{name}", "sha": commit})
            changed[name] = commit
        for name in self._refs.keys() - now.keys():
            self._call("DELETE", f"/refs/heads/{name}", may_fail=True)
            changed[name] = None
        self._refs = now
        return changed

    def _commit(self, commit: str) -> None:
        if commit in self._there:
            return
        head, _, message = git(self._bare, "cat-file", "commit", commit).decode().partition("\n\n")
        fields: dict[str, list[str]] = {}
        for line in head.splitlines():
            name, _, value = line.partition(" ")
            fields.setdefault(name, []).append(value)
        body = {
            "message": message,
            "tree": self._tree(fields["tree"][0]),
            "parents": fields.get("parent", []),
            "author": _who(fields["author"][0]),
            "committer": _who(fields["committer"][0]),
        }
        self._same(self._call("POST", "/commits", body), commit)

    def _tree(self, tree: str) -> str:
        if tree not in self._there and tree != NOTHING:
            rows = []
            for row in git(self._bare, "ls-tree", "-z", tree).split(b"\0")[:-1]:
                about, _, path = row.partition(b"\t")
                mode, kind, sha = about.decode().split()
                if kind == "tree":
                    self._tree(sha)
                else:
                    self._blob(sha)
                rows.append({"path": path.decode(), "mode": mode, "type": kind, "sha": sha})
            self._same(self._call("POST", "/trees", {"tree": rows}), tree)
        return tree

    def _blob(self, blob: str) -> None:
        if blob not in self._there:
            content = base64.b64encode(git(self._bare, "cat-file", "blob", blob)).decode()
            self._same(
                self._call("POST", "/blobs", {"content": content, "encoding": "base64"}), blob
            )

    def _same(self, made: Any, wanted: str) -> None:
        assert made["sha"] == wanted, (made, wanted)
        self._there.add(wanted)

    def _call(self, verb: str, path: str, body: Any = None, *, may_fail: bool = False) -> Any:
        answer = self._session.request(verb, self._base + path, json=body, timeout=30)
        if may_fail and answer.status_code >= 400:
            return None
        assert answer.status_code < 300, (verb, path, answer.status_code, answer.text[:400])
        return answer.json() if answer.content else {}


def _who(line: str) -> dict[str, str]:
    name, _, rest = line.partition(" <")
    mail, _, when = rest.partition("> ")
    seconds, zone = when.split()
    assert zone == "+0000", f"the REST side keeps no zones: {line}"
    at = datetime.fromtimestamp(int(seconds), UTC)
    return {"name": name, "email": mail, "date": at.isoformat().replace("+00:00", "Z")}
