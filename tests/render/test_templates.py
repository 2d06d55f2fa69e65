"""What release authors can write in templates, and what they read when it is wrong."""

from __future__ import annotations

import pytest

from bot.adapters.sandbox import SandboxRenderer
from tests.render.conftest import ROOT, Render, config, job, the_problem


def test_a_template_sees_values_version_images_cluster_and_unit(render: Render) -> None:
    """The contract names these five, and nothing else."""
    text = config(
        '"{{ values.a.b }} {{ version }} {{ images.agent.ref }} {{ cluster.name }} '
        '{{ cluster.labels.region }} {{ cluster.group }} {{ unit.name }} {{ unit.scope }}"'
    )
    rendering = render(text, values={"a": {"b": 7}})
    assert rendering.problems == ()
    assert rendering.objects[0]["data"]["it"] == (
        "7 2.5.0 r/agent eu-1 eu prod-eu node-agent@eu-1 cluster"
    )


def test_each_string_of_the_values_is_a_template_rendered_once(render: Render) -> None:
    """Once only: what comes out of a value is data, or a label of a cluster could bring code."""
    values = {"image": "r/a:{{ version }}", "raw": ["{{ '{{' }} version }}"]}
    rendering = render(config('"{{ values.image }} {{ values.raw[0] }}"'), values=values)
    assert rendering.objects[0]["data"]["it"] == "r/a:2.5.0 {{ version }}"


def test_a_key_named_like_a_method_is_the_key(render: Render) -> None:
    """`values.items` is a trap of the language: people mean what they wrote in the file."""
    rendering = render(config("{{ values.items | quote }}"), values={"items": "mine"})
    assert rendering.objects[0]["data"]["it"] == "mine"


def test_templates_include_and_import_their_siblings(render: Render) -> None:
    """Files that begin with `_` are parts, never objects of their own."""
    rendering = render(
        config(
            "\"{% include '_part.yaml' %}{% import '_part.yaml' as part %}{{ part.twice('x') }}\""
        ),
        _part_yaml="{% macro twice(a) %}{{ a }}{{ a }}{% endmacro %}hello ",
    )
    assert rendering.objects[0]["data"]["it"] == "hello xx"


def test_nested_values_are_written_as_yaml(render: Render) -> None:
    """`toyaml` writes text so that it is read as the same text again."""
    odd = {"a": "1e3", "b": "y", "c": "0o7", "d": "é", "e": "two\nlines", "f": "09:30"}
    text = config("x").replace("  it: x\n", "  {{ values.odd | toyaml | indent(2) }}\n")
    rendering = render(text, values={"odd": odd})
    assert rendering.problems == ()
    assert rendering.objects[0]["data"] == odd


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("\n{{ values.imge }}", 2, "`values` has no `imge`", "did you mean `image`?"),
        ("{{ values.deep.x }}", 1, "`values.deep` has no `x`", "there are `inside`"),
        ("{{ verson }}", 1, "there is no `verson` here", "did you mean `version`?"),
        ("a: 1\n{% if %}", 2, "Expected an expression, got 'end of statement block'", ""),
        ("{{ 1 | nope }}", 1, "No filter named 'nope'.", ""),
        ("\n\n{{ 1 // 0 }}", 3, "ZeroDivisionError: integer division or modulo by zero", ""),
        ("{% include 'x' %}", 1, "there is no template `x` in this component", ""),
        ("{{ values.image | map('upper') }}", 1, "an open list cannot be written", ""),
    ],
)
def test_a_mistake_is_told_at_its_line(
    render: Render, text: str, line: int, message: str, hint: str
) -> None:
    """File, line, what is wrong, and what was probably meant."""
    problem = the_problem(render(text, values={"image": "x", "deep": {"inside": 1}}))
    assert (problem.path, problem.line) == (f"{ROOT}/t.yaml", line)
    assert problem.message.startswith(message)
    assert problem.hint == hint


def test_yaml_that_a_template_broke_is_told_at_the_line_of_the_template(render: Render) -> None:
    """The author sees the template, not the text that came out of it."""
    text = "a: b\n{% for i in range(5) %}\nx{{ i }}: 1\n{% endfor %}\nb:\n  c: : d\n"
    problem = the_problem(render(text))
    assert problem.line == 6
    assert problem.message.startswith("this is no YAML")


def test_a_mistake_in_a_value_names_the_value(render: Render) -> None:
    """It begins with the way to the value, by which its file is found."""
    problem = the_problem(render(config("x"), values={"a": {"b": ["{{ verson }}"]}}))
    assert problem.code == "values"
    assert problem.message == "values.a.b[0]: there is no `verson` here"
    assert problem.hint == "did you mean `version`?"


def test_all_mistakes_of_a_component_come_at_once(render: Render) -> None:
    """Nobody should have to push five times to learn of five mistakes."""
    rendering = render(a_yaml="{{ x }}", b_yaml="a: : b", c_yaml="- 1", d_yaml=config("x"))
    assert [problem.path.rpartition("/")[2] for problem in rendering.problems] == [
        "a.yaml",
        "b.yaml",
    ]
    assert render(c_yaml="- 1").problems[0].message.startswith("a document must be")


def test_manifests_of_kind_plain_are_no_templates(render: Render) -> None:
    """Braces in a manifest are text there, and several documents may stand in one file."""
    text = config("'{{ version }}'") + "---\n" + config("y").replace("name: c", "name: d")
    rendering = render(text.replace("it: y", "it: z"), kind="plain")
    assert [o["data"]["it"] for o in rendering.objects] == ["{{ version }}", "z"]


def test_a_file_that_is_no_text_is_told(renderer: SandboxRenderer) -> None:
    """A picture dropped among the manifests is a finding, not a crash."""
    broken = job("x")
    broken = type(broken)(
        key="k", kind="plain", files=((f"{ROOT}/t.yaml", b"a\n\xff"),), values={}, context={}
    )
    problem = the_problem(renderer.render([broken])[0])
    assert (problem.line, problem.message) == (2, "the file is no UTF-8 text")


def test_answers_come_in_the_order_of_the_jobs(renderer: SandboxRenderer) -> None:
    """Several components, many units, some of them broken: each job has its own answer."""
    jobs = [
        job(
            config("{{ values.n | quote }}" if n % 7 else "{{ values.m }}"),
            values={"n": n},
            key=str(n),
        )
        for n in range(100)
    ]
    for n, rendering in enumerate(renderer.render(jobs)):
        assert rendering.key == str(n)
        assert bool(rendering.problems) == (n % 7 == 0)
        if n % 7:
            assert rendering.objects[0]["data"]["it"] == str(n)
