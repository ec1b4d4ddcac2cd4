"""S19 and S20: nothing starts on a secret that somebody could guess, and nothing is installed that is not what was locked."""

import base64
import os
import re
import shutil
from importlib import import_module
from pathlib import Path

import pytest

from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.settings import Settings
from tests.security.conftest import SERVICES

ROOT = Path(__file__).parents[2]
KEYS = ("blind-index", "kek-contact", "kek-credential", "kek-device-raw", "kek-id-number", "kek-neighbor", "kek-plate",
        "kek-webhook", "signing-seed", "visitor-qr-seed")
OF = {"signing-seed": "identity", "visitor-qr-seed": "access"}
"""The one service that is given it; the others are everybody's."""
PLACEHOLDERS = (
    "", "changeme", "CHANGE-ME-PLEASE-CHANGE-ME", "password", "secret", "lifang", "x" * 43, "A" * 43, "ab" * 22, "<secret>", "${SECRET}",
    base64.urlsafe_b64encode(b"changeme" * 4).decode(), base64.urlsafe_b64encode(bytes(32)).decode())


@pytest.fixture
def directory(secrets: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(secrets, tmp_path / "secrets"))


def start(service: str, directory: Path, **more: object) -> None:
    """As far as a service gets without its database."""
    settings = Settings(service=service, database_url=f"postgresql://{service}_owner@127.0.0.1:1/{service}", secrets=directory, **more)
    app = App(import_module(f"services.{service}.main").SERVICE, settings)
    web(app)


@pytest.mark.parametrize("service", SERVICES)
def test_with_secrets_of_its_own_each_service_starts(directory: Path, service: str):
    start(service, directory, demo=True)


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_key_that_is_none_stops_the_start(directory: Path, name: str, text: str):
    (directory / name).write_text(text)
    with pytest.raises(ValueError) as refused:
        start(OF.get(name, "access"), directory)
    assert name in str(refused.value), "it says which"
    assert len(text) < 9 or text not in str(refused.value), "and never what is in it"


@pytest.mark.parametrize(("name", "service"), [("kafka-access", "access"), ("demo", "identity"), ("payment-local", "parking")])
@pytest.mark.parametrize("text", PLACEHOLDERS[:-2])
def test_a_word_that_is_none_stops_the_start(directory: Path, name: str, service: str, text: str):
    (directory / name).write_text(text)
    with pytest.raises(ValueError) as refused:
        start(service, directory, demo=True, kafka_user="access" if name.startswith("kafka") else "")
    assert name in str(refused.value)


def test_a_secret_that_is_not_there_is_named(directory: Path):
    (directory / "blind-index").unlink()
    with pytest.raises(FileNotFoundError, match="blind-index"):
        start("access", directory)


def test_what_a_stack_makes_for_itself_is_accepted_and_never_twice_the_same(tmp_path: Path):
    from cli.place import Place
    from cli.stack import secrets

    places = [Place(tmp_path / name) for name in ("one", "two")]
    for place in places:
        place.make()
        secrets.ensure(place)
    one, two = ({p.name: p.read_text() for p in place.secrets.iterdir()} for place in places)
    assert set(one) == set(two)
    assert not set(one.values()) & set(two.values())
    for name in one:
        Settings(service="x", database_url="", secrets=places[0].secrets).secret(name)


def packages(lock: Path) -> dict[str, list[str]]:
    blocks = re.split(r"\n(?=\S)", "\n" + lock.read_text().replace("\\\n", " "))
    found = (block.split() for block in blocks if block.strip() and not block.strip().startswith("#"))
    return {words[0]: [word for word in words if word.startswith("--hash=")] for words in found}


@pytest.mark.parametrize(
    "lock", ["requirements.lock", "deploy/image/requirements.lock", "bench/requirements.lock", "cli/stack/java.lock"])
def test_every_package_is_locked_to_a_version_and_to_hashes(lock: str):
    found = packages(ROOT / lock)
    assert found
    for name, hashes in found.items():
        assert re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[A-Za-z0-9.!+-]+", name), name
        assert hashes and all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in hashes), name


def test_what_is_asked_for_is_locked_and_installed_by_hash_alone():
    locked = {re.split(r"[\[=]", name)[0] for name in packages(ROOT / "requirements.lock")}
    assert asked("requirements.in") | asked("deploy/image/requirements.in") <= locked
    assert "--require-hashes" in (ROOT / "lifang").read_text()


def test_an_image_has_what_is_tested_and_no_tools():
    """Of the packages that Lifang runs with the very ones of requirements.lock; nothing that only tests and the local stack need."""
    of_image, of_all = packages(ROOT / "deploy/image/requirements.lock"), packages(ROOT / "requirements.lock")
    assert {name: hashes for name, hashes in of_all.items() if name in of_image} == of_image
    named = {re.split(r"[\[=]", name)[0] for name in of_image}
    assert asked("deploy/image/requirements.in") <= named
    assert not (asked("requirements.in") | {"pip", "setuptools", "wheel"}) & named
    assert "-r deploy/image/requirements.in" in (ROOT / "requirements.in").read_text().splitlines()
    assert "--require-hashes" in (ROOT / "Dockerfile").read_text()


def asked(file: str) -> set[str]:
    lines = (line.strip() for line in (ROOT / file).read_text().splitlines())
    return {re.split(r"[\[=<>]", line)[0] for line in lines if line and not line.startswith(("#", "-r "))}


def test_kafkas_jars_are_locked_to_hashes():
    lines = [line for line in (ROOT / "cli/stack/kafka.lock").read_text().splitlines() if line and not line.startswith("#")]
    assert len(lines) > 20
    assert all(re.fullmatch(r"[\w.-]+:[\w.-]+:[\w.-]+ sha256:[0-9a-f]{64}", line) for line in lines)


def test_no_secret_lies_in_the_repository():
    """Nor does a file whose name says that it would hold one."""
    looked = 0
    for folder, inside, names in os.walk(ROOT):
        inside[:] = [name for name in inside if name not in (".venv", ".lifang", ".git", "node_modules")]  # servers write there meanwhile
        for name in names:
            looked += 1
            assert not name.endswith((".pem", ".key", ".p12")) and not name.startswith((".env", "kek-")), Path(folder, name)
    assert looked > 500


def test_random_bytes_are_no_placeholder():
    from libs.eventkit.privacy import base64url, secret_bytes

    for _ in range(1000):
        assert secret_bytes(base64url(os.urandom(32)), "x")
