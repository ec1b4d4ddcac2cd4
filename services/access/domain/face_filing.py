"""Who stores 100,000 faces files it with the cyberspace administration of the province within 30 working days
(人脸识别技术应用安全管理办法, in force since June 2025). A finding says so in time: at 90,000, and when it is reached.

The number is that of all communities; each community in which a face is added then has the finding. The stream's id is the community's.
"""

from typing import Literal
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider

THRESHOLD, NEAR = 100_000, 90_000
FILED_WITHIN = 30
"""Working days from when it is reached."""
Level = Literal["below", "near", "reached"]


# what happened


class FilingDue(Struct, frozen=True, tag="face_filing_due"):
    """So many templates are stored: `near` the threshold, or it is `reached`."""

    community_id: UUID
    level: Level
    stored: int
    threshold: int


# what is


class Filing(Struct, frozen=True):
    """What has been found."""

    found: tuple[FilingDue, ...] = ()


def evolve(filing: Filing, event: FilingDue) -> Filing:
    match event:
        case FilingDue():
            return Filing((*filing.found, event))
        case _:
            return filing


# what is asked


class CountTemplates(Struct, frozen=True):
    community_id: UUID
    stored: int


def level_of(stored: int) -> Level:
    return "reached" if stored >= THRESHOLD else "near" if stored >= NEAR else "below"


def decide_count_templates(command: CountTemplates, filing: Filing) -> list[FilingDue]:
    level = level_of(command.stored)
    if level == "below" or any(found.level in (level, "reached") for found in filing.found):
        return []
    return [FilingDue(command.community_id, level, command.stored, THRESHOLD)]


FILING = Decider[Filing, FilingDue](
    category="face-filing", initial=Filing(), evolve=evolve, decide={CountTemplates: decide_count_templates})
