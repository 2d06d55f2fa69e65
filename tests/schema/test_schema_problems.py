"""Every mistake a release author can make gets its line: file, place, what was expected, a hint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schema.corpus_contradictions import CONTRADICTIONS
from tests.schema.corpus_files import FIELDS, YAML, Case
from tests.schema.corpus_kinds import KINDS
from tests.schema.corpus_repo import CALENDAR_AND_PEOPLE, REFERENCES, RELEASES
from tests.schema.repos import problems, repo

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CORPUS: dict[str, Mapping[str, Case]] = {
    "yaml": YAML,
    "fields": FIELDS,
    "references": REFERENCES,
    "releases": RELEASES,
    "calendar-and-people": CALENDAR_AND_PEOPLE,
    "workload-kinds": KINDS,
    "contradictions": CONTRADICTIONS,
}
RIGHT = {
    "two short windows that touch",
    "a release that may begin in time",
    "calls that go somewhere",
}
"""Cases that look like a mistake and are none."""


@pytest.mark.parametrize("theme", CORPUS)
def test_every_mistake_is_told_in_these_words(
    theme: str, golden: Callable[[str, str], None]
) -> None:
    """The words are the product's: who changes them sees what authors will read."""
    told = []
    for name, changes in CORPUS[theme].items():
        lines = [str(finding) for finding in problems(changes, now=NOW)]
        told.append("\n".join([f"# {name}", *(lines or ["(nothing)"])]))
    golden(f"problems/{theme}.txt", "\n\n".join(told) + "\n")


@pytest.mark.parametrize(
    ("name", "changes"),
    [(name, case) for cases in CORPUS.values() for name, case in cases.items()],
    ids=str,
)
def test_no_mistake_passes_unseen(name: str, changes: Case) -> None:
    """A golden file can be updated in passing; that a mistake is found at all may not get lost."""
    found = problems(changes, now=NOW)
    assert bool(found) == (name not in RIGHT)
    for finding in found:
        assert finding.message
        assert (finding.line is None) == (finding.column is None)


def test_the_sound_repo_has_no_findings() -> None:
    """The corpus changes this repo: what it finds comes from the change alone."""
    assert problems({}, now=NOW) == []


ALL = [case for cases in CORPUS.values() for case in cases.values()]


@given(st.lists(st.sampled_from(ALL), max_size=6), st.lists(st.sampled_from(ALL), max_size=2))
def test_no_heap_of_mistakes_stops_lint(heap: list[Case], before: list[Case]) -> None:
    """Mistakes come together; a rule that trips over another's mistake would hide them all."""
    changes = {path: text for case in heap for path, text in case.items()}
    base = repo({path: text for case in before for path, text in case.items()})
    found = problems(changes, now=NOW, base=base)
    assert found == sorted(found, key=lambda finding: finding.sort_key)
    assert found == problems(changes, now=NOW, base=base)
