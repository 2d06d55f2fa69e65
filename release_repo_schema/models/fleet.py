"""The fleet: groups of clusters, clusters, and how each is reached.

A connection is data; nothing here opens one.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from release_repo_schema.models.base import Empty, KindModel, Model, Selector, exactly_one
from release_repo_schema.models.scalars import (
    DnsLabel,
    Duration,
    FileName,
    Instant,
    Labels,
    NonEmpty,
    Positive,
    refuse,
)


class ClusterGroupSpec(Model):
    """A group has only labels, in its metadata."""


class ClusterGroup(KindModel):
    """A group of clusters; its labels are inherited by its clusters."""

    kind: Literal["ClusterGroup"] = Field(default="ClusterGroup", description="ClusterGroup.")
    spec: ClusterGroupSpec = Field(
        default_factory=ClusterGroupSpec, description="Nothing to say yet: {}."
    )


class Kubeconfig(Model):
    """A kubeconfig that the bot holds."""

    name: FileName = Field(
        description="A file in the bot's own $SLUICE_KUBECONFIG_DIR; "
        "nothing in this repo is ever loaded as a kubeconfig.",
        examples=["eu-1"],
    )


_PODS = frozenset(("image", "pods"))
_SHOWN_BY = {
    "crashLoop": _PODS,
    "neverReady": _PODS,
    "slow": _PODS | {"takes"},
    "idle": frozenset(("image",)),
    "unreachable": frozenset(("from_", "to")),
    "loseAnswers": frozenset(("every",)),
}
"""Fault → the fields that say something of it."""


class Fault(Model):
    """Something that goes wrong in a simulated cluster."""

    do: Literal["crashLoop", "neverReady", "slow", "idle", "unreachable", "loseAnswers"] = Field(
        description="crashLoop, neverReady, slow and idle concern pods of an image (idle: ready, "
        "and an operator's pods that reconcile nothing); unreachable the "
        "whole cluster from–to; loseAnswers writes whose answer is lost."
    )
    image: NonEmpty | None = Field(
        default=None, description="The image whose pods show the fault. Default: every image."
    )
    pods: Positive | None = Field(
        default=None, description="How many pods show it at most. Default: all."
    )
    from_: Instant | None = Field(
        default=None, description="unreachable: when it begins. Default: it always was."
    )
    to: Instant | None = Field(
        default=None, description="unreachable: when it ends. Default: never."
    )
    every: Positive | None = Field(
        default=None, description="loseAnswers: every how many-th write loses its answer."
    )
    takes: Duration | None = Field(
        default=None, description="slow: how long a pod takes to become ready."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        fields = type(self).model_fields
        for name in sorted(self.model_fields_set - {"do"} - _SHOWN_BY[self.do]):
            said = f"`{fields[name].alias}` says nothing of {self.do}"
            refuse("not-allowed-here", said, "leave it out", at=str(fields[name].alias))
        if self.do == "loseAnswers" and self.every is None:
            refuse("missing-field", "loseAnswers needs `every`", "such as every: 7", at="do")
        if self.from_ is not None and self.to is not None and self.to <= self.from_:
            refuse("ends-before-start", "`to` is not after `from`", at="to")
        return self


class Simulated(Model):
    """A cluster of the embedded fleet: real objects, real controller semantics, no network."""

    nodes: Positive = Field(description="How many nodes it has.", examples=[12])
    faults: tuple[Fault, ...] = Field(default=(), description="What goes wrong in it.")
    node_labels: dict[NonEmpty, Labels] = Field(
        default_factory=dict,
        description="Labels of its nodes, which are called n-1, n-2, …: for node sets.",
        examples=[{"n-1": {"pool": "canary"}}],
    )

    @model_validator(mode="after")
    def _its_nodes(self) -> Self:
        known = {f"n-{number}" for number in range(1, self.nodes + 1)}
        for node in sorted(self.node_labels.keys() - known):
            said = f"the simulated cluster has no node `{node}`"
            refuse("unknown-node", said, f"its nodes are n-1 to n-{self.nodes}", at="nodeLabels")
        return self


class Connection(Model):
    """How a cluster is reached: exactly one of the fields."""

    kubeconfig: Kubeconfig | None = Field(
        default=None, description="By a kubeconfig in the bot's own folder."
    )
    in_cluster: Empty | None = Field(
        default=None, description="The cluster in which the bot itself runs: {}."
    )
    simulated: Simulated | None = Field(
        default=None, description="A cluster of the embedded fleet, without network."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        exactly_one(self, "kubeconfig", "inCluster", "simulated")
        return self


class NodeSet(Model):
    """Nodes of a cluster that go together."""

    name: DnsLabel = Field(description="The set's name; `rest` is what no set selects.")
    selector: Selector = Field(
        description="The nodes of the set, by the labels that the cluster gives them; "
        "sets may not overlap."
    )
    labels: Labels = Field(
        default_factory=dict, description="Labels that selectors over units see."
    )


class Namespace(Model):
    """A namespace, for components scoped to namespaces."""

    name: DnsLabel = Field(description="The namespace's name.")
    labels: Labels = Field(default_factory=dict, description="Labels that selectors see.")


class ClusterSpec(Model):
    """The group of a cluster, how it is reached, and its narrower scopes."""

    group: DnsLabel = Field(description="The ClusterGroup it belongs to.", examples=["prod-eu"])
    connection: Connection = Field(description="How it is reached: exactly one of the fields.")
    node_sets: tuple[NodeSet, ...] = Field(
        default=(), description="Sets of nodes; the remaining nodes are the set `rest`."
    )
    namespaces: tuple[Namespace, ...] = Field(
        default=(), description="Namespaces, for components scoped to namespaces."
    )
    nodes: tuple[NonEmpty, ...] = Field(
        default=(), description="Nodes, for components scoped to nodes."
    )
    hosted_by: DnsLabel | None = Field(
        default=None,
        description="The cluster that hosts this one's control plane: never in flight together.",
    )


class Cluster(KindModel):
    """One cluster; its labels add to those of its group, and win."""

    kind: Literal["Cluster"] = Field(default="Cluster", description="Cluster.")
    spec: ClusterSpec = Field(description="Its group, connection and scopes.")
