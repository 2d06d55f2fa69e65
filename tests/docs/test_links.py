"""Links of the docs lead somewhere."""

from __future__ import annotations

from tests.docs.pages import anchors, links, pages


def test_every_relative_link_leads_to_a_file_and_a_heading() -> None:
    """Who follows a link in an incident has no time for a page that has moved."""
    lost = []
    for page in pages():
        for target in links(page):
            if "://" in target or target.startswith("mailto:"):
                continue
            path, _, anchor = target.partition("#")
            there = (page.parent / path).resolve() if path else page
            if not there.exists():
                lost.append(f"{page.name}: {target}")
            elif anchor and there.suffix == ".md" and anchor not in anchors(there):
                lost.append(f"{page.name}: {target} (no such heading)")
    assert lost == []


def test_decision_records_are_listed_numbered_and_short() -> None:
    """A record that nobody finds, or nobody reads to its end, decides nothing."""
    folder = [page for page in pages() if page.parent.name == "adr"]
    index = next(page for page in folder if page.name == "README.md")
    records = [page for page in folder if page is not index]
    assert [page.name for page in records] == list(links(index))
    assert [page.name[:4] for page in records] == [f"{n:04}" for n in range(1, len(records) + 1)]
    for page in records:
        text = page.read_text(encoding="utf-8")
        assert text.count("\n") < 60, page.name
        heads = [line for line in text.splitlines() if line.startswith("## ")]
        assert heads == ["## Context", "## Decision", "## Alternatives", "## Consequences"]
