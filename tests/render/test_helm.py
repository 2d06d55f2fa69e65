"""Helm charts: rendered as `helm template` does it, by values of the component, and fenced in."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.adapters import sandbox_helm
from bot.adapters.sandbox import SandboxRenderer
from bot.model.plan import JSON
from bot.ports import Rendering, RenderProblem
from tests.render.charts import CHART, ROOT, chart, config

Draw = Callable[..., Rendering]


@pytest.fixture
def draw(renderer: SandboxRenderer) -> Draw:
    """Renders one chart made of the arguments of `chart`."""

    def run(*args: str, **kwargs: JSON) -> Rendering:
        return renderer.render([chart(*args, **kwargs)])[0]

    return run


def it_of(rendering: Rendering) -> str:
    assert not rendering.problems, rendering.problems
    return str(rendering.objects[0]["data"]["it"])


def problem_of(rendering: Rendering) -> RenderProblem:
    assert rendering.objects == ()
    assert len(rendering.problems) == 1, rendering.problems
    return rendering.problems[0]


def test_a_chart_sees_the_release_as_it_is_documented(draw: Draw) -> None:
    """Names do not follow a machine or a moment: they are the component's and the repo's."""
    told = "'{{ .Release.Name }} {{ .Release.Namespace }} {{ .Chart.AppVersion }}'"
    assert it_of(draw(config(told))) == "node-agent infra 2.5.0"


def test_the_released_version_is_the_charts_own(draw: Draw) -> None:
    """A chart that takes its image by appVersion would else ship the version in its file."""
    job = chart(config("{{ .Chart.AppVersion | quote }}"), Chart_yaml=CHART + "\n# end")
    assert it_of(draw(config("{{ .Chart.AppVersion | quote }}"))) == "2.5.0"
    assert job.files[0][1].endswith(b"# end"), "a file without a line at its end is read as well"


def test_values_of_the_component_go_over_the_charts_own(draw: Draw) -> None:
    """Maps merge, lists replace, and a null takes a default of the chart away."""
    own = "a: {x: 1, z: 2}\nlist: [1, 2]\ngone: here\n"
    text = config("'{{ .Values.a.x }}{{ .Values.a.z }}{{ .Values.list }}{{ .Values.gone }}'")
    given = {"a": {"x": 9}, "list": [3], "gone": None}
    assert it_of(draw(text, values=given, values_yaml=own)) == "92[3]"


def test_strings_of_values_are_templates_of_ours(draw: Draw) -> None:
    """What a chart cannot know, the values tell it: the cluster, its labels, the version."""
    given = {"image": "r/agent:{{ version }}", "region": "{{ cluster.labels.region }}"}
    text = config("'{{ .Values.image }} {{ .Values.region }}'")
    assert it_of(draw(text, values=given)) == "r/agent:2.5.0 eu"


def test_a_wrong_string_of_values_is_told_as_in_other_renderings(draw: Draw) -> None:
    problem = problem_of(draw(config("x"), values={"a": ["{{ verison }}"]}))
    assert problem.code == "values"
    assert "values.a[0]" in problem.message


def test_objects_without_a_namespace_get_that_of_the_release(draw: Draw) -> None:
    """As helm install does it; what lives in the cluster as a whole gets none."""
    text = (
        config("x")
        + "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n"
        + "metadata: {name: r}\n---\n"
        + config("two").replace("{name: c}", "{name: d, namespace: other}")
    )
    found = {o["metadata"]["name"]: o["metadata"].get("namespace") for o in draw(text).objects}
    assert found == {"c": "infra", "r": None, "d": "other"}


def test_custom_resource_definitions_of_a_chart_come_along(draw: Draw) -> None:
    """They stand in a folder that helm installs before the templates."""
    crd = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        "metadata: {name: as.x.io}\nspec: {group: x.io, scope: Namespaced, names: {kind: A}}\n"
    )
    mine = "apiVersion: x.io/v1\nkind: A\nmetadata: {name: a}\n"
    found = {
        o["kind"]: o["metadata"].get("namespace") for o in draw(mine, crds__a_yaml=crd).objects
    }
    assert found == {"CustomResourceDefinition": None, "A": "infra"}


def test_a_subchart_in_the_repo_is_rendered_and_one_that_is_not_there_is_named(draw: Draw) -> None:
    """Nothing is downloaded: what the chart needs is in its charts/."""
    asks = CHART + "dependencies: [{name: redis, version: 1.0.0, repository: 'https://x'}]\n"
    problem = problem_of(draw(config("x"), Chart_yaml=asks))
    assert "redis" in problem.message
    assert "helm dependency update" in problem.hint
    sub = {
        "charts__redis__Chart_yaml": "apiVersion: v2\nname: redis\nversion: 1.0.0\n",
        "charts__redis__templates__r_yaml": config("{{ .Values.global.a }}", "r"),
    }
    made = draw(config("x"), Chart_yaml=asks, values={"global": {"a": "b"}}, **sub)
    assert {o["metadata"]["name"] for o in made.objects} == {"c", "r"}


def test_a_packed_chart_is_refused(draw: Draw) -> None:
    """Nobody could review what it changes."""
    problem = problem_of(draw(config("x"), **{"charts__redis-1.0.0_tgz": "x"}))
    assert "cannot be reviewed" in problem.message
    assert "unpack" in problem.hint


@pytest.mark.parametrize(
    ("template", "line", "told"),
    [
        (config("{{ .Values.a.b.c }}"), 5, "nil pointer"),
        (config('{{ required "say who" .Values.who }}'), 5, "say who"),
        ("a: 1\n{{ if }}\n", 2, "missing value for if"),
        ("a:\n b: 1\n  c: 2\n", None, "YAML parse error"),
    ],
)
def test_what_helm_complains_of_is_told_at_its_place(
    draw: Draw, template: str, line: int | None, told: str
) -> None:
    """File and line are those of the repo, not of a folder that is gone."""
    problem = problem_of(draw(template))
    assert (problem.path, problem.line) == (f"{ROOT}/templates/t.yaml", line)
    assert told in problem.message
    assert "--debug" not in problem.message


def test_a_schema_of_values_is_asked(draw: Draw) -> None:
    """What the chart's author forbids is a mistake of the values."""
    schema = '{"properties": {"n": {"type": "integer"}}}'
    problem = problem_of(draw(config("x"), values={"n": "x"}, **{"values.schema_json": schema}))
    assert "n" in problem.message
    assert "integer" in problem.message.lower()


