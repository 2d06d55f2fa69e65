"""What the order of a plan risks, and early waves that try every kind."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from bot.core.cover import covering
from bot.core.order import Candidate, place
from bot.core.plan_shown import ReleaseShown
from release_repo_schema.load import load_repo
from release_repo_schema.rules import lint
from tests.plan.test_order import reasons, stage, unit, waves
from tests.plan.world import BASE, NOW, PULL, FileTree, World, cluster, document, release

KERNELS = ("5.10", "5.15", "6.6")


def pipeline(*stages: str, weights: str = "") -> dict[str, str]:
    listed = "\n".join(f"            - {one}" for one in stages)
    text = f"""
        kind: Pipeline
        metadata: {{name: standard}}
        spec:
          stages:
{listed}
          {weights}
        """
    return {"pipelines/standard.yaml": document(text)}


def shown(fleet: Mapping[str, Mapping[str, str]], files: Mapping[str, str]) -> ReleaseShown:
    """The plan of a bump over these clusters, all of production."""
    world = World()
    base = {path: text for path, text in BASE.items() if "/clusters/" not in path}
    for name, labels in fleet.items():
        written = "{" + ", ".join(f'{key}: "{value}"' for key, value in labels.items()) + "}"
        base |= cluster(name, labels=written)
    world.starts_with({**base, **files})
    world.proposes(release("node-agent-2-5-0"))
    pull = world.planner.pull("c1", PULL, now=NOW)
    assert not pull.has_errors, pull.findings
    return pull.releases[0]


def warned(plan: ReleaseShown, words: str) -> list[str]:
    return [one for one in plan.warnings if words in one]


def large_last(count: int = 60) -> dict[str, dict[str, str]]:
    """Half of the clusters are large, and have the new kernel: by score they go last."""
    return {
        f"c-{n:02}": {
            "size": "large" if n >= count // 2 else "small",
            "kernel": "6.6" if n >= count // 2 else "5.10",
        }
        for n in range(count)
    }


ALL = "{name: production, units: {}, waves: [1, 10%, 50%, 100%]}"
COVERED = "{name: production, units: {}, waves: [1, 10%, 50%, 100%], coverage: [size, kernel]}"


# values that nobody tried


def test_a_value_that_comes_late_and_to_many_at_once_is_named_with_its_wave() -> None:
    """The kernel that only the last wave has is where the surprise is."""
    plan = shown(large_last(), pipeline(ALL))

    assert warned(plan, "no cluster with") == [
        "no cluster with kernel=6.6 before wave 4 of stage production, where 30 come at once: "
        "`coverage: [kernel]` takes one of them earlier",
        "no cluster with size=large before wave 4 of stage production, where 30 come at once: "
        "`coverage: [size]` takes one of them earlier",
    ]


def test_most_clusters_come_first_and_the_list_has_an_end() -> None:
    """Nine labels that differ must not hide what else the plan warns of."""
    fleet = large_last()
    for name, labels in fleet.items():
        for extra in range(7):
            labels[f"kind-{extra}"] = "a" if int(name[2:]) < 57 - extra else "b"

    found = warned(shown(fleet, pipeline(ALL)), "earlier")

    assert len(found) == 4
    assert found[0].startswith("no cluster with kernel=6.6")
    assert found[-1].startswith("6 more values that no earlier wave has: kind-5=b")


def test_names_pairs_and_what_every_cluster_has_alone_are_no_kinds() -> None:
    """A serial number is new in every wave; nobody could have tried it before."""
    fleet = {
        name: {"serial": name, "haPair": f"p-{int(name[2:]) // 2}", "site": "one"}
        for name in large_last()
    }
    spread = "{name: production, units: {}, spread: [haPair], waves: [1, 50%, 100%]}"

    assert warned(shown(fleet, pipeline(spread)), "no cluster with") == []


def test_a_value_that_one_cluster_tried_before_is_covered() -> None:
    """One before many is what waves are for."""
    fleet = large_last()
    fleet["c-00"] |= {"size": "large", "kernel": "6.6"}
    listed = "{name: production, units: {names: [c-00, '*']}, order: listed, waves: [1, 100%]}"

    assert warned(shown(fleet, pipeline(listed)), "no cluster with size=large") == []


def test_a_release_that_would_take_a_quarter_says_so_and_which_setting_costs_most() -> None:
    """Defaults must be able to finish; one at a time with a day of silence is not."""
    slow = "{name: production, units: {}, maxConcurrency: 1, soak: 1d}"

    (found,) = warned(shown(large_last(), pipeline(slow)), "it takes")

    assert found.startswith("it takes 8")
    assert "soak 1d × 60 (60 d," in found
    assert warned(shown(large_last(), pipeline(ALL)), "it takes") == []


# hand-written orders


def test_a_hand_written_order_that_takes_the_risky_first_names_the_worst_pair() -> None:
    """By name, the large gold cluster goes first of all."""
    fleet = {
        "a": {"size": "large", "userLevel": "gold"},
        "b": {"size": "small", "userLevel": "gold"},
        "c": {"size": "small", "userLevel": "bronze"},
    }
    by_name = "{name: production, units: {}, order: name, waves: [1, 2, 100%]}"

    (found,) = warned(shown(fleet, pipeline(by_name)), "riskier than by score")

    assert found == (
        "the order of stage production, written by hand, is riskier than by score; 2 units go "
        "before lower ones: node-agent@a (score 535) before node-agent@c (score 505), "
        "userLevel gold before bronze"
    )
    assert warned(shown(fleet, pipeline(ALL)), "riskier") == []


def test_inside_a_wave_the_order_counts_where_not_all_go_at_once() -> None:
    """One wave with room for one at a time is an order too."""
    fleet = {"a": {"size": "large"}, "b": {"size": "small"}}
    together = "{name: production, units: {}, order: name}"
    in_turn = "{name: production, units: {}, order: name, maxConcurrency: 1}"

    assert warned(shown(fleet, pipeline(together)), "riskier") == []
    assert len(warned(shown(fleet, pipeline(in_turn)), "riskier")) == 1


def test_equals_in_any_order_are_no_risk() -> None:
    """By name among clusters of one kind: nothing to warn of."""
    by_name = "{name: production, units: {}, order: name, waves: [1, 2, 100%]}"
    fleet = {name: {"size": "small"} for name in "abc"}

    assert warned(shown(fleet, pipeline(by_name)), "riskier") == []


def test_what_comes_first_of_all_could_not_have_been_tried_before() -> None:
    """One wave for everything: big, and another warning's business."""
    together = "{name: production, units: {}, waves: ['100%']}"

    assert warned(shown(large_last(), pipeline(together)), "no cluster with") == []


