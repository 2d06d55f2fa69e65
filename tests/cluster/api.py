"""A small client of one API server, for tests to arrange things and to look with their own eyes.

It is not the bot's: what the bot did is judged by something that shares no line with it.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

Object = dict[str, Any]

# Kinds that do not follow the rule (lower case, then s).
_PLURALS = {
    "NetworkPolicy": "networkpolicies",
    "Ingress": "ingresses",
    "StorageClass": "storageclasses",
    "PriorityClass": "priorityclasses",
    "IngressClass": "ingressclasses",
    "RuntimeClass": "runtimeclasses",
    "Endpoints": "endpoints",
}
_WITHOUT_NAMESPACE = {
    "Namespace",
    "Node",
    "PersistentVolume",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "StorageClass",
    "PriorityClass",
    "IngressClass",
    "RuntimeClass",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "APIService",
    "CertificateSigningRequest",
}


class Answer(Exception):
    """The API server answered with an error."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body[:600]}")
        self.status = status
        self.body = body


class Api:
    """One token on one API server; a connection a call, so that restarts do not matter."""

    def __init__(self, port: int, authority: Path, token: str, agent: str = "") -> None:
        self._port, self._authority, self._agent = port, authority, agent
        self._trust = ssl.create_default_context(cafile=str(authority))
        self._token = token

    def called(self, agent: str) -> Api:
        """The same under another user agent: by that the server names who wrote a field."""
        return Api(self._port, self._authority, self._token, agent)

    def call(
        self, method: str, path: str, body: object = None, content: str = "application/json"
    ) -> Any:
        """One request; JSON comes back parsed, anything else (logs, /readyz) as text."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": content}
        headers |= {"User-Agent": self._agent} if self._agent else {}
        data = None if body is None else json.dumps(body).encode()
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self._port, context=self._trust, timeout=30
        )
        with closing(connection):
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            text = response.read().decode()
            if response.status >= 400:
                raise Answer(response.status, text)
            if "json" in response.getheader("Content-Type", ""):
                return json.loads(text)
            return text

    def get(self, kind: str, name: str, namespace: str = "", api: str = "v1") -> Object:
        found: Object = self.call("GET", path_of(api, kind, namespace, name))
        return found

    def look(self, kind: str, name: str, namespace: str = "", api: str = "v1") -> Object | None:
        """The object, or None where it is not there."""
        try:
            return self.get(kind, name, namespace, api)
        except Answer as answer:
            if answer.status == 404:
                return None
            raise

    def listed(
        self, kind: str, namespace: str = "", api: str = "v1", labels: str = ""
    ) -> list[Object]:
        path = path_of(api, kind, namespace)
        found: list[Object] = self.call(
            "GET", f"{path}?{urlencode({'labelSelector': labels})}" if labels else path
        )["items"]
        return found

    def apply(self, *objects: Object, manager: str = "test") -> None:
        """Server-side apply, by force: afterwards the object says what is written here."""
        for each in objects:
            self.call(
                "PATCH",
                f"{path_of_object(each)}?fieldManager={manager}&force=true",
                each,
                "application/apply-patch+yaml",
            )

    def create(self, *objects: Object) -> None:
        for each in objects:
            meta = each["metadata"]
            path = path_of(each["apiVersion"], each["kind"], meta.get("namespace", ""))
            self.call("POST", path, each)

    def merge(
        self, kind: str, name: str, patch: Object, namespace: str = "", api: str = "v1"
    ) -> Any:
        """A JSON merge patch, as a person with kubectl would send it."""
        path = path_of(api, kind, namespace, name)
        return self.call("PATCH", path, patch, "application/merge-patch+json")

    def delete(self, kind: str, name: str, namespace: str = "", api: str = "v1") -> None:
        """Gone, or going; that it was not there is fine."""
        try:
            self.call("DELETE", path_of(api, kind, namespace, name))
        except Answer as answer:
            if answer.status != 404:
                raise

    def pods(self, namespace: str, labels: str = "") -> list[Object]:
        return self.listed("Pod", namespace, labels=labels)


def path_of(api: str, kind: str, namespace: str = "", name: str = "") -> str:
    """The URL path of a kind or an object; kinds without a namespace ignore the one given."""
    parts = ["/api/v1" if api == "v1" else f"/apis/{api}"]
    if namespace and kind not in _WITHOUT_NAMESPACE:
        parts += ["namespaces", quote(namespace)]
    parts.append(_PLURALS.get(kind, kind.lower() + "s"))
    if name:
        parts.append(quote(name, safe=""))
    return "/".join(parts)


def path_of_object(value: Object) -> str:
    meta = value["metadata"]
    return path_of(value["apiVersion"], value["kind"], meta.get("namespace", ""), meta["name"])


def images(pods: list[Object]) -> list[str]:
    """The first container's image of every pod, sorted: what runs, in one look."""
    return sorted(pod["spec"]["containers"][0]["image"] for pod in pods)


def is_ready(value: Object) -> bool:
    """A pod or a node whose Ready condition is True."""
    return any(each["status"] == "True" for each in conditions(value, "Ready"))


def conditions(value: Object, kind: str) -> Iterator[Object]:
    found = value.get("status", {}).get("conditions") or []
    return (each for each in found if each["type"] == kind)
