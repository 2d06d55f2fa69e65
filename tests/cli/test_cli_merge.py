"""merge: three files in, the patch and the object after it out; nothing is contacted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.terminal import Said, sluice

HEAD = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: infra}\n"
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: x}\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"


def containers(*each: str) -> str:
    lines = "".join(f"        - {one}\n" for one in each)
    return f"{HEAD}spec:\n  template:\n    spec:\n      containers:\n{lines}"


WEB = "{name: web, image: 'web:1'}"
MESH = "{name: mesh, image: 'mesh:1'}"
NEWER = "{name: web, image: 'web:2'}"


@pytest.fixture
def asked(tmp_path: Path):  # type: ignore[no-untyped-def]
    """The three texts, as files."""

    def ask(last: str | None, live: str, target: str, *more: str) -> Said:
        names = {}
        for name, text in (("last", last), ("live", live), ("target", target)):
            names[name] = tmp_path / f"{name}.yaml"
            if text is not None:
                names[name].write_text(text)
        a = "none" if last is None else names["last"]
        return sluice("merge", "--last", a, "--live", names["live"], "--target", *more_of(names))

    def more_of(names: dict[str, Path]) -> tuple[object, ...]:
        return (names["target"], "--json")

    return ask


def test_an_injected_sidecar_stays(asked) -> None:  # type: ignore[no-untyped-def]
    said = asked(containers(WEB), containers(MESH, WEB), containers(NEWER)).json
    assert said["patchType"] == "strategic"
    pod = said["patch"]["spec"]["template"]["spec"]
    assert pod["containers"] == [{"name": "web", "image": "web:2"}]
    after = said["result"]["spec"]["template"]["spec"]["containers"]
    assert [one["image"] for one in after] == ["mesh:1", "web:2"]
    assert said["blocked"] == []


def test_a_custom_resource_gets_a_merge_patch(asked) -> None:  # type: ignore[no-untyped-def]
    said = asked(WIDGET + "a: 1\n", WIDGET + "a: 1\nb: 2\n", WIDGET + "c: 3\n").json
    assert said["patchType"] == "merge"
    assert said["patch"] == {"a": None, "c": 3}
    assert "b" in said["result"]


def test_nothing_to_do_is_an_answer(asked) -> None:  # type: ignore[no-untyped-def]
    said = asked(None, containers(MESH, WEB), containers(WEB)).json
    assert (said["patchType"], said["patch"]) == ("none", {})
    assert len(said["result"]["spec"]["template"]["spec"]["containers"]) == 2


def test_people_read_the_patch_and_the_object_after_it(tmp_path: Path) -> None:
    live, target = tmp_path / "live.yaml", tmp_path / "target.json"
    live.write_text(containers(WEB))
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    target.write_text(json.dumps(body | {"spec": {"replicas": 3}}))
    said = sluice("merge", "--last", "none", "--live", live, "--target", target)
    assert said.code == 0
    assert said.out.startswith("# the patch, of type strategic\nspec:\n  replicas: 3\n---\n")
    assert "image: web:1" in said.out
    again = sluice("merge", "--last", "none", "--live", live, "--target", live)
    assert again.out == "Nothing to do: the API server would store what it has.\n"


def test_what_a_secret_holds_is_never_shown(asked) -> None:  # type: ignore[no-untyped-def]
    """Not its old data, not its new data, not the copy that kubectl keeps in an annotation."""
    noted = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations:\n"
    noted += '    kubectl.kubernetes.io/last-applied-configuration: \'{"data": "b2xk"}\'\n'
    said = asked(None, noted + "data: {a: b2xk}\n", SECRET + "stringData: {a: topsecret, b: c}\n")
    assert said.code == 0
    assert said.json["patch"] == {"data": {"a": "(not shown)", "b": "(not shown)"}}
    for text in ("b2xk", "topsecret", "dG9wc2VjcmV0"):
        assert text not in said.out


@pytest.mark.parametrize(
    ("live", "why"),
    [
        ("", "holds no object"),
        ("- 1\n", "holds no object but a list"),
        ("a: [\n", "live.yaml:2: this is no YAML"),
        ("a: 1\na: 2\n", "live.yaml:2"),
        ("kind: Deployment\n", "apiVersion is missing"),
        ("apiVersion: apps/v1\nkind: Deployment\n", "metadata.name is missing"),
        (containers(WEB) + "---\n" + containers(WEB), "live.yaml:10: a second object"),
        ("apiVersion: v1\nkind: List\nitems: []\n", "holds a List"),
        (WIDGET, "not the same object: apiVersion is apps/v1 and example.com/v1"),
        (containers(WEB).replace("name: web,", "name: db,", 1), "metadata.name is web and db"),
    ],
)
def test_a_bad_file_is_told_with_its_place(asked, live: str, why: str) -> None:  # type: ignore[no-untyped-def]
    said = asked(None, live, containers(WEB))
    assert said.code == 2
    assert why in said.json["error"]["why"]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    said = sluice("merge", "--last", "none", "--live", tmp_path / "no", "--target", tmp_path / "no")
    assert said.code == 2
    assert "No such file or directory" in said.err


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "live").write_bytes(b"\xff\xfe\x00")
    said = sluice(
        "merge", "--last", "none", "--live", tmp_path / "live", "--target", tmp_path / "live"
    )
    assert said.code == 2
    assert "no text in UTF-8" in said.err


def test_what_the_guard_blocks_or_asks_about_is_told(asked) -> None:  # type: ignore[no-untyped-def]
    """Before it is written anywhere: with path, from, to and why."""
    head = "apiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: infra}\n"
    live = head + "spec: {clusterIP: 10.0.0.1, type: ClusterIP}\n"
    target = head + "spec: {clusterIP: 10.0.0.2, type: NodePort}\n"
    said = asked(None, live, target).json
    (blocked,) = said["blocked"]
    assert (blocked["path"], blocked["from"], blocked["to"]) == (
        "spec.clusterIP", "10.0.0.1", "10.0.0.2",
    )  # fmt: skip
    assert [one["path"] for one in said["asked"]] == ["spec.type"]
