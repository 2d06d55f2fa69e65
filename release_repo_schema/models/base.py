"""What every kind shares: frozen models in camelCase, metadata, and the selector.

Nothing here knows a kind; nothing here can be changed once it is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from release_repo_schema.models.scalars import (
    DnsLabel,
    DottedName,
    Labels,
    LabelText,
    NonEmpty,
    refuse,
)

API_VERSION = "sluice/v1"


def camel(name: str) -> str:
    """The contract's spelling of an attribute: `batch_soak` → batchSoak, `from_` → from."""
    head, *rest = name.rstrip("_").split("_")
    return head + "".join(word.capitalize() for word in rest)


class Model(BaseModel):
    """Frozen, and refuses fields it does not know. YAML is read by camelCase names only."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


def exactly_one(model: Model, *aliases: str) -> None:
    """Refuses a model of which not exactly one of these fields is written."""
    fields = {str(info.alias): name for name, info in type(model).model_fields.items()}
    written = [alias for alias in aliases if getattr(model, fields[alias]) is not None]
    if len(written) != 1:
        said = f"expected exactly one of {', '.join(aliases)}"
        refuse("exactly-one", f"{said}; found {' and '.join(written) or 'none'}")


class Empty(Model):
    """A mapping that takes no fields yet: write {}."""


class Metadata(Model):
    """Name, labels and annotations of a document."""

    name: DnsLabel = Field(
        description="The name, a DNS label: lower case letters, digits and dashes, at most 63.",
        examples=["node-agent"],
    )
    labels: Labels = Field(
        default_factory=dict,
        description="Labels that selectors and weights look at. Values are text: quote numbers.",
        examples=[{"tier": "0"}],
    )
    annotations: dict[str, str] = Field(
        default_factory=dict,
        description="Free text for people and tools; no rule looks at it.",
    )


class VersionMetadata(Metadata):
    """Metadata whose name may have dots, as versions do."""

    name: DottedName = Field(
        description="The name: lower case letters, digits, dashes and dots, at most 253.",
        examples=["node-agent-2.5.0"],
    )


def _written(value: tuple[str, ...]) -> tuple[str, ...]:
    # An empty list would mean "nothing" to one reader and "everything" to the next.
    if not value:
        refuse("empty-list", "expected at least one entry, found an empty list", "leave it out")
    return value


class MatchExpression(Model):
    """One condition on one label."""

    key: NonEmpty = Field(description="The label's key.", examples=["environment"])
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(
        description="In, NotIn, Exists or DoesNotExist. "
        "NotIn and DoesNotExist hold where the key is missing."
    )
    values: tuple[LabelText, ...] = Field(
        default=(), description="The values for In and NotIn; none for Exists and DoesNotExist."
    )

    @model_validator(mode="after")
    def _values_fit(self) -> Self:
        if self.operator in ("In", "NotIn") and not self.values:
            refuse("wrong-selector", f"{self.operator} needs at least one of values", at="operator")
        if self.operator in ("Exists", "DoesNotExist") and self.values:
            refuse("wrong-selector", f"{self.operator} takes no values", "drop values", at="values")
        return self

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet the condition."""
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value is None or value not in self.values
            case "Exists":
                return value is not None
            case _:
                return value is None


class Selector(Model):
    """A selection by labels and names; all that is written must hold, {} selects everything."""

    match_labels: Labels = Field(
        default_factory=dict,
        description="Labels that must all be there with these values.",
        examples=[{"environment": "production"}],
    )
    match_expressions: tuple[MatchExpression, ...] = Field(
        default=(), description="Conditions on labels that must all hold."
    )
    names: Annotated[tuple[NonEmpty, ...], AfterValidator(_written)] = Field(
        default=(),
        description="Globs, one of which the name must match: the cluster's name over units, "
        "the component's name over components.",
        examples=[["eu-*"]],
    )

    @property
    def is_everything(self) -> bool:
        """Whether nothing is written, so that everything is selected."""
        return not (self.match_labels or self.match_expressions or self.names)

    def matches(self, labels: Mapping[str, str], name: str) -> bool:
        """Whether something with these labels and this name is selected."""
        return (
            all(labels.get(key) == value for key, value in self.match_labels.items())
            and all(expression.holds(labels) for expression in self.match_expressions)
            and (not self.names or any(fnmatchcase(name, glob) for glob in self.names))
        )


class KindModel(Model):
    """What every kind has around its spec; `metadata` and `kind` are narrowed by some."""

    api_version: Literal["sluice/v1"] = Field(
        default="sluice/v1", description="The version of this contract: sluice/v1."
    )
    metadata: Metadata = Field(description="Name, labels and annotations.")

    @property
    def name(self) -> str:
        """The name in metadata."""
        return self.metadata.name
