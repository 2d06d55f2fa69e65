"""The release repo of the demo: the example repo, and what this story needs otherwise.

Texts only; writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from release_repo_schema.example import example_files

COMPONENT = "node-agent"
OLD, NEW = "2.4.1", "2.5.0"
SICK = "eu-4"
"""The cluster that cannot run the new version: nobody in the story knows."""
EXAMPLE_RELEASE = "releases/2026/node-agent-2-5-0.yaml"
_IMAGE = f"registry.local/node-agent:{NEW}"


def repo_files() -> Mapping[str, bytes]:
    """Every file of the repo before the first release."""
    files = dict(example_files())
    del files[EXAMPLE_RELEASE]
    _change(
        files,
        f"fleet/clusters/{SICK}.yaml",
        "simulated: {nodes: 6}",
        f'simulated:\n      nodes: 6\n      faults: [{{do: crashLoop, image: "{_IMAGE}"}}]',
    )
    # One decision in the story, and a serious one: two people before production.
    _change(
        files,
        "pipelines/standard.yaml",
        "approval: {when: before, roles: [approver], count: 1}",
        "approval: {when: before, roles: [approver], count: 2}",
    )
    policy = files["policy/policy.yaml"].decode()
    asked = policy[policy.index("  approvals:") : policy.index("  floors:")]
    _change(files, "policy/policy.yaml", asked, "")
    return files


def release_path(name: str) -> str:
    return f"releases/2026/{name}.yaml"


def release_file(name: str, version: str, reason: str) -> str:
    """A Release as its author writes it."""
    return f"""\
# yaml-language-server: $schema=../../.schemas/Release.json
apiVersion: sluice/v1
kind: Release
metadata:
  name: {name}
spec:
  components:
    - {{name: {COMPONENT}, version: {version}}}
  pipeline: standard
  reason: {reason}
"""


def _change(files: dict[str, bytes], path: str, old: str, new: str) -> None:
    text = files[path].decode()
    if text.count(old) != 1:
        raise ValueError(f"{path} of the example repo no longer holds: {old}")
    files[path] = text.replace(old, new).encode()
