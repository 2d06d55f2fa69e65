"""What a pull request shows before anybody merges it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.core.plan_shown import Known, PullPlan, ReleaseShown
from bot.model.state import Applied, Blocked
from tests.plan.world import BASE, NOW, PULL, World, cluster, document, release


@pytest.fixture
def world() -> World:
    return World()


def pulled(world: World, known: Known | None = None) -> PullPlan:
    return world.planner.pull("c1", PULL, now=NOW, known=known or Known())


def one(pull: PullPlan) -> ReleaseShown:
    assert [str(finding) for finding in pull.findings] == []
    assert len(pull.releases) == 1
    return pull.releases[0]


def applied(cluster_: str, version: str, revision: str = "") -> Applied:
    return Applied(
        unit=f"node-agent@{cluster_}",
        version=version,
        revision=revision,
        release="earlier",
        fence="1.1",
        at=NOW,
        certified=True,
    )


def test_a_bump_shows_order_batches_counts_and_the_one_line_that_changes(world: World) -> None:
    """This is what a reviewer reads instead of four clusters' YAML."""
    world.proposes(release("node-agent-2-5-0"))

    shown = one(pulled(world))

    assert [(stage.name, stage.waves) for stage in shown.plan.stages] == [
        ("staging", (("node-agent@st-1",),)),
        ("production", (("node-agent@eu-1",), ("node-agent@eu-2", "node-agent@eu-3"))),
    ]
    assert shown.units["node-agent@st-1"].counts == (1, 2, 3)
    assert shown.units["node-agent@eu-1"].counts == (1, 3, 6)
    assert shown.from_version(shown.plan.components[0]) == "2.4.0"
    assert [(c.ref.short, c.units) for c in shown.changes] == [
        ("DaemonSet infra/node-agent", ("node-agent@st-1", "node-agent@eu-1", "node-agent@eu-2")),
        ("DaemonSet infra/node-agent", ("node-agent@eu-3",)),
    ]
    assert [line for line in shown.changes[0].diff.split("\n") if line[:1] in ("+", "-")] == [
        "-        image: agent:2.4.0",
        "+        image: agent:2.5.0",
    ]


def test_the_larger_count_is_asked_before_the_first_write_and_the_stage_asks_for_itself(
    world: World,
) -> None:
    """People must know before the merge whom it will keep waiting."""
    world.proposes(release("node-agent-2-5-0"))

    asked = one(pulled(world)).approvals

    assert [(one_.what, one_.stage, one_.ask.count) for one_ in asked] == [
        ("release", None, 2),
        ("before", "production", 1),
    ]


def test_each_distinct_rendering_and_diff_is_made_once(world: World) -> None:
    """A thousand equal clusters cost what one does."""
    world.proposes(release("node-agent-2-5-0"))

    pulled(world)
    rendered, compared = world.planner.renderings.made, world.planner.compared
    reads = len(world.git.reads)
    pulled(world)

    assert (rendered, compared) == (4, 2)  # two kinds of values, before and after
    assert world.planner.renderings.made == rendered
    assert len(world.git.reads) == reads


def test_only_changed_files_are_read_again(world: World) -> None:
    """Seven thousand files stand still while one changes."""
    world.planner.load("c1")
    world.git.reads.clear()
    world.proposes(release("node-agent-2-5-0"))

    pulled(world)

    assert set(world.git.reads) == {
        "releases/2026/node-agent-2-5-0.yaml",
        "components/node-agent/templates/ds.yaml",
    }


def test_a_broken_file_is_told_with_its_line_and_nothing_is_planned(world: World) -> None:
    """Half a plan would be taken for a whole one."""
    world.proposes(release("node-agent-2-5-0", extra="suports: x"), {"checks/x.yaml": "kind: ["})

    pull = pulled(world)

    assert pull.releases == ()
    assert {finding.path for finding in pull.findings} == {
        "releases/2026/node-agent-2-5-0.yaml",
        "checks/x.yaml",
    }
    assert all(finding.line for finding in pull.findings)


def test_a_mistake_in_a_template_names_the_file_and_the_units_that_show_it(world: World) -> None:
    """A value that one cluster forgot is found before that cluster does."""
    template = BASE["components/node-agent/templates/ds.yaml"].replace("values.cpu", "values.cpus")
    world.proposes(
        release("node-agent-2-5-0"),
        {
            "components/node-agent/templates/ds.yaml": template,
            "components/node-agent/values/clusters/eu-1.yaml": "cpus: 1\n",
        },
    )

    pull = pulled(world)

    assert pull.releases == ()
    (finding,) = pull.findings
    assert finding.path == "components/node-agent/templates/ds.yaml"
    assert "in node-agent@st-1, node-agent@eu-2 and 1 more" in finding.message


