"""What devices does when a resident is erased: it confirms.

Devices seals what a device has said under keys of the device and its day (`intake.py`): whose it is, nobody here knows, and it goes with
its day. Nothing is sealed under a key of a person, so there is nothing to erase but what others send the end of.
"""

from libs.contracts.identity import ResidentErased
from libs.eventkit.erasing import BeginErasure, erasing
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App


async def resident_erased(event: ResidentErased, row: Recorded) -> list[Do]:
    return [Do("begin", event.resident_id, BeginErasure(event.resident_id, ()))]


def erasures(app: App) -> tuple[Reaction, ...]:
    return Reaction("erasures", {ResidentErased: resident_erased}), erasing(app)
