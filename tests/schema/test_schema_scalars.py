"""Durations, selectors and scalars: the text counts, and nothing is ever read as something else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from release_repo_schema.load import load_file
from release_repo_schema.models import (
    Blocked,
    Component,
    MatchExpression,
    Metadata,
    Release,
    Selector,
    WindowSpec,
    duration_text,
    parse_duration,
)
from release_repo_schema.models.scalars import yaml_reads
from tests.schema.repos import repo

WORDS = st.text("abc-", min_size=1, max_size=4)
LABELS = st.dictionaries(WORDS, WORDS, max_size=4)


@given(st.integers(0, 100), st.sampled_from("smhd"))
def test_a_duration_survives_being_written_and_read(number: int, unit: str) -> None:
    """Cards and plans write durations back; they must mean the same when read again."""
    duration = parse_duration(f"{number}{unit}")
    assert parse_duration(duration_text(duration)) == duration


@given(st.text(max_size=8))
def test_a_text_is_a_duration_or_is_refused(text: str) -> None:
    """No third way: nothing is rounded, defaulted or taken for seconds."""
    try:
        duration = parse_duration(text)
    except ValueError:
        return
    assert text[-1] in "smhd"
    assert text[:-1].isdigit()
    assert timedelta(0) <= duration <= timedelta(days=3650)


@given(LABELS, WORDS)
def test_an_empty_selector_selects_everything(labels: dict[str, str], name: str) -> None:
    """`{}` is the default of every selector: a release without `units` goes to all of them."""
    assert Selector().matches(labels, name)
    assert Selector().is_everything


@given(LABELS, WORDS, WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_not_in_is_the_opposite_of_in_and_holds_where_the_key_is_missing(
    labels: dict[str, str], name: str, key: str, values: list[str]
) -> None:
    """A cluster that nobody labelled must not slip out of an exclusion."""
    inside = Selector(
        match_expressions=(MatchExpression(key=key, operator="In", values=tuple(values)),)
    )
    outside = Selector(
        match_expressions=(MatchExpression(key=key, operator="NotIn", values=tuple(values)),)
    )
    assert inside.matches(labels, name) != outside.matches(labels, name)
    if key not in labels:
        assert outside.matches(labels, name)


@given(LABELS, WORDS, WORDS)
def test_exists_and_does_not_exist_are_opposites(
    labels: dict[str, str], name: str, key: str
) -> None:
    """One of the two holds for every cluster."""
    exists = Selector(match_expressions=(MatchExpression(key=key, operator="Exists"),))
    absent = Selector(match_expressions=(MatchExpression(key=key, operator="DoesNotExist"),))
    assert exists.matches(labels, name) == (key in labels)
    assert absent.matches(labels, name) == (key not in labels)


@given(LABELS, LABELS, WORDS)
def test_everything_written_must_hold(
    labels: dict[str, str], asked: dict[str, str], name: str
) -> None:
    """More written never selects more."""
    wide = Selector(match_labels=asked)
    narrow = Selector(match_labels=asked, names=("a*",))
    assert wide.matches(labels, name) == (asked.items() <= labels.items())
    assert narrow.matches(labels, name) == (wide.matches(labels, name) and name.startswith("a"))


def test_names_are_globs_and_one_of_them_is_enough() -> None:
    """`names: [eu-*, us-1]` is how people name clusters."""
    selector = Selector(names=("eu-*", "us-1"))
    assert [n for n in ("eu-1", "eu-22", "us-1", "us-12", "EU-1") if selector.matches({}, n)] == [
        "eu-1",
        "eu-22",
        "us-1",
    ]


@pytest.mark.parametrize("version", ["1.10", "010", "1e3", "no", "2026-01-01", "0x1F", "12:30"])
def test_a_version_is_its_text(version: str) -> None:
    """`1.10` is not 1.1: rolling out another version than was written is the worst of readings."""
    text = (
        "apiVersion: sluice/v1\nkind: Release\nmetadata: {name: r}\nspec:\n"
        f"  components:\n    - name: a\n      version: {version}\n  pipeline: p\n"
    )
    loaded = load_file("releases/r.yaml", text.encode())
    if version == "12:30":  # no image tag
        assert loaded.documents[0].model is None
        return
    release = loaded.documents[0].model
    assert isinstance(release, Release)
    assert release.spec.components[0].version == version


@given(st.text("0123456789:.-+_eExXoOyYnNaftrusAlTFI~ ", max_size=8))
def test_what_yaml_reads_as_no_text_is_known(text: str) -> None:
    """Labels and keys are refused where a reader of YAML 1.1 takes them for something else."""
    text = text.strip(" ")
    if text[:1] in (":", "-", "?", "", "!", "&", "*") or ": " in text or text.endswith(":"):
        return
    tag = yaml.resolver.Resolver().resolve(yaml.ScalarNode, text, (True, False))
    if tag in ("tag:yaml.org,2002:value", "tag:yaml.org,2002:merge"):
        return
    if tag != "tag:yaml.org,2002:str":
        assert yaml_reads(text) != "text"


def test_times_of_day_count_as_written_with_and_without_quotes() -> None:
    """YAML 1.1 reads 16:00 as the number 960: a window would close at a time nobody wrote."""
    windows = repo(
        {
            "calendar/windows.yaml": "kind: Window\nmetadata: {name: a}\n"
            "spec: {from: 09:00, to: 16:00, zone: UTC}\n"
        }
    ).windows
    assert (windows[0].spec.from_, windows[0].spec.to) == ("09:00", "16:00")


def test_a_window_knows_its_days_and_minutes() -> None:
    """Ranges wrap over the weekend; an end that is not later is on the next day."""
    spec = WindowSpec(days=("Fri-Mon", "Wed"), from_="22:00", to="06:00", zone="UTC")
    assert spec.weekdays == {0, 2, 4, 5, 6}
    assert (spec.from_minutes, spec.to_minutes) == (22 * 60, 30 * 60)
    assert WindowSpec(zone="UTC").to_minutes == 24 * 60


def test_a_block_is_lifted_when_its_day_begins() -> None:
    """`until: 2027-01-01` blocks all of 2026, in UTC."""
    blocked = Blocked(component="a", version="1", reason="x", until=date(2027, 1, 1))
    assert blocked.in_force(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert not blocked.in_force(datetime(2027, 1, 1, tzinfo=UTC))
    assert Blocked(component="a", version="1", reason="x").in_force(
        datetime.max.replace(tzinfo=UTC)
    )


def test_models_can_be_made_in_python_and_not_changed() -> None:
    """Other parts build them in snake_case; a frozen plan must not move under its reader."""
    component = Component(metadata=Metadata(name="a"))
    assert component.spec.batches == (1, "10%", "50%", "100%")
    assert component.spec.checks.after == ("workload",)
    with pytest.raises(ValueError, match="frozen"):
        component.spec.soak = timedelta(0)  # type: ignore[misc]
