"""What KWOK plays: its configuration from stages.yaml, and images that behave badly on demand."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

import yaml

_HERE = Path(__file__).resolve().parent

# Words that the stages are written in, on one pod, in jq.
_FACTS = """
def how: BROKEN[.] // (if test("-never-ready$") then "never-ready" elif test("-crash$") then "crash"
 elif test("-pull-fails$") then "pull-fails" else "fine" end);
def lives: .metadata.deletionTimestamp == null
 and (.status.phase | . != "Succeeded" and . != "Failed");
def started: (.status.containerStatuses // []) | length > 0;
def crashes: any(.spec.containers[]; .image | how == "crash");
def of_a_job: any(.metadata.ownerReferences[]?; .kind == "Job");
def ready: any(.status.conditions[]?; .type == "Ready" and .status == "True");
def doing: if .ready then "fine" elif .state.waiting.reason == "CrashLoopBackOff" then "crash"
 elif .state.waiting then "pull-fails" else "never-ready" end;
def contained: ([.spec.containers[] | [.name, .image, (.image | how)]] | sort)
 == ([.status.containerStatuses[]? | [.name, .image, doing]] | sort);
def gated: . as $pod | [.spec.readinessGates[]?.conditionType as $gate
 | any($pod.status.conditions[]?; .type == $gate and .status == "True")] | all;
def settled: contained and (ready == (gated and all(.spec.containers[]; .image | how == "fine")));
"""


class Broken(StrEnum):
    """How containers of an image fail."""

    NEVER_READY = "never-ready"
    CRASH = "crash"
    PULL_FAILS = "pull-fails"


def write_config(path: Path, manifests: Path, broken: dict[str, Broken], log: Path) -> None:
    """The configuration file of kwok: stages of nodes and pods, and where pod logs come from."""
    stages = manifests / "kwok" / "kustomize" / "stage" / "node"
    documents = []
    for name in ("fast/node-initialize.yaml", "heartbeat/node-heartbeat.yaml"):
        stage = yaml.safe_load((stages / name).read_text())
        silent = {"key": '.metadata.annotations["sluice.test/down"]', "operator": "DoesNotExist"}
        stage["spec"]["selector"].setdefault("matchExpressions", []).append(silent)
        documents.append(stage)
    table = json.dumps(broken)
    status = (_HERE / "pod-status.tmpl").read_text().replace("BROKEN", table)
    facts = " ".join(_FACTS.split()).replace("BROKEN", table)
    for stage in yaml.safe_load_all((_HERE / "stages.yaml").read_text()):
        for each in stage["spec"]["selector"]["matchExpressions"]:
            each["key"] = each["key"].replace("FACTS", facts)
        if stage["spec"]["next"].get("statusTemplate") == "STATUS":
            stage["spec"]["next"]["statusTemplate"] = status
        documents.append(stage)
    logs = {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": "logs"},
        "spec": {"logs": [{"logsFile": str(log), "previousLogsFile": str(log)}]},
    }
    path.write_text(yaml.safe_dump_all([*documents, logs]))