def test_stages_the_wrong_way_round_are_told_and_the_usual_way_is_not() -> None:
    """Gold before bronze is a decision; it should be somebody's."""
    fleet = {f"g-{n}": {"userLevel": "gold"} for n in range(2)}
    fleet |= {f"b-{n}": {"userLevel": "bronze"} for n in range(2)}
    gold = "{name: gold, units: {matchLabels: {userLevel: gold}}}"
    rest = "{name: rest, units: {}}"
    bronze = "{name: bronze, units: {matchLabels: {userLevel: bronze}}}"

    (found,) = warned(shown(fleet, pipeline(gold, rest)), "riskier")
    assert found.startswith("stage gold goes before stage rest and is the riskier of the two")
    assert "userLevel gold before bronze" in found
    assert warned(shown(fleet, pipeline(bronze, rest)), "riskier") == []


# coverage


def test_coverage_takes_one_of_each_kind_earlier_and_says_why() -> None:
    """What the warning asks for, and then it is gone."""
    plan = shown(large_last(), pipeline(COVERED))

    early = {name for wave in plan.plan.stages[0].waves[:2] for name in wave}
    reason = next(u.reason for u in plan.plan.units if u.unit == "node-agent@c-30")
    assert "node-agent@c-30" in early
    assert reason.startswith("wave 2 of 4: taken earlier, the first with kernel 6.6; "), (
        "large is covered with it"
    )
    assert warned(plan, "no cluster with") == []
    assert [len(wave) for wave in plan.plan.stages[0].waves] == [1, 5, 24, 30]


def test_the_very_first_unit_stays_the_one_of_the_lowest_risk() -> None:
    """A wave of one never tries the rare kind."""
    units = [unit(f"c-{n}", kernel=KERNELS[n // 3], size="small") for n in range(9)]
    units.append(unit("x", kernel="7.0", size="huge"))

    placed = place(units, stage(waves=(1, 3, "100%"), coverage=("kernel",)))

    assert waves(placed)[0] == ["c-0"]
    assert "x" not in waves(placed)[0]
    assert "taken earlier, the first with kernel" in reasons(placed)[waves(placed)[1][1]]


def test_coverage_keeps_apart_what_spread_keeps_apart_and_heals_first() -> None:
    """Neither an HA pair nor a broken unit pays for the curiosity."""
    units = [
        unit(f"c-{n}", haPair=f"p-{n // 2}", kernel=KERNELS[n % 3], size=str(n)) for n in range(12)
    ]
    rule = stage(waves=(1, "50%", "100%"), spread=("haPair",), coverage=("kernel",))

    placed = place(units, rule, broken={"node-agent@c-11": {"old"}})

    assert waves(placed)[0] == ["c-11"]
    for wave in waves(placed):
        pairs = [int(name[2:]) // 2 for name in wave]
        assert len(pairs) == len(set(pairs))


@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=60),
    st.lists(st.integers(1, 20), min_size=1, max_size=6),
)
def test_coverage_loses_nobody_and_tries_no_fewer_kinds_than_without(
    kinds: list[str], sizes: list[int]
) -> None:
    """Whatever the waves: the same units, the same first one, and after each wave as many kinds."""
    line = list(enumerate(kinds))

    found = [one for one, _ in covering(line, sizes, lambda one: [("kind", one[1])])]

    assert sorted(found) == line
    assert found[0] == line[0]
    for wave in range(1, len(sizes) + 1):
        end = sum(sizes[:wave])
        assert len({kind for _, kind in found[:end]}) >= len({kind for _, kind in line[:end]})


def test_coverage_with_an_order_by_hand_is_a_mistake() -> None:
    """A hand-written order always wins: what would move its units is refused, not ignored."""
    bad = "{name: production, units: {}, order: name, coverage: [kernel]}"

    found = lint(load_repo(FileTree({**BASE, **pipeline(bad)})), now=NOW)

    assert [one.code for one in found if one.level == "error"] == ["coverage-by-hand"]


def test_equal_candidates_need_no_coverage() -> None:
    """No label, no move."""
    units = [Candidate(unit=f"a@{n}", cluster=str(n), labels={}) for n in range(12)]

    assert place(units, stage(coverage=("kernel",))) == place(units, stage())
