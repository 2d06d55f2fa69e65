"""The README's first screen: what it shows is what the demo says, and what it links to exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_transcript_is_the_demo_s_own() -> None:
    """Shortened, never polished: each of its lines stands in the demo, in this order."""
    demo = (ROOT / "tests/golden/demo.txt").read_text(encoding="utf-8").split("\n")
    said = iter([line.rstrip("─ ") for line in demo])
    transcript = README.split("```text\n")[1].split("```")[0].strip("\n").split("\n")
    assert len(transcript) > 15
    assert [line for line in transcript if line not in said] == []


def test_every_link_leads_somewhere() -> None:
    """A first page with a dead link is worse than none."""
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert "docs/first-release.md" in links
    assert [link for link in links if not (ROOT / link).exists()] == []


def typed(page: str) -> list[str]:
    """What a reader of a page types, with what follows it in a here-document."""
    found: list[str] = []
    inside = False
    for block in re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(line[2:])
                inside = "<<'END'" in line
            elif inside:
                found[-1] += f"\n{line}"
                inside = line != "END"
    return found


def test_the_first_release_can_be_typed_as_it_stands(tmp_path: Path) -> None:
    """Up to the first plan; from there on it takes a bot and the wall clock."""
    commands = typed((ROOT / "docs/first-release.md").read_text(encoding="utf-8"))
    last = next(n for n, line in enumerate(commands) if line.startswith("sluice plan"))
    script = [line for line in commands[: last + 1] if not line.startswith("sluice run")]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {name: text for name, text in os.environ.items() if not name.startswith("GIT_AUTHOR")}
    env = {name: text for name, text in env.items() if not name.startswith("GIT_COMMITTER")}
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=env | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = next(line for line in done.stdout.splitlines() if line.startswith("releases: "))
    assert written in (ROOT / "docs/first-release.md").read_text(encoding="utf-8").splitlines()
    assert "Release log-shipper-0-14-0: log-shipper (not known) → 0.14.0" in done.stdout
    assert "  - before stage production: 1 × approver" in done.stdout.splitlines()
    verbs = {line.split()[1] for line in commands if line.startswith("sluice ")}
    assert {"init", "lint", "plan", "run", "approve", "pause", "rollback", "audit"} <= verbs
