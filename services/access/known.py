"""What access knows of doors, homes and passes, each with the event that said it (`because`)."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class KnownDoor(Struct, frozen=True):
    """`floor`: of a lift, where this relay takes it."""

    community_id: UUID
    door_id: UUID
    name: str
    zone: str
    device_id: UUID
    door_no: int
    because: UUID
    floor: int | None = None
    evacuation: bool = False


class KnownResidence(Struct, frozen=True):
    home_id: UUID
    building_id: UUID
    because: UUID


class KnownPass(Struct, frozen=True):
    """`revoked`: the event that ended it."""

    community_id: UUID
    host_id: UUID
    home_id: UUID
    valid_until: datetime
    because: UUID
    revoked: UUID | None = None
