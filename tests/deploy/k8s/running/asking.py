"""The load of `load.py` as a pod of its own, with policies that let it in for as long as it is there."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct, field

from cli.manifests.arrows import ANSWERING, HTTP
from cli.manifests.network import of, pods, policy, tcp
from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.running.cluster import PATIENCE, Cluster
from tests.deploy.k8s.world import NAME

SCRIPT = Path(__file__).with_name("load.py")
LOAD, DESK = "load", 8090
UNDER_WAY = 40
"""Answers after which it is under way."""


class Said(Struct):
    """Of one request. `at`: in which log, and where; `until`: when it was answered, as the pod's clock has it."""

    what: str
    how: str
    status: int
    ms: int
    until: float
    at: tuple[str, int] | None = None
    failed: list[str] = []


class Answers(Struct):
    said: list[Said] = field(default_factory=list)

    @property
    def failed(self) -> list[Said]:
        """Those that were asked more than once."""
        return [one for one in self.said if one.failed]

    @property
    def never(self) -> list[Said]:
        return [one for one in self.said if not one.status]

    @property
    def acknowledged(self) -> list[tuple[str, int]]:
        return [one.at for one in self.said if one.at is not None and one.at[1]]

    @property
    def refused(self) -> list[str]:
        """What was asked and not carried out once: nothing of it could have been lost."""
        return [what for what, counts in self.counted().items() if not counts.keys() & {200, 201}]

    def counted(self) -> dict[str, dict[int, int]]:
        """By what was asked: how often it was answered how."""
        found: dict[str, Counter[int]] = {}
        for one in self.said:
            found.setdefault(one.what, Counter())[one.status] += 1
        return {what: dict(counts) for what, counts in found.items()}


def network() -> list[Object]:
    own = of(LOAD)
    to = {"gateway": (of("gateway", ANSWERING), HTTP), "devices": (of("devices", ANSWERING), HTTP), "desk": (of("demo"), DESK)}
    out = [policy(f"load-to-{name}", own, "Egress", pods(one), tcp(port)) for name, (one, port) in to.items()]
    return out + [policy(f"{name}-from-load", one, "Ingress", pods(own), tcp(port)) for name, (one, port) in to.items()]


def pod(image: str, name: str, labels: dict[str, str], **container: Any) -> Object:
    """As hardened as ours are."""
    secured: Object = {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    mounts = [{"name": "tmp", "mountPath": "/tmp"}, *container.pop("volumeMounts", [])]
    volumes = [{"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}, *container.pop("volumes", [])]
    spec: Object = {
        "restartPolicy": "Never", "automountServiceAccountToken": False, "enableServiceLinks": False, "terminationGracePeriodSeconds": 2,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{
            "name": "service", "image": image, "imagePullPolicy": "IfNotPresent", "securityContext": secured, "volumeMounts": mounts,
            "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}}, **container}],
        "volumes": volumes}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def objects(image: str, pause: float) -> list[Object]:
    told = {
        "GATEWAY": f"http://gateway-api:{HTTP}", "DEVICES": f"http://devices-api:{HTTP}", "DESK": f"http://demo-desk:{DESK}",
        "PAUSE": str(pause)}
    environment = [{"name": name, "value": value} for name, value in told.items()]
    key = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "demo", "key": "demo"}}}
    script = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": LOAD}, "data": {SCRIPT.name: SCRIPT.read_text()}}
    made = pod(
        image, LOAD, {NAME: LOAD}, command=["python", f"/load/{SCRIPT.name}"], env=[*environment, key],
        volumeMounts=[{"name": "script", "mountPath": "/load", "readOnly": True}],
        volumes=[{"name": "script", "configMap": {"name": LOAD}}])
    return [*network(), script, made]


class Load:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.answers = cluster, Answers()

    def under_way(self, count: int = UNDER_WAY) -> None:
        """Returns after so many answers more."""
        told = self.cluster.command("logs", "--follow", "--tail=0", f"pod/{LOAD}")
        with subprocess.Popen(told, stdout=subprocess.PIPE, text=True) as saying:
            assert saying.stdout is not None
            for _ in range(count):
                assert saying.stdout.readline(), f"the load has ended: {self.cluster('logs', LOAD, '--tail=20')}"
            saying.terminate()

    def end(self) -> None:
        self.cluster.run_in(LOAD, "touch", "/tmp/enough")
        self.cluster("wait", f"pod/{LOAD}", "--for=jsonpath={.status.phase}=Succeeded", f"--timeout={PATIENCE}s")
        lines = [json.loads(line) for line in self.cluster("logs", LOAD).splitlines() if line.startswith("{")]
        self.answers = Answers([Said(**{**one, "at": tuple(one["at"]) if one["at"] else None}) for one in lines])


@contextmanager
def asked_all_along(cluster: Cluster, pause: float = 3.0) -> Iterator[Load]:
    """`answers` are there once it has ended. `pause`: of each of 18 callers between two requests."""
    written = yaml.safe_dump_all(objects(cluster.tools, pause))
    cluster("delete", "pod", LOAD, "--ignore-not-found")
    cluster("apply", "-f", "-", given=written)
    try:
        cluster("wait", f"pod/{LOAD}", "--for=condition=Ready", f"--timeout={PATIENCE}s")
        load = Load(cluster)
        load.under_way()
        yield load
        load.end()
    finally:
        cluster("delete", "-f", "-", "--ignore-not-found", given=written)

