"""One file as it was read: its documents, its findings, and where each node stands.

Places are found again from the bytes when somebody asks: most files are never asked about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from release_repo_schema.findings import Finding, Level, Pointer
from release_repo_schema.layout import Place
from release_repo_schema.models import KindModel
from release_repo_schema.yamltext import Place as NodePlace
from release_repo_schema.yamltext import read


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One document of a kind. `model` is None where it has errors: nothing goes on with it.

    `draft` is what can be understood of it all the same, so that a lint tells everything at once.
    """

    file: LoadedFile
    index: int
    kind: str
    name: str
    model: KindModel | None
    draft: KindModel | None = None

    def finding(
        self,
        pointer: Pointer,
        code: str,
        message: str,
        hint: str = "",
        *,
        level: Level = "error",
        at_key: bool = False,
    ) -> Finding:
        """A finding at a place of this document, in the file's own keys."""
        return self.file.finding(
            self.index, pointer, code, message, hint, level=level, at_key=at_key
        )

    def where(self, pointer: Pointer = ()) -> str:
        """`path:line` of a place of this document."""
        line, _ = self.file.locate(self.index, pointer)
        return f"{self.file.path}:{line}"


@dataclass(frozen=True, slots=True, eq=False)
class LoadedFile:
    """One file of the repo. Frozen; the places are only remembered once they were looked up."""

    path: str
    data: bytes
    place: Place
    documents: tuple[Document, ...] = ()
    values: dict[str, Any] | None = None
    findings: tuple[Finding, ...] = ()
    broken_names: frozenset[str] = frozenset()
    """Names that this file would have given and could not: nobody who refers to them is wrong."""
    _places: list[list[dict[Pointer, NodePlace]]] = field(default_factory=list, repr=False)

    def locate(self, index: int, pointer: Pointer, at_key: bool = False) -> tuple[int, int]:
        """Line and column of a place, or of the nearest place around it that is written."""
        if not self._places:
            raws, _ = read(self.path, self.data, places=True)
            self._places.append([raw.places or {} for raw in raws])
        documents = self._places[0]
        places = documents[index] if index < len(documents) else {}
        while pointer and pointer not in places:
            pointer = pointer[:-1]
            at_key = True
        place = places.get(pointer)
        if place is None:
            return 1, 1
        if at_key or not place.is_scalar:
            return place.key_line, place.key_column
        return place.line, place.column

    def finding(
        self,
        index: int,
        pointer: Pointer,
        code: str,
        message: str,
        hint: str = "",
        *,
        level: Level = "error",
        at_key: bool = False,
    ) -> Finding:
        """A finding at a place of one document."""
        line, column = self.locate(index, pointer, at_key)
        return Finding(
            path=self.path,
            line=line,
            column=column,
            level=level,
            code=code,
            message=message,
            hint=hint,
        )
