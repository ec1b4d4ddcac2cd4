"""What the gateway does when a resident is erased: it confirms.

The gateway has sealed nothing of anybody: its views hold what others have sealed, and read `erased` once their keys are gone. That it
has heard it stands in its log alone, since authorities hear of incidents and of nothing else.
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
