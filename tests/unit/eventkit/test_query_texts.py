"""What is asked of a view is compiled once for all queries of a shape: the text is the plain one's, the values are each query's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, MetaData, Select, Table, Text, Uuid, select
from sqlalchemy.sql.compiler import SQLCompiler

from libs.eventkit import db

ROOMS = Table("rooms", MetaData(), Column("community_id", Uuid, primary_key=True), Column("room_id", Uuid), Column("name", Text))


def asked(community_id: UUID, ids: Sequence[UUID], limit: int, name: str | None = None) -> Select[Any]:
    query = select(ROOMS).where(ROOMS.c.community_id == community_id, ROOMS.c.room_id.in_(ids)).limit(limit)
    return query if name is None else query.where(ROOMS.c.name == name)


def plain(query: Select[Any]) -> tuple[str, list[Any]]:
    compiled = query.compile(dialect=db._DIALECT, compile_kwargs={"render_postcompile": True})
    assert isinstance(compiled, SQLCompiler)
    return str(compiled), [compiled.params[name] for name in compiled.positiontup or ()]


@pytest.mark.parametrize("many", (0, 1, 2, 5))
@pytest.mark.parametrize("name", (None, "", "A 1"))
def test_each_query_has_the_plain_text_and_its_own_values(many: int, name: str | None):
    for _ in range(2):  # the second time from memory
        query = asked(uuid4(), [uuid4() for _ in range(many)], many + 1, name)
        text, values = db.ready(query)
        assert (text, list(values)) == plain(query)


def test_only_the_first_of_a_shape_is_compiled(monkeypatch: pytest.MonkeyPatch):
    db.ready(asked(uuid4(), [uuid4()], 1))
    monkeypatch.setattr(Select, "compile", None)
    db.ready(asked(uuid4(), [uuid4(), uuid4()], 2))
    with pytest.raises(TypeError):
        db.ready(select(ROOMS.c.name).limit(3))


def numbered(community_id: UUID, name: str, room_id: UUID) -> Select[Any]:
    r = ROOMS.c
    return select(r.name).where(r.room_id == room_id, r.community_id == community_id, (r.name == name) | (r.name == "hall"))


def test_a_fixed_query_is_built_once_and_says_what_it_would_say_each_time(monkeypatch: pytest.MonkeyPatch):
    fixed = db.fixed(numbered)
    for community_id, name, room_id in ((uuid4(), "A 1", uuid4()), (uuid4(), "hall", uuid4())):
        text, values = plain(numbered(community_id, name, room_id))
        assert fixed(community_id, name, room_id) == (text, values) == db.ready(fixed(community_id, name, room_id))
        monkeypatch.setattr(Select, "where", None)
        assert fixed(community_id, name, room_id).values == values
        monkeypatch.undo()
    with pytest.raises(ValueError):
        fixed(uuid4(), "A 1")


def test_a_connection_of_readers_is_used_in_one_place():
    """Where it is told what it may see (decision 0027)."""
    root = Path(__file__).parents[3]
    code = [path for folder in ("libs", "services", "cli") for path in (root / folder).rglob("*.py")]
    assert [path.name for path in code for line in path.read_text().splitlines() if '_open("read"' in line] == ["db.py"]
