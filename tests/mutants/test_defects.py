"""The list of planted defects stands in step with the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.defect import Defect, planted
from tests.mutants.defects import DEFECTS

PROJECT = Path(__file__).parents[2]
ASKED = 90
"""So many at least."""


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    """Two defects of one name would be told as one."""
    names = [defect.name for defect in DEFECTS]
    assert len(names) == len(set(names))
    assert len(names) >= ASKED


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_can_be_planted(defect: Defect) -> None:
    """What it replaces is there once, what it puts there is Python, and who is asked exists."""
    source = (PROJECT / defect.path).read_text()
    assert planted(defect, source) != source
    assert defect.first
    for first in defect.first:
        file, _, test = first.partition("::")
        assert f"def {test}(" in (PROJECT / file).read_text() or not test, first
