"""What must hold in every overlay, seen across all of its objects."""

import pytest

from libs.contracts.topics import TOPICS
from tests.deploy.k8s.policy.network import forwarded, speaking
from tests.deploy.k8s.policy.rules import findings
from tests.deploy.k8s.rendering import OVERLAYS, overlay
from tests.deploy.k8s.world import World


@pytest.mark.parametrize("name", OVERLAYS)
def test_policy(name: str) -> None:
    assert not list(findings(World(list(overlay(name)))))


def test_arrows_are_derived_from_the_code() -> None:
    assert speaking() == set(TOPICS)
    assert forwarded() == {"identity", "access", "devices", "parking", "alarm", "neighbors"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_same_services_run_everywhere(name: str) -> None:
    assert {one.service for one in World(list(overlay(name))).workloads} >= set(TOPICS)
