"""OpenKruise in a test cluster: its CRDs, its webhooks, and what its manager is started with.

As its own kustomization would lay them out, on loopback instead of behind a Service.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.api import Api, Object, conditions

NAMESPACE = "kruise-system"
# It answers for the whole cluster; the daemon on the nodes is what KWOK has no room for.
_FLAGS = ["--enable-leader-election=false", "--feature-gates=KruiseDaemon=false"]
_FLAGS += ["--enable-pprof=false", "--rest-config-qps=200", "--rest-config-burst=400", "--v=2"]


def install(api: Api, manifests: Path) -> None:
    """Everything the manager waits for when it starts."""
    config = manifests / "kruise" / "config"
    for path in sorted((config / "crd" / "bases").glob("*.yaml")):
        definition = yaml.safe_load(path.read_text())
        if definition["metadata"]["name"] == "statefulsets.apps.kruise.io":
            # Two stored shapes: without the webhook v1alpha1 and v1beta1 would lose fields.
            patch = config / "crd" / "patches" / "webhook_in_statefulsets.yaml"
            definition["spec"]["conversion"] = yaml.safe_load(patch.read_text())["spec"][
                "conversion"
            ]
        definition.pop("status", None)
        api.apply(definition)
    labels = {"control-plane": "controller-manager"}
    secret = {"name": "kruise-webhook-certs", "namespace": NAMESPACE}
    api.apply(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": labels},
        },
        {"apiVersion": "v1", "kind": "Secret", "metadata": secret},
    )
    api.create(*_webhooks(config / "webhook"))


def _webhooks(folder: Path) -> Iterator[Object]:
    narrower = {
        (each["kind"], hook["name"]): hook
        for each in yaml.safe_load_all((folder / "patch_manifests.yaml").read_text())
        for hook in each["webhooks"]
    }
    for value in yaml.safe_load_all((folder / "manifests.yaml").read_text()):
        value["metadata"]["name"] = f"kruise-{value['metadata']['name']}"
        for hook in value["webhooks"]:
            hook["clientConfig"]["service"] |= {
                "name": "kruise-webhook-service",
                "namespace": NAMESPACE,
            }
            hook |= narrower.get((value["kind"], hook["name"]), {})
        yield value


def command(program: Path, kubeconfig: Path, health: int) -> list[object]:
    addresses = ["--metrics-addr=0", f"--health-probe-addr=127.0.0.1:{health}"]
    return [program, f"--kubeconfig={kubeconfig}", *addresses, *_FLAGS]


def environment(port: int, folder: Path) -> dict[str, str]:
    return {
        "WEBHOOK_HOST": "127.0.0.1",
        "WEBHOOK_PORT": str(port),
        "WEBHOOK_CERT_DIR": str(folder),
        "POD_NAMESPACE": NAMESPACE,
    }


def is_up(api: Api) -> bool:
    """Its webhooks are known to the API server by URL, and its kinds can be asked for."""
    group = "admissionregistration.k8s.io/v1"
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        hooks: list[dict[str, Any]] = api.listed(kind, api=group)[0]["webhooks"]
        if not all(each["clientConfig"].get("url") for each in hooks):
            return False
    definitions = api.listed("CustomResourceDefinition", api="apiextensions.k8s.io/v1")
    return all(
        any(each["status"] == "True" for each in conditions(value, "Established"))
        for value in definitions
    )
