"""What goes with a resident who is erased: the name that they had chosen, and its key. They stay one of those who live there;
nobody is told what they are called, and they are told nothing."""

from libs.contracts.identity import ResidentErased
from libs.eventkit.erasing import begin, erasing, is_erased
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded
from libs.eventkit.service import App
from services.neighbors.domain.display_names import ERASED, DisplayNameChosen, DropDisplayName


def erasures(app: App) -> tuple[Reaction, ...]:
    async def resident_erased(event: ResidentErased, row: Recorded) -> list[Do]:
        resident_id = event.resident_id
        return [Do("drop", resident_id, DropDisplayName(resident_id, ERASED)),
                begin(resident_id, f"neighbor:{resident_id}")]

    async def chosen(event: DisplayNameChosen, row: Recorded) -> list[Do]:
        """Decided before the erasure was heard, stored after."""
        resident_id = event.resident_id
        if not await is_erased(app, row.community_id, resident_id):
            return []
        return [Do("drop", resident_id, DropDisplayName(resident_id, ERASED)),
                begin(resident_id, f"neighbor:{resident_id}", again=True)]

    reaction = Reaction("residents_erased", {ResidentErased: resident_erased, DisplayNameChosen: chosen}, key=_of_resident, apart=True)
    return reaction, erasing(app)


def _of_resident(event: ResidentErased | DisplayNameChosen, row: Recorded) -> str:
    return f"resident:{event.resident_id}"
