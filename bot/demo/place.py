"""The place where the demo happens: a bare Git repo and a clone in a temporary folder, and people
at it.

Everything is done by git itself, as people do it. Dates are those of the virtual clock, so the
same story has the same commits. Nothing outside the folder is read or written.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol


class GitFailed(Exception):
    """A git command of the demo did not do what it should; the text is git's own."""


class Clock(Protocol):
    def now(self) -> datetime: ...


class Place:
    """The release repo of the demo."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.bare = folder / "releases.git"
        self.work = folder / "releases"
        self._home = folder
        self._clock = clock
        self._git("dana", "init", "-q", "--bare", "-b", "main", str(self.bare), cwd=folder)
        self._git("dana", "init", "-q", "-b", "main", str(self.work), cwd=folder)
        self._git("dana", "remote", "add", "origin", str(self.bare))

    def begins(self, files: Mapping[str, bytes], *, by: str) -> None:
        """The first commit of main."""
        self._write(files)
        self._commit(by, "The release repo")
        self._git(by, "push", "-q", "origin", "main")

    def proposes(self, branch: str, path: str, text: str, *, by: str, why: str) -> str:
        """Open a pull request, or push to it: a branch below pr/. The commit."""
        there = self._git(by, "ls-remote", "origin", f"refs/heads/{branch}").split()
        self._git(by, "fetch", "-q", "origin")
        self._git(by, "checkout", "-q", "-B", branch, there[0] if there else "origin/main")
        self._write({path: text.encode()})
        self._commit(by, why)
        self._git(by, "push", "-q", "origin", f"HEAD:{branch}")
        return self._git(by, "rev-parse", "HEAD").strip()

    def merges(self, branch: str, *, by: str) -> str:
        """Merge a pull request into main and delete its branch. The commit."""
        self._git(by, "fetch", "-q", "origin")
        self._git(by, "checkout", "-q", "-B", "main", "origin/main")
        message = f"Merge {branch}"
        self._git(by, "merge", "-q", "--no-ff", "-m", message, f"origin/{branch}")
        self._git(by, "push", "-q", "origin", "main", f":{branch}")
        return self._git(by, "rev-parse", "HEAD").strip()

    def closes(self, branch: str, *, by: str) -> None:
        """Close a pull request without merging it."""
        self._git(by, "push", "-q", "origin", f":{branch}")

    def stat(self, branch: str) -> str:
        """What a pull request would change, as `git diff --stat` tells it."""
        self._git("dana", "fetch", "-q", "origin")
        return self._git("dana", "diff", "--stat=90", f"origin/main...origin/{branch}")

    def diff(self, branch: str, path: str) -> str:
        """The lines that a pull request changes in one file."""
        self._git("dana", "fetch", "-q", "origin")
        diff = self._git("dana", "diff", "-U0", f"origin/main...origin/{branch}", "--", path)
        return "\n".join(
            line
            for line in diff.splitlines()
            if line[:1] in "+-" and line[:3] not in ("+++", "---")
        )

    def branches(self) -> tuple[str, ...]:
        """Branches of the bare repo."""
        listed = self._git(
            "dana", "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", cwd=self.bare
        )
        return tuple(listed.split())

    def reads(self, path: str) -> str | None:
        """A file of main, None when there is none."""
        if path not in self._git("dana", "ls-tree", "-r", "--name-only", "main", cwd=self.bare):
            return None
        return self._git("dana", "show", f"main:{path}", cwd=self.bare)

    def head(self) -> str:
        return self._git("dana", "rev-parse", "main", cwd=self.bare).strip()

    def _write(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            there = self.work / name
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(data)

    def _commit(self, by: str, message: str) -> None:
        self._git(by, "add", "-A")
        self._git(by, "commit", "-q", "-m", message)

    def _git(self, by: str, *args: str, cwd: Path | None = None) -> str:
        date = f"{int(self._clock.now().timestamp())} +0000"
        person = {"NAME": by, "EMAIL": f"{by}@example.com", "DATE": date}
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env |= {f"GIT_AUTHOR_{key}": value for key, value in person.items()}
        env |= {f"GIT_COMMITTER_{key}": value for key, value in person.items()}
        # Whatever the person at this machine has configured (signing, hooks, names) stays out.
        env |= {"HOME": str(self._home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        env.pop("XDG_CONFIG_HOME", None)
        try:
            done = subprocess.run(
                ["git", *args], cwd=cwd or self.work, env=env, capture_output=True, check=False
            )
        except FileNotFoundError:
            raise GitFailed("git is not installed, and the demo uses it as people do") from None
        if done.returncode != 0:
            raise GitFailed(f"git {args[0]}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode()
