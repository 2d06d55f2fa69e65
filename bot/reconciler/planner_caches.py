"""What the planner remembers between plans: files, repos, calendars and renderings, by content.

Bounded: what no recent commit has is forgotten. It decides nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from bot.core.calendar import Calendar
from bot.core.plan_jobs import Output, Reads, Wanted, output_of
from bot.ports import GitHost, Renderer, Rendering, RenderJob
from release_repo_schema.load import Cache, load_repo
from release_repo_schema.repo import Repo
from release_repo_schema.tree import Tree

MOST_REPOS = 8
MOST_CALENDARS = 4
MOST_OBJECTS = 20_000
"""Rendered objects that are kept: about four plans of a thousand units that all differ."""


class Repos:
    """Repos by tree, and the calendars of their rules. A file is parsed once for its content."""

    def __init__(self, git: GitHost, files: Cache | None = None) -> None:
        self._git = git
        self._files: Cache = {} if files is None else files
        self.parsed = 0
        """Files that were really read."""
        self._trees: dict[str, str] = {}
        self._repos: OrderedDict[str, Repo] = OrderedDict()
        self._calendars: OrderedDict[tuple[int, ...], tuple[Calendar, Repo]] = OrderedDict()

    def at(self, commit: str) -> Repo:
        """The repo at a commit."""
        tree = self._trees.get(commit)
        if tree is None or tree not in self._repos:
            tree = self._git.commit(commit).tree
            self._trees = {**dict(list(self._trees.items())[-MOST_REPOS:]), commit: tree}
        if tree in self._repos:
            self._repos.move_to_end(tree)
            return self._repos[tree]
        return self.of_tree(tree, self._git.tree(commit))

    def of_tree(self, tree_id: str, tree: Tree) -> Repo:
        """The repo of a tree that may belong to no commit, such as a merge that was only tried."""
        if tree_id not in self._repos:
            before = len(self._files)
            self._repos[tree_id] = load_repo(tree, self._files)
            self.parsed += len(self._files) - before
            while len(self._repos) > MOST_REPOS:
                self._repos.popitem(last=False)
            self._forget()
        self._repos.move_to_end(tree_id)
        return self._repos[tree_id]

    def calendar(self, repo: Repo) -> Calendar:
        """The calendar of a repo; the same one as long as no rule of it changes."""
        key = tuple(map(id, (*repo.windows, *repo.freezes, repo.policy)))
        if key not in self._calendars:
            made = Calendar.of(repo.windows, repo.freezes, repo.policy, sources=repo.source)
            # The repo is kept with it: ids of its rules may not be given to others.
            self._calendars[key] = (made, repo)
            while len(self._calendars) > MOST_CALENDARS:
                self._calendars.popitem(last=False)
        self._calendars.move_to_end(key)
        return self._calendars[key][0]

    def _forget(self) -> None:
        """Drop files that no kept repo has, once they are the larger part."""
        newest = next(reversed(self._repos.values()))
        if len(self._files) < 2 * len(newest.files) + 1_000:
            return
        kept = {id(file) for repo in self._repos.values() for file in repo.files.values()}
        for key in [key for key, file in self._files.items() if id(file) not in kept]:
            del self._files[key]


class Renderings:
    """Outputs by rendering key; a rendering that failed is tried again the next time."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._outputs: OrderedDict[str, Output] = OrderedDict()
        self._objects = 0
        self.reads = Reads()
        self.made = 0
        """Renderings that were really made."""

    def outputs(self, asked: Iterable[Wanted]) -> dict[str, Output]:
        """Key → output for all that is asked, each distinct key rendered at most once."""
        jobs: dict[str, RenderJob] = {}
        keys: dict[str, None] = {}
        for one in asked:
            keys[one.key] = None
            if one.key not in self._outputs and one.key not in jobs:
                jobs[one.key] = one.job()
        made = dict(zip(jobs, map(output_of, self._render(tuple(jobs.values()))), strict=True))
        found = {key: made.get(key) or self._outputs[key] for key in keys}
        for key, output in found.items():
            if key in self._outputs:
                self._outputs.move_to_end(key)
            elif not output.failed:
                self._outputs[key] = output
                self._objects += len(output.objects)
        while self._objects > MOST_OBJECTS and len(self._outputs) > 1:
            _, dropped = self._outputs.popitem(last=False)
            self._objects -= len(dropped.objects)
        return found

    def _render(self, jobs: tuple[RenderJob, ...]) -> Iterable[Rendering]:
        if not jobs:
            return ()
        self.made += len(jobs)
        return self._renderer.render(jobs)