def test_what_git_cannot_merge_is_a_finding_with_the_way_out(world: World) -> None:
    """A plan of one side only would be a plan of nothing."""
    world.proposes({"components/node-agent/values/default.yaml": "cpu: 1\n"})
    world.lands({"components/node-agent/values/default.yaml": "cpu: 2\n"})

    pull = world.planner.pull("c2", PULL, now=NOW)

    assert pull.releases == ()
    assert [(f.path, f.code) for f in pull.findings] == [
        ("components/node-agent/values/default.yaml", "conflict")
    ]
    assert pull.findings[0].hint


def test_changed_values_without_a_release_are_listed_with_the_units_they_touch(
    world: World,
) -> None:
    """Merged configuration that reaches nobody is a surprise kept for later."""
    world.proposes({"components/node-agent/values/clusters/eu-3.yaml": "cpu: 400m\n"})

    pull = pulled(world)

    assert pull.releases == ()
    assert [(u.component, u.paths, u.units) for u in pull.unreleased] == [
        (
            "node-agent",
            ("components/node-agent/values/clusters/eu-3.yaml",),
            ("node-agent@eu-3",),
        )
    ]


def test_a_comment_in_values_leaves_nothing_unreleased_and_a_release_carries_the_rest(
    world: World,
) -> None:
    """The list must be worth reading."""
    values = "components/node-agent/values/default.yaml"
    world.proposes({values: "# why\n" + BASE[values]})
    assert pulled(world).unreleased == ()

    world.proposes(release("node-agent-2-5-0"), {values: BASE[values].replace("100m", "120m")})
    assert pulled(world).unreleased == ()


def test_a_lower_version_is_an_error_unless_it_is_meant(world: World) -> None:
    """A typing mistake must not take a fleet back a year."""
    world.proposes(release("node-agent-2-3-0", "2.3.0"))
    (finding,) = pulled(world).findings
    assert (finding.code, finding.line, finding.hint) == (
        "downgrade",
        5,
        "if that is meant, write `allowDowngrade: true`",
    )

    world.proposes(release("node-agent-2-3-0", "2.3.0", extra="allowDowngrade: true"))
    assert pulled(world).findings == ()


def test_the_store_knows_better_than_the_files_what_runs(world: World) -> None:
    """After a rollback the newest Release file is not what runs."""
    world.proposes(release("node-agent-2-5-0"))
    known = Known(
        applied={f"node-agent@{name}": applied(name, "2.6.0") for name in ("eu-1", "eu-2")}
    )

    pull = pulled(world, known)

    (finding,) = pull.findings
    assert finding.code == "downgrade"
    assert "2.6.0" in finding.message
    assert "as last applied" in finding.message
    assert dict(pull.releases[0].versions(pull.releases[0].plan.components[0])) == {
        "2.4.0": 2,
        "2.6.0": 2,
    }


def test_blocked_content_cannot_be_released_again(world: World) -> None:
    """A rollback sticks, also for who did not read its thread."""
    world.proposes(release("node-agent-2-5-0"))
    content = one(pulled(world)).plan.components[0].content

    def block(content: str) -> Known:
        entry = Blocked(
            component="node-agent",
            version="2.5.0",
            content=content,
            reason="INC-1201",
            release="node-agent-2-5-0-first",
            at=NOW,
        )
        return Known(blocked=(entry,))

    assert [f.code for f in pulled(world, block(content)).findings] == ["blocked"]
    assert [f.code for f in pulled(world, block("")).findings] == ["blocked"]
    assert pulled(world, block("sha256:other")).findings == ()


def test_the_same_component_twice_in_one_merge_is_an_error(world: World) -> None:
    """Nobody could say which of the two versions is meant."""
    world.proposes(release("one", "2.5.0"), release("two", "2.6.0"))

    pull = pulled(world)

    assert pull.has_errors
    assert pull.releases == ()


def test_a_running_release_of_the_component_is_pointed_out_with_the_way_past_it(
    world: World,
) -> None:
    """Otherwise the new release waits, and nobody knows for what."""
    world.proposes(release("first"))
    running = one(pulled(world)).plan
    world.proposes(release("second", "2.6.0"))
    known = Known(running={"first": running})

    assert one(pulled(world, known)).warnings[0] == (
        "node-agent is being released by first: this release waits until that has ended, "
        "or replaces it with `supersedes: [first]`"
    )


def test_a_release_that_supersedes_heals_what_was_broken_first(world: World) -> None:
    """The broken cluster is the first of its stage, whatever its score."""
    world.proposes(release("first"))
    running = one(pulled(world)).plan
    world.starts_with(world.git.proposed)
    world.proposes(release("second", "2.6.0", extra="supersedes: [first]"))
    known = Known(running={"first": running}, broken={"first": ("node-agent@eu-3",)})

    shown = one(pulled(world, known))

    assert shown.plan.stages[1].waves == (
        ("node-agent@eu-3",),
        ("node-agent@eu-1", "node-agent@eu-2"),
    )
    assert not any("is being released" in warning for warning in shown.warnings)


