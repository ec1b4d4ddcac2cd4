"""A look at who could open a door has a purpose and is recorded."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.eventkit.decider import Refused
from services.gateway.domain.look_backs import LOOK_BACKS, LookAtRights, RightsLookedAt, decide_look_at_rights

LOOK = LookAtRights(UUID(int=1), UUID(int=2), "police", " a theft on Monday ", 7, datetime(2026, 1, 2, tzinfo=UTC))


def test_it_is_recorded_with_all_that_was_asked():
    [event] = decide_look_at_rights(LOOK, None)
    assert event == RightsLookedAt(UUID(int=1), UUID(int=2), "police", "a theft on Monday", 7, LOOK.at)
    assert decide_look_at_rights(LOOK, LOOK_BACKS.fold([event])) == [event], "each time"


@pytest.mark.parametrize("purpose", ["", "    ", "abc", "  abc  "])
def test_without_a_purpose_nobody_looks(purpose: str):
    with pytest.raises(Refused) as refused:
        decide_look_at_rights(replace(LOOK, purpose=purpose), None)
    assert (refused.value.code, refused.value.facts) == ("purpose_missing", {"shortest": 4})
