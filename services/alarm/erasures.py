"""What alarm does when a resident is erased: it confirms.

Alarm knows sensors, places and ids: it has sealed nothing of anybody, and incidents stay as they are. Care for them ends, and they are
asked as a neighbour no more (`processes/care.py`).
"""

from libs.contracts.identity import ResidentErased
from libs.eventkit.erasing import begin, erasing
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App


def erasures(app: App) -> tuple[Reaction, ...]:
    async def resident_erased(event: ResidentErased, row: Recorded) -> list[Do]:
        return [begin(event.resident_id)]

    return Reaction("residents_erased", {ResidentErased: resident_erased}), erasing(app)
