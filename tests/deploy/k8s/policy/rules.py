"""All that must hold, in one list: what is seen at one workload, and what only the whole shows."""

from collections.abc import Iterator

from tests.deploy.k8s.policy import alerts, beyond, data, jobs, network, platform, pods, running, wiring
from tests.deploy.k8s.rendering import Object
from tests.deploy.k8s.world import World, title

OF_ONE = (pods.pod, running.probes, running.copies, wiring.told, jobs.once, data.plain)
OF_ALL = (
    platform.namespace, platform.bounds, platform.accounts, platform.secrets, platform.coming_in, platform.measured, running.budgets,
    running.scalers, running.certificates, wiring.services, wiring.there, data.kafka, data.databases, data.archive, alerts.alerts,
    beyond.denied, network.arrows)


def findings(world: World) -> Iterator[str]:
    """Nothing where all is well."""
    for one in world.workloads:
        yield from of_one(world, one.object)
    for rule in OF_ALL:
        yield from rule(world)


def of_one(world: World, of: Object) -> Iterator[str]:
    for one in world.workloads:
        if one.object is of:
            for rule in OF_ONE:
                yield from (f"{title(of)}: {text}" for text in rule(world, one))
