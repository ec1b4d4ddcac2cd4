"""What alarm keeps in memory of homes that are cared for: which they are, who of those for whom that was arranged still lives there, and
who helps. A fold of the own log."""

from typing import Any
from uuid import UUID

from libs.contracts.identity import ResidenceEnded, ResidenceStarted, ResidentErased
from libs.eventkit.decider import NotYet
from libs.eventkit.memory import Memory
from libs.eventkit.recorded import Recorded
from services.alarm.domain.care_history import CareArranged, CareEnded

EVENTS = (ResidenceStarted, ResidenceEnded, ResidentErased, CareArranged, CareEnded)


class CareBook:
    """`memory` says how fresh it is."""

    def __init__(self) -> None:
        self.memory = Memory("care_book", EVENTS, self._apply)
        self._living: dict[tuple[UUID, UUID], dict[UUID, UUID]] = {}
        self._erased: set[tuple[UUID, UUID]] = set()
        self._cared: dict[tuple[UUID, UUID], CareArranged] = {}
        self._of: dict[tuple[UUID, UUID], dict[UUID, None]] = {}

    def _apply(self, event: Any, row: Recorded) -> None:
        here = row.community_id
        match event:
            case ResidenceStarted(residence_id=residence_id, resident_id=resident_id, home_id=home_id):
                self._living.setdefault((here, home_id), {})[residence_id] = resident_id
            case ResidenceEnded(residence_id=residence_id, home_id=home_id):
                self._living.get((here, home_id), {}).pop(residence_id, None)
            case ResidentErased(resident_id=resident_id):
                self._erased.add((here, resident_id))
            case CareArranged(home_id=home_id):
                self._forget(here, home_id)
                self._cared[here, home_id] = event
                for person_id in (*event.residents, *event.terms.helpers):
                    self._of.setdefault((here, person_id), {})[home_id] = None
            case CareEnded(home_id=home_id):
                self._forget(here, home_id)

    def _forget(self, here: UUID, home_id: UUID) -> None:
        if (before := self._cared.pop((here, home_id), None)) is not None:
            for person_id in (*before.residents, *before.terms.helpers):
                self._of[here, person_id].pop(home_id, None)

    def understood(self, community_id: UUID) -> None:
        """Raises NotYet where this version cannot read all that was said of the community."""
        if community_id in self.memory.unreadable:
            raise NotYet("an event that this version cannot read")

    def living(self, community_id: UUID, home_id: UUID) -> tuple[UUID, ...]:
        """Who lives there, without who was erased."""
        found = dict.fromkeys(self._living.get((community_id, home_id), {}).values())
        return tuple(sorted(one for one in found if (community_id, one) not in self._erased))

    def at_home(self, community_id: UUID, home_id: UUID) -> tuple[UUID, ...]:
        """Those cared for who live there now."""
        said = self._cared.get((community_id, home_id))
        return tuple(one for one in self.living(community_id, home_id) if one in said.residents) if said is not None else ()

    def homes_of(self, community_id: UUID, person_id: UUID) -> list[UUID]:
        """Homes that are cared for, for them."""
        return [home_id for home_id in self._of.get((community_id, person_id), ()) if person_id in self.at_home(community_id, home_id)]

    def arranged_for(self, community_id: UUID, person_id: UUID) -> list[UUID]:
        """Homes that are cared for, for them among others, wherever they live now."""
        named = self._of.get((community_id, person_id), ())
        return [home_id for home_id in named if person_id in self._cared[community_id, home_id].residents]

    def helped_by(self, community_id: UUID, person_id: UUID) -> list[UUID]:
        """Homes whose neighbours they are named as."""
        named = self._of.get((community_id, person_id), ())
        return [home_id for home_id in named if person_id in self._cared[community_id, home_id].terms.helpers]
