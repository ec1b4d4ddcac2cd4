"""The dev overlay on the cluster that KUBECONFIG leads to: made there from nothing, looked at, and taken away again."""

import base64
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from cli.place import PYTHON, ROOT
from tests.deploy.k8s.rendering import PLACE, Object, command, overlay
from tests.deploy.k8s.world import COMPONENT, NAME, World, at

SPACE = "lifang"
OURS = "lifang-tested"
"""The label of a namespace that these tests have made, and may take away."""
OVERLAY = PLACE / "overlays" / "dev"
REGISTRY, VERSION = "LIFANG_TEST_REGISTRY", "LIFANG_TEST_VERSION"
KEPT = bool(os.environ.get("LIFANG_TEST_KEPT"))
"""What is there is taken as it is, and left."""
FIGURES = ROOT / ".lifang" / "cluster.jsonl"
PATIENCE = 420
"""Seconds in which whatever is changed has to be ready again."""
IN_CLUSTER = 90
"""Seconds in which the job that makes secrets has to have reached the cluster's API."""


class Failed(AssertionError):
    """kubectl has refused, or not come to its end in time."""


def kubectl(*words: str, given: str | None = None) -> str:
    """What it says. Raises Failed with what it said of that."""
    done = subprocess.run([command()[0], *words], input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"kubectl {' '.join(words)[:300]}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout


def seen(what: str, **figures: Any) -> None:
    """Written down for whoever wants to know how long it took."""
    FIGURES.parent.mkdir(exist_ok=True)
    with FIGURES.open("a") as file:
        file.write(json.dumps({"what": what, **figures}, ensure_ascii=False) + "\n")


def images() -> set[str]:
    """Of the overlay."""
    return {container["image"] for one in World(list(overlay("dev"))).workloads for container in one.containers}


def missing_images() -> set[str]:
    """Those that no node says it has; none where a registry is named that has them."""
    if os.environ.get(REGISTRY):
        return set()
    nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    named = {name for node in nodes for image in at(node, "status", "images", default=[]) for name in image.get("names") or ()}
    short = {re.sub(r"^docker\.io/(library/)?", "", name) for name in named}
    return images() - short


class Cluster:
    """`took`: seconds from nothing to every pod ready; `in_cluster`: whether secrets were made there, by the job."""

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.took, self.in_cluster = scratch, 0.0, False

    def __call__(self, *words: str, given: str | None = None) -> str:
        return kubectl("--namespace", SPACE, *words, given=given)

    def command(self, *words: str) -> list[str]:
        """For what goes on beside the test."""
        return [command()[0], "--namespace", SPACE, *words]

    def objects(self, kind: str, selector: str = "") -> list[Object]:
        found = json.loads(self("get", kind, "-o", "json", *(["--selector", selector] if selector else [])))["items"]
        return list(found)

    def object(self, what: str) -> Object:
        return dict(json.loads(self("get", what, "-o", "json")))

    # from nothing, and to nothing

    def overlay(self) -> Path:
        """The overlay itself; or with the images of a registry, where one is named."""
        registry = os.environ.get(REGISTRY)
        if not registry:
            return OVERLAY
        place = self.scratch / "overlay"
        place.mkdir(exist_ok=True)
        version = os.environ.get(VERSION, "dev")
        names = sorted(name for name in (image.rpartition(":")[0] for image in images()) if name.startswith("lifang/"))
        body = {
            "resources": [os.path.relpath(OVERLAY, place)],
            "images": [{"name": name, "newName": f"{registry}/{name.removeprefix('lifang/')}", "newTag": version} for name in names]}
        (place / "kustomization.yaml").write_text(yaml.safe_dump(body))
        return place

    def apply(self) -> None:
        kubectl("apply", "-k", str(self.overlay()))

    def come_up(self) -> None:
        begun = time.monotonic()
        self.apply()
        kubectl("label", "namespace", SPACE, f"{OURS}=true", "--overwrite")
        self.in_cluster = self.has_made_secrets()
        if not self.in_cluster:
            made = subprocess.run([PYTHON, "-m", "cli.providing.cluster", "--print"], cwd=ROOT, capture_output=True, text=True, check=True)
            self("create", "-f", "-", given=made.stdout)
        self.settle()
        self.took = time.monotonic() - begun

    def has_made_secrets(self) -> bool:
        try:
            self("wait", "job/secrets", "--for=condition=complete", f"--timeout={IN_CLUSTER}s")
        except Failed:
            return False
        return True

    def go(self) -> None:
        kubectl("delete", "namespace", SPACE, "--ignore-not-found", "--timeout=180s")

    # as it is

    def settle(self) -> None:
        """Waits until everything that stays is as it should be. Raises Failed."""
        for one in self.stays():
            self("rollout", "status", one, f"--timeout={PATIENCE}s")
        assert not (left := self.unready()), f"not ready: {left}"

    def stays(self) -> list[str]:
        """Whatever keeps pods, by kind and name."""
        return self("get", "deployments,statefulsets", "-o", "name").split()

    def unready(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.pods() if not is_ready(pod)]

    def pods(self, selector: str = "") -> list[Object]:
        """Those that stay and are not about to end."""
        return [pod for pod in self.objects("pods", selector) if at(pod, "metadata", "deletionTimestamp") is None
                and at(pod, "metadata", "ownerReferences", 0, "kind") in ("ReplicaSet", "StatefulSet")]

    def pods_of(self, component: str, service: str = "") -> list[str]:
        chosen = f"{COMPONENT}={component}" + (f",{NAME}={service}" if service else "")
        return [pod["metadata"]["name"] for pod in self.pods(chosen)]

    def run_in(self, pod: str, *words: str, given: str | None = None) -> str:
        return self("exec", "-i", pod, "--", *words, given=given)

    def secret(self, name: str, key: str) -> str:
        return base64.b64decode(self.object(f"secret/{name}")["data"][key]).decode()

    @cached_property
    def tools(self) -> str:
        """The image of the tools, as it runs here."""
        return str(self.object("deployment/demo-desk")["spec"]["template"]["spec"]["containers"][0]["image"])

    @contextmanager
    def reached(self, what: str, port: int) -> Iterator[int]:
        """A port of this machine that leads to one pod of it."""
        told = self.command("port-forward", what, f":{port}")
        with subprocess.Popen(told, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as leading:
            assert leading.stdout is not None
            try:
                said = leading.stdout.readline()
                found = re.search(r"127\.0\.0\.1:(\d+)", said)
                assert found, f"nothing leads to {what}: {said}"
                yield int(found[1])
            finally:
                leading.terminate()

    def played(self, story: str) -> dict[str, Any]:
        """As somebody types it outside."""
        with self.reached("service/gateway-api", 8080) as gateway, self.reached("service/demo-desk", 8090) as desk:
            done = subprocess.run(
                [PYTHON, "-m", "cli", "scenario", story, "--json", "--gateway", f"http://127.0.0.1:{gateway}",
                 "--desk", f"http://127.0.0.1:{desk}", "--key", "-"],
                cwd=ROOT, input=self.secret("demo", "demo"), capture_output=True, text=True, check=False)
        assert done.stdout, done.stderr
        return dict(json.loads(done.stdout))

    def deleted(self, pods: Sequence[str]) -> None:
        """Returns once they are gone and what keeps them has made others, which are ready."""
        self("delete", "pod", *pods, f"--timeout={PATIENCE}s")
        for pod in pods:
            if pod.rpartition("-")[2].isdigit():
                self("wait", f"pod/{pod}", "--for=create", f"--timeout={PATIENCE}s")
                self("wait", f"pod/{pod}", "--for=condition=Ready", f"--timeout={PATIENCE}s")
        self.settle()


def is_ready(pod: Object) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in at(pod, "status", "conditions", default=[]))


def failed(story: dict[str, Any]) -> list[str]:
    return [f"{step['step']}: {step['detail']}" for step in story["steps"] if not step["ok"]]
