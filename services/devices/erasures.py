"""What devices does when a resident is erased: it confirms.

Devices seals what a device has said under keys of the device and its day (`intake.py`): whose it is, nobody here knows, and it goes with
its day. Nothing is sealed under a key of a person, so there is nothing to erase but what others send the end of.
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
