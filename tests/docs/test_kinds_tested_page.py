"""The page that says which test shows which kind in which situation: each of them is there."""

from __future__ import annotations

import ast
import re

from tests.docs.pages import ROOT, code, read, table

PAGE = "kinds-tested.md"
CELL = re.compile(r"[A-Z]\d?|-[a-z]")
SITUATIONS = 9
BUILT_IN = re.compile(r"^\| `(\w+)` \(", re.MULTILINE)


def named_tests() -> dict[str, tuple[str, str]]:
    """Code → file and test."""
    rows = table(read(PAGE), "whatever the kind; M1 and F1 show them.")
    return {row[0]: (code(row[1])[0], code(row[2])[0]) for row in rows}


def rows() -> dict[str, list[list[str]]]:
    """Kind → the codes of each situation."""
    found = table(read(PAGE), "on the embedded ones.")
    return {row[0]: [cell.split() for cell in row[1:]] for row in found}


def functions(path: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_page_names_is_there() -> None:
    """A test that was renamed, or thrown away, leaves its cell empty: that is to be seen."""
    lost = [
        f"{path}: {name}"
        for path, name in named_tests().values()
        if name not in functions(path) or not name.startswith("test_")
    ]
    assert lost == []


def test_every_cell_names_a_test_or_says_why_there_is_none() -> None:
    """And no code leads nowhere, and none is left over."""
    known = set(named_tests())
    reasons = set(re.findall(r"^- `(-[a-z])`:", read(PAGE), re.MULTILINE))
    used: set[str] = set()
    for kind, cells in rows().items():
        assert len(cells) == SITUATIONS, kind
        for cell in cells:
            assert cell, f"{kind} has an empty cell"
            assert all(CELL.fullmatch(one) for one in cell), (kind, cell)
            used |= set(cell)
    assert used == known | reasons


def test_every_kind_that_is_built_in_has_its_row() -> None:
    """A kind that is new on the other page is not tested because nobody thought of it."""
    built_in = set(BUILT_IN.findall(read("workload-kinds.md")))
    assert {"Deployment", "CloneSet", "MachineComponentSet"} <= built_in
    assert built_in | {"shardedOperator", "WorkloadKind"} <= {
        code(k)[0] for k in rows() if "`" in k
    }


def test_the_tests_of_all_kinds_are_run_with_the_kind_of_their_row() -> None:
    """A kind that is left out of a list of parameters keeps no cell that says otherwise."""
    from tests.cluster import kinds, test_kinds_in_batches, test_kinds_in_the_middle

    modules = {"B": test_kinds_in_batches, "M": test_kinds_in_the_middle}
    for row, cells in rows().items():
        kind = code(row)[0] if "`" in row else ""
        if kind not in kinds.KINDS or "," in row:
            continue
        for one in {one for cell in cells for one in cell if one[0] in modules}:
            test = getattr(modules[one[0]], named_tests()[one][1])
            lists = [m.args[1] for m in getattr(test, "pytestmark", []) if m.args[0] == "kind"]
            assert all(kind in listed for listed in lists), (kind, one)
