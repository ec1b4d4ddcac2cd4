from functools import reduce
from typing import Any
from uuid import UUID

import pytest

from libs.eventkit.decider import Refused
from services.devices.domain.refusals import (
    REFUSALS,
    AttemptRefusal,
    EndRefusal,
    ExpireRefusal,
    RefusalAttempted,
    RefusalFailed,
    RefusalTold,
)

REPORT, DEVICE = UUID(int=1), UUID(int=2)
ATTEMPTED = RefusalAttempted(REPORT, DEVICE, 7)


def when(command: Any, *events: Any) -> list[Any]:
    return REFUSALS.decide[type(command)](command, reduce(REFUSALS.evolve, events, REFUSALS.initial))


def test_a_refusal_is_attempted_once() -> None:
    attempt = AttemptRefusal(REPORT, DEVICE, 7)
    assert when(attempt) == [ATTEMPTED]
    assert when(attempt, ATTEMPTED) == when(attempt, ATTEMPTED, RefusalTold(REPORT, DEVICE)) == []


def test_it_ends_once_as_the_device_said() -> None:
    assert when(EndRefusal(REPORT, DEVICE), ATTEMPTED) == [RefusalTold(REPORT, DEVICE)]
    assert when(EndRefusal(REPORT, DEVICE, "unreachable", "x"), ATTEMPTED) == [RefusalFailed(REPORT, DEVICE, "unreachable", "x")]
    assert when(EndRefusal(REPORT, DEVICE, "unknown"), ATTEMPTED, RefusalTold(REPORT, DEVICE)) == []
    with pytest.raises(Refused, match="refusal_not_attempted"):
        when(EndRefusal(REPORT, DEVICE))


def test_too_late_it_is_not_told_at_all() -> None:
    expired = RefusalFailed(REPORT, DEVICE, "expired")
    assert when(ExpireRefusal(REPORT, DEVICE)) == [expired]
    assert when(ExpireRefusal(REPORT, DEVICE), ATTEMPTED) == when(AttemptRefusal(REPORT, DEVICE, 7), expired) == []
