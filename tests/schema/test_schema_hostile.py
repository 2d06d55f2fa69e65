"""Whatever the bytes are, the loader answers with documents and findings, and answers soon."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import release_repo_schema.yamltext as yamltext
from release_repo_schema.load import LoadedFile, load_file
from tests.schema.repos import SOUND, headed, tree

PATHS = st.sampled_from(
    (
        "components/agent/component.yaml",
        "components/agent/values/default.yaml",
        "components/agent/templates/x.yaml",
        "releases/2026/agent-2.yaml",
        "people.yaml",
        "README.md",
    )
)
SPLINTERS = st.sampled_from(
    (
        *"[]{}:,-?&*!|>'\"%@`#~\t\n\r ",
        "- ",
        ": ",
        "? ",
        "<<: ",
        "&a ",
        "*a ",
        "!!str ",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "kind: Component\n",
        "apiVersion: sluice/v1\n",
        "metadata: {name: agent}\n",
        "spec:\n",
        "  soak: 30m\n",
        "  batches: [1, 100%]\n",
        "\u202e",
        "\ufeff",
        "\x00",
        "\x85",
        "😀",
        "|2\n",
        '"\\x00"',
    )
)


def answered(path: str, data: bytes) -> LoadedFile:
    """Load, locate every finding, and hold the answer to its shape."""
    loaded = load_file(path, data)
    for finding in loaded.findings:
        assert finding.path == path
        assert finding.message
        assert "\n" not in finding.message
        assert finding.line is None or finding.line >= 1
        assert finding.column is None or finding.column >= 1
    return loaded


@given(PATHS, st.binary(max_size=300))
def test_no_bytes_make_the_loader_raise(path: str, data: bytes) -> None:
    """A pull request is data: it may not stop the bot."""
    answered(path, data)


@given(PATHS, st.lists(SPLINTERS, max_size=40))
def test_no_splinters_of_yaml_make_the_loader_raise(path: str, parts: list[str]) -> None:
    """Random bytes seldom get past the first character; pieces of YAML do."""
    answered(path, "".join(parts).encode("utf-8", "surrogatepass"))


@given(st.sampled_from(sorted(SOUND)), st.data())
def test_no_damage_to_a_sound_file_makes_the_loader_raise(path: str, data: st.DataObject) -> None:
    """A file cut off or overwritten in the middle is the commonest accident."""
    content = headed(path, SOUND[path])
    assert isinstance(content, str)
    at = data.draw(st.integers(0, len(content)))
    until = data.draw(st.integers(at, len(content)))
    middle = "".join(data.draw(st.lists(SPLINTERS, max_size=4)))
    answered(path, (content[:at] + middle + content[until:]).encode())


@pytest.mark.parametrize("bomb", ["[", "{", "- ", "? ", "a: [", "{a: ", "&a [", "'", '"', "|\n "])
def test_deep_nesting_is_a_finding_and_no_crash(bomb: str) -> None:
    """A hundred thousand levels would take the C stack of a naive reader with them."""
    assert answered("checks/deep.yaml", bomb.encode() * 100_000).findings


def test_aliases_within_aliases_count_as_deep() -> None:
    """Each anchor is shallow; one inside the other they are not."""
    lines = ["a0: &a0 [x]", *(f"a{k}: &a{k} [*a{k - 1}]" for k in range(1, 100))]
    findings = answered("components/agent/values/default.yaml", "\n".join(lines).encode()).findings
    assert [finding.code for finding in findings] == ["too-deep"]


def test_aliases_are_fine_where_they_are_few() -> None:
    """Anchors within a document save repetition; the contract allows them."""
    text = "a: &a {x: 1}\nb: *a\nc: [*a, *a]\n"
    loaded = answered("components/agent/values/default.yaml", text.encode())
    assert loaded.values == {"a": {"x": 1}, "b": {"x": 1}, "c": [{"x": 1}, {"x": 1}]}


def test_the_reader_without_the_c_library_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML is installed without libyaml on some machines; lint must not depend on it."""
    files = {path: headed(path, content) for path, content in SOUND.items()}
    fast = {path: load_file(path, _bytes(content)) for path, content in files.items()}
    monkeypatch.setattr(yamltext, "_LOADER", yaml.SafeLoader)
    for path, content in files.items():
        slow = load_file(path, _bytes(content))
        assert [d.model for d in slow.documents] == [d.model for d in fast[path].documents]
        assert slow.values == fast[path].values
        assert slow.findings == fast[path].findings == ()


def test_values_are_json_on_which_all_readers_agree() -> None:
    """Templates see numbers, booleans and nothing; everything doubtful was refused."""
    text = "a: 1\nb: -2.5\nc: true\nd: ~\ne: null\nf:\ng: '5'\nh: 2026-01-01\ni: y\nj: a b\nk: 0\n"
    assert load_file("components/a/values/default.yaml", text.encode()).values == {
        "a": 1,
        "b": -2.5,
        "c": True,
        "d": None,
        "e": None,
        "f": None,
        "g": "5",
        "h": "2026-01-01",
        "i": "y",
        "j": "a b",
        "k": 0,
    }


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def test_hidden_and_foreign_files_are_not_even_read() -> None:
    """What Sluice does not read cannot hurt it."""
    from release_repo_schema.load import load_repo

    files = tree({".github/x.yaml": b"[", "docs/x.yaml": b"[", "fleet/notes.txt": b"["})
    assert load_repo(files).findings == ()
    assert not {".github/x.yaml", "docs/x.yaml", "fleet/notes.txt"} & set(files.reads)
