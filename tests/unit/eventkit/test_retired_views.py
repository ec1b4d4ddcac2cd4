"""Whoever reads a type forgets what retention has blanked of it, however the view finds out that it is one; others may do so too."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct
from sqlalchemy import Column, MetaData, Table, Uuid

from libs.eventkit.recorded import Catalogue, Meta, Recorded, Retired
from libs.eventkit.views import View, Where, _anew

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Passed(Struct, frozen=True, tag="toy.passed"):
    person_id: UUID
    kind: str


class Opened(Struct, frozen=True, tag="toy.opened"):
    person_id: UUID


def by_instance(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, Passed):
        yield {"id": event.person_id}


def by_field(event: Any, row: Recorded) -> Iterable[Where]:
    match event:
        case Passed(kind="card"):
            yield {}


def by_many(event: Any, row: Recorded) -> Iterable[Where]:
    match event:
        case Opened() | Passed():
            yield {}


def by_name(event: Any, row: Recorded) -> Iterable[Where]:
    if row.type == "toy.passed":
        yield {}


def by_type(event: Any, row: Recorded) -> Iterable[Where]:
    if type(event) in {Passed: 1}:
        yield {}


def anew(reads: Any, *types: str) -> bool:
    table = Table("rows", MetaData(), Column("community_id", Uuid, primary_key=True), Column("id", Uuid, primary_key=True))
    view = View(table=table, project=lambda rows, event, row: None, reads=reads)
    said = b'{"type":"retired","name":"x","types":[%s],"first":1,"upto":2,"count":1,"before":"2026-01-01T00:00:00Z"}' % (
        b",".join(b'"%s"' % name.encode() for name in types))
    row = Recorded(3, 1, uuid4(), f"retention:{uuid4()}", 1, uuid4(), "retired", 1, said.decode(), Meta(), None, None, NOW)
    found = _anew([view], Catalogue((Passed, Opened, Retired)), [row])
    assert found in (set(), {("rows", row.community_id)})
    return bool(found)


@pytest.mark.parametrize("reads", [by_instance, by_field, by_many, by_name, by_type])
def test_who_reads_the_type_however_it_is_found_forgets(reads: Any):
    assert anew(reads, "toy.passed") and anew(reads, "toy.opened", "toy.passed")
