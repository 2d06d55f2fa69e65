"""The page of faults: each fault is told, and the tests that it names are there."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, code, read, table

FAULTS = (
    "unreachable before a write",
    "cut during a write, answer lost after it",
    "unreachable after a write",
    "401",
    "403",
    "409",
    "415",
    "422",
    "CRD missing",
    "webhook refusing",
    "webhook silent",
    "namespace terminating",
    "object deleted under us",
    "quota",
    "clock of the cluster off",
    "certificate expired",
    "exec plugin that hangs",
)


def test_every_fault_is_on_the_page() -> None:
    """One that is left out is one that nobody has tried."""
    assert tuple(row[0] for row in table(read("faults.md"), "# Faults of a cluster")) == FAULTS


def test_every_fault_is_shown_by_a_test_that_exists() -> None:
    """A test that was renamed or dropped leaves a promise without its proof."""
    lost, bare = [], []
    for fault, _, *shown in table(read("faults.md"), "# Faults of a cluster"):
        tests = [name for cell in shown for name in code(cell)]
        if not tests:
            bare.append(fault)
        for test in tests:
            path, _, name = test.partition("::")
            file = ROOT / path
            if not file.is_file() or not re.search(rf"^def {name}\(", file.read_text(), re.M):
                lost.append(test)
    assert (bare, lost) == ([], [])
