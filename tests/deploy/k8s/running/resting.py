"""What each pod takes while nobody asks anything: working set and processor, as its machine's kubelet counts them.

    python -m tests.deploy.k8s.running.resting [SECONDS]     # the table, of what KUBECONFIG leads to
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from libs.contracts.topics import TOPICS
from tests.deploy.k8s.running.cluster import SPACE, kubectl
from tests.deploy.k8s.world import COMPONENT, NAME, at
from tests.kit import until

COMPONENTS = ("api", "worker", "relay", "keeper")
MIB = 1024 * 1024


class Counted(Struct, frozen=True):
    """`used`: of a processor, in nanoseconds since it began."""

    at: float
    used: int
    memory: int


class Taken(Struct, frozen=True):
    """`memory` in MiB, `processor` in thousandths of one."""

    memory: int
    processor: int

    def __str__(self) -> str:
        return f"{self.memory} / {self.processor}"


def counted() -> dict[str, Counted]:
    """By the pod's name."""
    found = {}
    for node in kubectl("get", "nodes", "-o", "name").split():
        summary = json.loads(kubectl("get", "--raw", f"/api/v1/{node.replace('node/', 'nodes/')}/proxy/stats/summary"))
        for pod in summary["pods"]:
            container = next(iter(pod.get("containers") or ()), {})
            if pod["podRef"]["namespace"] == SPACE and at(container, "cpu", "usageCoreNanoSeconds") is not None:
                cpu, memory = container["cpu"], container["memory"]
                found[pod["podRef"]["name"]] = Counted(
                    datetime.fromisoformat(cpu["time"]).timestamp(), cpu["usageCoreNanoSeconds"], memory["workingSetBytes"])
    return found


async def taken(seconds: float) -> dict[tuple[str, str], Taken]:
    """By service and component: the most that one of its pods takes, over so long."""
    first = counted()
    assert first, "no machine says what its pods take"

    def later() -> dict[str, Counted] | None:
        found = counted()
        return found if all(found[pod].at >= one.at + seconds for pod, one in first.items() if pod in found) else None

    last: Mapping[str, Counted] = await until(later, seconds * 2 + 60)
    pods = json.loads(kubectl("--namespace", SPACE, "get", "pods", "-o", "json"))["items"]
    found: dict[tuple[str, str], Taken] = {}
    for pod in pods:
        name, labels = pod["metadata"]["name"], at(pod, "metadata", "labels", default={})
        if name in first and name in last:
            a, b = first[name], last[name]
            new = Taken(round(max(a.memory, b.memory) / MIB), round((b.used - a.used) / (b.at - a.at) / 1e6))
            key = labels.get(NAME, ""), labels.get(COMPONENT, "")
            old = found.get(key, Taken(0, 0))
            found[key] = Taken(max(old.memory, new.memory), max(old.processor, new.processor))
    return found


def table(found: Mapping[tuple[str, str], Taken]) -> str:
    lines = [f"| | {' | '.join(COMPONENTS)} |", f"|---{'|---' * len(COMPONENTS)}|"]
    lines += [f"| {service} | {' | '.join(str(found.get((service, one), '')) for one in COMPONENTS)} |" for service in TOPICS]
    others = [(f"{service} {component}", one) for (service, component), one in sorted(found.items())
              if component not in COMPONENTS and component in ("panels", "desk", "data")]
    return "\n".join([*lines, "", *(f"{name}: {one}" for name, one in others)])


if __name__ == "__main__":
    print(table(asyncio.run(taken(float((sys.argv[1:] or ["60"])[0])))))
