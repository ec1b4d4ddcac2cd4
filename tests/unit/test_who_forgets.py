"""Whoever reads an event, in whatever form it comes, forgets what retention has blanked of its type; who cannot is left alone."""

import random
import types
from functools import cache
from itertools import chain
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from msgspec import Struct

from cli import streams
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import Service
from libs.eventkit.views import View, _may_read
from tests.kit import recorded

FORMS = 24
ASKS_ANY = {"gateway_stories", "gateway_stays"}
"""Views that look into events of every type, or into some that they then leave."""
hints = cache(get_type_hints)


def form(kind: Any, dice: random.Random) -> Any:
    """A value of a type, with every choice that it leaves thrown for."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return dice.choice(arguments)
    if origin in (Union, types.UnionType):
        return form(dice.choice(arguments), dice)
    if origin is tuple and Ellipsis not in arguments:
        return tuple(form(a, dice) for a in arguments)
    if origin in (tuple, list, frozenset):
        return origin(form(arguments[0], dice) for _ in range(dice.randrange(3)))
    if kind in (bool, type(None)):
        return None if kind is not bool else dice.random() < 0.5
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind(**{name: form(hint, dice) for name, hint in hints(kind).items() if name in kind.__struct_fields__})
    return streams.example(kind, dice.randrange(1, 9))


def reads(view: View, event: Struct, row: Recorded) -> bool:
    try:
        return bool([*view.reads(event, row)])
    except Exception:
        return True


@pytest.mark.parametrize("service", list(streams.services()), ids=lambda s: s.name)
def test_whoever_reads_a_type_forgets_it_and_few_others_do(service: Service):
    dice, kinds = random.Random(1), [*service.catalogue().types.values()]
    forms = {kind: [form(kind, dice) for _ in range(FORMS)] for kind in kinds}
    rows = [(event, recorded(event, stream=dice.choice([None, f"any:{UUID(int=dice.randrange(9))}"]))) for event in chain(*forms.values())]
    read = {(view.name, type(event)) for view in service.views for event, row in rows if reads(view, event, row)}
    forget = {(view.name, kind) for view in service.views for kind in kinds if _may_read(view, kind, rows[0][1])}
    assert read <= forget
    assert {view for view, _ in read} == {view.name for view in service.views}, "the forms reach every view"
    assert {view for view, _ in forget - read} <= ASKS_ANY
