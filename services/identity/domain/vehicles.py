"""A vehicle (实有车辆) of a home: its plate rests sealed, and until staff have seen its papers it is only what was said.

A plate is one vehicle's of a community. Whoever declares one that another household has declared is taken like anybody
(the answer would tell strangers who is here), holds no claim to it, and staff see the finding `plate_declared_twice`.
Papers settle it: who shows them gets the claim, and who merely declared the plate gives it up.

When the keeper moves out of the home it is removed; one that nobody in particular keeps (`KeeperEnded`) stays.
"""

from collections.abc import Iterable
from typing import Literal, assert_never
from uuid import UUID

from msgspec import Struct, structs

from libs.eventkit.decider import Decider, NotFound, Refused, Release, Take
from libs.eventkit.sealed import Sealed
from services.identity.domain.residents import SHORTEST_PURPOSE

PLATE = "plate"
"""The scope of the claim and of its blind index, and the purpose under which plates are sealed."""
TWICE = "plate_declared_twice"

VehicleClass = Literal["small", "large", "ev", "motorcycle", "disabled_motor_tricycle", "emergency", "other"]
"""In the words of parking's tariffs, where those have one."""
How = Literal["driving_licence", "registration_certificate"]
"""What staff have seen: 行驶证 or 机动车登记证书."""


# what happened


class _Whole(Struct, frozen=True):
    """The vehicle as it is from now on. `findings`: what staff should look at."""

    vehicle_id: UUID
    home_id: UUID
    keeper_id: UUID | None
    plate: Sealed
    vehicle_class: VehicleClass
    how: How | None = None
    findings: tuple[str, ...] = ()


class VehicleRegistered(_Whole, frozen=True, tag="vehicle_registered"):
    """Declared by a resident of the home, or registered by staff; nobody has seen its papers."""


class PlateCorrected(_Whole, frozen=True, tag="plate_corrected"):
    """Another plate, of which nobody has seen papers yet."""


class KeeperConfirmed(_Whole, frozen=True, tag="keeper_confirmed"):
    """A resident of the home keeps it."""


class KeeperEnded(_Whole, frozen=True, tag="keeper_ended"):
    """Nobody in particular keeps it."""


class VehicleVerified(Struct, frozen=True, tag="vehicle_verified"):
    """`by` has seen its papers."""

    vehicle_id: UUID
    how: How
    by: UUID


class PlateContested(Struct, frozen=True, tag="plate_contested"):
    """The papers of another vehicle show this plate: the claim is given up."""

    vehicle_id: UUID


class PlateDisclosed(Struct, frozen=True, tag="plate_disclosed"):
    """`to` was shown the plate. `keeper_id`: whose it was then, None where nobody's in particular."""

    vehicle_id: UUID
    to: UUID
    purpose: str
    keeper_id: UUID | None = None
    role: str = "staff"


class VehicleRemoved(Struct, frozen=True, tag="vehicle_removed"):
    vehicle_id: UUID
    home_id: UUID


VehicleEvent = (
    VehicleRegistered | PlateCorrected | KeeperConfirmed | KeeperEnded | VehicleVerified | PlateContested | PlateDisclosed
    | VehicleRemoved)


# what is


class NoVehicle(Struct, frozen=True):
    pass


class Registered(_Whole, frozen=True):
    pass


class Removed(Struct, frozen=True):
    keeper_id: UUID | None


Vehicle = NoVehicle | Registered | Removed


def evolve(vehicle: Vehicle, event: VehicleEvent) -> Vehicle:
    match vehicle, event:
        case _, VehicleRegistered() | PlateCorrected() | KeeperConfirmed() | KeeperEnded():
            return Registered(**structs.asdict(event))
        case Registered(), VehicleVerified(how=how):
            return structs.replace(vehicle, how=how, findings=())
        case Registered(), PlateContested():
            return structs.replace(vehicle, findings=(TWICE,))
        case Registered(keeper_id=keeper_id), VehicleRemoved():
            return Removed(keeper_id)
        case _:
            return vehicle


# what is asked


class RegisterVehicle(Struct, frozen=True):
    """`index`: blind index of the plate in its stored form. `lives_there`: the keeper, if any, in the home. `known_here`:
    who asks can see a vehicle of this plate in the home; `taken`: another vehicle, of whomever, holds the plate."""

    vehicle_id: UUID
    home_id: UUID
    keeper_id: UUID | None
    lives_there: bool
    plate: Sealed
    index: str
    vehicle_class: VehicleClass
    known_here: bool
    taken: bool


class CorrectPlate(Struct, frozen=True):
    """`plate`: None where it is the one that is there."""

    vehicle_id: UUID
    plate: Sealed | None
    index: str
    taken: bool


class VerifyBinding(Struct, frozen=True):
    """`plate`: the one that was compared with the papers, `index` its blind index."""

    vehicle_id: UUID
    how: How
    by: UUID
    plate: Sealed
    index: str


class ContestPlate(Struct, frozen=True):  # another vehicle's papers show the plate
    vehicle_id: UUID


