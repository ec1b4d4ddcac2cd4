import os
from collections.abc import Iterator

import pytest

from tests.deploy import making
from tests.deploy.installation import Installation

NO_ENGINE = "no container engine: DOCKER_HOST names none"
NO_BASE = f"{making.PYTHON} is not here, and no registry answers that has it"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where there is no engine one test is left to say so, for all."""
    if os.environ.get("DOCKER_HOST"):
        return
    mine = [item for item in items if "engine" in getattr(item, "fixturenames", ())]
    if rest := set(mine[1:]):
        mine[0].add_marker(pytest.mark.skip(reason=f"{NO_ENGINE}; {len(mine)} tests are skipped"))
        items[:] = [item for item in items if item not in rest]
        config.hook.pytest_deselected(items=list(rest))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its address; with images that stand in for the public ones, where those are not there."""
    address = os.environ.get("DOCKER_HOST")
    if not address:
        pytest.skip(NO_ENGINE)
    if not (making.there(making.PYTHON) or making.pulled(making.PYTHON)):
        pytest.skip(NO_BASE)
    for tag, make in ((making.POSTGRES, making.postgres), (making.KAFKA, making.kafka)):
        if not making.there(tag):
            make(tag, tmp_path_factory.mktemp("image"))
    making.give_builder()
    return address


@pytest.fixture(scope="session")
def installation(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """From nothing, built from this checkout; gone with all it had at the end."""
    found = Installation(tmp_path_factory.mktemp("installation"))
    found.down("--volumes")
    try:
        found.compose("build")
        found.took = found.up()
        yield found
    finally:
        found.down("--volumes")
