"""Reads the objects of a Git repository through a private, empty Git folder that borrows them.

Never reads the repository's own config, hooks, attributes or work tree, so that nothing in it can
make Git run or fetch anything; what Git itself has to write (a tried merge) lands in the private
folder and ends with it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

from bot.adapters.git_refs import RepositoryPlace
from bot.ports import GitError
from release_repo_schema.tree import FOLDERS, Entry

BLOBS_KEPT = 16 * 1024 * 1024
"""Bytes of blobs kept in memory: plans read the same templates again and again."""
LINK_SIZE = 4096

# Set for every call. Whatever Git would read from elsewhere is named here, so that the environment
# of the bot (it may be started by a hook of another repository) changes nothing.
_CALM: dict[str, str] = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CEILING_DIRECTORIES": "",
    "GIT_NAMESPACE": "",
    "GIT_TRACE": "0",
    "GIT_CONFIG_COUNT": "0",
    "GIT_CONFIG_PARAMETERS": "",
}
_HERMETIC: dict[str, str] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
}
SAFE_OPTIONS = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    f"core.attributesFile={os.devnull}",
    "protocol.ext.allow=never",
    "gc.autoDetach=false",
    "maintenance.auto=false",
    "commit.gpgSign=false",
)


class GitCall:
    """What one call of Git answered."""

    __slots__ = ("code", "error", "output")

    def __init__(self, code: int, output: bytes, error: str) -> None:
        self.code, self.output, self.error = code, output, error

    @property
    def text(self) -> str:
        return self.output.decode("utf-8", "replace").strip()

    @property
    def last_error(self) -> str:
        lines = [line.strip() for line in self.error.splitlines() if line.strip()]
        told = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
        return (
            told[-1].removeprefix("fatal: ").removeprefix("error: ") if told else "no reason given"
        )


def run_git(
    folder: str,
    *arguments: str,
    git_dir: str,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    hermetic: bool = True,
    timeout: float | None = None,
) -> GitCall:
    """One call of Git, by GitPython: never prompts, runs no hook, answers with its exit code."""
    git = _gitpython().Git(folder)
    command = ["git", *(part for option in SAFE_OPTIONS for part in ("-c", option)), *arguments]
    env = {**_CALM, **(_HERMETIC if hermetic else {}), **_places(git_dir), **(environment or {})}
    more: dict[str, Any] = {"kill_after_timeout": timeout} if timeout is not None else {}
    with _as_file(stdin) as source:
        try:
            code, output, error = git.execute(
                command,
                istream=source,
                env=env,
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                **more,
            )
        except _gitpython().GitCommandNotFound:
            raise GitError(
                "the program `git` could not be started; install Git 2.38 or later"
            ) from None
    said = error if isinstance(error, str) else bytes(error).decode("utf-8", "replace")
    return GitCall(int(code), output, said)


class GitObjects:
    """The objects of one repository, by id. Thread-safe; `close` ends process and folder."""

    def __init__(self, place: RepositoryPlace) -> None:
        self.place = place
        self._home = tempfile.TemporaryDirectory(prefix="sluice-git-", ignore_cleanup_errors=True)
        self.folder = self._home.name
        _write_private_folder(Path(self.folder), place)
        self._lock = threading.RLock()
        self._cat: Any = None
        self._blobs: OrderedDict[str, bytes] = OrderedDict()
        self._kept = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._stop_reader()
            self._home.cleanup()

    def git(
        self, *arguments: str, stdin: bytes | None = None, writes_here: bool = False
    ) -> GitCall:
        """A call in the private folder. `writes_here`: new objects go to the repository itself."""
        environment = (
            {"GIT_OBJECT_DIRECTORY": str(self.place.common / "objects")} if writes_here else {}
        )
        return run_git(
            self.folder, *arguments, git_dir=self.folder, stdin=stdin, environment=environment
        )

    def asked(
        self, *arguments: str, stdin: bytes | None = None, writes_here: bool = False
    ) -> bytes:
        """The output of a call that has to succeed."""
        call = self.git(*arguments, stdin=stdin, writes_here=writes_here)
        if call.code != 0:
            raise GitError(f"Git could not answer for {self.place.shown}: {call.last_error}")
        return call.output

    def kind(self, name: str) -> str | None:
        """commit | tree | blob | tag, None when there is no such object."""
        with self._lock:
            header, _ = self._ask(name)
        return header[1] if header else None

    def blob(self, key: str) -> bytes:
        with self._lock:
            found = self._blobs.get(key)
            if found is not None:
                self._blobs.move_to_end(key)
                return found
            header, data = self._ask(key)
            if header is None or header[1] != "blob":
                raise GitError(
                    f"{self.place.shown} has no file content {key[:12]}; `git fsck` tells more"
                )
            self._keep(key, data)
            return data

    def _keep(self, key: str, data: bytes) -> None:
        if len(data) > BLOBS_KEPT // 16:
            return
        self._blobs[key] = data
        self._kept += len(data)
        while self._kept > BLOBS_KEPT:
            _, old = self._blobs.popitem(last=False)
            self._kept -= len(old)

    def _ask(self, name: str) -> tuple[list[str] | None, bytes]:
        if "\n" in name or not name.isascii():
            return None, b""
        for last in (False, True):
            try:
                return self._asked_reader(name)
            except (OSError, ValueError) as broken:
                # The reader ended (killed, or the repository moved): a new one is asked once.
                self._stop_reader()
                if last:
                    raise GitError(f"{self.place.shown} could not be read: {broken}") from broken
        raise AssertionError

    def _asked_reader(self, name: str) -> tuple[list[str] | None, bytes]:
        reader = self._reader()
        reader.stdin.write(f"{name}\n".encode())
        reader.stdin.flush()
        header = reader.stdout.readline().decode("utf-8", "replace").split()
        if not header:
            raise OSError("the reader of Git objects ended")
        if len(header) != 3:
            return None, b""
        data: bytes = reader.stdout.read(int(header[2]))
        if len(data) != int(header[2]) or reader.stdout.read(1) != b"\n":
            raise OSError("the reader of Git objects ended")
        return header, data

    def _reader(self) -> Any:
        if self._cat is None:
            env = {**_CALM, **_HERMETIC, **_places(self.folder)}
            self._cat = (
                _gitpython()
                .Git(self.folder)
                .execute(
                    ["git", "cat-file", "--batch"],
                    istream=subprocess.PIPE,
                    as_process=True,
                    env=env,
                )
            )
        return self._cat

    def _stop_reader(self) -> None:
        cat, self._cat = self._cat, None
        if cat is None:
            return
        process = cat.proc
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(OSError):
                stream.close()
        process.kill()
        process.wait()


class GitTree:
    """The files of one tree object: listed once, read by blob id. The bot's `Tree` of a commit."""

    def __init__(self, objects: GitObjects, tree_id: str) -> None:
        self.id = tree_id
        self._objects = objects
        self._entries: dict[str, Entry] | None = None

    def entries(self) -> Mapping[str, Entry]:
        if self._entries is None:
            self._entries = self._listed()
        return self._entries

    def read(self, path: str) -> bytes:
        entry = self.entries().get(path)
        if entry is None or entry.link is not None or entry.size < 0:
            raise FileNotFoundError(path)
        try:
            return self._objects.blob(entry.key)
        except GitError as missing:
            raise OSError(missing.why) from missing

    def _listed(self) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        listing = self._objects.asked("ls-tree", "-r", "-z", "-l", "--full-tree", self.id)
        for row in listing.split(b"\0"):
            if not row:
                continue
            about, _, raw = row.partition(b"\t")
            mode, _, key, size = about.decode().split()
            path = shown_path(raw)
            if mode == "160000" or not _wanted(path):
                continue
            if mode == "120000":
                entries[path] = Entry(key, self._link(key, int(size)), int(size))
            elif path.encode("utf-8", "surrogatepass") != raw:
                entries[path] = Entry(f"none:{path!r}", None, -1)
            else:
                entries[path] = Entry(key, None, int(size))
        return entries

    def _link(self, key: str, size: int) -> str:
        return (
            shown_path(self._objects.blob(key))
            if size <= LINK_SIZE
            else "(a link that is too long)"
        )


