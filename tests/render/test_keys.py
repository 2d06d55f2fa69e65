"""Values and keys: what differs between clusters, and what therefore has to be rendered again."""

from __future__ import annotations

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import meta

from bot.cluster.render import (
    at_source,
    names_used,
    rendering_key,
    strings_in,
    template_context,
    values_for,
)
from bot.model.plan import JSON
from bot.ports import RenderProblem


def context(cluster: str, group: str = "g", **labels: str) -> dict[str, JSON]:
    return template_context(
        version="1",
        images={},
        cluster=cluster,
        labels=labels,
        group=group,
        unit=f"a@{cluster}",
    )


def test_narrow_values_beat_wide_ones() -> None:
    """Maps merge, lists replace, null deletes: default, then group, then cluster."""
    default = {"image": "a", "res": {"cpu": 1, "mem": 2}, "args": [1, 2], "old": {"x": 1}}
    group = {"res": {"cpu": 3}, "args": [9], "old": None}
    cluster = {"res": {"mem": None, "gpu": {"n": 1, "m": None}}}
    assert values_for([default, group, cluster]) == {
        "image": "a",
        "res": {"cpu": 3, "gpu": {"n": 1}},
        "args": [9],
    }
    assert default["res"] == {"cpu": 1, "mem": 2}, "layers are shared and never changed"


def test_a_map_over_a_scalar_replaces_it() -> None:
    """Types may change from layer to layer; the narrow one is meant."""
    assert values_for([{"a": 1}, {"a": {"b": 2}}, {"a": [3]}]) == {"a": [3]}
    assert values_for([]) == {}


@given(
    st.lists(
        st.recursive(
            st.dictionaries(st.sampled_from("abc"), st.integers() | st.none()),
            lambda inner: st.dictionaries(st.sampled_from("abc"), inner),
        ),
        max_size=4,
    )
)
def test_merging_goes_layer_by_layer(layers: list[dict[str, JSON]]) -> None:
    """Merging what was merged with the next layer is merging all; nothing that is null remains."""
    merged = values_for(layers)
    assert values_for([values_for(layers[:-1]), *layers[-1:]]) == merged
    assert None not in list(_leaves(merged))


def _leaves(value: JSON) -> list[JSON]:
    if not isinstance(value, dict):
        return [value]
    return [leaf for inner in value.values() for leaf in _leaves(inner)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("# in every cluster\ncluster: {{ values.cluster }}", set()),
        ("{{ cluster.name }}", {"cluster.name"}),
        ("{% if cluster . labels.region == 'eu' %}{% endif %}", {"cluster.labels.region"}),
        ("{{ cluster['name'] }}", {"cluster"}),
        ("{# {{ unit.name }} #}{{ version }}", {"version"}),
        ("{% raw %}{{ unit.name }}{% endraw %}{{ version }}", {"version"}),
        ("{{ '}}' ~ unit.name }}", {"unit.name"}),
        ("{{ {'a': {'b': 1}} }}{{ images.agent.ref }}", {"images.agent.ref"}),
        ('{# {{ " #}{{ cluster.group ~ "}}" ~ version }}', {"cluster.group", "version"}),
        ("{% set c = cluster %}{{ c.name }}", {"cluster"}),
    ],
)
def test_the_parts_of_the_context_that_a_template_reads(text: str, names: set[str]) -> None:
    """Plain text does not count: `# in every cluster` must not cost a thousand renderings."""
    assert names_used(text) == names


PIECES = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            "{",
            "}",
            "'",
            '"',
            "\\",
            " ",
            "\n",
            "~",
            "(",
            ")",
            "-",
        ),
        *(
            "cluster",
            "unit.name",
            "version",
            "images['a']",
            "values.x",
            "[1]",
            "if x",
            "endif",
            "raw",
        ),
        *("endraw", "set a =", "set a = version", "|", "."),
        *(
            "{{ cluster.name }}",
            "{{ '}}' ~ unit }}",
            "{% raw %}",
            "{% endraw %}",
            "{{ {'a': {}} }}",
        ),
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join))
def test_no_name_that_a_template_reads_is_ever_missed(text: str) -> None:
    """A missed name would give a cluster the rendering of another: the language is the judge."""
    try:
        read = meta.find_undeclared_variables(jinja2.Environment(autoescape=True).parse(text))
    except jinja2.TemplateSyntaxError:
        return
    found = {name.partition(".")[0] for name in names_used(text)}
    assert read & {"version", "images", "cluster", "unit"} <= found


def test_a_thousand_clusters_without_differences_are_one_rendering() -> None:
    """That is what makes a plan over the whole fleet cheap."""
    used = names_used("image: {{ values.image }}") | names_used("r/a:{{ version }}")
    files, layers = [("t.yaml", "b1")], ["v1"]
    keys = {rendering_key("jinja", files, layers, used, context(f"c{n}")) for n in range(1000)}
    assert len(keys) == 1


def test_only_what_is_read_of_a_cluster_tells_renderings_apart() -> None:
    """Reading the group costs a rendering a group, reading a label one a value."""
    clusters = [context(f"c{n}", group=f"g{n % 3}", zone=f"z{n % 2}") for n in range(12)]

    def count(*used: str) -> int:
        return len({rendering_key("jinja", [], [], used, cluster) for cluster in clusters})

    assert count("cluster.group") == 3
    assert count("cluster.labels.zone") == 2
    assert count("cluster.labels.other") == 2
    assert count("cluster.name.upper") == 12
    assert count("version", "images") == 1


def test_another_file_value_or_version_is_another_rendering() -> None:
    """Everything that could change the text is in the key."""
    base = rendering_key("jinja", [("a", "1")], ["v"], ["version"], context("c"))
    assert base == rendering_key("jinja", [("a", "1")], ["v"], ["version"], context("d"))
    assert base != rendering_key("jinja", [("a", "2")], ["v"], ["version"], context("c"))
    assert base != rendering_key("jinja", [("b", "1")], ["v"], ["version"], context("c"))
    assert base != rendering_key("jinja", [("a", "1")], ["v", "w"], ["version"], context("c"))
    assert base != rendering_key(
        "jinja", [("a", "1")], ["v"], ["version"], {**context("c"), "version": "2"}
    )


def test_plain_manifests_are_one_rendering_for_all() -> None:
    """They see neither values nor cluster."""
    keys = {
        rendering_key("plain", [("a", "1")], [str(n)], ["cluster"], context(str(n)))
        for n in range(9)
    }
    assert len(keys) == 1


def test_every_string_of_the_values_is_looked_at() -> None:
    """Values are templates too, and may read the cluster."""
    values = {"a": ["{{ cluster.name }}", {"b": "{{ unit.name }}"}], "c": 1}
    assert names_used(*strings_in(values)) == {"cluster.name", "unit.name"}


def test_a_mistake_in_a_value_is_told_at_the_narrowest_file_that_has_it() -> None:
    """The value that was used stands there, not in the default that it replaced."""
    problem = RenderProblem(path="", line=None, message="values.a.b[1]: no", code="values")
    layers = [("default.yaml", {"a": {"b": [0, 1]}}), ("eu-1.yaml", {"a": {"c": 1}})]
    assert at_source(problem, layers).path == "default.yaml"
    layers.append(("eu-2.yaml", {"a": {"b": [5, 6]}}))
    assert at_source(problem, layers).path == "eu-2.yaml"
