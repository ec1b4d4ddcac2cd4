"""Hikvision plate cameras: the `ANPR` part of an `EventNotificationAlert` (ISAPI developer guide, ANPR), as JSON or XML.

`alarmDataType` 1 marks history. `forward` and `reverse` are along the lane as it was set up, which need not be the way in.
"""

from msgspec.structs import replace

from services.devices.adapters.documents import Tree, Value
from services.devices.adapters.plate_words import colour_before, direction, read_plate
from services.devices.adapters.report import CHANGING, Primitive, Report
from services.devices.adapters.values import number, part, percent, text

_PLATES = ("licensePlate", "originalLicensePlate", "plateNumber", "plateNo")
_COLOURS = {
    "black": "black", "blue": "blue", "brown": "brown", "civilAviationBlack": "black", "civilAviationGreen": "green",
    "golden": "yellow", "green": "green", "mixedColor": "mixed", "newEnergyGreen": "green",
    "newEnergyYellowGreen": "yellow_green", "orange": "orange", "red": "red", "white": "white", "yellow": "yellow",
}  # fmt: skip
_KINDS = {
    "02TypePersonalized": "personalised", "04NewMilitay": "military", "92FarmVehicle": "ordinary", "92TypeArm": "armed_police",
    "92TypeCivil": "ordinary", "arm": "police", "civilAviation": "civil_aviation", "coach": "training",
    "consulate": "consulate", "embassy": "embassy", "emergency": "emergency", "green1325FarmVehicle": "farm",
    "hongKongMacao": "hong_kong_macao", "leftRightMilitay": "military", "motorola": "motorcycle",
    "newEnergy": "new_energy", "oneLineArm": "armed_police", "oneLineArmHeadquarters": "armed_police",
    "tempEntry": "temporary", "tempTravl": "temporary", "trailer": "trailer", "twoLineArm": "armed_police",
    "twoLineArmHeadquarters": "armed_police", "twoWheelVehicle": "motorcycle", "upDownMilitay": "military",
    "yellow1225FarmVehicle": "farm", "yellow1325FarmVehicle": "farm", "yellowTwoLine": "ordinary",
}  # fmt: skip
_VEHICLES = {
    "SUVMPV": "suv", "buggy": "light_truck", "bus": "bus", "concreteMixer": "truck", "containerTruck": "truck",
    "coupe": "car", "crane": "truck", "hatchback": "car", "largeBus": "bus", "lightTruck": "light_truck",
    "mediumBus": "bus", "mediumHeavyTruck": "truck", "miniCar": "car", "minibus": "minibus", "minitruck": "light_truck",
    "motorVehicle": "car", "nonmotorVehicle": "three_wheeler", "oilTankTruck": "truck", "pedestrian": "pedestrian",
    "pickupTruck": "light_truck", "platformTrailer": "truck", "saloon": "car", "slagTruck": "truck", "smallCar": "car",
    "threeWheelVehicle": "three_wheeler", "truck": "truck", "twoWheelVehicle": "two_wheeler", "van": "van", "vehicle": "car",
}  # fmt: skip
_DETAIL = ("country", "CRIndex", "detectDir", "detectType", "direction", "listType", "plateColor", "plateType", "vehicleType")


def with_plate(report: Report, event: Tree) -> Report:
    """The report with what the alert says about a plate. Pure."""
    anpr = _anpr(event) or event
    plate, findings = read_plate(next((said for name in _PLATES if (said := text(anpr.get(name)))), ""))
    lane = number(anpr.get("laneNo"))
    vehicle = text(anpr.get("vehicleType")) or text(part(anpr, "vehicleInfo").get("vehicleType"))
    return replace(
        report,
        plate=plate,
        plate_colour=_COLOURS.get(text(anpr.get("plateColor"))) or colour_before(plate),
        plate_kind=_KINDS.get(text(anpr.get("plateType"))),
        vehicle_kind=_VEHICLES.get(vehicle),
        confidence=percent(anpr.get("confidenceLevel")),
        direction=direction(text(anpr.get("direction"))),
        lane_no=number(anpr.get("line")) if lane is None else lane,
        detail=_detail(report.detail, anpr, event),
        findings=report.findings + findings,
    )


def _anpr(event: Tree) -> Tree:
    """The first vehicle, where there are several."""
    found: Value = event.get("ANPR")
    if isinstance(found, list):
        found = next((each for each in found if isinstance(each, dict)), None)
    return found if isinstance(found, dict) else {}


def _detail(before: dict[str, Primitive], anpr: Tree, event: Tree) -> dict[str, Primitive]:
    """Words of the vendor's lists alone, and the number that the device gave to this passage."""
    detail: dict[str, Primitive] = {name: value for name, value in before.items() if name not in CHANGING}
    for name, value in [("UUID", event.get("UUID")), *((name, anpr.get(name)) for name in _DETAIL)]:
        if (said := text(value)) and len(said) <= 64 and said.isascii():
            detail[name] = said
    return detail
