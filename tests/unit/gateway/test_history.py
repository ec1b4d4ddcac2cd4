"""The types that a look back reads are those that its views read."""

import pytest

from cli import streams
from libs.eventkit.recorded import tag_of
from services.gateway import history
from services.gateway.main import SERVICE
from tests.kit import recorded

VIEWS = [view for view in SERVICE.views if view.name in history.TYPES]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_no_event_that_a_view_reads_is_left_out(view):
    read = set()
    for kind in SERVICE.contracts:
        for seed in range(1, 8):
            event = streams.example(kind, seed)
            if list(view.reads(event, recorded(event))):
                read.add(kind)
    assert read <= set(history.TYPES[view.name])
    assert read, "the examples reach it"


def test_every_type_is_one_that_the_gateway_hears():
    assert {tag_of(kind) for kinds in history.TYPES.values() for kind in kinds} <= set(SERVICE.catalogue().types)
