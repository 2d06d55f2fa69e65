"""The part of doctor that looks at clusters: connection, identity, every right. Mends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.cli.clusters import is_real, ours
from bot.cli.doctor import Check, Patient

if TYPE_CHECKING:
    from bot.adapters.kubernetes_fleet.examining import Examined
    from bot.app.routed import LookedAtFleet
    from bot.ports import Connection

AT_ONCE = 16
SHOWN = 5
SKEW = 30
"""Seconds by which the clock of a cluster may differ before it is told."""
SOON = timedelta(days=14)
"""How long before its end a client certificate is told."""


def clusters(patient: Patient) -> Iterator[Check]:
    """Whether all answer; of real ones who they are, and what we may do there."""
    from bot.app.opening import fleet_for_looking
    from bot.reconciler.rules import connections

    if patient.repo is None:
        return
    links = connections(patient.repo)
    with closing(fleet_for_looking(patient.flags.settings, links)) as looked:
        real = [one for one in links if is_real(one.connection)]
        embedded = [one.cluster for one in links if not is_real(one.connection)]
        silent = [f"{name}" for name in embedded if not looked.reachable(name)]
        found = _examined(looked, real, patient)
        silent += [one for one in found.values() if isinstance(one, str)]
        yield _answering(len(links), silent)
        known = {name: one for name, one in found.items() if not isinstance(one, str)}
        for name, one in known.items():
            yield from _findings(name, one, patient)
        yield from _doubles(known)


def _answering(total: int, silent: Sequence[str]) -> Check:
    if not silent:
        return Check(name="clusters", ok=True, found=f"{total} of {total} answer")
    shown = ", ".join(silent[:SHOWN])
    more = f" and {len(silent) - SHOWN} more" if silent[SHOWN:] else ""
    mend = "look at its connection in fleet/clusters; its units wait, others go on"
    found = f"{len(silent)} of {total} do not answer: {shown}{more}"
    return Check(name="clusters", ok=False, found=found, mend=mend)


def _examined(
    looked: LookedAtFleet, real: Sequence[Connection], patient: Patient
) -> dict[str, Examined | str]:
    """Cluster → what was found there, or why nothing could be."""
    from bot.ports import PortError

    spaces = {
        cluster: sorted({ref.namespace for ref in refs if ref.namespace})
        for cluster, refs in (ours(patient.flags) if real else {}).items()
    }

    def ask(link: Connection) -> Examined | str:
        try:
            return looked.real.examine(link.cluster, spaces.get(link.cluster, ()))
        except PortError as error:
            return error.why

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip((one.cluster for one in real), pool.map(ask, real), strict=True))


def _findings(name: str, one: Examined, patient: Patient) -> Iterator[Check]:
    told = f"cluster {name}"
    found = f"Kubernetes {one.version}, known by {one.uid}"
    if one.everything:
        found += "; it lets us do everything: deploy/rbac.yaml has what is needed"
    yield Check(name=told, ok=True, found=found)
    for right in one.missing:
        mend = "grant it: deploy/rbac.yaml has every right that is needed, and why"
        yield Check(name=told, ok=False, found=f"lacks the right to {right}", mend=mend)
    if one.skew is not None and abs(one.skew) > SKEW:
        way = "ahead of" if one.skew > 0 else "behind"
        found = f"its clock is {abs(one.skew):.0f} s {way} ours"
        mend = "let both follow one time server: tokens and certificates live by the clock"
        yield Check(name=told, ok=False, found=found, mend=mend)
    end = one.certificate_ends
    if end is not None and end - patient.flags.now < SOON:
        mend = "renew it in the kubeconfig; it is read again without a restart"
        found = f"our client certificate ends on {end:%Y-%m-%d %H:%M} UTC"
        yield Check(name=told, ok=False, found=found, mend=mend)
    if not one.proved:
        mend = "give its kubeconfig the cluster's certificate-authority, and an https server"
        yield Check(name=told, ok=False, found="nothing proves that it is the cluster", mend=mend)


def _doubles(known: dict[str, Examined]) -> Iterator[Check]:
    """Two names for one cluster: their units would not wait for each other."""
    many = [uid for uid, count in Counter(one.uid for one in known.values()).items() if count > 1]
    for uid in many:
        names = sorted(name for name, one in known.items() if one.uid == uid)
        mend = "keep one of them: a connection points elsewhere than it should"
        found = f"{' and '.join(names)} are the same cluster ({uid})"
        yield Check(name="clusters", ok=False, found=found, mend=mend)
