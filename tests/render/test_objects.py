"""What counts as an object, and what a reader is told when it does not."""

from __future__ import annotations

import pytest

from bot.adapters.sandbox_yaml import Mistake, documents, dumped, resolved
from bot.cluster.render import apply_order, canonical, digest, ref_of, revision
from bot.cluster.render_objects import Document, objects_from
from bot.model.plan import JSON


def doc(value: JSON, line: int = 1) -> Document:
    return Document(path="t.yaml", line=line, value=value)


def thing(kind: str = "ConfigMap", name: str = "a", api: str = "v1", **metadata: JSON) -> JSON:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **metadata}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.10", 1.1),
        ("2.5.0", "2.5.0"),
        ("09:30", "09:30"),
        ("1:30", "1:30"),
        ("2026-11-24", "2026-11-24"),
        ("yes", True),
        ("off", False),
        ("~", None),
        ("", None),
        ("010", 8),
        ("0o10", 8),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("1234567e999", "1234567e999"),
        ("-5", -5),
        ("+", "+"),
        ("100m", "100m"),
        ("=", "="),
    ],
)
def test_plain_scalars_are_read_as_kubernetes_reads_them(text: str, value: JSON) -> None:
    """The value that `kubectl apply` would send: `2.5.0` is text, `yes` is true."""
    assert resolved(text) == value
    assert type(resolved(text)) is type(value)


@pytest.mark.parametrize("text", ["1e3", "0o7", "y", "1.5", "~", "<<", "no", "1_000", "x: y", ""])
def test_text_written_by_toyaml_is_read_as_the_same_text(text: str) -> None:
    """Or a label `y` would become a boolean on its way through a template."""
    assert [value for _, value in documents(dumped({"a": text}))] == [{"a": text}]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\na: 2", 1, "the key `a` stands twice in one map"),
        ("a: 1\non: 2", 1, "the key `on` is read as True, not as text"),
        ("a: .nan", 0, "`.nan` is no number that JSON knows"),
        ("a: !!binary x", 0, "the tag `!!binary` is not taken"),
        ("? [a]\n: 1", 0, "a key must be text"),
    ],
)
def test_yaml_that_means_no_json_is_told_with_its_line(text: str, line: int, message: str) -> None:
    """Nothing is guessed: a key that is a boolean would reach the cluster as another word."""
    with pytest.raises(Mistake) as mistake:
        list(documents(text))
    assert (mistake.value.line, mistake.value.message) == (line, message)


def test_merged_maps_and_numbers_as_keys_are_read_as_kubectl_reads_them() -> None:
    """`<<` fills in what is not written; a port as a key is its text."""
    text = "p: &x {a: 1, b: 2}\nq: {<<: *x, b: 3}\n8080: z\n"
    assert [value for _, value in documents(text)] == [
        {"p": {"a": 1, "b": 2}, "q": {"a": 1, "b": 3}, "8080": "z"}
    ]


def test_lists_are_opened_and_empty_documents_left_out() -> None:
    """`kubectl get -o yaml` gives Lists; a template whose whole body is an `if` gives nothing."""
    value = {"apiVersion": "v1", "kind": "List", "items": [thing(name="a"), thing(name="b")]}
    objects, problems = objects_from([doc(None), doc(value), doc({})])
    assert problems == ()
    assert [o["metadata"]["name"] for o in objects] == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1], "a document must be a Kubernetes object (a map), but is a list"),
        ({"kind": "A", "metadata": {"name": "a"}}, "the object has no `apiVersion`"),
        ({"apiVersion": "v1", "metadata": {"name": "a"}}, "the object has no `kind`"),
        (
            {"apiVersion": 1, "kind": "A", "metadata": {"name": "a"}},
            "`apiVersion` must be a name, but is 1",
        ),
        ({"apiVersion": "v1", "kind": "A"}, "the object has no `metadata`"),
        ({"apiVersion": "v1", "kind": "A", "metadata": {}}, "the object has no `metadata.name`"),
        (thing(name=5), "`metadata.name` must be text, but is 5"),
        (thing(name="a b"), "`metadata.name` cannot be 'a b'"),
        (thing(namespace=True), "`metadata.namespace` must be text, but is true"),
        (thing(namespace=".."), "`metadata.namespace` cannot be '..'"),
        (thing(namespace="a/configmaps/b"), "`metadata.namespace` cannot be 'a/configmaps/b'"),
        (thing(uid="1"), "`metadata.uid` cannot be in a template"),
        (thing(resourceVersion="3"), "`metadata.resourceVersion` cannot be in a template"),
        (thing(ownerReferences=[{}]), "`metadata.ownerReferences` cannot be in a template"),
        (thing(labels={"v": 1.1}), "`metadata.labels.v` of ConfigMap a must be text, but is 1.1"),
        ({**thing(), "data": {"p": 80}}, "`data.p` of ConfigMap a must be text, but is 80"),
        ({**thing(), "data": []}, "`data` of ConfigMap a must be a map, but is a list"),
    ],
)
def test_what_an_api_server_would_refuse_is_told_on_the_pull_request(
    value: JSON, message: str
) -> None:
    """On the pull request it costs a minute; in the first cluster it stops the release."""
    objects, problems = objects_from([doc(value, line=4)])
    assert objects == ()
    assert [(p.message, p.line, p.path) for p in problems] == [(message, 4, "t.yaml")]


def test_an_object_rendered_twice_is_told_with_both_places() -> None:
    """The second would overwrite the first at every apply."""
    again = thing("Deployment", api="apps/v1beta1", namespace="x")
    _, problems = objects_from(
        [doc(thing("Deployment", api="apps/v1", namespace="x"), 3), doc(thing(), 5), doc(again, 9)]
    )
    assert [(p.line, p.message) for p in problems] == [
        (9, "Deployment x/a is rendered twice, first at t.yaml:3")
    ]


def test_workloads_are_applied_last_and_namespaces_and_definitions_first() -> None:
    """What they need is there when they come; the rest keeps the order of the files."""
    crd = thing("CustomResourceDefinition", api="apiextensions.k8s.io/v1")
    kinds = [
        thing("DaemonSet", api="apps.kruise.io/v1alpha1"),
        thing("Service"),
        crd,
        thing("ServiceAccount"),
        thing("Namespace"),
        thing("Deployment", api="apps/v1"),
    ]
    assert [o["kind"] for o in apply_order(kinds)] == [
        "Namespace",
        "CustomResourceDefinition",
        "Service",
        "ServiceAccount",
        "DaemonSet",
        "Deployment",
    ]


def test_a_digest_is_of_the_content_whatever_the_order_of_its_keys() -> None:
    """Rewriting a file without changing what it means is no new revision."""
    assert canonical({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    assert digest({"a": 1}) != digest({"a": "1"})
    assert ref_of(thing(namespace="n")).key == "v1/ConfigMap/n/a"


def test_a_revision_names_version_and_all_objects() -> None:
    """Same version with another value is another revision; the order of the files is not."""
    one, two = digest({"a": 1}), digest({"a": 2})
    assert revision("1.0", [one, two]) == revision("1.0", [two, one])
    assert revision("1.0", [one]) != revision("1.0", [two])
    assert revision("1.0", [one]).startswith("1.0@")
    assert len(revision("1.0", [one])) == len("1.0@") + 12
