"""What goes with a resident who is erased: the rights of their plates, and the keys of those that parking has sealed.

Bills, payments and renewals stay: they name the right by its id, and nobody reads a plate from it any more. A stay that is open
keeps its claim of the plate until the car is out, since by that it gets out. A guest is erased by nobody: with the pass that retention
has blanked ends the right of their plate, by whose blind index they would be known when they come again.
"""

from uuid import UUID

from libs.contracts.identity import ResidentErased
from libs.eventkit.decider import Refused
from libs.eventkit.erasing import begin, erasing, is_erased
from libs.eventkit.reactions import Do, Reaction
from libs.eventkit.recorded import Recorded, Retired
from libs.eventkit.service import App
from services.parking.book import LotBook
from services.parking.domain.plate_rights import PLATE_RIGHTS, EndPlateRight, Held, PlateRightGranted
from services.parking.retention import PASSES

_RIGHTS = (
    "select k.subject from keys k, lateral (select e.data->>'person_id' as person_id, e.data->>'source_id' as source_id from events e"
    " where e.stream = k.subject and e.type = 'plate_right_granted' order by e.version desc limit 1) last"
    " where k.community_id = $1 and k.owner = 'parking' and starts_with(k.subject, $2) and (last.person_id = $3 or $3 = ("
    " select v.data->>'person_id' from events v where v.stream = $2 || last.source_id and v.type = 'plate_right_granted'"
    " order by v.version desc limit 1)) order by k.subject")
"""Subjects of the keys of all rights that were theirs or of a vehicle of theirs, and nobody's after them: a right's stream is called
like the subject."""

_GUESTS = (
    "select c.stream from claims c where c.community_id = $1 and starts_with(c.stream, $2) and exists (select from events e"
    " where e.stream = c.stream and e.type = 'plate_right_granted' and e.data->>'kind' = 'visitor_pass' and e.recorded_at < $3)"
    " order by c.stream")
"""Rights of guests that were heard of before then and have not ended."""


async def rights_of(app: App, community_id: UUID, person_id: UUID) -> list[UUID]:
    """Of which parking has sealed the plate, also those that are over: they go with the person."""
    prefix = f"{PLATE_RIGHTS.category}:"
    rows = await (await app.database.pool()).fetch(_RIGHTS, community_id, prefix, str(person_id))
    return [UUID(row["subject"].removeprefix(prefix)) for row in rows]


async def refuse_erased(app: App, community_id: UUID, person_id: UUID | None) -> None:
    """Raises Refused, NotFound for a person of another community."""
    if person_id is not None and await is_erased(app, community_id, person_id):
        raise Refused("resident_erased")


def erasures(app: App, book: LotBook) -> tuple[Reaction, ...]:
    async def resident_erased(event: ResidentErased, row: Recorded) -> list[Do]:
        await book.ready(await app.database.pool(), row.community_id, row.position)
        person_id = event.resident_id
        sealed = await rights_of(app, row.community_id, person_id)  # also of a vehicle of theirs that is here no more
        return [
            *(Do(f"end {i}", i, EndPlateRight(i, "erased")) for i in sorted({*sealed, *book.rights_of(person_id)})),
            begin(person_id, *(f"{PLATE_RIGHTS.category}:{i}" for i in sealed))]

    async def granted(event: PlateRightGranted, row: Recorded) -> list[Do]:
        """Decided before the erasure was heard, stored after; unless it is somebody else's by now."""
        person_id = event.person_id
        if person_id is None or not await is_erased(app, row.community_id, person_id):
            return []
        state, _ = await app.commands.state(PLATE_RIGHTS, event.right_id, row.community_id)
        if isinstance(state, Held) and state.granted.person_id != person_id:
            return []
        end = Do("end", event.right_id, EndPlateRight(event.right_id, "erased"))
        return [end, begin(person_id, f"{PLATE_RIGHTS.category}:{event.right_id}", again=True)]

    async def retired(event: Retired, row: Recorded) -> list[Do]:
        if event.name != PASSES:
            return []
        prefix = f"{PLATE_RIGHTS.category}:"
        rows = await (await app.database.pool()).fetch(_GUESTS, row.community_id, prefix, event.before)
        guests = [UUID(one["stream"].removeprefix(prefix)) for one in rows]
        return [Do(f"end {i}", i, EndPlateRight(i, "pass_forgotten")) for i in guests]

    reaction = Reaction("residents_erased", {ResidentErased: resident_erased, PlateRightGranted: granted}, key=_of_person, apart=True)
    return reaction, Reaction("passes_retired", {Retired: retired}), erasing(app)


def _of_person(event: ResidentErased | PlateRightGranted, row: Recorded) -> str:
    return f"resident:{event.resident_id if isinstance(event, ResidentErased) else event.person_id}"
