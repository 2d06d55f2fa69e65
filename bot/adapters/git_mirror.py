"""A bare copy of a remote repository, kept beside the store, and how it is brought up to date.

Never prompts, never asks more often than it was told; a remote that cannot be asked is
Unreachable, and the copy is not shown as if it were fresh.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from bot.adapters.git_objects import GitCall, run_git
from bot.adapters.git_refs import Refs, find_repository
from bot.ports import Clock, GitError, Unreachable

TIMEOUT = 60.0
"""Seconds that one fetch or push may take."""
_SCP_LIKE = re.compile(r"[\w.+-]+@[\w.-]+:\S+")
_PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")


def is_url(location: str | os.PathLike[str]) -> bool:
    """Whether a location is asked over a protocol rather than read as a folder."""
    text = os.fspath(location)
    return "://" in text or (_SCP_LIKE.fullmatch(text) is not None and not os.path.exists(text))


class Mirror:
    """The copy of one remote repository."""

    def __init__(
        self,
        url: str,
        cache: Path,
        *,
        clock: Clock | None = None,
        every: timedelta = timedelta(seconds=30),
        credential: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        if url.startswith("-"):
            raise GitError(f"{url} is no address of a repository")
        self.url = url
        self.folder = cache / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.git"
        self._clock = clock
        self._every = every
        self._credential = credential
        self._asked: datetime | None = None
        self._tried = False
        self._failed: str | None = None

    @property
    def shown(self) -> str:
        """The address without the password that it may hold."""
        return _PASSWORD.sub("", self.url)

    def fetch_first(self) -> None:
        """The first fetch of this process, when there was none."""
        if not self._tried:
            self.fetch()

    def make_sure(self) -> None:
        """There is a copy to read commits from: what was fetched once stays readable while the
        remote cannot be asked.
        """
        if not (self.folder / "HEAD").is_file() or not self._follows_main():
            self.fetch_first()

    def fetch_when_due(self) -> None:
        """A fetch when the last one is long enough ago; Unreachable as long as they fail."""
        if self._clock is not None:
            now = self._clock.now()
            if self._asked is None or now - self._asked >= self._every:
                self.fetch()
        self.fetch_first()
        if self._failed is not None:
            # Until a fetch succeeds the copy is of unknown age: it must not pass for the remote.
            raise Unreachable(self._failed)

    def wake(self) -> None:
        """The next question fetches."""
        self._asked = None

    def fetch(self) -> None:
        """Every branch as the remote has it now; Unreachable when that failed."""
        self._asked = self._clock.now() if self._clock is not None else None
        self._tried = True
        self._make()
        options = (
            "--prune",
            "--no-tags",
            "--no-recurse-submodules",
            "--quiet",
            "--no-auto-maintenance",
        )
        call = self._run("fetch", *options, "--", self.url, "+refs/heads/*:refs/heads/*", asks=True)
        if call.code == 0 and not self._follows_main():
            call = self._run("ls-remote", "--symref", "--", self.url, "HEAD", asks=True)
            named = re.match(r"ref: (refs/heads/\S+)\tHEAD", call.text)
            if named:
                call = self._run("symbolic-ref", "HEAD", named[1])
        if call.code != 0:
            self._failed = (
                f"{self.shown} could not be fetched: {_PASSWORD.sub('', call.last_error)}"
            )
            raise Unreachable(self._failed)
        self._failed = None

    def fetch_refs(self, refs: Sequence[str]) -> None:
        """Single refs, under their own names; Unreachable when that failed."""
        named = [f"+{ref}:{ref}" for ref in refs]
        call = self._run("fetch", "--no-tags", "--quiet", "--", self.url, *named, asks=True)
        if call.code != 0:
            raise Unreachable(f"{self.shown} could not be fetched: {call.last_error}")

    def _follows_main(self) -> bool:
        return Refs(find_repository(self.folder)).branch("main") is not None

    def push(self, commit: str, ref: str) -> None:
        """A new branch on the remote; GitError when it refuses."""
        call = self._run(
            "push", "--quiet", "--no-verify", "--", self.url, f"{commit}:{ref}", asks=True
        )
        if call.code != 0:
            said = _PASSWORD.sub("", call.last_error)
            raise GitError(
                f"{self.shown} did not take the branch {ref.removeprefix('refs/heads/')}: {said}"
            )

    def _make(self) -> None:
        if (self.folder / "HEAD").is_file():
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as refused:
            raise GitError(
                f"{self.folder} could not be made: {refused.strerror or refused}"
            ) from refused
        call = self._run("init", "--quiet", "--bare", "--template=", "--initial-branch=main")
        if call.code != 0:
            raise GitError(f"{self.folder} could not be made: {call.last_error}")

    def _run(self, *arguments: str, asks: bool = False) -> GitCall:
        """`asks`: the command speaks to the remote, and only such a one has the credential."""
        shown = self._credential() if asks and self._credential is not None else {}
        # The user's own Git config counts here: it names proxies, rewrites and credentials.
        return run_git(
            str(self.folder),
            *arguments,
            git_dir=str(self.folder),
            environment={**_batch_mode(os.environ), **shown},
            hermetic=False,
            timeout=TIMEOUT,
        )


def _batch_mode(environment: Mapping[str, str]) -> dict[str, str]:
    asks = {"GIT_ASKPASS": "true", "SSH_ASKPASS": "true", "GCM_INTERACTIVE": "never"}
    if "GIT_SSH_COMMAND" not in environment:
        asks["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
    return asks
