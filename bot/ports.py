"""What the bot needs from outside, and how it may fail. Protocols only: no I/O, no decision.

Every adapter of a port passes the port's suite in `tests/contracts/`. Adapters raise `PortError`s
and
nothing else; only the reconciler and the command line catch them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from bot.failures import AnswerLost as AnswerLost
from bot.failures import Conflict as Conflict
from bot.failures import Fenced as Fenced
from bot.failures import GitError as GitError
from bot.failures import PortError as PortError
from bot.failures import Refused as Refused
from bot.failures import Rewritten as Rewritten
from bot.failures import StaleRow as StaleRow
from bot.failures import StoreLocked as StoreLocked
from bot.failures import Unreachable as Unreachable
from bot.model.plan import JSON, ObjectRef
from release_repo_schema.tree import Tree

if TYPE_CHECKING:
    # Only names in signatures: a question of the command line need not load every row there is.
    from bot.model.effects import Write
    from bot.model.message import Post
    from bot.model.state import Event

NO_MAIL = "(no e-mail)"
"""Stands among authors for one who gave no e-mail address: nobody that people.yaml knows."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How one cluster is reached: the Cluster's `connection` as JSON in the file's own field
    names.
    """

    cluster: str
    connection: JSON
    labels: Mapping[str, str] = field(default_factory=dict)
    workloads: frozenset[tuple[str, str]] = frozenset()
    """(apiVersion, kind) of custom resources whose objects own pods."""


class Fleet(Protocol):
    """All clusters, as their API servers answer. Objects are JSON; what is returned is never
    changed by callers.

    Raises Unreachable, AnswerLost, Conflict, Refused.
    """

    def connect(self, connections: Iterable[Connection]) -> None:
        """The clusters that main names now; called again when they change. Opens nothing by
        itself.
        """
        ...

    def uid(self, cluster: str) -> str:
        """UID of the namespace kube-system: the cluster's identity."""
        ...

    def get(self, cluster: str, ref: ObjectRef) -> JSON | None:
        """The live object, or None when there is none."""
        ...

    def children(self, cluster: str, owner: JSON) -> tuple[JSON, ...]:
        """Pods, ReplicaSets and ControllerRevisions that belong to a live workload (by owner
        references).
        """
        ...

    def nodes(self, cluster: str) -> tuple[JSON, ...]:
        """Every Node object, by name."""
        ...

    def every(self, cluster: str, api_version: str, kind: str) -> tuple[JSON, ...]:
        """Every object of a kind, in all namespaces, by namespace and name."""
        ...

    def write(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> JSON | None:
        """Do one write; the new object, None after a delete.

        Conditional on `write.resource_version` or `write.uid`: Conflict when it no longer holds
        or a
        create finds the object there. Adds the annotation `sluice/fence` to what it creates or
        patches;
        an object whose fence is newer (`bot.cluster.fence`) is never overwritten: Fenced.
        """
        ...

    def dry_run(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> tuple[str, ...]:
        """What the server would say to a create or a patch: its warnings. Changes nothing.

        Raises what `write` would raise: what a schema, a webhook or a quota refuses is Refused.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSeen:
    """An open pull request as the Git host tells it. `authors`: e-mails of authors and
    committers.
    """

    id: str
    head: str
    title: str
    opened_by: str
    authors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MainCommit:
    """One first-parent commit of main. `parents[0]` is the one before; `position` counts from 1."""

    id: str
    parents: tuple[str, ...]
    position: int
    tree: str
    authors: tuple[str, ...]
    at: datetime
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeTry:
    """What merging would give: `tree` is None when `conflicts` names paths."""

    tree: Tree | None
    tree_id: str
    conflicts: tuple[str, ...] = ()


class GitHost(Protocol):
    """The release repo and its pull requests. Reads Git objects only, never a work tree.

    Raises GitError, Unreachable, Rewritten.
    """

    def wake(self) -> None:
        """Something may be new: the next question asks the remote. Returns at once, from any
        thread.
        """
        ...

    def head(self, ref: str = "main") -> str | None:
        """Commit id of a ref, None when there is none."""
        ...

    def pulls(self) -> tuple[PullSeen, ...]:
        """All open pull requests, by id."""
        ...

    def walk(self, since: str | None, until: str) -> tuple[MainCommit, ...]:
        """First-parent commits after `since` up to `until`, oldest first. Rewritten when `since`
        is not among them.
        """
        ...

    def commit(self, commit: str) -> MainCommit:
        """One commit, with its first-parent position."""
        ...

    def tree(self, commit: str) -> Tree:
        """The files of a commit; entries are keyed by blob id."""
        ...

    def merged(self, base: str, head: str) -> MergeTry:
        """Head merged into base in memory; nothing is written that another could see."""
        ...

    def is_ancestor(self, ancestor: str, descendant: str) -> bool: ...

    def authors(self, base: str, head: str) -> tuple[str, ...]:
        """E-mails of authors and committers of the commits that head has and base has not."""
        ...

    def changed(self, commit: str) -> Mapping[str, tuple[str | None, str | None]]:
        """Path → (blob id in the first parent, blob id in the commit); None where the file is
        not.
        """
        ...

    def proposed(self, branch: str) -> str | None:
        """Id of the pull request that was opened from a branch, whatever became of it; None when
        there is none.
        """
        ...

    def propose(
        self,
        branch: str,
        files: Mapping[str, bytes | None],
        *,
        title: str,
        author: str,
        at: datetime,
    ) -> str:
        """Open a pull request from main with these files changed (None deletes). Idempotent by
        branch; its id.
        """
        ...


class Chat(Protocol):
    """Where cards and threads are shown. Raises Unreachable, Refused."""

    def put(self, post: Post) -> None:
        """Posts once for a key, then edits in place; the same again changes nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderJob:
    """One rendering. `context`: version, images, cluster, unit, as the contract gives them to
    templates.
    """

    key: str
    kind: str
    """jinja | helm | plain."""
    files: tuple[tuple[str, bytes], ...]
    """(path in the repo, content), sorted."""
    values: JSON
    context: JSON
    release: str = ""
    """Name of the Helm release that a chart sees."""
    namespace: str = ""
    """Its namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderProblem:
    """Why a rendering failed, at a place of the repo."""

    path: str
    line: int | None
    message: str
    hint: str = ""
    code: str = "render"
    level: str = "error"
    """error | warning: a warning stands beside objects, an error in their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """Objects in the order of the files, perhaps with warnings; or problems, of which one at least
    is an error.
    """

    key: str
    objects: tuple[JSON, ...] = ()
    problems: tuple[RenderProblem, ...] = ()


class Renderer(Protocol):
    """Renders untrusted templates: own processes, limits on time and memory, no environment, no
    network.
    """

    def render(self, jobs: Sequence[RenderJob]) -> tuple[Rendering, ...]:
        """One answer a job, in order. A job that loops, grows or escapes comes back with a
        problem.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A command in the inbox, as a person gave it. `key` makes a repeated delivery one command."""

    id: int
    key: str
    text: str
    by: str
    """Member of people.yaml, or what the surface knows of them when unmapped."""
    surface: str
    at: datetime
    data: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a note. `code` is the exit code of the command line."""

    code: int
    body: JSON
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All that one tick records, in one transaction.

    `puts`: rows by their own `key`; a row with a `version` must still have that version in the
    store (0: new)
    and is stored with the next one. `drops`: (type, key) of rows to take away. `blobs`: digest →
    JSON, written
    once. `answers`: inbox id → answer. `marks`: small named values (last processed commit, …).
    """

    puts: tuple[Any, ...] = ()
    drops: tuple[tuple[type, str], ...] = ()
    events: tuple[Event, ...] = ()
    blobs: Mapping[str, JSON] = field(default_factory=dict)
    answers: Mapping[int, Answer] = field(default_factory=dict)
    marks: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (
            self.puts or self.drops or self.events or self.blobs or self.answers or self.marks
        )


class Store(Protocol):
    """What must not be forgotten. Raises StoreLocked, StaleRow.

    Rows are the dataclasses of `bot.model.state` and `ReleasePlan`, `Post`; type and `key` find
    them.
    """

    def commit(self, changes: Changes) -> tuple[Event, ...]:
        """All or nothing, durable against power loss when it returns. The events with seq and
        hash.
        """
        ...

    def get(self, kind: type[Any], key: str) -> Any | None: ...

    def rows(
        self,
        kind: type[Any],
        *,
        parent: str | None = None,
        live: bool = False,
        open: bool = False,
    ) -> tuple[Any, ...]:
        """Rows of a type by key. `parent`: only those of a release. `live`: only those of
        releases not ended.

        `open`: only those without an end yet, whatever their release does: posts that have not
        left,
        intents whose outcome is not known. They are live too.
        """
        ...

    def names(self, kind: type[Any], *, ending: str = "") -> tuple[str, ...]:
        """Keys of all rows of a type, without reading the rows; with `ending`, those that end
        so.
        """
        ...

    def blob(self, digest: str) -> JSON | None: ...

    def mark(self, name: str) -> str | None: ...

    def notes(self, after: int = 0) -> tuple[Note, ...]:
        """Inbox notes without an answer, oldest first."""
        ...

    def note(
        self, key: str, text: str, *, by: str, surface: str, at: datetime, data: Mapping[str, JSON]
    ) -> int:
        """Leave a note in the inbox (any process may); the id. The same key again gives the same
        id.
        """
        ...

    def answer(self, note: int) -> Answer | None: ...

    def event_count(self) -> int:
        """How many lines the audit ever had, by whatever process; cheap."""
        ...

    def events(
        self, *, release: str | None = None, after: int = 0, limit: int | None = None
    ) -> tuple[Event, ...]: ...
