"""The planner: from commits of the release repo to plans, over the ports GitHost and Renderer.

Every file is parsed once and every distinct rendering made once, by content; the caches outlive
commits. It answers mistakes with findings; it asks no cluster and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.core import messages_plan_facts as say
from bot.core import plan_guard, plan_leaves
from bot.core.baseline import members_for
from bot.core.calendar import Calendar
from bot.core.candidates import candidates
from bot.core.diff import Change, Differ
from bot.core.exposure import forecast_exposure
from bot.core.forecast import forecast
from bot.core.forecast_waits import delays
from bot.core.members import Brought
from bot.core.order import Candidate
from bot.core.plan import Origin, Rendered, build, spec_json
from bot.core.plan_blocks import prevents_a_plan
from bot.core.plan_content import of_the_content
from bot.core.plan_jobs import Source, all_blobs, source_of, wanted
from bot.core.plan_rows import frozen, rows_used
from bot.core.plan_shown import (
    NOTHING_KNOWN,
    GuardShown,
    Known,
    LeavesShown,
    MergePlan,
    PullPlan,
    ReleaseShown,
    UnitShown,
)
from bot.core.plan_touched import name_taken, touched
from bot.core.plan_unreleased import unreleased
from bot.core.plan_versions import versions_by_releases
from bot.core.plan_way_back import of_the_way_back
from bot.core.plan_weigh import (
    approvals,
    batches_ahead,
    batches_known,
    counts_of,
    refusals,
    shown_units,
    warnings,
)
from bot.core.tasks import source_of_task
from bot.model.plan import JSON, PlannedObject, PlannedRelease, ReleasePlan
from bot.ports import GitHost, Renderer
from bot.reconciler.mistakes import rendered_findings
from bot.reconciler.mistakes_objects import kinds_of_others
from bot.reconciler.planner_caches import Renderings, Repos
from bot.reconciler.planner_draft import Draft, errors, lint_all, removed
from bot.reconciler.planner_known import broken_by, last_applied, of_units
from release_repo_schema.findings import Finding
from release_repo_schema.load import Cache
from release_repo_schema.repo import Repo
from release_repo_schema.rules import lint
from release_repo_schema.rules.change import changed_releases, new_releases


class Planner:
    """Plans pull requests and merges. One for a process; not for several threads at once."""

    def __init__(self, git: GitHost, renderer: Renderer, *, files: Cache | None = None) -> None:
        """`files`: parsed files that another planner knows already."""
        self._git = git
        self.repos = Repos(git, files)
        self.renderings = Renderings(renderer)
        self.compared = 0
        """Pairs of objects that were really compared, over all plans."""

    def load(self, commit: str) -> Repo:
        """The release repo at a commit. Raises GitError."""
        return self.repos.at(commit)

    def lint(
        self,
        commit: str,
        *,
        now: datetime,
        active: Iterable[str] | None = None,
        base: str | None = None,
    ) -> tuple[Finding, ...]:
        """All findings of a commit. `active`: releases that have not ended."""
        before = self.load(base) if base else None
        known = None if active is None else sorted(active)
        return tuple(lint_all(self.load(commit), now=now, active=known, base=before))

    def calendar(self, repo: Repo) -> Calendar:
        """The calendar of a repo, made once."""
        return self.repos.calendar(repo)

    def pull(
        self, base: str, head: str, *, now: datetime, known: Known = NOTHING_KNOWN
    ) -> PullPlan:
        """What merging head into base would do. Raises GitError, and nothing else."""
        tried = self._git.merged(base, head)
        if tried.tree is None:
            conflicts = tuple(
                Finding(path=path, code="conflict", message=say.conflict(), hint=say.CONFLICT_HINT)
                for path in tried.conflicts
            )
            return PullPlan(base=base, head=head, findings=conflicts, conflicts=tried.conflicts)
        before, after = self.load(base), self.repos.of_tree(tried.tree_id, tried.tree)
        findings = lint_all(after, now=now, active=(), base=before)
        findings += touched(before, after, known.running)
        # What lint refuses is not planned, but its templates are tried: all mistakes at once.
        releases: list[ReleaseShown] = []
        refused = bool(errors(findings))
        for name in sorted(new_releases(before, after)):
            if known.taken(name):
                # Its row is somebody's record: there is nothing to plan.
                findings.append(name_taken(after, name))
                continue
            draft = self._draft(before, after, name, known=known, origin=Origin())
            findings += (*draft.asides, *(draft.findings if refused else draft.told(after, name)))
            if draft.planned is not None and not refused:
                releases.append(self._shown(before, after, draft, now=now))
                findings += plan_guard.errors(after, draft.planned.plan, releases[-1].guarded)
        carried = {
            component.name
            for name in new_releases(before, after)
            for component in after.releases[name].spec.components
        }
        return PullPlan(
            base=base,
            head=head,
            tree=tried.tree_id,
            releases=tuple(releases),
            removed=removed(before, after),
            # A Release that cannot be read may carry anything.
            unreleased=()
            if refused and not releases
            else unreleased(before, after, carried, known.applied),
            findings=tuple(sorted(set(findings), key=lambda one: one.sort_key)),
        )

    def merge(
        self,
        commit: str,
        *,
        now: datetime,
        known: Known = NOTHING_KNOWN,
        pull: str | None = None,
        authors: Sequence[str] | None = None,
    ) -> MergePlan:
        """The plans of the Release files that a first-parent commit of main brought.

        The same hash as the pull request showed if nothing else changed. Raises GitError.
        """
        here = self._git.commit(commit)
        after = self.load(commit)
        before = self.load(here.parents[0]) if here.parents else None
        names = new_releases(before, after) if before else tuple(after.releases)
        edited = changed_releases(before, after) if before else ()
        brought = MergePlan(
            commit=commit,
            edited=edited,
            specs={name: spec_json(after.releases[name].spec) for name in edited},
            removed=removed(before, after) if before else (),
        )
        if not names:
            return brought
        wrong = prevents_a_plan(lint_all(after, now=now, active=(), base=before))
        if authors is None:
            authors = self._git.authors(here.parents[0], commit) if here.parents else here.authors
        origin = Origin(
            commit=commit, position=here.position, pull=pull, authors=tuple(sorted(set(authors)))
        )
        planned: list[PlannedRelease] = []
        failed: dict[str, tuple[Finding, ...]] = {}
        for name in sorted(names):
            draft = self._draft(before or after, after, name, known=known, origin=origin)
            problems = (*wrong, *prevents_a_plan(draft.findings))
            if draft.planned is None or problems:
                failed[name] = problems or draft.told(after, name)
            else:
                planned.append(draft.planned)
        return replace(brought, releases=tuple(planned), failed=failed)

    def later(
        self, head: str, held: ReleasePlan, *, now: datetime, known: Known = NOTHING_KNOWN
    ) -> PlannedRelease | tuple[Finding, ...]:
        """The plan of a release that could not be planned when it came, from what main is now.

        It keeps the commit that brought it, and with it its place in the order. Raises GitError.
        """
        repo, name = self.load(head), held.release
        if name not in repo.releases:
            return ()
        if wrong := prevents_a_plan(lint(repo, now=now, active=[name])):
            return wrong
        origin = Origin(
            commit=held.commit, position=held.position, pull=held.pull, authors=held.authors
        )
        draft = self._draft(repo, repo, name, known=known, origin=origin)
        if draft.planned is None or prevents_a_plan(draft.findings):
            return draft.told(repo, name)
        return draft.planned

    def anew(self, repo: Repo, plan: ReleasePlan) -> PlannedRelease | None:
        """A frozen plan, made once more from a repo that has its Release; None: it cannot be."""
        origin = Origin(commit=plan.commit, position=plan.position)
        return self._draft(repo, repo, plan.release, known=NOTHING_KNOWN, origin=origin).planned

    def alone(
        self, commit: str, name: str, *, now: datetime, known: Known = NOTHING_KNOWN
    ) -> ReleaseShown | tuple[Finding, ...]:
        """What a Release file of a commit would do if it came now, or why it cannot.

        Raises GitError.
        """
        repo = self.load(commit)
        draft = self._draft(repo, repo, name, known=known, origin=Origin())
        if draft.planned is None:
            return draft.told(repo, name)
        return self._shown(repo, repo, draft, now=now)

    def _draft(
        self, before: Repo, after: Repo, name: str, *, known: Known, origin: Origin
    ) -> Draft:
        """The plan of one Release file, and what stands against it."""
        release = after.releases[name]
        members, wrong = members_for(after, release, known)
        if members is None:
            return Draft(findings=wrong)
        if not members.units:
            document = after.documents["Release", name]
            said = say.empty_release(name)
            return Draft(findings=(document.finding(("spec",), "no-units", said, at_key=True),))
        known = of_units(known, members, after.components)
        rendered: dict[str, Rendered] = {}
        blobs: dict[str, JSON] = {}
        mistakes: list[Finding] = []
        versions: dict[str, str] = {}
        for one in members.components:
            units = members.of(one)
            made, objects, findings = self._made(after, one, units, name)
            rendered |= made
            blobs |= objects
            mistakes += findings
            if before is not after and not release.spec.baseline:
                versions |= versions_by_releases(before, one.name, units, known.ran)
        if len(members.components) > 1:
            all_made = ((unit.component, rendered[unit.unit].objects) for unit in members.units)
            mistakes += [] if errors(mistakes) else kinds_of_others(after, all_made, blobs)
        asides = tuple(dict.fromkeys(one for one in mistakes if one.level != "error"))
        if wrong := errors(mistakes):
            return Draft(findings=tuple(dict.fromkeys(wrong)), asides=asides)
        had = {unit: row.version for unit, row in known.applied.items()}
        origin = replace(
            origin,
            unchanged={
                one.key
                for one in members.components
                if all({**versions, **had}.get(u.unit) == one.version for u in members.of(one))
            },
            broken=broken_by(release, known),
        )
        plan = build(after, release, members, rendered, origin)
        planned = PlannedRelease(frozen(plan, rows_used(after, blobs.values())), blobs)
        shown = shown_units(after, planned, versions, known, members.notes)
        planned = replace(planned, batches=batches_known(shown))
        against = tuple(refusals(after, release, planned.plan, shown, known))
        return Draft(planned, members, shown, against, known, asides)

    def _made(
        self, repo: Repo, brought: Brought, units: Sequence[Candidate], release: str
    ) -> tuple[dict[str, Rendered], dict[str, JSON], tuple[Finding, ...]]:
        """What every unit of a component, or of a task, renders to."""
        source = None
        if brought.task is not None:
            source = source_of_task(repo, brought.task, release, self.renderings.reads)
        return self._rendered(repo, brought.name, brought.version, units, source)

    def _rendered(
        self,
        repo: Repo,
        component: str,
        version: str,
        units: Sequence[Candidate],
        source: Source | None = None,
    ) -> tuple[dict[str, Rendered], dict[str, JSON], tuple[Finding, ...]]:
        """What every unit renders to, the objects by digest, and the mistakes in templates."""
        source = source or source_of(repo, component, self.renderings.reads)
        asked = {unit.unit: wanted(source, version, unit) for unit in units}
        outputs = self.renderings.outputs(asked.values())
        findings = rendered_findings(repo, units, asked, outputs, version)
        if errors(findings):
            return {}, {}, findings
        ready = {key: output.as_version(version) for key, output in outputs.items()}
        return (
            {unit: ready[one.key] for unit, one in asked.items()},
            all_blobs(outputs.values()),
            findings,
        )

    def _shown(self, before: Repo, after: Repo, draft: Draft, *, now: datetime) -> ReleaseShown:
        """A planned release with all that is told beside the plan."""
        assert draft.planned is not None
        assert draft.members is not None
        plan, known = draft.planned.plan, draft.known
        calendar = self.repos.calendar(after)
        if known.emergency:
            calendar = calendar.with_emergency(known.emergency)
        told = forecast(plan, calendar, after.policy, now, batches=batches_ahead(draft.shown))
        changes, no_way_back, guarded, leaves = self._changes(
            before, draft.planned, draft.shown, known
        )
        others = warnings(after, plan, draft.members, draft.shown, changes, told, known=known)
        return ReleaseShown(
            planned=draft.planned,
            units=draft.shown,
            forecast=told,
            exposure=forecast_exposure(plan, told, counts_of(draft.shown)),
            changes=changes,
            approvals=(
                *approvals(after, plan, known),
                *plan_guard.asks(guarded),
                *plan_leaves.asks(leaves),
            ),
            warnings=(*no_way_back, *others),
            guarded=guarded,
            leaves=leaves,
            delays=delays(plan, told, calendar),
        )

    def _changes(
        self,
        before: Repo,
        planned: PlannedRelease,
        shown: Mapping[str, UnitShown],
        known: Known,
    ) -> tuple[
        tuple[Change, ...], tuple[str, ...], tuple[GuardShown, ...], tuple[LeavesShown, ...]
    ]:
        """The diff of every unit: what was last applied (or the best guess of it) → the plan; what
        it says of the way back, the guard, and what the objects lose; what is guarded; what leaves.
        """
        had, blobs = self.had(before, planned, shown, known)
        differ = Differ(blobs)
        changes = differ.changes(
            (unit.unit, had.get(unit.unit), unit.objects) for unit in planned.plan.units
        )
        self.compared += differ.compared
        back = of_the_way_back(planned.plan, shown, changes, had, blobs.get)
        content = of_the_content(planned.plan, had, blobs.get, known)
        said, guarded = plan_guard.of_the_guard(planned.plan, had, blobs.get)
        leaves = plan_leaves.of_what_leaves(planned.plan, had, blobs.get)
        return changes, (*back, *said, *content), guarded, leaves

    def had(
        self,
        before: Repo,
        planned: PlannedRelease,
        shown: Mapping[str, UnitShown],
        known: Known,
    ) -> tuple[dict[str, tuple[PlannedObject, ...]], dict[str, JSON]]:
        """What every unit has now: as last applied, else as its version by the Releases of before
        renders; and those objects by digest, with the planned ones. Nothing where neither is known.
        """
        blobs = dict(planned.blobs)
        had: dict[str, tuple[PlannedObject, ...]] = {}
        guessed: dict[tuple[str, str], list[Candidate]] = {}
        names = dict.fromkeys(one.name for one in planned.plan.components)
        there = {unit.unit: unit for name in names for unit in candidates(before, name)}
        for unit in planned.plan.units:
            applied = last_applied(unit.unit, known, blobs)
            if applied is not None:
                had[unit.unit] = applied
            elif (version := shown[unit.unit].version) and unit.unit in there:
                guessed.setdefault((unit.component, version), []).append(there[unit.unit])
        for (component, version), units in sorted(guessed.items()):
            if component in before.components:
                rendered, more, _ = self._rendered(before, component, version, units)
                had.update({unit: one.objects for unit, one in rendered.items()})
                blobs |= more
        return had, blobs
