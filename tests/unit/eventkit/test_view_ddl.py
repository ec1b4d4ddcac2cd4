"""The shape of a view is told by its table alone: where it seems another one, the view is thrown away and folded again."""

from itertools import permutations

from sqlalchemy import Column, Index, MetaData, Table, Text, Uuid

from cli.migrating.statements import of_view
from libs.eventkit.views import View


def view(order: tuple[str, ...]) -> View:
    columns = [Column(name, Text) for name in ("a", "b", "c")]
    table = Table("things", MetaData(), Column("community_id", Uuid, primary_key=True), Column("id", Uuid, primary_key=True), *columns)
    for name in order:
        Index(f"things_by_{name}", table.c[name])
    return View(table=table, project=lambda rows, event, row: None, reads=lambda event, row: ())


def test_the_order_in_which_indexes_come_makes_no_other_shape():
    assert len({of_view(view(order), "toy") for order in permutations("abc")}) == 1
