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

    def known_to(self, book: AlarmBook, community_id: UUID) -> Place:
        """Raises NotFound; Refused `home_elsewhere` where the home is not in that building and unit."""
        stated = Place(self.building_id, self.unit, self.floor, self.home_id, self.name)
        if self.building_id is not None:
            book.building(community_id, self.building_id)
        if self.home_id is None:
            return stated
        home = book.home(community_id, self.home_id).place
        if self.building_id not in (None, home.building_id) or self.unit not in (None, home.unit):
            raise Refused("home_elsewhere")
        return replace(stated, building_id=home.building_id, unit=home.unit, name=self.name or home.name)
