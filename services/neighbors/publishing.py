"""What others hear of neighbors: own event → public contracts. Pure."""

from typing import Any

from msgspec import Struct, structs

from libs.contracts import neighbors as public
from libs.contracts.access import Fact
from libs.contracts.fields import SealedField
from libs.eventkit.commands import Public
from libs.eventkit.erasing import ErasureConfirmed
from libs.eventkit.recorded import Recorded
from services.neighbors.domain import broadcasts, circles, notices, receipts, tellings
from services.neighbors.domain.display_names import DisplayNameChosen

SAME: dict[type, type[Struct]] = {
    notices.NoticePosted: public.NoticePosted,
    notices.NoticeWithdrawn: public.NoticeWithdrawn,
    receipts.NoticeRead: public.NoticeRead,
    broadcasts.BroadcastEnded: public.BroadcastEnded,
}
"""Events that others hear as they are."""
NARROWED: dict[type, type[Struct]] = {
    circles.MemberJoined: public.CircleJoined,
    circles.MemberLeft: public.CircleLeft,
    tellings.ResidentTold: public.ResidentTold,
    tellings.ResidentNotTold: public.ResidentNotTold,
}
"""Events of which others hear less."""


def publish(event: Any, row: Recorded) -> tuple[Public, ...]:
    match event:
        case DisplayNameChosen(resident_id=resident_id, name=name):
            return (Public(public.DisplayNameChosen(resident_id, SealedField(*structs.astuple(name)))),)
        case broadcasts.BroadcastSent():
            said = structs.asdict(event) | {
                "facts": tuple(Fact(f.event_id, f.says) for f in event.facts), "audience": len(event.recipients)}
            return (Public(_narrowed(public.BroadcastSent, said)),)
        case ErasureConfirmed(person_id=resident_id, keys=keys):
            return (Public(public.NeighborsErasureConfirmed(resident_id, keys)),)
        case _ if type(event) in NARROWED:
            return (Public(_narrowed(NARROWED[type(event)], structs.asdict(event))),)
        case _ if type(event) in SAME:
            return (Public(SAME[type(event)](**structs.asdict(event))),)
        case _:
            return ()


def _narrowed(contract: type[Struct], fields: dict[str, Any]) -> Struct:
    return contract(**{name: fields[name] for name in contract.__struct_fields__})
