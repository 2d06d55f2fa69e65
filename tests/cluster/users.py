"""People and programs with fewer rights than the administrator, as kubeconfig files.

By client certificate, or as a service account with a token that runs out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import yaml

from tests.cluster.api import Api, Object
from tests.cluster.certificates import Authority

_RBAC = "rbac.authorization.k8s.io/v1"


class Users:
    """Makes users of one cluster, and what they may do."""

    def __init__(self, url: str, folder: Path, authority: Authority, api: Api) -> None:
        self._url = url
        self._folder = folder
        self._authority = authority
        self._api = api

    def with_certificate(
        self, name: str, groups: tuple[str, ...] = (), *, until: datetime | None = None
    ) -> Path:
        """A kubeconfig of a user without any right yet; `until` in the past: expired."""
        certificate, key = self._authority.user(name, groups, until=until)
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        return self.kubeconfig(name, user)

    def with_token(self, name: str, token: str) -> Path:
        """A kubeconfig that reads its token from a file beside it, `NAME.token`."""
        path = self._folder / f"{name}.token"
        path.touch(mode=0o600)
        path.write_text(token)
        return self.kubeconfig(name, {"tokenFile": str(path)})

    def service_account(self, name: str, namespace: str = "default") -> Path:
        """A kubeconfig of a service account; its user is system:serviceaccount:NAMESPACE:NAME."""
        meta = {"name": name, "namespace": namespace}
        self._api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
        return self.with_token(name, self.token(name, namespace))

    def token(self, name: str, namespace: str = "default", seconds: int = 3600) -> str:
        """A fresh token of a service account (ten minutes at least, says the API server)."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        token: str = self._api.call("POST", path, request)["status"]["token"]
        return token

    def grant(self, user: str, *rules: Object, namespace: str = "") -> None:
        """Let a user do that, in one namespace or everywhere: rules as in a Role."""
        name = f"{user.replace(':', '-')}-may"
        kind = "Role" if namespace else "ClusterRole"
        meta = {"name": name} | ({"namespace": namespace} if namespace else {})
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
        self._api.apply(
            {"apiVersion": _RBAC, "kind": kind, "metadata": meta, "rules": list(rules)},
            {
                "apiVersion": _RBAC,
                "kind": f"{kind}Binding",
                "metadata": meta,
                "subjects": [subject],
                "roleRef": reference,
            },
        )

    def kubeconfig(self, name: str, user: Mapping[str, object]) -> Path:
        """A kubeconfig file with that user entry (an exec plugin, a bad token …)."""
        cluster = {"server": self._url, "certificate-authority": str(self._authority.file)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": name, "user": dict(user)}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
            "current-context": "test",
        }
        path = self._folder / f"{name}.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(config))
        return path
