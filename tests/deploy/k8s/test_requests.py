"""Whatever stays asks for at least what was measured at rest (the table in deploy/k8s/README.md), and is ended far above it."""

import re

import pytest

from tests.deploy.k8s.policy.pods import amount
from tests.deploy.k8s.rendering import OVERLAYS, PLACE, overlay
from tests.deploy.k8s.world import World, at

COMPONENTS = ("api", "worker", "relay", "keeper")
MARGIN, ROOM = 1.25, 2.0
"""Times what was measured: what is asked for, and from where on it is ended, at least."""
ELSEWHERE = {"all": ("api", "worker", "relay")}
"""One process for everything: more than each, less than all of them."""


def measured() -> dict[tuple[str, str], int]:
    """MiB, by service and component."""
    text = (PLACE / "README.md").read_text()
    found = {}
    for line in re.findall(r"^\| (\w+) \| (\d+ / \d+ \| .*) \|$", text, re.MULTILINE):
        found.update({(line[0], name): int(cell.split(" / ")[0]) for name, cell in zip(COMPONENTS, line[1].split(" | "), strict=True)})
    for service, component, memory in re.findall(r"`(\w+) (panels|desk|data)` (\d+) / \d+", text):
        found[service, component] = int(memory)
    return found


def test_every_component_was_measured() -> None:
    there = {(one.service, one.component) for one in World(list(overlay("dev"))).workloads if one.stays}
    assert measured().keys() == there


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_asks_for_what_was_measured(name: str) -> None:
    figures, wrong = measured(), []
    for one in World(list(overlay(name))).workloads:
        if one.stays:
            takes = max(figures[one.service, component] for component in ELSEWHERE.get(one.component, (one.component,)))
            asked, most = (amount(at(one.containers[0], "resources", kind, "memory")) / (1 << 20) for kind in ("requests", "limits"))
            if asked < takes * MARGIN or most < takes * ROOM:
                wrong.append(f"{one.title} takes {takes} MiB, asks for {asked:.0f}, is ended at {most:.0f}")
    assert not wrong
