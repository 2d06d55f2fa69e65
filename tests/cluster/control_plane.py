"""Complete Kubernetes clusters on loopback, for tests and for scripts.

    with control_planes("east", "west") as (east, west):
        east.kubectl("get", "nodes")

A cluster is etcd, API server, controller manager, scheduler, OpenKruise and KWOK, which plays
nodes and containers. It is up in seconds and leaves no process and no file behind, whatever
happens to the process that started it.
"""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

from tests.cluster import openkruise, programs
from tests.cluster.api import Answer, Api, Object, is_ready
from tests.cluster.certificates import Authority, service_account_key
from tests.cluster.kubelets import Broken, write_config
from tests.cluster.processes import Programs, free_ports, frozen
from tests.cluster.users import Users
from tests.cluster.waiting import wait_until

_ADMIN = "admin-of-the-test-cluster"
_WATCHERS = ("kube-controller-manager", "kube-scheduler", "kwok", "kruise-manager")


class Cluster:
    """One cluster. `kubeconfig` is an administrator's; `users` makes others with fewer rights."""

    def __init__(self, name: str, tools: programs.Tools, *, nodes: int = 3) -> None:
        self.name = name
        self.tools = tools
        self.nodes = [f"{name}-{number}" for number in range(nodes)]
        self.programs = Programs()
        self.folder = self.programs.folder
        ports = free_ports(7)
        self.port, self._etcd, self._etcd_peer, self._kubelet = ports[:4]
        self._hooks, self._kruise_health, self._spare = ports[4:]
        self.url = f"https://127.0.0.1:{self.port}"
        self.authority = Authority(self.folder)
        self.api = Api(self.port, self.authority.file, _ADMIN)
        self.users = Users(self.url, self.folder, self.authority, self.api)
        self.kubeconfig = self.users.with_token("admin", _ADMIN)
        self.pod_log = self.folder / "pods.log"
        self.pod_log.touch()
        self._broken: dict[str, Broken] = {}
        self._prepare()

    def start(self) -> None:
        """Everything up: nodes Ready, webhooks answering."""
        self.start_program("etcd")
        self.start_program("kube-apiserver")
        self.wait_for_api()
        openkruise.install(self.api, self.tools.manifests)
        for name in _WATCHERS:
            self.start_program(name)
        self.add_nodes(*self.nodes)
        self._wait(lambda: openkruise.is_up(self.api), "kruise-manager", "OpenKruise is up")
        self._wait(self._kruise_ready, "kruise-manager", "OpenKruise's webhooks answer")

    def stop(self) -> None:
        self.programs.close()

    # --- programs -------------------------------------------------------------------------------

    def start_program(self, name: str) -> None:
        """Start one of the programs, the first time or after `kill`; it keeps its port and data."""
        path, config = self.tools[name], f"--kubeconfig={self.kubeconfig}"
        unwatched = ["--leader-elect=false", "--secure-port=0"]
        quick = ["--kube-api-qps=300", "--kube-api-burst=600"]
        environment: dict[str, str] = {}
        command: Sequence[object]
        match name:
            case "etcd":
                command = [path, *self._etcd_flags()]
            case "kube-apiserver":
                command = [path, *self._api_server_flags()]
            case "kube-controller-manager":
                key = f"--service-account-private-key-file={self._service_accounts}"
                root = f"--root-ca-file={self.authority.file}"
                command = [path, config, *unwatched, *quick, key, root]
            case "kube-scheduler":
                command = [path, config, *unwatched, *quick]
            case "kwok":
                file = self.folder / "kwok.yaml"
                write_config(file, self.tools.manifests, self._broken, self.pod_log)
                served = f"--server-address=127.0.0.1:{self._kubelet}"
                here = ["--node-ip=127.0.0.1", f"--node-port={self._kubelet}", served]
                command = [path, config, "--manage-all-nodes=true", f"--config={file}", *here]
            case "kruise-manager":
                command = openkruise.command(path, self.kubeconfig, self._kruise_health)
                environment = openkruise.environment(self._hooks, self.folder / "kruise")
            case _:
                raise ValueError(f"{name} is no program of a cluster")
        self.programs.start(name, command, environment | {"HOME": str(self.folder)})

    def frozen(self, program: str) -> AbstractContextManager[None]:
        """Inside the block that program stands still (SIGSTOP), as one that hangs or lags does."""
        return frozen(self.programs, program)

    def freeze(self, program: str) -> None:
        self.programs.signal(program, signal.SIGSTOP)

    def thaw(self, program: str) -> None:
        self.programs.signal(program, signal.SIGCONT)

    def kill(self, program: str) -> None:
        """End it at once; `start_program` brings it back."""
        self.programs.kill(program)

    @contextmanager
    def without_api(self) -> Iterator[None]:
        """The API server is down inside the block, and answers again after it.

        Everything that watches it is started anew: else each outage more would make it wait
        longer before it asks again, up to half a minute.
        """
        self.kill("kube-apiserver")
        try:
            yield
        finally:
            self.start_program("kube-apiserver")
            self.wait_for_api()
            for name in _WATCHERS:
                self.kill(name)
                self.start_program(name)
            self._wait(self._kruise_ready, "kruise-manager", "OpenKruise's webhooks answer")

    def revive(self) -> None:
        """Start again what has ended by itself, as the supervisor of a real control plane does."""
        for name in self.programs.names():
            if not self.programs.alive(name):
                self.programs.kill(name)
                self.start_program(name)

    def wait_for_api(self) -> None:
        self._wait(self._api_ready, "kube-apiserver", "the API server is ready")

    # --- nodes, images, logs --------------------------------------------------------------------

    def add_nodes(self, *names: str, pool: str = "") -> None:
        """New nodes, Ready when this returns. Nodes of a pool take only what asks for them:
        label `pool`, and a taint of the same name.
        """
        for name in names:
            all_labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
            meta = {"name": name, "labels": all_labels | ({"pool": pool} if pool else {})}
            node: Object = {"apiVersion": "v1", "kind": "Node", "metadata": meta}
            if pool:
                taint = {"key": "pool", "value": pool, "effect": "NoSchedule"}
                node["spec"] = {"taints": [taint]}
            self.api.create(node)
        self._wait(
            lambda: all(_usable(self.api.get("Node", name)) for name in names),
            "kwok",
            f"nodes {', '.join(names)} are ready",
        )

    def remove_node(self, name: str) -> None:
        """The node is taken away and its pods with it, as when a cloud ends the machine."""
        self.api.delete("Node", name)
        for pod in self.api.listed("Pod"):
            if pod["spec"].get("nodeName") == name:
                meta = pod["metadata"]
                path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
                try:
                    self.api.call("DELETE", f"{path}?gracePeriodSeconds=0")
                except Answer as answer:
                    if answer.status != 404:
                        raise

    def break_image(self, image: str, how: Broken = Broken.NEVER_READY) -> None:
        """From now on containers of that image fail that way, running ones too."""
        self._broken[image] = how
        self._restart_kwok()

    def mend_image(self, image: str) -> None:
        self._broken.pop(image, None)
        self._restart_kwok()

    def write_pod_log(self, *lines: str) -> None:
        """What `kubectl logs` of any pod shows from now on."""
        stamp = "2026-01-05T10:00:00.000000000Z stdout F"
        with self.pod_log.open("a") as log:
            log.writelines(f"{stamp} {line}\n" for line in lines)

    def kubectl(self, *arguments: str, stdin: object = None, check: bool = True) -> str:
        """Real kubectl as the administrator; `stdin` is an object or text for `-f -`."""
        text = stdin if isinstance(stdin, str | None) else json.dumps(stdin)
        done = subprocess.run(
            [self.tools["kubectl"], f"--kubeconfig={self.kubeconfig}", *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"HOME": str(self.folder), "PATH": ""},
        )
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout if done.returncode == 0 else done.stdout + done.stderr

    # --- inside ---------------------------------------------------------------------------------

    def _prepare(self) -> None:
        (self.folder / "kruise").mkdir()
        self.serving = self.authority.server()
        self._service_accounts = service_account_key(self.folder)
        tokens = self.folder / "tokens.csv"
        tokens.write_text(f'{_ADMIN},admin,admin,"system:masters"\n')
        tokens.chmod(0o600)

    def _etcd_flags(self) -> list[str]:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd, self._etcd_peer))
        listen = [f"--listen-client-urls={client}", f"--listen-peer-urls={peer}"]
        known = [f"--advertise-client-urls={client}", f"--initial-advertise-peer-urls={peer}"]
        rest = [f"--initial-cluster=default={peer}", "--unsafe-no-fsync", "--log-level=warn"]
        return [f"--data-dir={self.folder / 'etcd'}", *listen, *known, *rest]

    def _api_server_flags(self) -> list[str]:
        key = self._service_accounts
        certificate, private = self.serving
        return [
            f"--etcd-servers=http://127.0.0.1:{self._etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={private}",
            f"--client-ca-file={self.authority.file}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--disable-admission-plugins=ServiceAccount",
            "--endpoint-reconciler-type=none",
            "--allow-privileged=true",
        ]

    def _restart_kwok(self) -> None:
        if self.programs.alive("kwok"):
            self.kill("kwok")
            self.start_program("kwok")

    def _api_ready(self) -> bool:
        try:
            return bool(self.api.call("GET", "/readyz") == "ok")
        except (OSError, Answer):
            return False

    def _kruise_ready(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self._kruise_health}/readyz"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _wait(self, look: Callable[[], bool], program: str, what: str) -> None:
        """Wait, and when it is in vain say what the program said last."""

        def alive() -> bool:
            if not self.programs.alive(program):
                raise AssertionError(
                    f"{program} of {self.name} ended: {self.programs.log(program)}"
                )
            return look()

        try:
            wait_until(alive, f"{what} in {self.name}", seconds=60)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.programs.log(program)}") from None


def _usable(node: Object) -> bool:
    taints = (each["key"] for each in node["spec"].get("taints", []))
    return is_ready(node) and all(key == "pool" for key in taints)


@contextmanager
def control_planes(*names: str, nodes: int = 3) -> Iterator[list[Cluster]]:
    """Clusters of these names, side by side, for the length of the block."""
    tools = programs.find()
    clusters: list[Cluster] = []
    try:
        clusters += [Cluster(name, tools, nodes=nodes) for name in names]
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(Cluster.start, clusters))
        yield clusters
    finally:
        for cluster in clusters:
            cluster.stop()
