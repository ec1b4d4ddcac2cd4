"""Other versions of `access`, made of what runs: one with an image that cannot be had or does not start, and a newer one, which reads its
log for something more and therefore needs a migration of its own."""

import json
import os
from pathlib import Path

import yaml

from tests.deploy.k8s.running.cluster import Cluster, kubectl

SERVICE = "access"
WORKLOADS = (f"deployment/{SERVICE}-api", f"deployment/{SERVICE}-relay", f"statefulset/{SERVICE}-worker")
READER = "read_by_the_newer"
NEWER = f"""
from msgspec.structs import replace
from libs.eventkit.subscriptions import Subscription
from services.{SERVICE} import main

async def take(rows, position):
    raise RuntimeError("nothing concerns it")

older = main.SERVICE
main.SERVICE = replace(older, readers=lambda app: (
    *older.readers(app), Subscription("{READER}", take, concerns=lambda row: False)))
"""
RUNS = NEWER + "from libs.eventkit.run import run\nrun(main.SERVICE)\n"
MIGRATES = NEWER + f"from cli.migrate import migrate\nprint('migrated' if migrate('{SERVICE}') else 'nothing to do')\n"
FAILS = "import sys\nsys.exit('this migration fails')\n"


def with_image(cluster: Cluster, image: str) -> None:
    for one in WORKLOADS:
        cluster("set", "image", one, f"service={image}")


def newer(cluster: Cluster, place: Path, migration: str) -> None:
    """As a newer overlay would be applied: finished migrations away, then all of it once."""
    commands = {f"{SERVICE}-(api|relay|worker)": ("(Deployment|StatefulSet)", RUNS, None), f"{SERVICE}-migrate": ("Job", migration, [])}
    patches = []
    for name, (kind, code, arguments) in commands.items():
        ops = [{"op": "add", "path": "/spec/template/spec/containers/0/command", "value": ["python", "-c", code]}]
        if arguments is not None:
            ops.append({"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": arguments})
        patches.append({"target": {"kind": kind, "name": name}, "patch": json.dumps(ops)})
    place.mkdir(exist_ok=True)
    body = {"resources": [os.path.relpath(cluster.overlay(), place)], "patches": patches}
    (place / "kustomization.yaml").write_text(yaml.safe_dump(body))
    without_migration(cluster)
    kubectl("apply", "-k", str(place))


def older(cluster: Cluster) -> None:
    """The overlay as it is, once more."""
    without_migration(cluster)
    cluster.apply()


def without_migration(cluster: Cluster) -> None:
    cluster("delete", "job", "--selector", "app.kubernetes.io/component=migrate", "--ignore-not-found")
