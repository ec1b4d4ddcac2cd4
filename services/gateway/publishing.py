"""What authorities hear: own event → contract, one for one. Pure."""

from typing import Any

from msgspec import Struct

from libs.contracts import government as public
from libs.eventkit.commands import Public
from libs.eventkit.recorded import Recorded
from services.gateway.domain import government

SAID: dict[type, type[Struct]] = {
    government.IncidentOpened: public.IncidentOpened,
    government.IncidentProgressed: public.IncidentProgressed,
    government.IncidentOverdue: public.IncidentOverdue,
    government.IncidentRecurred: public.IncidentRecurred,
    government.FireReleased: public.FireReleased,
}


def publish(event: Any, row: Recorded) -> tuple[Public, ...]:
    contract = SAID.get(type(event))
    if contract is None:
        return ()
    body = contract(**{name: getattr(event, name) for name in contract.__struct_fields__})
    return (Public(body, subject=f"incident:{event.incident_id}"),)
