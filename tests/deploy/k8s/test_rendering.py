"""Every overlay and every pair of components can be rendered, offline, and says what it is said to say."""

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from cli.manifests.__main__ import generated, manifests
from tests.deploy.k8s.rendering import COMPONENTS, OVERLAYS, PLACE, built, combined, overlay
from tests.deploy.k8s.schemas import errors
from tests.deploy.k8s.world import World, title

ONE = "access"
"""Stands for all services where many combinations are rendered."""


def test_generated_manifests_are_those_that_follow_from_the_contracts() -> None:
    wanted = manifests()
    stale = [path.name for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    assert not stale, f"{stale}: python -m cli.manifests"
    assert not generated() - wanted.keys(), "python -m cli.manifests"


@pytest.fixture(scope="module")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base with one service: a hundred combinations are rendered on it."""
    whole = yaml.safe_load((PLACE / "base" / "kustomization.yaml").read_text())
    kept = [name for name in whole["resources"] if (PLACE / "base" / name).is_dir() and name in (ONE, "network")]
    place = tmp_path_factory.mktemp("base")
    away = [str(Path(*[".."] * len(place.parts[1:]), *(PLACE / "base" / name).parts[1:])) for name in kept]
    (place / "kustomization.yaml").write_text(yaml.safe_dump(whole | {"resources": away}))
    return place


def test_every_pair_of_components_is_rendered(small_base: Path, tmp_path: Path) -> None:
    pairs, known = list(combinations(COMPONENTS, 2)), set[str]()

    def wrong(pair: tuple[str, str]) -> list[str]:
        try:
            objects = combined(tmp_path / "-".join(pair), small_base, pair)
        except RuntimeError as error:
            return [str(error)]
        names = [title(one) for one in objects]
        new = {text: one for one in objects if (text := repr(one)) not in known}
        known.update(new)
        return [f"{pair}: {name} twice" for name in set(names) if names.count(name) > 1] + [
            f"{pair}: {text}" for one in new.values() for text in errors(one)]

    with ThreadPoolExecutor(4) as pool:
        found = [text for texts in pool.map(wrong, pairs) for text in texts]
    assert len(pairs) > 100 and not found


def test_rendering_says_the_same_twice() -> None:
    assert built(PLACE / "overlays" / "edge") == built(PLACE / "overlays" / "edge")


@pytest.mark.parametrize("name", OVERLAYS)
def test_images_are_named_by_every_overlay(name: str) -> None:
    """What names an image that is not there is passed over in silence."""
    images = {str(c["image"]) for one in World(list(overlay(name))).workloads for c in one.containers}
    assert images and all("@sha256:" in image or ":" in image.rpartition("/")[2] for image in images)
    ours = {image for image in images if "lifang/" in image}
    assert len(ours) == 8


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_new_environment_rolls_out(name: str) -> None:
    """What is told has a name of its content."""
    told = [title(one) for one in overlay(name) if one["kind"] == "ConfigMap"]
    assert told and all(len(one.rpartition("-")[2]) == 10 for one in told)


def test_there_are_four_overlays() -> None:
    assert OVERLAYS == ("dev", "edge", "prod", "staging")
