"""A lot, its lanes, a plate right and a stay of one hour's beginning, for the tests of what may be done with them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.eventkit.decider import Decider
from libs.eventkit.sealed import Sealed
from services.parking.domain.judging import Fact, Judgement
from services.parking.domain.lanes import LaneInstalled
from services.parking.domain.lots import LotOpened
from services.parking.domain.passages import Seen
from services.parking.domain.plate_rights import PlateRightGranted
from services.parking.domain.published_tariffs import residential_visitors
from services.parking.domain.stays import SessionBegun, Under
from services.parking.domain.tariffs import Adoption

LOT, LANE, CAMERA, RIGHT, SESSION, PASSAGE, PAYMENT, KEY, ANN, FINDING = (UUID(int=n) for n in range(1, 11))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PLATE = Sealed(KEY, RIGHT, "plate", "box")
OPENED = LotOpened(LOT, "lot", "Asia/Shanghai", {"ground": 2, "below": 0}, True, 900)
ADOPTION = Adoption(residential_visitors(), date(2020, 1, 1))
ADOPTIONS = (ADOPTION,)
INSTALLED = LaneInstalled(LANE, LOT, "East", "in", "ground", CAMERA, 1)
GRANTED = PlateRightGranted(RIGHT, "permit", PLATE, LOT)
BEGUN = SessionBegun(SESSION, LOT, "ground", "Asia/Shanghai", 900, PLATE, False, ("blue", "car"), None, NOW)
UNDER = Under(RIGHT, "permit", ANN)
YES = Judgement(True, "tariff", "pays_by_tariff", (Fact(LANE, "lane"),))
NO = Judgement(False, "room", "lot_full", (Fact(LANE, "lane"),))
SEEN = Seen(plate=PLATE, colour="blue", vehicle_kind="car", at=NOW)


def deciding(decider: Decider[Any, Any]) -> Callable[..., list[Any]]:
    """What is decided on a command after these events."""
    def when(command: Any, *events: Any) -> list[Any]:
        return decider.decide[type(command)](command, decider.fold(events))

    return when
