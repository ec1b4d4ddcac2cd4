"""English: one short sentence for each type of event. Pure."""

from typing import Any
from uuid import UUID

from libs.contracts import access, devices, identity, parking
from services.gateway.words import alarm_english, neighbors_english, people_english
from services.gateway.words import english_terms as terms
from services.gateway.words.alarm_english import counted
from services.gateway.words.alarm_english_terms import DETECTED
from services.gateway.words.names import Gone, Names, RightChanged, building_of, minute, moment, short, yuan

reached, _whom = neighbors_english.reached, people_english.whom
NO_WORDS = "Something happened that this gateway has no words for."
RETIRED = "What this rests on has served its purpose, and its content is deleted: {type}."
BECAUSE, THEN = "Because: ", "Then: "


def sentence(event: Any, names: Names) -> str:
    """What happened. Persons go by the end of their id: a name would have to be opened."""
    match event:
        case Gone():
            return RETIRED.format(type=event.type)
        case access.CredentialJudged():
            verdict = "may open" if event.allowed else "may not open"
            late = "" if event.live else " afterwards, from what the device had kept,"
            return (f"Access judged{late} that {_what(event.means)}{_of(event.person_id, names)} {verdict}"
                    f" {_door(event, names)}, by the rule {_rule(event.rule)}: {_why(event.reason)}.")
        case access.DoorPassed():
            whether = {True: "access would have too", False: "access would not have", None: ""}[event.entitled]
            return (f"The device of {_door(event, names)} itself let {_whom(event.person_id, names)} through"
                    f" ({_what(event.means)}){'; ' + whether if whether else ''}.")
        case access.DoorOpeningOrdered():
            return (f"Access ordered {_door(event, names)} to be opened for {_whom(event.person_id, names)}"
                    f" ({_what(event.means)}), by the rule {_rule(event.rule)}: {_why(event.reason)}.")
        case access.DoorOpened():
            return f"{_first(_door(event, names))} was opened for {_whom(event.person_id, names)}."
        case access.DoorOpeningFailed():
            return f"{_first(_door(event, names))} was not opened, or nobody knows: {_why(event.reason)}."
        case access.DoorNoticed():
            return f"A device said {event.kind} (code {event.code}) of {_door(event, names)}."
        case access.DoorInstalled():
            return f"Door {event.name} was installed in {_zone(event, names)}, on {_device(event, names)}."
        case access.LiftInstalled():
            floors = ", ".join(str(f.floor) for f in event.floors) or "none yet"
            return f"Lift {event.name} of {_building(event, names)} is on {_device(event, names)}, which releases the floors: {floors}."
        case access.RightGranted():
            return (f"{_first(_whom(event.person_id, names))} may open the doors of {_zone(event, names)},"
                    f" by the rule {_rule(event.rule)}.")
        case access.RightRevoked():
            return f"{_first(_whom(event.person_id, names))} may no longer open the doors of {_zone(event, names)}."
        case access.CredentialIssued():
            return f"{_first(_whom(event.person_id, names))} was given {_what(event.kind)}."
        case access.CredentialRevoked():
            why = people_english.ENDED.get(event.reason)
            return f"{_first(_what(event.kind))}{_of(event.person_id, names)} opens nothing any more{f', {why}' if why else ''}."
        case access.VisitorPassIssued():
            return (f"{_first(_whom(event.host_id, names))} invited a visitor ({terms.KINDS.get(event.kind, event.kind)})"
                    f" from {minute(event.valid_from)} to {minute(event.valid_until)} UTC.")
        case access.VisitorPassRevoked():
            return f"The visitor's pass was revoked: {_why(event.reason)}."
        case access.VisitorPassUsed():
            return f"The visitor's pass was used at {_door(event, names)}."
        case access.VisitorPassUseReturned():
            return "The door did not open, so that use of the visitor's pass does not count."
        case access.VisitorArrived():
            return f"The visitor of {_whom(event.host_id, names)} arrived, seen by {event.how}."
        case _:
            return _of_parking(event, names)


