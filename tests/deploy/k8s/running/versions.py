"""Other versions of `access`, made of what runs: one with an image that cannot be had or does not start, and a newer one, which reads its
log for something more and therefore needs a migration of its own."""

import yaml

from tests.deploy.k8s.rendering import Object, built, parsed
from tests.deploy.k8s.running.cluster import Cluster
from tests.deploy.k8s.world import NAME, at

SERVICE = "access"
WORKLOADS = (f"deployment/{SERVICE}-api", f"deployment/{SERVICE}-relay", f"statefulset/{SERVICE}-worker")
MIGRATION = f"job/{SERVICE}-migrate"
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


def rendered(cluster: Cluster) -> list[Object]:
    """What the overlay says of the service: a roll-out of all seven at once is no other, only longer."""
    found = parsed(built(cluster.overlay()))
    return [one for one in found if at(one, "metadata", "labels", NAME) == SERVICE]


def newer(cluster: Cluster, migration: str) -> None:
    objects = rendered(cluster)
    for one in objects:
        name = f"{one['kind'].lower()}/{one['metadata']['name']}"
        if name in WORKLOADS:
            one["spec"]["template"]["spec"]["containers"][0]["command"] = ["python", "-c", RUNS]
        if name == MIGRATION:
            one["spec"]["template"]["spec"]["containers"][0] |= {"command": ["python", "-c", migration], "args": []}
    apply(cluster, objects)


def older(cluster: Cluster) -> None:
    """As it is, once more."""
    apply(cluster, rendered(cluster))


def apply(cluster: Cluster, objects: list[Object]) -> None:
    """As the runbook has it: the finished migration away, since a job cannot be changed."""
    cluster("delete", MIGRATION, "--ignore-not-found")
    cluster("apply", "-f", "-", given=yaml.safe_dump_all(objects))
