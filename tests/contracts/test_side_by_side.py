"""Every contract that a service hears, from a writer one version ahead: fields it does not know are ignored, versions it does not know
are not guessed at, types it does not know are passed over."""

import importlib
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, json
from msgspec.structs import replace

from libs.eventkit.recorded import Catalogue, Recorded, UnknownVersion, tag_of
from libs.eventkit.service import Service
from tests.kit import recorded

GOLDEN = Path(__file__).parent / "golden" / "public"
SERVICES: dict[str, Service] = {
    name: importlib.import_module(f"services.{name}.main").SERVICE
    for name in ("access", "alarm", "devices", "gateway", "identity", "neighbors", "parking")}
HEARD = [(name, kind) for name, service in SERVICES.items() for kind in service.contracts]
FILES = {path.name: path for path in GOLDEN.rglob("*.json")}


class Unheard(Struct, frozen=True, tag="nobody.heard_of"):
    pass


def row_of(kind: type[Struct]) -> Recorded:
    version, row = getattr(kind, "VERSION", 1), recorded(Unheard(), source="other")
    return replace(row, type=tag_of(kind), schema=version, data=FILES[f"{tag_of(kind)}.v{version}.json"].read_text())


@pytest.mark.parametrize(("service", "kind"), HEARD, ids=lambda one: one if isinstance(one, str) else tag_of(one))
def test_an_old_listener_beside_a_new_writer(service: str, kind: type[Struct]):
    catalogue: Catalogue = SERVICES[service].catalogue()
    row = row_of(kind)
    known = catalogue.read(row)
    assert type(known) is kind
    body: dict[str, Any] = json.decode(row.data)
    more = replace(row, data=json.encode({**body, "added_in_the_next_version": {"a": [1]}}).decode())
    assert catalogue.read(more) == known
    with pytest.raises(UnknownVersion):
        catalogue.read(replace(row, schema=row.schema + 1))


@pytest.mark.parametrize("service", SERVICES)
def test_a_type_that_is_not_known_is_nothing(service: str):
    assert SERVICES[service].catalogue().read(recorded(Unheard(), source="other")) is None
