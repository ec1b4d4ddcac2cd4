import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.deploy.k8s.running.cluster import KEPT, OURS, REGISTRY, SPACE, Cluster, Failed, kubectl, missing_images
from tests.deploy.k8s.running.watching import Records
from tests.kit import until

SAID = 60.0
"""Seconds until a node has said which images it has."""
NO_CLUSTER = "no cluster: KUBECONFIG is not set"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where there is no cluster one test is left to say so, for all."""
    if os.environ.get("KUBECONFIG"):
        return
    mine = [item for item in items if "cluster" in getattr(item, "fixturenames", ())]
    if rest := set(mine[1:]):
        mine[0].add_marker(pytest.mark.skip(reason=f"{NO_CLUSTER}; {len(mine)} tests are skipped"))
        items[:] = [item for item in items if item not in rest]
        config.hook.pytest_deselected(items=list(rest))


def is_there() -> bool:
    """Raises Failed where what is there is not of these tests: nobody's installation is taken away."""
    shown = f"jsonpath={{.metadata.name}} {{.metadata.labels.{OURS}}}"
    found = kubectl("get", "namespace", SPACE, "--ignore-not-found", "-o", shown).split()
    if found == [SPACE]:
        raise Failed(f"a namespace {SPACE} is there that these tests have not made: they begin from nothing")
    return bool(found)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With the dev overlay from nothing, every pod ready; nothing of it is left at the end."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip(NO_CLUSTER)
    with suppress(AssertionError):
        asyncio.run(until(lambda: not missing_images(), SAID))
    if missing := missing_images():
        pytest.skip(f"no node has {', '.join(sorted(missing))}: load them (deploy/k8s/README.md), or name a registry ({REGISTRY})")
    found, there = Cluster(tmp_path_factory.mktemp("cluster")), is_there()
    if there and not KEPT:
        found.go()
    try:
        if there and KEPT:
            found.settle()
        else:
            found.come_up()
        yield found
    finally:
        if not KEPT:
            found.go()


@pytest.fixture(scope="session")
def records(cluster: Cluster) -> Records:
    return Records(cluster)
