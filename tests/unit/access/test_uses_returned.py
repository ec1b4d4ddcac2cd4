"""What became of an opening for which a visitor's pass was used: an arrival, or the use given back."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from libs.contracts import devices
from libs.eventkit.recorded import Catalogue, Recorded
from services.access.domain.admission import Fact
from services.access.domain.openings import ConcludeOpening, DoorOpened, DoorOpeningOrdered
from services.access.domain.pass_history import VisitorPassUsed
from services.access.domain.visitor_passes import RecordArrival, ReturnUse
from services.access.reactions import openings_concluded
from tests.kit import recorded

LIVING, ANN, HOME, ORDER, PASS, LOT = (UUID(int=n) for n in range(1, 7))
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def logged(opening: list[Any], others: dict[UUID, Any] | None = None) -> Any:
    """A log that holds these events."""
    catalogue, kept = Catalogue((DoorOpeningOrdered, DoorOpened, VisitorPassUsed)), others or {}

    async def stream(name: str) -> list[Recorded]:
        return [recorded(e, stream=name, version=n) for n, e in enumerate(opening, 1)] if name == f"opening:{ORDER}" else []

    async def event(event_id: UUID) -> Recorded | None:
        return recorded(kept[event_id], event_id=event_id) if event_id in kept else None

    return SimpleNamespace(catalogue=catalogue, log=SimpleNamespace(stream=stream, event=event))


async def asked(react: Any, event: Any) -> list[Any]:
    return [do.command for do in await react(event, recorded(event, source="devices"))]


async def test_what_became_of_a_visitors_opening_is_their_arrival_or_gives_the_use_back() -> None:
    use = VisitorPassUsed(PASS, ANN, HOME, ORDER, "community", True, NOW, "visitor_pass", "allowed_by_visitor_pass")
    facts = (Fact(HOME, "door"), Fact(PASS, "visitor_pass"), Fact(LIVING, "use"))
    opening = [DoorOpeningOrdered(ORDER, HOME, LOT, 1, "qr", None, "visitor_pass", "allowed_by_visitor_pass", facts)]
    on = openings_concluded(logged(opening, {LIVING: use})).on
    carried_out, failed = devices.DoorOrderCarriedOut(ORDER, LOT, 1), devices.DoorOrderFailed(ORDER, LOT, 1, "expired")
    assert await asked(on[type(carried_out)], carried_out) == [ConcludeOpening(ORDER), RecordArrival(PASS, NOW, "door", ORDER)]
    assert await asked(on[type(failed)], failed) == [ConcludeOpening(ORDER, "expired"), ReturnUse(PASS, ORDER, "expired")]
    on = openings_concluded(logged([*opening, DoorOpened(ORDER, HOME, None)], {LIVING: use})).on
    assert await asked(on[type(failed)], failed) == [ConcludeOpening(ORDER, "expired")], "it has opened"
    assert len(await asked(on[type(carried_out)], carried_out)) == 2, "a crash in between loses no arrival"


async def test_a_residents_opening_is_nobodys_use() -> None:
    opening = [DoorOpeningOrdered(ORDER, HOME, LOT, 1, "remote", ANN, "residence", "allowed_by_residence", (Fact(HOME, "door"),))]
    on = openings_concluded(logged(opening)).on
    for event in (devices.DoorOrderCarriedOut(ORDER, LOT, 1), devices.DoorOrderFailed(ORDER, LOT, 1, "expired")):
        assert len(await asked(on[type(event)], event)) == 1
