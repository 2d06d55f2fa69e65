"""Which unit goes when, and the one-line reason it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.order import (
    LADDER_RANKS,
    Candidate,
    Placement,
    StageRule,
    divide,
    lanes,
    place,
    rank_of,
    reach,
)


def unit(cluster: str, **labels: str) -> Candidate:
    return Candidate(
        unit=f"node-agent@{cluster}", cluster=cluster, labels={"cluster": cluster, **labels}
    )


def stage(**said: object) -> StageRule:
    return StageRule(name="production", selects=lambda _: True, **said)  # type: ignore[arg-type]


def waves(placed: Sequence[Placement]) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in range(1 + max(one.wave for one in placed))]
    for one in placed:
        found[one.wave].append(one.unit.partition("@")[2])
    return found


def reasons(placed: Sequence[Placement]) -> dict[str, str]:
    return {one.unit.partition("@")[2]: one.reason for one in placed}


def test_a_thousand_units_go_out_in_five_growing_waves() -> None:
    """The default must find a bad version on one cluster, and still end."""
    placed = place([unit(f"c-{n:04}") for n in range(1000)], stage())

    assert [len(wave) for wave in waves(placed)] == [1, 49, 150, 300, 500]


def test_up_to_ten_units_are_one_wave_unless_the_stage_says_otherwise() -> None:
    """Waves of a handful would only add waiting."""
    ten = [unit(f"c-{n}") for n in range(10)]

    assert [len(wave) for wave in waves(place(ten, stage()))] == [10]
    assert [len(w) for w in waves(place([*ten, unit("d")], stage()))] == [1, 2, 3, 5]
    assert [len(w) for w in waves(place(ten, stage(waves=(2, "50%", "100%"))))] == [2, 3, 5]


def test_low_risk_goes_first_and_the_reason_adds_up() -> None:
    """A reader must be able to check the score by hand."""
    units = [
        unit("eu-1", environment="production", size="large"),
        unit("st-1", environment="staging", size="small"),
        unit("eu-2", environment="production", size="small"),
    ]

    placed = place(units, stage(waves=(1, "100%")), weights={"environment": 100, "size": 5})

    assert waves(placed) == [["st-1"], ["eu-2", "eu-1"]]
    assert reasons(placed) == {
        "st-1": "wave 1 of 2: lowest risk, score 105 (environment staging 100×1, size small 5×1)",
        "eu-2": "wave 2 of 2: score 505 (environment production 100×5, size small 5×1)",
        "eu-1": "wave 2 of 2: highest risk, score 515 "
        "(environment production 100×5, size large 5×3)",
    }


def test_numbers_count_as_they_are_and_what_is_unknown_counts_as_the_riskiest() -> None:
    """A word nobody explained, or a label somebody forgot, must never put a cluster first."""
    units = [
        unit("b", size="40"),
        unit("a", size="9"),
        unit("c", size="gigantic"),
        unit("d"),
    ]

    placed = place(units, stage(), weights={"size": 2})

    assert waves(placed) == [["a", "b", "c", "d"]]
    assert reasons(placed)["c"].endswith("score 80 (size gigantic 2×40)")
    assert reasons(placed)["d"].endswith("score 80 (size not set 2×40)")


def test_environments_sizes_and_user_levels_have_the_order_that_operators_expect() -> None:
    """The words of an ordinary fleet need no table written by hand."""
    for ladder in (
        ["test", "staging", "pre-production", "canary", "production"],
        ["small", "medium", "large"],
        ["bronze", "silver", "gold"],
    ):
        ranks = [rank_of(word) for word in ladder]
        assert None not in ranks
        assert ranks == sorted(ranks, key=lambda rank: rank or 0)
        assert len(set(ranks)) == len(ranks)
    assert rank_of("nan") is None
    assert rank_of("1e9") is None


def test_two_clusters_of_one_pair_are_never_in_one_wave() -> None:
    """The second of a pair is what still stands when the first one breaks."""
    pairs = [unit(f"eu-{n:02}", haPair=f"pair-{n // 2}") for n in range(12)]

    placed = place(pairs, stage(spread=("haPair",)))

    for wave in waves(placed):
        assert len({int(name.removeprefix("eu-")) // 2 for name in wave}) == len(wave)
    assert reasons(placed)["eu-05"] == "moved to wave 4: eu-04 of the same haPair is in wave 3"
    assert reasons(placed)["eu-02"] == "wave 2 of 5: by name, all have score 0"


def test_whatever_of_several_labels_they_share_they_are_kept_apart() -> None:
    """Neither both of a pair nor two of one rack: each label counts for itself."""
    both = [
        unit(f"c-{n}", haPair=f"pair-{pair}", rack=f"rack-{rack}")
        for n, (pair, rack) in enumerate([(1, 1), (2, 1), (1, 2), (2, 2), (3, 1), (3, 3)])
    ]
    labels = {one.cluster: one.labels for one in both}

    for wave in waves(place(both, stage(spread=("haPair", "rack")))):
        for label in ("haPair", "rack"):
            assert len({labels[name][label] for name in wave}) == len(wave)


def test_more_of_a_kind_than_waves_adds_waves_and_says_so() -> None:
    """Keeping them apart matters more than the number of waves that was asked for."""
    placed = place([unit(n, rack="r1") for n in ("a", "b", "c")], stage(spread=("rack",)))

    assert waves(placed) == [["a"], ["b"], ["c"]]
    assert [one.added for one in placed] == [False, True, True]
    assert reasons(placed)["c"] == (
        "wave 3 was added: more units share rack r1 than the one wave asked for can keep apart"
    )


def test_a_hand_written_order_wins_over_every_score() -> None:
    """Somebody knows something that no label says."""
    units = [
        unit("eu-1", environment="production"),
        unit("st-1", environment="staging"),
        unit("us-1", environment="production"),
    ]

    placed = place(units, stage(order="listed", names=("us-*", "eu-1", "*"), waves=(1, 2, "100%")))

    assert waves(placed) == [["us-1"], ["eu-1"], ["st-1"]]
    assert reasons(placed)["us-1"] == "wave 1 of 3: listed first by the author (us-*)"
    assert reasons(placed)["eu-1"] == "wave 2 of 3: number 2 of the author's list (eu-1)"


def test_by_name_is_by_name() -> None:
    """The plainest order must not be surprised by labels."""
    units = [unit("b", environment="test"), unit("a", environment="production")]

    placed = place(units, stage(order="name"))

    assert waves(placed) == [["a", "b"]]
    assert reasons(placed)["a"] == "wave 1 of 1: by name"


def test_what_the_replaced_release_broke_is_healed_first() -> None:
    """A broken cluster must not wait behind a thousand good ones."""
    units = [unit(f"c-{n:02}") for n in range(30)]
    broken = {"node-agent@c-28": ["bad-one"], "node-agent@c-29": ["bad-one"]}

    placed = place(units, stage(), broken=broken)

    assert waves(placed)[0] == ["c-28", "c-29"]
    assert reasons(placed)["c-29"] == "wave 1: broken by bad-one, healed first"


def test_a_unit_belongs_to_the_first_stage_that_selects_it() -> None:
    """Twice in a plan would be twice in a cluster."""
    rules = [
        StageRule(name="staging", selects=lambda u: u.labels["environment"] == "staging"),
        StageRule(name="most", selects=lambda u: u.labels["environment"] != "test"),
    ]
    units = [
        unit("a", environment="staging"),
        unit("b", environment="x"),
        unit("c", environment="test"),
    ]

    members, left = divide(units, rules)

    assert [[one.cluster for one in stage_] for stage_ in members] == [["a"], ["b"]]
    assert [one.cluster for one in left] == ["c"]


@pytest.mark.parametrize(
    ("said", "total", "expected"), [(None, 7, None), (3, 7, 3), ("10%", 7, 1), ("50%", 7, 4)]
)
def test_a_share_of_a_stage_is_rounded_up_to_at_least_one(
    said: int | str | None, total: int, expected: int | None
) -> None:
    """A percentage of a small stage that came to nothing would never end."""
    assert lanes(said, total) == expected


fleets = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "environment": st.sampled_from(["test", "staging", "production", "odd"]),
            "size": st.sampled_from(["small", "large", "7", "-2"]),
            "haPair": st.sampled_from("abc"),
            "rack": st.sampled_from("xy"),
        },
    ),
    min_size=1,
    max_size=40,
).map(lambda labels: [unit(f"c-{n:02}", **one) for n, one in enumerate(labels)])
asked = st.sampled_from([None, (1, "100%"), (1, "5%", "20%", "50%", "100%"), (3, 9), ("100%",)])


@given(fleet=fleets, waves_=asked, spread=st.sampled_from([(), ("haPair",), ("haPair", "rack")]))
def test_every_unit_has_one_place_whatever_the_order_of_the_files(
    fleet: list[Candidate], waves_: tuple[int | str, ...] | None, spread: tuple[str, ...]
) -> None:
    """Every unit once, never a pair together, never more than asked so far, never by file order."""
    rule = stage(waves=waves_, spread=spread)
    broken: Mapping[str, list[str]] = {one.unit: ["old"] for one in fleet[::7]}

    placed = place(fleet, rule, broken=broken)

    assert sorted(one.unit for one in placed) == sorted(one.unit for one in fleet)
    assert placed == place(list(reversed(fleet)), rule, broken=broken)
    assert [one.wave for one in placed] == sorted(one.wave for one in placed)
    assert all("\n" not in one.reason and one.reason for one in placed)
    labels = {one.unit: one.labels for one in fleet}
    for wave in range(placed[-1].wave + 1):
        members = [labels[one.unit] for one in placed if one.wave == wave]
        assert members
        for key in spread:
            values = [known[key] for known in members if key in known]
            assert len(values) == len(set(values))
    limits = reach(rule.waves or (1, "5%", "20%", "50%", "100%"), len(fleet))
    if rule.waves or len(fleet) > 10:
        for wave, limit in enumerate(sorted({max(limit, len(broken)) for limit in limits})):
            assert sum(one.wave <= wave for one in placed) <= limit


def test_a_thousand_units_of_one_rack_take_no_time_to_keep_apart() -> None:
    """A label that all share is an honest mistake; it must not stop the bot."""
    placed = place([unit(f"c-{n:04}", rack="r") for n in range(3000)], stage(spread=("rack",)))

    assert placed[-1].wave == 2999


def test_the_docs_list_the_words_that_the_score_knows() -> None:
    """An operator looks a word up before choosing a weight; the page must be true."""
    page = (Path(__file__).parents[2] / "docs" / "order-of-units.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and ", " in line]
    told = {
        word.strip(): float(rank)
        for row in rows
        for rank, cell in enumerate(row.strip("| ").split("|"))
        for word in cell.split(",")
        if word.strip()
    }

    assert told == dict(LADDER_RANKS)
