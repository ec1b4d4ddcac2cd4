"""Every object is of a shape that the cluster takes, and every file is written as YAML is best written."""

import pytest
from yamllint import linter
from yamllint.config import YamlLintConfig

from tests.deploy.k8s.rendering import OVERLAYS, PLACE, overlay
from tests.deploy.k8s.schemas import errors, profiles

STYLE = """
extends: default
rules:
  line-length: {max: 150}
  document-start: disable
  comments-indentation: disable
  braces: {max-spaces-inside: 0}
  octal-values: {forbid-implicit-octal: true, forbid-explicit-octal: true}
  truthy: {check-keys: false}
  empty-values: enable
"""


@pytest.mark.parametrize("name", OVERLAYS)
def test_shapes(name: str) -> None:
    assert not [text for one in overlay(name) for text in errors(one)]


def test_every_profile_is_of_something_that_is_rendered() -> None:
    kinds = {(one["apiVersion"], one["kind"]) for name in OVERLAYS for one in overlay(name)}
    assert profiles().keys() <= kinds


def test_style() -> None:
    style = YamlLintConfig(STYLE)
    places = sorted(PLACE.rglob("*.yaml"))
    found = [f"{path.relative_to(PLACE)}: {problem}" for path in places for problem in linter.run(path.read_text(), style)]
    assert len(places) > 50 and not found
