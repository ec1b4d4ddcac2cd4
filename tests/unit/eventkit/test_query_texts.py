"""What is asked of a view is compiled once for all queries of a shape: the text is the plain one's, the values are each query's own."""

from collections.abc import Sequence
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
        text, values = db._text(query)
        assert (text, list(values)) == plain(query)


def test_only_the_first_of_a_shape_is_compiled(monkeypatch: pytest.MonkeyPatch):
    db._text(asked(uuid4(), [uuid4()], 1))
    monkeypatch.setattr(Select, "compile", None)
    db._text(asked(uuid4(), [uuid4(), uuid4()], 2))
    with pytest.raises(TypeError):
        db._text(select(ROOMS.c.name).limit(3))
