"""An admission webhook of the platform team: real TLS, real AdmissionReviews, and it says no.

It refuses every object in which a word stands. Judges nothing else.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.cluster.api import Object
from tests.cluster.control_plane import Cluster
from tests.cluster.waiting import wait_until

_API = "admissionregistration.k8s.io/v1"
_KIND = "ValidatingWebhookConfiguration"


class _Hook(ThreadingHTTPServer):
    daemon_threads = True
    word, says = "", ""
    asked = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """A server that hangs up is nothing to tell of."""


class _Review(BaseHTTPRequestHandler):
    server: _Hook
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
        self.server.asked += 1
        answer: Object = {"uid": asked["uid"], "allowed": True}
        if self.server.word in json.dumps(asked.get("object")):
            answer |= {"allowed": False, "status": {"message": self.server.says, "code": 403}}
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
        data = json.dumps(review | {"response": answer}).encode()
        self.send_response_only(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def refusing_hook(
    cluster: Cluster, namespace: str, *, word: str, says: str, resource: str = "deployments"
) -> Iterator[None]:
    """Inside the block nothing in which `word` stands is taken there; in force when it begins."""
    hook = _Hook(("127.0.0.1", 0), _Review)
    hook.word, hook.says = word, says
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*cluster.serving)
    hook.socket = tls.wrap_socket(hook.socket, server_side=True)
    thread = threading.Thread(target=hook.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        cluster.api.create(_configuration(cluster, hook, namespace, resource))
        _until_asked(cluster, hook, namespace, resource)
        yield
    finally:
        cluster.api.delete(_KIND, namespace, api=_API)
        hook.shutdown()
        hook.server_close()
        thread.join()


def _configuration(cluster: Cluster, hook: _Hook, namespace: str, resource: str) -> Object:
    bundle = base64.b64encode(cluster.authority.file.read_bytes()).decode()
    url = f"https://127.0.0.1:{hook.server_port}/"
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": [resource]}
    one = {
        "name": "guard.platform.example.com",
        "clientConfig": {"url": url, "caBundle": bundle},
        "rules": [rule | {"operations": ["CREATE", "UPDATE"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 5,
    }
    return {"apiVersion": _API, "kind": _KIND, "metadata": {"name": namespace}, "webhooks": [one]}


def _until_asked(cluster: Cluster, hook: _Hook, namespace: str, resource: str) -> None:
    """The API server takes a moment to learn of a webhook."""
    words = ("-n", namespace, "annotate", resource, "--all", "--overwrite", "--dry-run=server")

    def asked() -> bool:
        cluster.kubectl(*words, "seen=yes", check=False)
        return hook.asked > 0

    wait_until(asked, "the API server asks the webhook", 30)
