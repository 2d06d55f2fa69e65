"""The shape of the code, held by machine: sizes, names, doors, pins. Not what the code does.

The layers are import contracts in pyproject.toml; here stands what those cannot express.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("bot", "checks", "release_repo_schema")
CODE = (*PRODUCT, "tests", "benchmarks")
MAX_LINES = 400

# Each outside library enters by one door: import name -> the files that may import it.
DOORS = {
    "apscheduler": ("bot/app*",),
    "cel": ("checks/cel*",),
    "click": ("bot/cli*", "bot/demo*"),
    "git": ("bot/adapters/git*",),
    "github": ("bot/adapters/git_github*",),
    "holidays": ("bot/core/calendar*",),
    "jinja2": ("bot/cluster/render*", "bot/adapters/sandbox*"),
    "kubernetes": ("bot/adapters/kubernetes*",),
    "prometheus_client": ("bot/web*",),
    "requests": ("bot/adapters/webhooks*", "bot/adapters/git_github*"),
    "ruamel": ("release_repo_schema/*", "bot/adapters/git*"),
    "slack_bolt": ("bot/adapters/slack*",),
    "slack_sdk": ("bot/adapters/slack*",),
    "sqlite_utils": ("bot/adapters/sqlite*",),
}
# Ways to write data down; used wherever data changes its form.
NOTATIONS = {"msgspec", "pydantic", "pydantic_core", "yaml"}


@cache
def tracked() -> tuple[Path, ...]:
    """Files of the project, also those not added yet; never what .gitignore names."""
    if not (ROOT / ".git").exists():  # an unpacked archive
        return tuple(path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py")))
    # safe.directory: the checkout may belong to another user, as in a container.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    command += ["--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    paths = (ROOT / name for name in sorted(set(listed.split("\0"))) if name)
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())


@cache
def text(path: Path) -> str:
    """The text of a file; empty for what is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def python(*folders: str) -> Iterator[tuple[str, Path]]:
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix == ".py" and name.split("/")[0] in folders:
            yield name, path


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every import of a file with its line, the late ones inside functions too."""
    for node in ast.walk(ast.parse(text(path), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield node.lineno, module
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def test_a_file_is_short_enough_to_be_read_at_once() -> None:
    """A file is about one thing; the second thing gets its own."""
    sizes = {name: text(path).count("\n") for name, path in python(*CODE)}
    assert {name: lines for name, lines in sizes.items() if lines > MAX_LINES} == {}


def test_a_file_opens_by_saying_what_it_is() -> None:
    """A newcomer finds the room of a feature from the first line of each file."""
    files = python(*CODE)
    assert [
        name for name, path in files if not ast.get_docstring(ast.parse(text(path), name))
    ] == []


def test_no_file_is_a_drawer_for_everything() -> None:
    """What has no name of its own has no reader either."""
    drawers = re.compile(r"(^|[/_])(utils?|helpers?|common|misc)([/_.]|$)")
    assert [name for name, _ in python(*PRODUCT, "tests") if drawers.search(name)] == []


def test_every_folder_of_code_is_a_package() -> None:
    """Without __init__.py a folder escapes the import contracts and mypy, silently."""
    folders = {path.parent for _, path in python(*PRODUCT)}
    missing = [folder for folder in folders if not (folder / "__init__.py").exists()]
    assert [folder.relative_to(ROOT).as_posix() for folder in sorted(missing)] == []


def test_product_code_has_no_loose_ends() -> None:
    """What is not done is an issue, not a remark that ships."""
    loose = re.compile(r"\b(TODO|FIXME|XXX|HACK|raise NotImplementedError)\b")
    found = [
        f"{name}:{number}"
        for name, path in python(*PRODUCT)
        for number, line in enumerate(text(path).splitlines(), 1)
        if loose.search(line)
    ]
    assert found == []


def test_each_outside_library_enters_by_its_door() -> None:
    """Replacing a library is then the work of one file, and nothing heavy is loaded by surprise."""
    strays = set()
    for name, path in python(*PRODUCT):
        for line, module in imports(path):
            top = module.split(".")[0]
            if top in sys.stdlib_module_names or top in {*PRODUCT, *NOTATIONS}:
                continue
            if not any(fnmatch(name, door) for door in DOORS.get(top, ())):
                strays.add(f"{name}:{line} imports {top}")
    assert sorted(strays) == []


def test_adapters_do_not_know_each_other() -> None:
    """Outside things are joined by the engine only. git_host and git_objects are one thing."""
    strays = set()
    for name, path in python("bot"):
        if not name.startswith("bot/adapters/"):
            continue
        own = _family(name.removeprefix("bot/adapters/").removesuffix(".py").split("/")[0])
        for line, module in imports(path):
            rest = module.removeprefix("bot.adapters.")
            if rest != module and _family(rest.split(".")[0]) != own:
                strays.add(f"{name}:{line} imports {module}")
    assert sorted(strays) == []


def _family(module: str) -> str:
    return module.split("_")[0]


def test_no_file_names_a_package_registry() -> None:
    """Packages are named, never their host: every site installs from the mirror it trusts."""
    hosts = re.compile(
        "python" r"hosted|pypi" r"\.org|npm" r"js\.(org|com)/|proxy\.go" r"lang|static\.cra" r"tes"
    )
    found = [path.relative_to(ROOT).as_posix() for path in tracked() if hosts.search(text(path))]
    assert found == []


def test_every_dependency_is_pinned_by_hash() -> None:
    """What was tested is what gets installed; `make lock` writes the pins."""
    project = tomllib.loads(text(ROOT / "pyproject.toml"))
    wanted = {
        "runtime.txt": project["project"]["dependencies"],
        "dev.txt": project["dependency-groups"]["dev"],
    }
    for file, requirements in wanted.items():
        lock = text(ROOT / "requirements" / file)
        pins = re.findall(r"^(\S+)==", lock, re.M)
        hashed = re.findall(r"^(\S+)==.*\\\n +--hash=", lock, re.M)
        assert pins == hashed, f"requirements/{file} has a pin without a hash"
        pinned = {_normal(name) for name in pins}
        names = {_normal(re.split(r"[<>=!~\[ ;]", each)[0]) for each in requirements}
        assert names - pinned == set(), f"requirements/{file} is behind pyproject.toml: make lock"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
