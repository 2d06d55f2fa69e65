"""What controllers with ControllerRevisions share: how they show them, and which one is current.

Never decides about a pod.
"""

from __future__ import annotations

from bot.adapters.simulated.pods import NEVER
from bot.adapters.simulated.workload import Revision, Workload, template_hash
from bot.model.plan import JSON


class RevisionRules:
    """The usual answers: pods belong to the workload itself, its templates are kept."""

    label = "controller-revision-hash"
    owns_by_revision = False
    on_nodes = False
    """Whether it works on nodes as such and has no pods to show."""

    def template_of(self, spec: JSON) -> JSON:
        return spec["template"]

    def revision_of(self, w: Workload, spec: JSON) -> str:
        return template_hash(self.template_of(spec))

    def min_ready(self, w: Workload) -> int:
        return int(w.seen.get("minReadySeconds", 0))

    def next_after(self, w: Workload, t: int) -> int:
        min_ready = self.min_ready(w)
        return min((p.next_after(t, min_ready) for p in w.pods.values()), default=NEVER)

    def notes(self, w: Workload) -> dict[str, str]:
        return {}

    def show_revision(self, w: Workload, revision: Revision, t: int) -> JSON:
        if revision.shown is None or revision.shown_as != (revision.number,):
            revision.shown_as = (revision.number,)
            revision.shown = {
                "apiVersion": "apps/v1",
                "kind": "ControllerRevision",
                "metadata": w.revision_metadata(revision),
                "revision": revision.number,
                "data": {"spec": {"template": {**revision.template, "$patch": "replace"}}},
            }
        return revision.shown


def current_of(w: Workload, new: Revision) -> Revision:
    """The revision from which it is on its way: what a kept-back pod is made anew from."""
    told = w.status.get("currentRevision", "")
    return next((r for r in w.revisions if r.hash == told), new)


def note_current(w: Workload, *, done: bool) -> str:
    """The current revision as the status tells it; the newest once every pod has it."""
    new = w.current.hash if w.current else ""
    told = str(w.status.get("currentRevision", ""))
    known = any(r.hash == told for r in w.revisions)
    return new if done or not known else told
