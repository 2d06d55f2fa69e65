"""A certificate is proof only while it is the one that was given: the audit's chain covers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.sqlite import SqliteStore
from bot.core import chain
from bot.core.chain import Break, Flaw
from bot.model.plan import ReleasePlan
from bot.model.state import Certificate, Event
from tests import repo_files
from tests.world import World

NAME = "node-agent-2-5-0"
Record = tuple[tuple[Event, ...], tuple[Certificate, ...]]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """The lines and certificates of a release, as they are read back from a file."""
    folder = tmp_path_factory.mktemp("certified")
    world = World(folder, db=str(folder / "sluice.db"))
    world.push("The fleet as it is")
    world.start()
    for cluster in ("st-1", "eu-1", "eu-2"):
        world.fleet.seed(cluster, repo_files.running())
    world.run_to_the_end(world.releases())
    world.close()
    with SqliteStore.reader(folder / "sluice.db") as store:
        return tuple(store.events()), tuple(store.rows(Certificate))


def test_every_batch_has_its_certificate_and_the_chain_knows_it(record: Record) -> None:
    """No false alarm after a way through the store, evidence of the checks included."""
    lines, certificates = record
    assert len(certificates) >= 3
    assert any(run.measurements for one in certificates for run in one.checks)
    assert chain.verify(lines) is None
    assert chain.certified(lines, certificates) is None


def test_every_silence_is_as_long_as_it_was_asked_from_when_its_batch_was_there(
    world: World,
) -> None:
    """Pods that take three minutes to come up take nothing off the time in which they are watched:
    the proof says from when and until when.
    """
    slow = {"do": "slow", "image": "registry.local/node-agent:2.5.0", "takes": "3m"}
    world.breaks("st-1", slow, group="staging")
    release = world.releases(units={"names": ["st-1"]})
    world.run_to_the_end(release)
    component = world.bot.ports.store.get(ReleasePlan, release).components[0]
    began = {event.batch: event.at for event in world.events(release, "batch.applying")}
    proofs = world.certificates(release)
    assert len(proofs) == 2
    for proof in proofs:
        asked = component.soak if proof.final else component.batch_soak
        assert proof.soak_from >= began[proof.batch] + timedelta(minutes=3)
        assert proof.soak_until >= proof.soak_from + asked
        assert proof.at >= proof.soak_until


CHANGES: list[Callable[[Certificate], Certificate]] = [
    lambda one: replace(one, approvers=("mallory",)),
    lambda one: replace(one, updated=one.updated + 1),
    lambda one: replace(one, pods=one.pods[1:]),
    lambda one: replace(one, checks=()),
    lambda one: replace(one, final=not one.final),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_certificate_is_found_at_its_line(
    record: Record, change: Callable[[Certificate], Certificate]
) -> None:
    """Whoever rewrites the proof has to rewrite the chain too."""
    lines, (first, *rest) = record
    seq = line_of(lines, first)
    broken = chain.certified(lines, [change(first), *rest])
    assert broken == Break(seq, Flaw.OTHER_CERTIFICATE, first.key)


def test_a_deleted_certificate_is_found_at_its_line(record: Record) -> None:
    """A batch that was done has its proof; also where the line is from before fingerprints."""
    lines, (first, *rest) = record
    broken = Break(line_of(lines, first), Flaw.NO_CERTIFICATE, first.key)
    assert chain.certified(lines, rest) == broken
    assert chain.certified([old(line) for line in lines], rest) == broken


def test_an_added_certificate_is_found(record: Record) -> None:
    """A proof of what never happened has no line."""
    lines, certificates = record
    added = replace(certificates[0], batch=99)
    broken = chain.certified(lines, [*certificates, added])
    assert broken == Break(0, Flaw.ADDED_CERTIFICATE, added.key)


def test_lines_from_before_fingerprints_need_only_the_certificate(record: Record) -> None:
    """A store that was begun by an earlier version is no broken one."""
    lines, certificates = record
    assert chain.certified([old(line) for line in lines], certificates) is None


def old(line: Event) -> Event:
    data = {key: value for key, value in line.data.items() if key != "certificate"}
    return replace(line, data=data)


def line_of(lines: tuple[Event, ...], one: Certificate) -> int:
    (seq,) = [
        line.seq
        for line in lines
        if (line.kind, line.unit, line.batch) == (chain.DONE, one.unit, one.batch)
    ]
    return seq
