"""A place as a person states it: what is known of its home is filled in."""

from uuid import UUID

from msgspec.structs import replace
from pydantic import Field

from libs.eventkit.decider import Refused
from libs.eventkit.http import Input
from services.alarm.book import AlarmBook
from services.alarm.domain.kinds import Place


class NewPlace(Input):
    building_id: UUID | None = None
    unit: int | None = Field(default=None, ge=1, le=99)
    floor: int | None = Field(default=None, ge=-9, le=200)
    home_id: UUID | None = None
    name: str = Field(default="", max_length=80)


def place_of(stated: NewPlace, book: AlarmBook, community_id: UUID) -> Place:
    """Raises NotFound; Refused `home_elsewhere` where the home is not in that building and unit."""
    place = Place(stated.building_id, stated.unit, stated.floor, stated.home_id, stated.name)
    if place.building_id is not None:
        book.building(community_id, place.building_id)
    if place.home_id is None:
        return place
    home = book.home(community_id, place.home_id).place
    if place.building_id not in (None, home.building_id) or place.unit not in (None, home.unit):
        raise Refused("home_elsewhere")
    return replace(place, building_id=home.building_id, unit=home.unit, name=place.name or home.name)