@pytest.mark.parametrize(
    "call",
    [
        "now",
        "randAlphaNum 10",
        '(genCA "a" 365).Cert',
        "uuidv4",
        "10 | randAlpha",
        'htpasswd "a" "b"',
    ],
)
def test_what_answers_otherwise_each_time_is_refused_where_it_is_asked(
    draw: Draw, call: str
) -> None:
    """A plan that differs at every look could never be approved, or carried out as it was shown."""
    problem = problem_of(draw("# a comment\n" + config(f"{{{{ {call} }}}}")))
    assert problem.line == 6
    assert "answers otherwise each time" in problem.message
    assert it_of(draw(config(f"{{{{ if .Values.x }}}}{{{{ {call} }}}}{{{{ end }}}}'y'"))) == "y"


def test_a_word_in_a_text_or_a_field_is_no_call(draw: Draw) -> None:
    """Only calls are put out of action."""
    text = config("'{{ printf \"now %s\" .Values.now }} {{/* now */}}now'")
    assert it_of(draw(text, values={"now": "lookup"})) == "now lookup now"


def test_a_plan_asks_no_cluster(draw: Draw) -> None:
    """With helm a lookup answers nothing while it renders: half of the chart would be missing."""
    problem = problem_of(draw(config('{{ (lookup "v1" "Secret" "a" "b").x }}')))
    assert "asks no cluster" in problem.message