def shown_path(raw: bytes) -> str:
    """A name that is no UTF-8 is told escaped, as a folder tells it."""
    return raw.decode("utf-8", "backslashreplace")


def _wanted(path: str) -> bool:
    parts = path.split("/")
    if any(part.startswith(".") for part in parts):
        return False
    return len(parts) == 1 or parts[0] in FOLDERS


def _write_private_folder(home: Path, place: RepositoryPlace) -> None:
    for part in ("objects/info", "refs/heads", "info"):
        (home / part).mkdir(parents=True)
    (home / "HEAD").write_text("ref: refs/heads/none\n")
    (home / "objects/info/alternates").write_bytes(os.fsencode(place.common / "objects") + b"\n")
    version, extension = (1, f"[extensions]\nobjectformat = {place.format}\n")
    if place.format == "sha1":
        version, extension = (0, "")
    (home / "config").write_text(
        f"[core]\nrepositoryformatversion = {version}\nbare = true\n{extension}", "ascii"
    )


def _places(git_dir: str) -> dict[str, str]:
    return {
        "GIT_DIR": git_dir,
        "GIT_COMMON_DIR": git_dir,
        "GIT_OBJECT_DIRECTORY": os.path.join(git_dir, "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
        "GIT_INDEX_FILE": os.path.join(git_dir, "sluice-index"),
    }


def _as_file(stdin: bytes | None) -> IO[bytes]:
    if stdin is None:
        return open(os.devnull, "rb")
    # A file, not a pipe: GitPython writes no input, and a pipe would have to be fed beside reading.
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    file.write(stdin)
    file.seek(0)
    return file


def _gitpython() -> Any:
    # Imported late: GitPython looks for the program `git` on import; most commands need neither.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import git

    return git