class ConfirmKeeper(Struct, frozen=True):
    """`lives_there`: in the vehicle's home."""

    vehicle_id: UUID
    keeper_id: UUID
    lives_there: bool


class EndKeeper(Struct, frozen=True):
    vehicle_id: UUID


class DisclosePlate(Struct, frozen=True):
    vehicle_id: UUID
    to: UUID
    purpose: str
    role: str = "staff"


class RemoveVehicle(Struct, frozen=True):
    """`moved_out`: because this resident has left the home, if they still keep it."""

    vehicle_id: UUID
    moved_out: UUID | None = None


def _there(vehicle: Vehicle) -> Registered:
    """Raises NotFound, or Refused for one that was removed."""
    match vehicle:
        case NoVehicle():
            raise NotFound("vehicle")
        case Removed():
            raise Refused("vehicle_removed")
        case Registered():
            return vehicle
        case _:
            assert_never(vehicle)


def decide_register_vehicle(command: RegisterVehicle, vehicle: Vehicle) -> list[VehicleEvent]:
    match vehicle:
        case NoVehicle() if command.keeper_id and not command.lives_there:
            raise Refused("keeper_lives_elsewhere")
        case NoVehicle() if command.known_here:
            raise Refused("plate_already_declared")
        case NoVehicle():
            return [VehicleRegistered(
                command.vehicle_id, command.home_id, command.keeper_id, command.plate, command.vehicle_class,
                findings=(TWICE,) * command.taken)]
        case Registered() | Removed():
            raise Refused("vehicle_already_registered")
        case _:
            assert_never(vehicle)


def decide_correct_plate(command: CorrectPlate, vehicle: Vehicle) -> list[VehicleEvent]:
    found = _there(vehicle)
    if command.plate is None:
        return []
    new = structs.replace(found, plate=command.plate, how=None, findings=(TWICE,) * command.taken)
    return [PlateCorrected(**structs.asdict(new))]


def decide_verify_binding(command: VerifyBinding, vehicle: Vehicle) -> list[VehicleEvent]:
    found = _there(vehicle)
    if found.plate != command.plate:
        raise Refused("plate_changed")
    return [] if found.how else [VehicleVerified(command.vehicle_id, command.how, command.by)]


def decide_contest_plate(command: ContestPlate, vehicle: Vehicle) -> list[VehicleEvent]:
    if isinstance(vehicle, Removed):
        return []
    found = _there(vehicle)
    if found.how:
        raise Refused("plate_verified_elsewhere", vehicle_id=command.vehicle_id)
    return [] if TWICE in found.findings else [PlateContested(command.vehicle_id)]


def decide_confirm_keeper(command: ConfirmKeeper, vehicle: Vehicle) -> list[VehicleEvent]:
    found = _there(vehicle)
    if found.keeper_id == command.keeper_id:
        return []
    if not command.lives_there:
        raise Refused("keeper_lives_elsewhere")
    return [KeeperConfirmed(**structs.asdict(structs.replace(found, keeper_id=command.keeper_id)))]


def decide_end_keeper(command: EndKeeper, vehicle: Vehicle) -> list[VehicleEvent]:
    found = _there(vehicle)
    return [KeeperEnded(**structs.asdict(structs.replace(found, keeper_id=None)))] if found.keeper_id else []


def decide_disclose_plate(command: DisclosePlate, vehicle: Vehicle) -> list[VehicleEvent]:
    found = _there(vehicle)
    if len(command.purpose) < SHORTEST_PURPOSE:
        raise Refused("purpose_missing", shortest=SHORTEST_PURPOSE)
    return [PlateDisclosed(command.vehicle_id, command.to, command.purpose, found.keeper_id, command.role)]


def decide_remove_vehicle(command: RemoveVehicle, vehicle: Vehicle) -> list[VehicleEvent]:
    if isinstance(vehicle, Removed):
        return []
    found = _there(vehicle)
    if command.moved_out not in (None, found.keeper_id):
        return []
    return [VehicleRemoved(command.vehicle_id, found.home_id)]


def claims(command: Struct, event: VehicleEvent) -> Iterable[Take | Release]:
    match command, event:
        case (RegisterVehicle(index=index) | CorrectPlate(index=index), VehicleRegistered() | PlateCorrected()):
            yield Release(PLATE)
            if TWICE not in event.findings:
                yield Take(PLATE, index, "plate_taken")
        case VerifyBinding(index=index), VehicleVerified():
            yield Release(PLATE)
            yield Take(PLATE, index, "plate_taken")
        case _, PlateContested() | VehicleRemoved():
            yield Release(PLATE)


VEHICLES = Decider[Vehicle, VehicleEvent](
    category="vehicle", initial=NoVehicle(), evolve=evolve, claims=claims,
    decide={
        RegisterVehicle: decide_register_vehicle, CorrectPlate: decide_correct_plate,
        VerifyBinding: decide_verify_binding, ContestPlate: decide_contest_plate,
        ConfirmKeeper: decide_confirm_keeper, EndKeeper: decide_end_keeper,
        DisclosePlate: decide_disclose_plate, RemoveVehicle: decide_remove_vehicle,
    })