def test_keys_in_no_order_are_found_out(draw: Draw) -> None:
    """The order of keys is drawn anew in each run."""
    many = {f"k{n}": n for n in range(12)}
    text = config("'{{ keys .Values | join \",\" }}'")
    assert "no order" in problem_of(draw(text, values=many)).message
    text = config("'{{ keys .Values | sortAlpha | join \",\" }}'")
    assert it_of(draw(text, values=many)).startswith("k0,k1,")


def test_hooks_are_never_applied(draw: Draw) -> None:
    """They would run at moments that nobody planned: a finding each, not an object."""
    hook = config("x").replace("{name: c}", "{name: h, annotations: {helm.sh/hook: pre-upgrade}}")
    problem = problem_of(draw(config("two") + "---\n" + hook))
    assert (problem.code, problem.level) == ("helm-hook", "error")
    assert "ConfigMap h" in problem.message


def test_tests_of_a_chart_are_left_out_with_a_warning(draw: Draw) -> None:
    """Every new chart has one; it is no part of what runs."""
    test = config("x").replace("{name: c}", "{name: t, annotations: {helm.sh/hook: test}}")
    made = draw(config("two") + "---\n" + test)
    assert [o["metadata"]["name"] for o in made.objects] == ["c"]
    (problem,) = made.problems
    assert (problem.code, problem.level) == ("helm-test", "warning")


def test_a_chart_that_never_ends_is_ended(draw: Draw) -> None:
    text = config("{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}")
    assert "did not finish within" in problem_of(draw(text)).message


def test_a_chart_that_grows_is_ended(draw: Draw) -> None:
    problem = problem_of(draw(config('{{ repeat 900000000 "x" | len }}')))
    assert "MiB of memory" in problem.message


def test_a_chart_that_writes_too_much_is_ended(draw: Draw) -> None:
    problem = problem_of(draw(config('{{ repeat 6000000 "x" }}')))
    assert "writes more than" in problem.message


def test_helm_reaches_no_network(renderer: SandboxRenderer) -> None:
    """Even a helm that was talked into a download has nowhere to go."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/agent.tgz"
        job = chart(config("x"))
        made = renderer.render([replace(job, release=address)])[0]
        assert made.problems
        with pytest.raises(TimeoutError):
            server.accept()


def test_helm_sees_no_files_but_the_charts(draw: Draw) -> None:
    """What stands around the bot is none of a chart's business."""
    assert it_of(draw(config("'{{ .Files.Get \"/etc/passwd\" }}'"))) == ""
    link = config("'{{ .Files.Get \"../../../etc/passwd\" }}'")
    assert it_of(draw(link)) == ""


def test_equal_inputs_are_one_process(renderer: SandboxRenderer) -> None:
    """A fleet of a thousand clusters with three kinds of values costs three processes."""
    before = renderer.helm.processes
    jobs = [chart(config("{{ .Values.a }}"), values={"a": f"x{n % 3}"}) for n in range(60)]
    made = renderer.render([replace(one, key=str(n)) for n, one in enumerate(jobs)])
    assert [it_of(one) for one in made] == [f"x{n % 3}" for n in range(60)]
    assert [one.key for one in made] == [str(n) for n in range(60)]
    assert renderer.helm.processes - before == 3


def test_rendering_twice_gives_the_same(draw: Draw) -> None:
    many = {f"k{n}": {"a": n} for n in range(20)}
    text = config("'{{ range $k, $v := .Values }}{{ $k }}{{ toJson $v }}{{ end }}'")
    assert draw(text, values=many) == draw(text, values=many)


def test_without_the_extra_it_is_said_what_to_install(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a traceback, and not a helm that happens to be on the path."""
    monkeypatch.setattr(sandbox_helm, "program", lambda: None)
    problem = problem_of(draw(config("x")))
    assert problem.code == "helm-missing"
    assert "sluice[helm]" in problem.hint


def test_a_folder_without_a_chart_is_told(renderer: SandboxRenderer) -> None:
    job = replace(chart(), files=((f"{ROOT}/templates/t.yaml", b"a: 1"),))
    (made,) = renderer.render([job])
    assert "Chart.yaml" in problem_of(made).message
