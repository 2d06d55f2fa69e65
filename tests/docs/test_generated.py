"""Pages that are read off the code are as the code is."""

from __future__ import annotations

import ast
import re

import pytest

from docs.generate import pages, usage
from release_repo_schema.models import KINDS
from release_repo_schema.notyet import not_in_this_version
from release_repo_schema.probes import probes
from release_repo_schema.reference import not_yet, reference_markdown
from tests.docs.pages import DOCS, ROOT


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    """`make docs` writes it; the diff is read before it is committed."""
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name](), "run `make docs`"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_field_of_a_kind_stands_in_the_reference(kind: str) -> None:
    """A field that is not told is not used, or used by guessing."""
    schema = KINDS[kind].model_json_schema(by_alias=True)
    text = reference_markdown()
    section = text[text.index(f"\n## {kind}\n") :]
    section = section[: section.index("\n## ", 5)]
    spec = schema["$defs"][schema["properties"]["spec"]["$ref"].rsplit("/", 1)[1]]
    for field in spec.get("properties", {}):
        assert f"| `spec.{field}` |" in section


def test_what_is_not_in_this_version_is_marked_by_the_list_that_lint_goes_by() -> None:
    """The reference and lint must not part: an author would learn it only from the error."""
    marked = {(kind, path) for kind, model in KINDS.items() for path in not_yet(model)}
    assert ("Cluster", "spec.connection.kubeconfig") not in marked
    assert ("Component", "spec.guard.ask") not in marked
    assert ("Pipeline", "spec.stages") not in marked
    assert ("Policy", "spec.riskRules") not in marked
    assert "`spec.hostedBy` | name | – | " in reference_markdown()


def test_every_line_of_the_list_is_reached_by_a_document() -> None:
    """Whatever the list learns to refuse shows in the reference without a change there."""
    said = {
        text
        for model in KINDS.values()
        for one in probes(model)
        for _, text in not_in_this_version(one)
    }
    tree = ast.parse((ROOT / "release_repo_schema/notyet.py").read_text(encoding="utf-8"))
    yields = [node.value for node in ast.walk(tree) if isinstance(node, ast.Yield)]
    shapes = [_shape(node.elts[1]) for node in yields if isinstance(node, ast.Tuple)]
    assert shapes
    unseen = [shape for shape in shapes if not any(re.fullmatch(shape, text) for text in said)]
    assert unseen == []


def _shape(text: ast.expr) -> str:
    """What a text may look like when its places are filled in."""
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return "".join(
        re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in parts
    )


def test_usage_of_a_command_is_what_the_command_line_takes() -> None:
    """The page shows options as they are typed."""
    assert "sluice plan [--base REF] [--head REF]" in usage("plan")
    assert "sluice schema [KIND]" in usage("schema")
    assert "sluice approve RELEASE[#N]" in usage("approve")
