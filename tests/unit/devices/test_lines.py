from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.devices.domain.lines import LINES, FindSilent, HearAgain, LineBack, LineEvent, LineSilent

PANEL, NOW = UUID(int=1), datetime(2026, 3, 1, tzinfo=UTC)
SILENT, BACK = LineSilent(PANEL, 60, NOW), LineBack(PANEL)


def when(command: Any, *events: LineEvent) -> Sequence[LineEvent]:
    return LINES.decide[type(command)](command, LINES.fold(events))


def test_a_line_is_silent_when_nothing_came_for_longer_than_its_limit() -> None:
    assert when(FindSilent(PANEL, 60, 60.1, NOW)) == [SILENT]
    assert when(FindSilent(PANEL, 60, 60.1)) == [LineSilent(PANEL, 60, None)]
    assert when(FindSilent(PANEL, 60, 61, NOW), SILENT, BACK) == [SILENT]


@pytest.mark.parametrize(("limit", "quiet"), [(60, 60.0), (60, 0.0), (0, 9999.0)])
def test_until_then_and_unsupervised_it_is_not(limit: int, quiet: float) -> None:
    assert when(FindSilent(PANEL, limit, quiet)) == []


def test_what_is_silent_is_not_told_again() -> None:
    assert when(FindSilent(PANEL, 60, 999), SILENT) == []


def test_it_is_back_once_something_is_heard() -> None:
    assert when(HearAgain(PANEL), SILENT) == [BACK]
    assert when(HearAgain(PANEL)) == when(HearAgain(PANEL), SILENT, BACK) == []
