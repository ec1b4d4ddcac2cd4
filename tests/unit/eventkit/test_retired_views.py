"""Whoever reads a type forgets what retention has blanked of it, however the view finds out that it is one; others are left alone."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
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


def by_equality(event: Any, row: Recorded) -> Iterable[Where]:
    if type(event) == Passed and event.kind == "card":  # noqa: E721
        yield {}


def by_absence(event: Any, row: Recorded) -> Iterable[Where]:
    if isinstance(event, Passed) and event.kind is None:
        yield {}


def by_its_place(event: Any, row: Recorded) -> Iterable[Where]:
    if type(event) in {Passed: 1} and row.subject.startswith("door:"):
        yield {}


def by_having_it(event: Any, row: Recorded) -> Iterable[Where]:
    if getattr(event, "kind", None) == "card":
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


WAYS = [by_instance, by_field, by_many, by_name, by_type, by_equality, by_absence, by_its_place, by_having_it]


@pytest.mark.parametrize("reads", WAYS)
def test_who_reads_the_type_however_it_is_found_forgets(reads: Any):
    assert anew(reads, "toy.passed") and anew(reads, "toy.opened", "toy.passed")


@pytest.mark.parametrize("reads", [w for w in WAYS if w not in (by_many, by_having_it)])
def test_who_does_not_is_left_alone(reads: Any):
    assert not anew(reads, "toy.opened") and not anew(reads)


def test_no_view_goes_by_the_identity_of_a_type():
    """The one way that is not found out: then it would keep what is blanked."""
    modules = [path for path in (Path(__file__).parents[3] / "services").rglob("*.py") if "views" in str(path)]
    assert len(modules) > 30 and not [path for path in modules if "type(event) is" in path.read_text()]
