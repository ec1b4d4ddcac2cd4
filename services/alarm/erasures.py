"""What alarm does when a resident is erased: it confirms.

Alarm knows sensors, places and ids: it has sealed nothing of anybody, and incidents stay as they are.
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
