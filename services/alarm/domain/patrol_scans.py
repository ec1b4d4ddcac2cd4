"""Somebody on patrol was at a point: their phone read its tag, perhaps without a network, and told it later.

1. When it was is said by how long ago it was on the phone's own clock (`sent_at` less `scanned_at`), counted back from ours: a phone whose
   clock is wrong, or in another zone, tells the same.
2. Who gives a position with it that is not the point's was not there: kept, and counts for no round. Where they were is not kept, how far
   away it was is. A reading that could be from within the point's distance is believed.
3. Told again it is the same scan.
"""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Refused
from services.alarm.domain.patrol_points import Ground, metres

Means = Literal["nfc", "qr"]
TAKEN = "scan_id_taken"
KEPT = timedelta(days=14)
"""For so long a phone may keep a scan, and a round is judged again."""
AHEAD = timedelta(seconds=5)
"""A scan may be so much later than its sending: two clocks of one phone."""


class Reading(Struct, frozen=True):
    """Where the phone takes itself to be: WGS 84, in degrees, give or take so many metres."""

    longitude: float
    latitude: float
    accuracy: float


# what happened


class PatrolPointScanned(Struct, frozen=True, tag="patrol_point_scanned"):
    """`at`: when, by our clock. `distance`: metres from the point, where the phone said where it was. `there`: it counts."""

    scan_id: UUID
    point_id: UUID
    by: UUID
    means: Means
    at: datetime
    distance: int | None
    there: bool


# what is


class NotScanned(Struct, frozen=True):
    pass


class Scanned(Struct, frozen=True):
    point_id: UUID
    by: UUID
    there: bool


Scan = NotScanned | Scanned


def evolve(scan: Scan, event: PatrolPointScanned) -> Scan:
    match event:
        case PatrolPointScanned(point_id=point_id, by=by, there=there):
            return Scanned(point_id, by, there)
        case _:
            return scan


# what is asked


class TellScan(Struct, frozen=True):
    """`scanned_at` and `sent_at` by the phone's clock, `now` by ours; `spot` of the point."""

    scan_id: UUID
    point_id: UUID
    by: UUID
    means: Means
    scanned_at: datetime
    sent_at: datetime
    now: datetime
    spot: Ground | None
    reading: Reading | None


def moment_of(scanned_at: datetime, sent_at: datetime, now: datetime) -> datetime:
    """When it was, by our clock: as long ago as on the phone's, not ahead, and not longer than a phone keeps it."""
    return now - min(max(sent_at - scanned_at, timedelta()), KEPT)


def decide_tell(command: TellScan, scan: Scan) -> list[PatrolPointScanned]:
    if isinstance(scan, Scanned):
        if (scan.point_id, scan.by) != (command.point_id, command.by):
            raise Refused(TAKEN)
        return []
    ago = command.sent_at - command.scanned_at
    if ago < -AHEAD:
        raise Refused("scanned_after_it_was_sent")
    if ago > KEPT:
        raise Refused("scanned_too_long_ago", days=KEPT.days)
    distance, there = seen_from(command.spot, command.reading)
    at = moment_of(command.scanned_at, command.sent_at, command.now)
    return [PatrolPointScanned(command.scan_id, command.point_id, command.by, command.means, at, distance, there)]


def seen_from(spot: Ground | None, reading: Reading | None) -> tuple[int | None, bool]:
    """How far away, in metres, and whether that can have been there; without a position of either, the tag is believed."""
    if spot is None or reading is None:
        return None, True
    distance = metres(spot, reading.longitude, reading.latitude)
    return round(distance), distance - reading.accuracy <= spot.within


SCANS = Decider[Scan, PatrolPointScanned](
    category="patrol_scan", initial=NotScanned(), evolve=evolve, decide={TellScan: decide_tell})
