"""A community: the cell of the platform. Founded once; what it was founded as does not change."""

from typing import assert_never
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused

# what happened


class CommunityFounded(Struct, frozen=True, tag="community_founded"):
    """`division_code`: GB/T 2260; `zone`: IANA time zone."""

    community_id: UUID
    name: str
    division_code: str
    zone: str


CommunityEvent = CommunityFounded


# what is


class NotFounded(Struct, frozen=True):
    pass


class Founded(Struct, frozen=True):
    name: str
    division_code: str
    zone: str


Community = NotFounded | Founded


def evolve(community: Community, event: CommunityEvent) -> Community:
    match event:
        case CommunityFounded(name=name, division_code=division_code, zone=zone):
            return Founded(name=name, division_code=division_code, zone=zone)
        case _:
            return community


# what is asked


class FoundCommunity(Struct, frozen=True):
    community_id: UUID
    name: str
    division_code: str
    zone: str


def decide_found_community(command: FoundCommunity, community: Community) -> list[CommunityEvent]:
    asked = Founded(name=command.name, division_code=command.division_code, zone=command.zone)
    match community:
        case NotFounded() if not (command.division_code.isdecimal() and len(command.division_code) == 6):
            raise Refused("division_code_malformed", digits=6)
        case NotFounded():
            return [CommunityFounded(command.community_id, command.name, command.division_code, command.zone)]
        case Founded() if community == asked:
            return []
        case Founded():
            raise Refused("community_already_founded")
        case _:
            assert_never(community)


COMMUNITIES = Decider[Community, CommunityEvent](
    category="community",
    initial=NotFounded(),
    evolve=evolve,
    decide={FoundCommunity: decide_found_community},
)