def test_what_is_up_to_date_is_told_and_takes_no_time(world: World) -> None:
    """The same version again is a release of nothing, and says so."""
    world.proposes(release("node-agent-2-5-0"))
    revisions = {unit.unit: unit.revision for unit in one(pulled(world)).plan.units}
    known = Known(
        applied={
            unit: applied(unit.partition("@")[2], "2.5.0", revision)
            for unit, revision in revisions.items()
        }
    )

    shown = one(pulled(world, known))

    assert shown.forecast.start is None
    assert "changes nothing" in shown.warnings[-1]
    assert {unit.up_to_date for unit in shown.units.values()} == {True}


def test_a_config_map_changed_under_its_name_gets_a_warning(world: World) -> None:
    """It reaches every pod at once, and no batch stands in between."""
    config = "components/node-agent/templates/cm.yaml"
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: infra}\ndata: {a: %s}\n"
    world.starts_with({**BASE, config: text % "x"})
    world.proposes(release("node-agent-2-5-0"), {config: text % "y"})

    warnings = one(pulled(world)).warnings

    assert any(
        "ConfigMap infra/c changes under the same name in 4 units" in warning
        for warning in warnings
    )


def test_other_things_worth_a_second_look(world: World) -> None:
    """A hand-written order, half of production at once, and an object that is left behind."""
    extra = "components/node-agent/templates/extra.yaml"
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: infra}\n"
    world.starts_with({**BASE, extra: service})
    stages = (
        "stages: [{name: all, order: listed, waves: [1, 100%], "
        "units: {names: [eu-3, eu-1, eu-*, st-1]}}]"
    )
    world.proposes(release("node-agent-2-5-0", pipeline=stages), without=[extra])

    shown = one(pulled(world))

    told = "\n".join(shown.warnings)
    assert "the order of stage all is written by hand" in told
    assert "wave 2 of stage all holds 2 of the 3 production units" in told
    assert "Service infra/s is no longer rendered for 4 units" in told
    assert shown.plan.units[0].unit == "node-agent@eu-3"
    assert shown.plan.units[0].reason == "wave 1 of 2: listed first by the author (eu-3)"


def test_a_plan_that_never_fits_a_window_says_why(world: World) -> None:
    """Better told on the pull request than noticed after a week of silence."""
    component = document(
        """
        kind: Component
        metadata: {name: node-agent, labels: {tier: "0"}}
        spec: {owners: [network], batchTakes: 8h}
        """
    )
    world.proposes(release("node-agent-2-5-0"), {"components/node-agent/component.yaml": component})

    pull = pulled(world)

    shown = pull.releases[0] if pull.releases else None
    if shown is None:  # lint may refuse it before it is planned
        assert any(finding.code.startswith("window") for finding in pull.findings)
        return
    assert shown.forecast.end is None
    assert "would never begin" in shown.warnings[0]


def test_a_release_that_begins_after_it_expires_is_pointed_out(world: World) -> None:
    """It would be on hold before it did anything."""
    freeze = document(
        """
        kind: Freeze
        metadata: {name: long}
        spec: {from: "2026-11-20T00:00", to: "2027-01-20T00:00", zone: Europe/Berlin,
               reason: audit, owner: ana}
        """
    )
    world.starts_with({**BASE, "calendar/freezes/long.yaml": freeze})
    world.proposes(release("node-agent-2-5-0"))

    shown = one(pulled(world))

    assert shown.forecast.start == datetime(2027, 1, 20, 8, 0, tzinfo=UTC)
    assert "after `expires` (14d)" in shown.warnings[0]


def test_a_first_release_has_nothing_before_it(world: World) -> None:
    """`from` is null, not a guess, where no Release file reaches a unit."""
    files = {path: text for path, text in BASE.items() if not path.startswith("releases/")}
    world.starts_with(files)
    world.proposes(release("node-agent-2-5-0"))

    shown = one(pulled(world))

    assert shown.from_version(shown.plan.components[0]) is None
    assert {change.verb for change in shown.changes} == {"create"}


def test_a_cluster_that_joined_without_labels_still_has_its_place(world: World) -> None:
    """New clusters come every week, and not all of them well described."""
    world.starts_with({**BASE, **cluster("eu-9")})
    world.proposes(release("node-agent-2-5-0"))

    assert one(pulled(world)).plan.units[-1].unit == "node-agent@eu-9"


def test_a_release_that_stands_on_main_can_be_asked_for_alone(world: World) -> None:
    """`sluice forecast` of a file that no store knows: what it would do if it came now."""
    shown = world.planner.alone("c1", "node-agent-2-4-0", now=NOW)

    assert isinstance(shown, ReleaseShown)
    assert shown.forecast.start == NOW
    assert shown.plan.components[0].version == "2.4.0"
