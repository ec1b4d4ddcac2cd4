"""A real cluster takes every overlay: `kubectl apply --dry-run=server`, where KUBECONFIG leads to one.

Custom resources are left out (their shapes: test_shapes.py). Objects are sent to a namespace that
is made for it, because without it the server refuses what would be in it.
"""

import json
import os
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from tests.deploy.k8s.rendering import OVERLAYS, Object, command, overlay
from tests.deploy.k8s.world import title

pytestmark = pytest.mark.skipif(not os.environ.get("KUBECONFIG"), reason="no cluster: KUBECONFIG is not set")
OWN = "lifang-dry-run"
GROUPS = {"apps", "batch", "policy", "autoscaling"}


def kubectl(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([command()[0], *words], input=given, capture_output=True, text=True)


def is_known(of: Object) -> bool:
    group = of["apiVersion"].partition("/")[0] if "/" in of["apiVersion"] else ""
    return not group or group in GROUPS or (group.endswith(".k8s.io") and group != "gateway.networking.k8s.io")


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """Restricted as ours is."""
    labels = next(one for one in overlay("edge") if one["kind"] == "Namespace")["metadata"]["labels"]
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OWN, "labels": labels}}
    done = kubectl("apply", "-f", "-", given=yaml.safe_dump(made))
    assert done.returncode == 0, done.stderr
    yield OWN
    kubectl("delete", "namespace", OWN, "--wait=false")


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_server_takes_the_overlay(name: str, namespace: str) -> None:
    text = json.dumps([one for one in overlay(name) if is_known(one) and one["kind"] != "Namespace"]).replace(
        '"namespace": "lifang"', f'"namespace": "{namespace}"')
    objects = json.loads(text)
    done = kubectl("apply", "--dry-run=server", "-f", "-", given=yaml.safe_dump_all(objects))
    assert done.returncode == 0, done.stderr
    assert "violate" not in done.stderr, done.stderr
    assert len(done.stdout.splitlines()) == len(objects) > 100


def test_the_server_would_not_take_a_twin_that_is_not_restricted(namespace: str) -> None:
    """It says so of what makes pods, and refuses the pods."""
    twin = json.loads(json.dumps(next(one for one in overlay("edge") if title(one) == "Deployment/access-keeper")))
    twin["metadata"]["namespace"] = namespace
    twin["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] = False
    done = kubectl("apply", "--dry-run=server", "-f", "-", given=yaml.safe_dump(twin))
    assert "would violate PodSecurity" in done.stderr and "runAsNonRoot" in done.stderr