def _of_parking(event: Any, names: Names) -> str:
    match event:
        case parking.PassageJudged():
            late = "" if event.live else " afterwards"
            verdict = "may pass" if event.admitted else "may not pass"
            return (f"Parking judged{late} that the vehicle at {_lane(event, names)} {verdict},"
                    f" by the rule {_rule(event.rule)}: {_why(event.reason)}.")
        case parking.BarrierOrdered():
            return (f"Parking ordered the barrier of {_lane(event, names)} to be lifted,"
                    f" by the rule {_rule(event.rule)}: {_why(event.reason)}.")
        case parking.SessionBegun():
            return f"A stay{_of(event.person_id, names)} began at {moment(event.entered_at)} UTC."
        case parking.SessionRecognised():
            if event.person_id is None:
                return "The vehicle was recognised: the stay counts under its right, from its beginning on."
            whose = " as a guest's" if event.pass_id else ""
            return f"It was found out whose vehicle it is: the stay{_of(event.person_id, names)}{whose}, from its beginning on."
        case RightChanged():
            return f"The right under which the stay{_of(event.person_id, names)} counts has changed."
        case parking.SessionQuarantined():
            return "The exit was missed: the vehicle no longer counts as inside, and the stay costs nothing until staff have settled it."
        case parking.PermitHeld():
            return _permit(event, names)
        case parking.Billed():
            lines = "; ".join(bill_line(line) for line in event.lines)
            paid = f", of which {yuan(event.paid)} had been paid" if event.paid else ""
            return f"The stay cost {yuan(event.total)}{paid}, by tariff {event.tariff} version {event.version}: {lines or 'no lines'}."
        case parking.PaymentReceived():
            return f"The payment provider confirmed {yuan(event.amount)}."
        case parking.SessionEnded(how="exit"):
            return f"The stay ended with the exit; it came to {yuan(event.total)}."
        case parking.SessionEnded():
            return f"Staff settled the stay, whose exit nobody saw, at {yuan(event.total)}."
        case parking.FindingRaised():
            return f"Something has to be settled by a person: {_why(event.kind)}."
        case parking.FindingSettled():
            return f"It was settled: {_why(event.how)}."
        case parking.LotOpened():
            return f"Car park {event.name} has {counted(sum(event.spaces.values()), 'space')}."
        case parking.LaneInstalled():
            return f"Lane {event.name} leads {event.direction}, watched by {_device(event, names)}."
        case _:
            return _of_devices(event, names)


def _permit(event: parking.PermitHeld, names: Names) -> str:
    where = f"car park {names.get(event.lot_id) or short(event.lot_id)}" if event.lot_id else "every car park"
    if event.ended:
        return f"The permit{_of(event.person_id, names)} for {where} counts no more."
    begins = f" from {minute(event.valid_from)} UTC" if event.valid_from else ""
    ends = f" until {minute(event.valid_until)} UTC" if event.valid_until else ""
    costs = f"{yuan(event.monthly)} a month" if event.monthly is not None else "without a fee"
    return f"{_first(_whom(event.person_id, names))} holds a permit for {where}{begins}{ends}, {costs}."


def bill_line(line: parking.BillLine) -> str:
    """One line of a bill, as it adds up."""
    what = terms.BILL.get(line.code, line.code.replace("_", " "))
    match line.code, line.facts:
        case "class_corrected", {"read_at_entry": was, "vehicle_class": now}:
            what = f"{what} (from {was} to {now})"
        case "free_period" | "free_period_exceeded", {"free_seconds": int(seconds)}:
            what = f"{what} ({counted(seconds // 60, 'minute')})"
        case "cap", {"cap_fen": int(fen)}:
            what = f"{what} ({yuan(fen)})"
        case "share", {"numerator": part, "denominator": whole}:
            what = f"{what} ({part}/{whole})"
    return f"{what} {line.units} × {yuan(line.unit)} = {yuan(line.amount)}" if line.units else f"{what} {yuan(line.amount)}"


