"""Opens a pull request on a local repository: one commit on top of main, on a branch of its own.

Built from objects alone: no work tree, no index of the user, no hook; never moves a branch that
exists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from bot.adapters.git_objects import GitObjects, run_git
from bot.ports import GitError

_NAME_AND_MAIL = re.compile(r"\s*(?P<name>[^<>]*?)\s*<(?P<mail>[^<>\s]+)>\s*")


def write_commit(
    objects: GitObjects,
    parent: str,
    files: Mapping[str, bytes | None],
    *,
    title: str,
    author: str,
    at: datetime,
) -> str | None:
    """A commit on `parent` with these files changed; None when they change nothing."""
    objects.asked("read-tree", f"{parent}^{{tree}}")
    modes = _modes(objects, files)
    rows = []
    for path, content in sorted(files.items()):
        if content is None:
            rows.append(f"0 {'0' * len(parent)}\t{path}\0")
            continue
        blob = objects.asked("hash-object", "-w", "--stdin", stdin=content, writes_here=True)
        rows.append(f"{modes.get(path, '100644')} {blob.decode().strip()}\t{path}\0")
    objects.asked("update-index", "--replace", "-z", "--index-info", stdin="".join(rows).encode())
    tree = objects.asked("write-tree", writes_here=True).decode().strip()
    if tree == objects.asked("rev-parse", f"{parent}^{{tree}}").decode().strip():
        return None
    return _hashed_commit(objects, tree, parent, title, author, at)


def holds(objects: GitObjects, commit: str, files: Mapping[str, bytes | None]) -> bool:
    """Whether a commit has exactly these contents at these paths."""
    blobs = {
        path: objects.asked("hash-object", "--stdin", stdin=content).decode().strip()
        for path, content in files.items()
        if content is not None
    }
    listing = objects.asked(
        "--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", commit, "--", *files
    )
    there = {
        row.partition(b"\t")[2].decode("utf-8", "surrogateescape"): row.split()[2].decode()
        for row in listing.split(b"\0")
        if row
    }
    return there == blobs


def create_branch(objects: GitObjects, ref: str, commit: str) -> None:
    """A new branch; GitError when it appeared meanwhile or the repository takes no writes."""
    nothing = "0" * len(commit)
    git_dir = str(objects.place.common)
    call = run_git(git_dir, "update-ref", ref, commit, nothing, git_dir=git_dir)
    if call.code != 0:
        raise GitError(
            f"the branch {ref.removeprefix('refs/heads/')} could not be made: {call.last_error}"
        )


def _modes(objects: GitObjects, files: Mapping[str, bytes | None]) -> dict[str, str]:
    rows = objects.asked("--literal-pathspecs", "ls-files", "-z", "--stage", "--", *files).split(
        b"\0"
    )
    found = {
        row.partition(b"\t")[2].decode("utf-8", "surrogateescape"): row[:6].decode()
        for row in rows
        if row
    }
    return {path: mode for path, mode in found.items() if mode in ("100644", "100755")}


def _hashed_commit(
    objects: GitObjects, tree: str, parent: str, title: str, author: str, at: datetime
) -> str:
    # Written as an object by itself: date and people are ours to say, not the environment's.
    name, mail = name_and_mail(author)
    who = f"{name} <{mail}> {int(at.astimezone(UTC).timestamp())} +0000"
    text = f"tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\n{title.strip()}\n"
    written = objects.asked(
        "hash-object", "-w", "-t", "commit", "--stdin", stdin=text.encode(), writes_here=True
    )
    return written.decode().strip()


def name_and_mail(author: str) -> tuple[str, str]:
    """`Ana <ana@example.com>`, `ana@example.com` or `ana`, as Git wants it."""
    found = _NAME_AND_MAIL.fullmatch(author)
    if found:
        return _plain(found["name"]) or _plain(found["mail"]), _plain(found["mail"])
    text = _plain(author) or "unknown"
    return text.partition("@")[0] or text, text


def _plain(text: str) -> str:
    return re.sub(r"[<>\x00-\x1f]", "", text).strip()
