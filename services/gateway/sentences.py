"""One short English sentence for each type of event, built from what it says. Pure."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from libs.contracts import access, devices, identity

Names = Mapping[UUID, str]
"""Of doors, devices, buildings and homes by id, as far as the reader may know them."""


def sentence(event: Any, names: Names) -> str:
    """What happened. Persons go by the end of their id: a name would have to be opened."""
    match event:
        case access.CredentialJudged():
            verdict = "may open" if event.allowed else "may not open"
            late = "" if event.live else " afterwards, from what the device had kept,"
            return (f"Access judged{late} that {_what(event.means)}{_of(event.person_id)} {verdict}"
                    f" {_door(event, names)}, by the rule {event.rule}: {_why(event.reason)}.")
        case access.DoorPassed():
            whether = {True: "access would have too", False: "access would not have", None: ""}[event.entitled]
            return (f"The device of {_door(event, names)} itself let {_whom(event.person_id)} through"
                    f" ({_what(event.means)}){'; ' + whether if whether else ''}.")
        case access.DoorOpeningOrdered():
            return (f"Access ordered {_door(event, names)} to be opened for {_whom(event.person_id)}"
                    f" ({_what(event.means)}), by the rule {event.rule}: {_why(event.reason)}.")
        case access.DoorOpened():
            return f"{_first(_door(event, names))} was opened for {_whom(event.person_id)}."
        case access.DoorOpeningFailed():
            return f"{_first(_door(event, names))} was not opened, or nobody knows: {_why(event.reason)}."
        case access.DoorNoticed():
            return f"A device said {event.kind} (code {event.code}) of {_door(event, names)}."
        case access.DoorInstalled():
            return f"Door {event.name} was installed in {_zone(event, names)}, on {_device(event, names)}."
        case access.RightGranted():
            return (f"{_first(_whom(event.person_id))} may open the doors of {_zone(event, names)},"
                    f" by the rule {event.rule}.")
        case access.RightRevoked():
            return f"{_first(_whom(event.person_id))} may no longer open the doors of {_zone(event, names)}."
        case access.CredentialIssued():
            return f"{_first(_whom(event.person_id))} was given {_what(event.kind)}."
        case access.CredentialRevoked():
            return f"{_first(_what(event.kind))}{_of(event.person_id)} opens nothing any more."
        case _:
            return _of_devices(event, names)


def _of_devices(event: Any, names: Names) -> str:
    match event:
        case devices.DeviceReported():
            when = "just now" if event.live else "from its memory"
            return f"{_first(_device(event, names))} reported {when}: {event.kind} (code {event.code})."
        case devices.DoorOrderAttempted():
            return f"The order was sent to {_device(event, names)}, once."
        case devices.DoorOrderCarriedOut():
            return f"{_first(_device(event, names))} said that it carried the order out."
        case devices.DoorOrderFailed():
            return f"The order to {_device(event, names)} failed: {_why(event.reason)}."
        case devices.DeviceRegistered():
            return f"Device {event.name} was registered, a {event.kind}."
        case devices.DeviceEnrolled():
            return f"{_first(_device(event, names))} was given a credential of its own."
        case devices.SerialGapFound():
            return f"Reports between {event.after} and {event.before} of {_device(event, names)} had not come."
        case devices.SerialGapClosed():
            return (f"The reports between {event.after} and {event.before} of {_device(event, names)}"
                    " have come after all.")
        case _:
            return _of_identity(event, names)


def _of_identity(event: Any, names: Names) -> str:
    match event:
        case identity.ResidenceStarted():
            return (f"{_first(_whom(event.resident_id))} lives in {_home(event, names)} as {event.role}"
                    f" since {event.since}.")
        case identity.ResidenceEnded():
            return f"{_first(_whom(event.resident_id))} lived in {_home(event, names)} until {event.until}."
        case identity.ResidentRegistered():
            return f"{_first(_whom(event.resident_id))} was registered as a resident."
        case identity.HomeRegistered():
            return f"{_first(_home(event, names))} was registered."
        case identity.BuildingRegistered():
            return f"Building {event.name} was registered, with {event.units} units."
        case identity.CommunityFounded():
            return f"The community {event.name} was founded."
        case identity.AccountOpened():
            return f"{_first(_whom(event.person_id))} may sign in as {event.role}."
        case identity.AccountClosed():
            return f"{_first(_whom(event.person_id))} may no longer sign in as {event.role}."
        case identity.SigningKeyPublished():
            return f"The signing key {event.kid} was published."
        case identity.VehicleRegistered():
            whether = "whose papers staff have seen" if event.verified else "by word alone"
            return f"A vehicle of {_home(event, names)} was registered, {whether}."
        case identity.VehicleVerified():
            return f"Staff saw the papers of a vehicle ({_why(event.how)})."
        case identity.VehicleRemoved():
            return f"A vehicle of {_home(event, names)} was removed."
        case _:
            return "Something happened that this gateway has no words for."


_MEANS = {
    "card": "a card", "pin": "a PIN", "face": "a face", "fingerprint": "a fingerprint", "remote": "remotely",
    "unknown": "by means unknown"}
_REASONS = {
    "refused": "the device refused", "unreachable": "the device could not be reached, nothing was sent",
    "unknown": "the device did not answer", "expired": "it was too late to open, nothing was sent"}


def _what(means: str) -> str:
    return _MEANS.get(means, means)


def _why(reason: str) -> str:
    return _REASONS.get(reason) or reason.replace("_", " ")


def _whom(person_id: UUID | None) -> str:
    return f"person …{str(person_id)[-6:]}" if person_id else "somebody unknown"


def _of(person_id: UUID | None) -> str:
    return f" of {_whom(person_id)}" if person_id else ""


def _door(event: Any, names: Names) -> str:
    return f"door {names.get(event.door_id) or '…' + str(event.door_id)[-6:]}"


def _device(event: Any, names: Names) -> str:
    return f"device {names.get(event.device_id) or '…' + str(event.device_id)[-6:]}"


def _zone(event: Any, names: Names) -> str:
    building = building_of(event)
    return f"the zone {(building and names.get(building)) or event.zone}"


def building_of(event: Any) -> UUID | None:
    """The building whose zone an event speaks of."""
    kind, _, number = getattr(event, "zone", "").partition(":")
    try:
        return UUID(number) if kind == "building" else None
    except ValueError:
        return None


def _home(event: Any, names: Names) -> str:
    return f"home {names[event.home_id]}" if event.home_id in names else "a home"


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
