"""What each pod takes while nobody asks anything is no more than what it asks for, and far from where it would be ended."""

from tests.deploy.k8s.policy.pods import amount
from tests.deploy.k8s.running.cluster import Cluster, seen
from tests.deploy.k8s.running.resting import MIB, table, taken
from tests.deploy.k8s.world import COMPONENT, NAME, at

MINUTE = 60.0
ROOM = 1.5
"""Times as much as at rest, at least, before a container is ended."""


async def test_each_asks_for_what_it_takes_at_rest(cluster: Cluster):
    found = await taken(MINUTE)
    shown = table(found)
    print(shown)
    seen("at rest", table=shown)
    wrong = []
    for pod in cluster.pods():
        labels, resources = pod["metadata"]["labels"], pod["spec"]["containers"][0]["resources"]
        takes = found.get((labels[NAME], labels[COMPONENT]))
        asked, most = (amount(at(resources, kind, "memory", default=0)) / MIB for kind in ("requests", "limits"))
        if takes is None or takes.memory > asked or takes.memory * ROOM > most:
            wrong.append(f"{pod['metadata']['name']} takes {takes}, asks for {asked:.0f} MiB, is ended at {most:.0f}")
    assert not wrong
