"""A car park: its zones and spaces, who may come in, and which tariff counts from which day on."""

from datetime import date, datetime
from typing import assert_never
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct
from msgspec.structs import replace

from libs.eventkit.decider import Decider, Refused
from services.parking.domain.tariffs import Adoption, Tariff, Vehicle, check

# what happened


class LotOpened(Struct, frozen=True, tag="lot_opened"):
    """`spaces`: how many each zone of the lot has. `clock`: IANA time zone. `public`: whether strangers may come in.
    `grace`: seconds to leave after paying. Said again when that changes."""

    lot_id: UUID
    name: str
    clock: str
    spaces: dict[str, int]
    public: bool
    grace: int


class TariffAdopted(Struct, frozen=True, tag="tariff_adopted"):
    lot_id: UUID
    adoption: Adoption


LotEvent = LotOpened | TariffAdopted


# what is


class NoLot(Struct, frozen=True):
    pass


class Lot(Struct, frozen=True):
    opened: LotOpened
    adoptions: tuple[Adoption, ...] = ()


AnyLot = NoLot | Lot


def evolve(lot: AnyLot, event: LotEvent) -> AnyLot:
    match lot, event:
        case NoLot(), LotOpened():
            return Lot(event)
        case Lot(), LotOpened():
            return replace(lot, opened=event)
        case Lot(), TariffAdopted(adoption=adoption):
            return replace(lot, adoptions=(*lot.adoptions, adoption))
        case _:
            return lot


# what is asked


class OpenLot(Struct, frozen=True):
    lot_id: UUID
    name: str
    clock: str
    spaces: dict[str, int]
    public: bool
    grace: int


class AdoptTariff(Struct, frozen=True):
    """`today`: the day in the lot's zone; `now`: since when whoever comes in meets it at the gate."""

    lot_id: UUID
    tariff: Tariff
    since: date
    today: date
    now: datetime | None = None


def decide_open(command: OpenLot, lot: AnyLot) -> list[LotEvent]:
    try:
        ZoneInfo(command.clock)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a directory of zones, as `Asia`, is no zone
        raise Refused("time_zone_unknown", clock=command.clock) from None
    if not command.spaces or min(command.spaces.values()) < 0:
        raise Refused("lot_without_spaces")
    opened = LotOpened(command.lot_id, command.name, command.clock, command.spaces, command.public, command.grace)
    return [] if isinstance(lot, Lot) and lot.opened == opened else [opened]


def decide_adopt(command: AdoptTariff, lot: AnyLot) -> list[LotEvent]:
    """A bill names a tariff and its version: what a version says never changes, and neither does the price of
    whoever is inside or was."""
    match lot:
        case NoLot():
            raise Refused("lot_unknown")
        case Lot(adoptions=adoptions):
            for_the_day = [known.tariff for known in adoptions if known.since == command.since]
            if for_the_day[-1:] == [command.tariff]:
                return []
            check(command.tariff)
            for new_energy in (False, True):  # a car that fits no class could never be billed, and nobody behind it could leave
                command.tariff.class_of(Vehicle(new_energy=new_energy))
            if command.since < command.today:
                raise Refused("tariff_in_the_past", since=command.since, today=command.today)
            for known in (a.tariff for a in adoptions):
                if (known.name, known.version) == (command.tariff.name, command.tariff.version) and known != command.tariff:
                    raise Refused("tariff_version_taken", tariff=known.name, version=known.version)
            return [TariffAdopted(command.lot_id, Adoption(command.tariff, command.since, command.now))]
        case _:
            assert_never(lot)


LOTS = Decider[AnyLot, LotEvent](
    category="lot", initial=NoLot(), evolve=evolve, decide={OpenLot: decide_open, AdoptTariff: decide_adopt})
