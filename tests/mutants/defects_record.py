"""Defects of what is recorded, noticed and told."""

from __future__ import annotations

from tests.mutants.defect import Defect

STORIES = "tests/stories"

IN_RECORD = (
    Defect(
        name="a repeated delivery is a second command",
        path="bot/adapters/sqlite.py",
        old="        found = self._read(known, (note.key,))\n        if not found:",
        new="        found = ()\n        if not found:",
        first=("tests/contracts/test_store.py",),
    ),
    Defect(
        name="a post of the outbox is forgotten",
        path="bot/reconciler/reporting.py",
        old="        ledger.put(post)\n        self._outbox[post.key] = post",
        new="        ledger.put(post)",
        first=(f"{STORIES}/test_what_people_read.py", f"{STORIES}/test_transcripts.py"),
    ),
    Defect(
        name="a line of the audit does not cover what it says",
        path="bot/core/chain.py",
        old='        "data": dict(event.data),\n    }',
        new='        "data": {},\n    }',
        first=("tests/storage/test_chain.py",),
    ),
    Defect(
        name="what another process wrote is overwritten",
        path="bot/adapters/sqlite.py",
        old='                " WHERE key = ? AND version = ?",',
        new='                " WHERE key = ? AND version <= ? + 1000000",',
        first=("tests/contracts/test_store.py",),
    ),
    Defect(
        name="a release that came without a pull request begins",
        path="bot/reconciler/noticing.py",
        old="        if pull is None or plan.release not in pull.plans:",
        new="        if False:",
        first=(f"{STORIES}/test_ways_to_main.py",),
    ),
    Defect(
        name="an edit of a merged release is not seen",
        path="bot/reconciler/noticing.py",
        old="            if merged.specs[name] == active.index.plan.spec:",
        new="            if True:",
        first=(f"{STORIES}/test_ways_to_main.py",),
    ),
    Defect(
        name="a rewritten main is walked on",
        path="bot/reconciler/noticing.py",
        old='            self._hold(ledger, "main/rewritten"',
        new='            (lambda *_: None)(ledger, "main/rewritten"',
        first=(f"{STORIES}/test_ways_to_main.py",),
    ),
    Defect(
        name="a release that waits for its first write never expires",
        path="bot/core/endings.py",
        old="        and t.s.now >= t.state.expires\n",
        new="        and t.s.now < t.state.merged\n",
        first=(f"{STORIES}/test_windows.py", f"{STORIES}/test_review_gates.py"),
    ),
    Defect(
        name="a write leaves before its intent is recorded",
        path="bot/reconciler/recording.py",
        old="            ledger.put(intent)\n            ledger.events.append(",
        new="            ledger.events.append(",
        first=(f"{STORIES}/test_restarts.py",),
    ),
    Defect(
        name="people without a role may steer",
        path="bot/core/commands.py",
        old='    if not allowed and command.verb not in ("approve", "reject"):',
        new="    if False:",
        first=(f"{STORIES}/test_review_commands.py", f"{STORIES}/test_answers.py"),
    ),
)
