"""A corpus of settings that are right one by one, and cannot be meant together."""

from __future__ import annotations

from tests.schema.corpus_files import Case, component, release

PAIRS = """\
irreversible:
  - {from: "2.0.0", to: "2.0.0", reason: none}
  - {from: "1.[", to: "2.*", reason: open}
  - {from: "1.[0-9]", to: "1.[]]", reason: sound}"""
TAKES = "job: {image: registry.local/ops:1}\nundo: {job: {image: registry.local/ops:1}}"


def task(spec: str) -> Case:
    lines = "".join(f"  {line}\n" for line in spec.splitlines())
    return {"tasks/drain.yaml": f"kind: Task\nmetadata: {{name: drain}}\nspec:\n{lines}"}


def of_release(spec: str) -> Case:
    return release(f"components: [{{name: agent, version: 2.0.0}}]\npipeline: standard\n{spec}")


CONTRADICTIONS: dict[str, Case] = {
    "a batch that fails before it ends": component("batchTakes: 5m\nbatchDeadline: 1s"),
    "a batch that takes longer than the deadline that nobody wrote": component("batchTakes: 1h"),
    "a task that fails before it ends": task(f"{TAKES}\ntakes: 30m\ndeadline: 1m"),
    "pairs that meet nothing, and a glob that is none": component(PAIRS),
    "a release that expires at once": of_release("expires: 0s"),
    "a release that expires before it may begin": of_release(
        "expires: 1h\nnotBefore: {at: 2030-01-01T09:00, zone: UTC}"
    ),
    "a release that may begin in time": of_release(
        "expires: 1h\nnotBefore: {at: 2026-11-23T12:30, zone: UTC}"
    ),
    "calls that go nowhere": task(
        'webhook: {url: "file:///etc/passwd"}\nundo: {webhook: {url: "ops.example.com/back"}}'
    ),
    "calls that go somewhere": task(
        'webhook: {url: "HTTPS://ops.example.com/{{ cluster.name }}"}\n'
        'undo: {webhook: {url: "{{ cluster.labels.ops }}/back"}}'
    ),
}
