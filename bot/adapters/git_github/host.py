"""GitHub as the Git host: open pull requests from its API, every object by Git from a mirror.

What is read is never trusted for more than it is: a pull request is known by its number, its head
by its commit. Writes a branch and a pull request of the bot's own, and nothing else.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from bot.adapters.git import LocalGitHost
from bot.adapters.git_github.calls import GitHubCalls
from bot.adapters.git_github.credentials import Credential, git_environment
from bot.adapters.git_github.people import accounts
from bot.adapters.git_github.place import GitHubPlace
from bot.adapters.git_objects import GitTree
from bot.failures import AnswerLost, Refused, Unreachable
from bot.ports import Clock, MainCommit, MergeTry, PullSeen

POLL = timedelta(minutes=1)
"""How often GitHub is asked without anybody telling us to."""
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
TITLE = 250
"""Characters that a title may have; the rest begins the body."""


class GitHubHost:
    """GitHost on one repository of GitHub. The copy of its objects is kept in `cache`.

    It is asked every `poll_every`, and at the next question after `wake()`.
    """

    def __init__(
        self,
        place: GitHubPlace,
        credential: Credential,
        *,
        cache: Path,
        clock: Clock,
        poll_every: timedelta = POLL,
        between_writes: float = 1.0,
    ) -> None:
        self.calls = GitHubCalls(place, credential, clock, between_writes=between_writes)
        self._clock = clock
        self._every = poll_every
        self._lock = threading.RLock()
        self._git = LocalGitHost(
            place.url,
            cache=cache,
            credential=lambda: git_environment(place.url, self.calls.token()),
            branches="",
        )
        self._asked: datetime | None = None
        self._woken = threading.Event()
        self._failed: str | None = None
        self._pulls: tuple[PullSeen, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the reading process. The host may be used again."""
        self._git.close()

    def wake(self) -> None:
        """Something may be new: the next question asks GitHub. Returns at once, from any thread."""
        self._woken.set()

    def head(self, ref: str = "main") -> str | None:
        """Of a branch, or of an open pull request by its number."""
        with self._lock:
            self._look_when_due()
            if _NUMBER.fullmatch(ref):
                return next((pull.head for pull in self._pulls if pull.id == ref), None)
            return self._git.head(ref)

    def pulls(self) -> tuple[PullSeen, ...]:
        with self._lock:
            self._look_when_due()
            return self._pulls

    def walk(self, since: str | None, until: str) -> tuple[MainCommit, ...]:
        found = self._with(until).walk(since, until)
        return tuple(self._known(commit) for commit in found)

    def commit(self, commit: str) -> MainCommit:
        return self._known(self._with(commit).commit(commit))

    def tree(self, commit: str) -> GitTree:
        return self._with(commit).tree(commit)

    def merged(self, base: str, head: str) -> MergeTry:
        return self._with(base, head).merged(base, head)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        return self._with(ancestor, descendant).is_ancestor(ancestor, descendant)

    def authors(self, base: str, head: str) -> tuple[str, ...]:
        return self._people(self._with(base, head).authors(base, head))

    def changed(self, commit: str) -> Mapping[str, tuple[str | None, str | None]]:
        return self._with(commit).changed(commit)

    def proposed(self, branch: str) -> str | None:
        """The newest pull request that the bot opened from a branch."""
        rows = self.calls.pages("/pulls", state="all", head=self._named(branch), base="main")
        numbers = [row["number"] for row in rows if row["head"]["ref"] == branch]
        return str(max(numbers)) if numbers else None

    def propose(
        self,
        branch: str,
        files: Mapping[str, bytes | None],
        *,
        title: str,
        author: str,
        at: datetime,
    ) -> str:
        """The id is the number of the pull request, or the branch where main holds the files
        already.
        """
        with self._lock:
            self.wake()
            self._look_when_due()
            self._git.propose(branch, files, title=title, author=author, at=at)
            if self._git.head(branch) is None:
                return branch
            found = self.proposed(branch)
            if found is not None:
                return found
            first, _, rest = title.partition("\n")
            body = {"title": first[:TITLE], "body": rest.strip(), "head": branch, "base": "main"}
            try:
                made = self.calls.send("POST", "/pulls", body)
            except (AnswerLost, Refused):
                found = self.proposed(branch)
                if found is None:
                    raise
                return found
            self.wake()
            return str(made["number"])

    def _with(self, *commits: str) -> LocalGitHost:
        """The mirror, asked anew first where it lacks one of these; else nobody is asked, so that
        what was read once stays readable while GitHub is down.
        """
        with self._lock:
            if not all(self._git.has(commit) for commit in commits):
                self._look_when_due()
        return self._git

    def _named(self, branch: str) -> str:
        return f"{self.calls.place.owner}:{branch}"

    def _look_when_due(self) -> None:
        now = self._clock.now()
        if self._woken.is_set() or self._asked is None or now - self._asked >= self._every:
            # Before it is asked: what becomes new meanwhile is asked for again.
            self._woken.clear()
            self._asked = now
            try:
                self._look()
            except (Unreachable, Refused) as error:
                self._failed = error.why
                raise Unreachable(error.why) from error
            self._failed = None
        if self._failed is not None:
            # What was read before is of unknown age: it must not pass for GitHub.
            raise Unreachable(self._failed)

    def _look(self) -> None:
        # First: it notices a credential that was revoked, and what it tells is not newer than Git.
        rows = self.calls.pages("/pulls", state="open", base="main", sort="created")
        self._git.fetch()
        heads = {row["number"]: row["head"]["sha"] for row in rows}
        missing = [number for number, head in heads.items() if not self._git.has(head)]
        if missing:
            self._git.fetch_refs([f"refs/pull/{number}/head" for number in sorted(missing)])
        main = self._git.head()
        found = [self._seen(row, main) for row in rows]
        self._pulls = tuple(sorted(found, key=lambda pull: int(pull.id)))

    def _seen(self, row: Mapping[str, Any], main: str | None) -> PullSeen:
        number, head = row["number"], row["head"]["sha"]
        if not self._git.has(head):
            raise Unreachable(f"pull request {number} moved while it was read")
        login = str((row.get("user") or {}).get("login") or "ghost").lower()
        # Who asked the bot to open it is the author of its commit; the bot itself is nobody.
        ours = login == self.calls.login
        return PullSeen(
            id=str(number),
            head=head,
            title=row.get("title") or "",
            opened_by="" if ours else f"github:{login}",
            authors=self._people(self._git.authors(main, head)) if main is not None else (),
        )

    def _known(self, commit: MainCommit) -> MainCommit:
        return replace(commit, authors=self._people(commit.authors))

    def _people(self, mails: tuple[str, ...]) -> tuple[str, ...]:
        return accounts(mails, self.calls.place.host)
