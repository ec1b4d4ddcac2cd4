"""The demo community as a plan: who and what there is. Ids follow from names; the people and phones are made up."""

from uuid import NAMESPACE_URL, UUID, uuid5

from msgspec import Struct

from services.identity.domain.population import PopulationKind
from services.identity.domain.residences import HomeRole
from services.identity.domain.vehicles import VehicleClass

DEMO = uuid5(NAMESPACE_URL, "lifang-demo")
NAME, DIVISION, ZONE = "里坊示范社区", "310104", "Asia/Shanghai"
UNITS, FLOORS, DOORS = 2, 5, 2
BUILDINGS, HOMES, RESIDENTS = 3, 3 * UNITS * FLOORS * DOORS, 150
DUTIES = ("staff", "guard", "grid", "police", "operator")
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高"
VEHICLES: tuple[tuple[str, VehicleClass, bool], ...] = (
    ("沪A8K6P2", "small", True), ("沪AD56789", "ev", False), ("沪B7X301", "large", False))
"""Plate, class, and whether staff have seen its papers: one each for the first residents."""
FOREIGNER = 5
"""The one resident from abroad. Every fourth one is floating population."""
GIVEN = ("安然", "子墨", "雨桐", "建国", "秀英", "浩然", "思源", "晓梅", "明远", "佳宁")


class DemoBuilding(Struct, frozen=True):
    building_id: UUID
    name: str


class DemoHome(Struct, frozen=True):
    home_id: UUID
    building_id: UUID
    unit: int
    label: str


class DemoResident(Struct, frozen=True):
    resident_id: UUID
    residence_id: UUID
    account_id: UUID
    name: str
    phone: str
    home: DemoHome
    role: HomeRole
    population: PopulationKind


class DemoVehicle(Struct, frozen=True):
    vehicle_id: UUID
    keeper: DemoResident
    plate: str
    vehicle_class: VehicleClass
    verified: bool


class DemoDuty(Struct, frozen=True):
    """Somebody who works here."""

    person_id: UUID
    account_id: UUID
    role: str
    phone: str


class Plan(Struct, frozen=True):
    community_id: UUID
    name: str
    buildings: tuple[DemoBuilding, ...]
    homes: tuple[DemoHome, ...]
    residents: tuple[DemoResident, ...]
    vehicles: tuple[DemoVehicle, ...]
    duties: tuple[DemoDuty, ...]


def demo_id(name: str, label: str = "") -> UUID:
    """`label` tells apart the further communities that tests ask for."""
    return uuid5(DEMO, f"{label}/{name}" if label else name)


def phone(number: int, label: str = "") -> str:
    """E.164. Further communities have numbers of their own, so that a phone still means one account."""
    if not label:
        return f"+861380000{number:04}"
    return f"+86139{demo_id('phones', label).int % 100_000:05}{number:03}"


def plan(label: str = "", homes: int = HOMES, residents: int = RESIDENTS) -> Plan:
    def of(name: str) -> UUID:
        return demo_id(name, label)

    buildings = tuple(DemoBuilding(of(f"building-{b}"), f"{b}号楼") for b in range(1, BUILDINGS + 1))
    found = tuple(
        DemoHome(of(f"home-{text}"), of(f"building-{b}"), unit, text)
        for b in range(1, BUILDINGS + 1)
        for unit in range(1, UNITS + 1)
        for floor in range(1, FLOORS + 1)
        for door in range(1, DOORS + 1)
        for text in (f"{b}-{unit}-{floor}{door:02}",)
    )[:homes]
    living = tuple(_resident(n, found, label) for n in range(1, residents + 1))
    return Plan(
        community_id=of("community"),
        name=f"{NAME} {label}".strip(),
        buildings=buildings,
        homes=found,
        residents=living,
        vehicles=tuple(
            DemoVehicle(of(f"vehicle-{n}"), keeper, *vehicle)
            for n, (keeper, vehicle) in enumerate(zip(living, VEHICLES, strict=False), 1)),
        duties=tuple(
            DemoDuty(of(f"{role}-1"), of(f"account-{role}-1"), role, phone(901 + i, label))
            for i, role in enumerate(DUTIES)),
    )


def _resident(number: int, homes: tuple[DemoHome, ...], label: str) -> DemoResident:
    """Numbered from 1. Homes are filled in turn: first an owner (in every third home a tenant), then family."""
    index = number - 1
    head: HomeRole = "tenant" if index % 3 == 2 else "owner"
    return DemoResident(
        resident_id=demo_id(f"resident-{number}", label),
        residence_id=demo_id(f"residence-{number}", label),
        account_id=demo_id(f"account-resident-{number}", label),
        name=SURNAMES[index % len(SURNAMES)] + GIVEN[index // len(SURNAMES) % len(GIVEN)],
        phone=phone(number, label),
        home=homes[index % len(homes)],
        role=head if index < len(homes) else "family",
        population="foreign" if number == FOREIGNER else "floating" if number % 4 == 2 else "registered",
    )