def _of_devices(event: Any, names: Names) -> str:
    match event:
        case devices.DetectionReported():
            when = "just now" if event.live else "from its memory"
            where = f", number {event.channel}" if event.channel is not None else ""
            seen = f"{DETECTED.get(event.kind, event.kind)}{' is over' if event.state == 'inactive' else ''}"
            return f"{_first(_device(event, names))} said {when}: {seen} (code {event.code}{where})."
        case devices.DeviceReported():
            when = "just now" if event.live else "from its memory"
            return f"{_first(_device(event, names))} reported {when}: {event.kind} (code {event.code})."
        case devices.PlateSeen():
            when = "just now" if event.live else "from its memory"
            return f"{_first(_device(event, names))} saw a vehicle {when}, {'with' if event.plate else 'without'} a plate."
        case devices.BarrierOrderCarriedOut(by="answer"):
            return f"{_first(_device(event, names))} was told to lift the barrier, in the answer for which it waited."
        case devices.BarrierOrderCarriedOut():
            return f"{_first(_device(event, names))} said that it lifted the barrier."
        case devices.BarrierOrderFailed(reason="expired"):
            return "The order to lift the barrier came too late, or after the camera had its answer: nothing was sent."
        case devices.BarrierOrderFailed():
            return f"The barrier was not lifted, or nobody knows: {_why(event.reason)}."
        case devices.FallbackGiven():
            did = "it lifted the barrier" if event.admitted else "the barrier stayed down"
            return f"No decision came in time: {_device(event, names)} did what is configured for that, {did}."
        case devices.DoorOrderAttempted():
            return f"The order was sent to {_device(event, names)}, once."
        case devices.DoorOrderCarriedOut():
            return f"{_first(_device(event, names))} said that it carried the order out."
        case devices.DoorOrderFailed():
            return f"The order to {_device(event, names)} failed: {_why(event.reason)}."
        case devices.DeviceRegistered():
            return f"Device {event.name} is in the registry, a {event.kind}."
        case devices.DeviceEnrolled():
            return f"{_first(_device(event, names))} was given a credential of its own."
        case devices.DeviceRetired():
            return f"{_first(_device(event, names))} was taken out of use."
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
            return (f"{_first(_whom(event.resident_id, names))} lives in {_home(event, names)} as {terms.HOMES.get(event.role, event.role)}"
                    f" since {event.since}.")
        case identity.ResidenceEnded():
            return f"{_first(_whom(event.resident_id, names))} lived in {_home(event, names)} until {event.until}."
        case identity.PersonLeft():
            return f"{_first(_whom(event.person_id, names))} has left the community."
        case identity.ResidentRegistered():
            return f"{_first(_whom(event.resident_id, names))} was registered as a resident."
        case identity.HomeRegistered():
            return f"{_first(_home(event, names))} was registered."
        case identity.BuildingRegistered():
            return f"Building {event.name} was registered, with {counted(event.units, 'unit')}."
        case identity.CommunityFounded():
            return f"The community {event.name} was founded."
        case identity.AccountOpened():
            return f"{_first(_whom(event.person_id, names))} may sign in as {terms.ACCOUNTS.get(event.role, event.role)}."
        case identity.AccountClosed():
            return f"{_first(_whom(event.person_id, names))} may no longer sign in as {terms.ACCOUNTS.get(event.role, event.role)}."
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
            told = alarm_english.sentence(event, names) or neighbors_english.sentence(event, names)
            return told or people_english.sentence(event, names) or NO_WORDS


def _what(means: str) -> str:
    return terms.MEANS.get(means, means)


def _why(reason: str) -> str:
    return terms.REASONS.get(reason) or reason.replace("_", " ")


def _rule(rule: str) -> str:
    return terms.RULES.get(rule) or terms.DOOR_RULES.get(rule) or rule.replace("_", " ")


def _of(person_id: UUID | None, names: Names) -> str:
    return f" of {_whom(person_id, names)}" if person_id else ""


def _door(event: Any, names: Names) -> str:
    return f"door {names.get(event.door_id) or short(event.door_id)}"


def _device(event: Any, names: Names) -> str:
    return f"device {names.get(event.device_id) or short(event.device_id)}"


def _zone(event: Any, names: Names) -> str:
    building = building_of(event)
    return f"the zone {(building and names.get(building)) or event.zone}"


def _building(event: Any, names: Names) -> str:
    return f"building {names.get(event.building_id) or short(event.building_id)}"


def _lane(event: Any, names: Names) -> str:
    return f"lane {names.get(event.lane_id) or short(event.lane_id)}"


def _home(event: Any, names: Names) -> str:
    return f"home {names[event.home_id]}" if event.home_id in names else "a home"


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
