"""A lane into a zone of a lot or out of it, and the camera that watches it. One camera's lane is one lane of ours."""

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from libs.eventkit.decider import Decider, Release, Take

CAMERA = "camera_lane"
Direction = Literal["in", "out"]


class LaneInstalled(Struct, frozen=True, tag="lane_installed"):
    """`lane_no`: the camera's number of the lane, from 1. Said again when that changes."""

    lane_id: UUID
    lot_id: UUID
    name: str
    direction: Direction
    zone: str
    device_id: UUID
    lane_no: int


class NoLane(Struct, frozen=True):
    pass


class Lane(Struct, frozen=True):
    installed: LaneInstalled


AnyLane = NoLane | Lane


def evolve(lane: AnyLane, event: LaneInstalled) -> AnyLane:
    return Lane(event)


class InstallLane(Struct, frozen=True):
    lane_id: UUID
    lot_id: UUID
    name: str
    direction: Direction
    zone: str
    device_id: UUID
    lane_no: int


def decide_install(command: InstallLane, lane: AnyLane) -> list[LaneInstalled]:
    installed = LaneInstalled(
        command.lane_id, command.lot_id, command.name, command.direction, command.zone, command.device_id, command.lane_no)
    return [] if lane == Lane(installed) else [installed]


def claims(command: Any, event: LaneInstalled) -> Iterable[Take | Release]:
    yield Release(CAMERA)
    yield Take(CAMERA, f"{event.device_id}:{event.lane_no}", "camera_lane_taken")


LANES = Decider[AnyLane, LaneInstalled](
    category="lane", initial=NoLane(), evolve=evolve, decide={InstallLane: decide_install}, claims=claims)
