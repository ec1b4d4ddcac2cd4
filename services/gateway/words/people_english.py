"""English: what people have agreed to, who looked at whom, who was erased, and what readers have forgotten. Pure."""

from typing import Any

from libs.contracts import access, devices, identity
from libs.contracts.fields import Confirmed
from services.gateway.words.names import ERASED, Names, short

GONE = "an erased resident"
PURPOSES = {"face": "their face as a way in", "sharing": "sharing with authorities", "notices": "notices by push and SMS"}
ROLES = {
    "staff": "A member of staff", "guard": "A guard", "grid": "A grid worker", "police": "The police", "operator": "An operator"}
WHY = {
    "own_wish": "by their own wish", "on_request": "on request", "retention": "since their time was over",
    "restored": "as it had been before a restore"}
ENDED = {
    "consent_withdrawn": "since they no longer agree to it", "erased": "since they were erased",
    "residence_ended": "since they have left"}


def whom(person_id: Any, names: Names) -> str:
    """Persons go by the end of their id: a name would have to be opened, and of who was erased there is none."""
    if person_id is None:
        return "somebody unknown"
    return GONE if names.get(person_id) == ERASED else f"person {short(person_id)}"


def sentence(event: Any, names: Names) -> str:
    """Empty where it is not of these."""
    match event:
        case identity.ConsentGiven() | identity.ConsentWithdrawn():
            by = "" if event.by == event.resident_id else ", by the word of a guardian"
            agrees = "agreed to" if isinstance(event, identity.ConsentGiven) else "no longer agrees to"
            return f"{_first(whom(event.resident_id, names))} {agrees} {PURPOSES[event.purpose]}{by}."
        case identity.ResidentLookedAt():
            return f"{ROLES.get(event.role, 'Somebody')} was shown personal data of {whom(event.resident_id, names)}."
        case identity.ResidentErased():
            return f"The data of a resident was erased, {WHY.get(event.reason, event.reason)}."
        case Confirmed():
            service = str(event.__struct_config__.tag).partition(".")[0]
            return f"{service.capitalize()} confirmed that it keeps nothing of an erased resident any more."
        case access.FaceIssued():
            return f"{_first(whom(event.person_id, names))} may come in by their face."
        case access.FaceRevoked():
            why = ENDED.get(event.reason)
            return f"The face of {whom(event.person_id, names)} opens nothing any more{f', {why}' if why else ''}."
        case devices.TemplateRemovalWanted():
            return f"The face of a credential is to leave device {names.get(event.device_id) or short(event.device_id)}."
        case devices.TemplateRemoved():
            return f"Device {names.get(event.device_id) or short(event.device_id)} confirmed that it has forgotten the face."
        case devices.TemplateNotRemoved(reason="reader_gone"):
            device = names.get(event.device_id) or short(event.device_id)
            return f"Device {device} was retired before it had confirmed that it has forgotten the face: it is told no more."
        case devices.TemplateNotRemoved():
            device = names.get(event.device_id) or short(event.device_id)
            return f"Device {device} did not confirm that it has forgotten the face (attempt {event.attempt})."
        case _:
            return ""


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
