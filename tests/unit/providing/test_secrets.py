"""Secrets of an installation: made once, shown never, given to each holder as far as it needs them."""

import base64
import re
import stat
from importlib import import_module
from pathlib import Path

import pytest

from cli.providing import databases, holders, secrets
from cli.stack.secrets import HEX, KEYS, WORDS
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.settings import Settings

README = Path(__file__).parents[3] / "deploy" / "README.md"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in ("vault", "kafka", *holders.holders()):
        (tmp_path / name).mkdir()
    return tmp_path


def files(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()}


def test_each_holder_is_given_what_it_needs_and_no_more(directory: Path):
    made = secrets.keep(directory)
    assert set(made) == {path.name for path in (directory / "vault").iterdir()}
    for holder, names in holders.holders().items():
        assert {path.name for path in (directory / holder).iterdir()} == set(names)
        assert all((directory / holder / name).read_text() == (directory / "vault" / name).read_text() for name in names)
    assert set(KEYS) | set(WORDS) | set(HEX) <= set(made), "nothing that the local stack has is missing"


def test_a_second_time_nothing_is_made_and_nothing_changes(directory: Path):
    secrets.keep(directory)
    before = files(directory)
    assert secrets.keep(directory) == []
    assert files(directory) == before


def test_what_an_operator_puts_into_the_vault_goes_out_and_what_is_nobodys_goes(directory: Path):
    secrets.keep(directory)
    (directory / "vault" / "kek-plate").chmod(0o600)
    with open(directory / "vault" / "kek-plate", "a") as file:
        file.write("another\n")
    (directory / "alarm" / "kek-plate").write_text("left behind")
    secrets.keep(directory)
    assert (directory / "parking" / "kek-plate").read_text().endswith("\nanother\n")
    assert not (directory / "alarm" / "kek-plate").exists()


def test_they_are_random_readable_by_owner_and_group_alone_and_never_shown(directory: Path, capsys: pytest.CaptureFixture[str],
                                                                         monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.argv", ["secrets", str(directory)])
    secrets.main()
    said = "".join(capsys.readouterr())
    vault = {path.name: path.read_text().strip() for path in (directory / "vault").iterdir()}
    assert len(set(vault.values())) == len(vault)
    assert not [name for name, value in vault.items() if value in said]
    assert all(stat.S_IMODE(path.stat().st_mode) in (0o400, 0o440) for path in directory.rglob("*") if path.is_file())


def test_kafka_is_told_its_administrator_and_asks_everybody(directory: Path):
    secrets.keep(directory)
    told = (directory / "kafka" / "server.properties").read_text()
    assert (directory / "vault" / "kafka-admin").read_text().strip() in told
    assert "advertised.listeners=CLIENTS://kafka:9092\n" in told and "CONTROLLER://127.0.0.1:9093" in told
    assert "allow.everyone.if.no.acl.found=false\n" in told and "auto.create.topics.enable=false\n" in told
    assert (directory / "kafka" / "log4j2.properties").exists()


@pytest.mark.parametrize("service", holders.SERVICES)
@pytest.mark.parametrize("demo", [False, True])
def test_a_service_and_its_migration_start_with_no_more_than_they_are_given(directory: Path, tmp_path: Path, service: str, demo: bool):
    secrets.keep(directory)
    app(service, directory / service, demo, kafka_user=service)
    alone = tmp_path / "migration"
    alone.mkdir()
    for name in holders.of_migration(service):
        (alone / name).write_text((directory / "vault" / name).read_text())
    app(service, alone, demo, whole=False).checkpoints()
    assert app(service, directory / "keeper", demo, whole=False, kafka_user="keeper").checkpoints() is not None


@pytest.mark.parametrize("names", [holders.of_keeper(), *map(holders.of_migration, holders.SERVICES)])
def test_who_keeps_or_migrates_a_log_is_given_nothing_that_opens_finds_or_signs(names: tuple[str, ...]):
    assert all(name.startswith(("db-", "kafka-keeper")) for name in names), names


def app(service: str, directory: Path, demo: bool, whole: bool = True, kafka_user: str = "") -> App:
    settings = Settings(
        service=service, database_url=f"postgresql://nowhere:1/{service}", secrets=directory, demo=demo, kafka_user=kafka_user)
    found = App(import_module(f"services.{service}.main").SERVICE, settings)
    if whole:
        web(found)
        assert settings.role_url("log").startswith(f"postgresql://{service}_log:") and settings.role_url("read").count(":") == 3
    return found


def test_the_readme_has_the_same_table():
    rows = dict(re.findall(r"^\| (identity|access|devices|parking|alarm|neighbors|gateway) \| (.*) \|$", README.read_text(), re.M))
    assert {service: tuple(re.findall(r"`([^`]+)`", row)) for service, row in rows.items()} == dict(holders.OF)


def test_a_verifier_is_of_its_password_alone():
    """Of RFC 7677's own example: the keys that its proofs are made with."""
    kept = databases.verifier("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    assert kept == ("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
                    ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")
    assert databases.is_of(kept, "pencil")
    assert not databases.is_of(kept, "pencils") and not databases.is_of(None, "pencil") and not databases.is_of("md5abc", "pencil")


def test_an_address_carries_the_password_quoted():
    assert databases.address("postgresql://postgres@host:5432/x", "a/b@c:") == "postgresql://postgres:a%2Fb%40c%3A@host:5432/x"
