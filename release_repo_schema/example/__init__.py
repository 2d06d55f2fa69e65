"""The example release repo: a small fleet with three components, commented, that lints clean.

It is copied into an empty folder only; nothing that stands there is ever overwritten.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from release_repo_schema.jsonschema import FOLDER, schema
from release_repo_schema.models import KINDS


class FolderNotEmpty(Exception):
    """The folder holds something already; its text says what."""


def example_files() -> Iterator[tuple[str, bytes]]:
    """Path and content of every file of the example, schemas for editors included."""
    yield from _below(resources.files("release_repo_schema.example") / "repo", "")
    for kind in KINDS:
        text = json.dumps(schema(kind), indent=2, ensure_ascii=False)
        yield f"{FOLDER}/{kind}.json", f"{text}\n".encode()


def write_example(folder: Path) -> tuple[str, ...]:
    """Write the example and tell the paths. Raises FolderNotEmpty and writes nothing where
    something stands; a fresh Git repo counts as empty."""
    if folder.exists():
        if not folder.is_dir():
            raise FolderNotEmpty(f"{folder} is a file")
        standing = sorted(one.name for one in folder.iterdir() if one.name != ".git")
        if standing:
            raise FolderNotEmpty(f"{folder} is not empty: it holds {', '.join(standing[:3])}")
    written = []
    for path, data in example_files():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        written.append(path)
    return tuple(written)


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for item in sorted(folder.iterdir(), key=lambda one: one.name):
        path = f"{prefix}{item.name}"
        if item.is_dir():
            yield from _below(item, f"{path}/")
        elif not item.name.endswith(".pyc"):
            yield path, item.read_bytes()
