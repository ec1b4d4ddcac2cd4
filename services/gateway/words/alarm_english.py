"""English: alarms, panels, fire releases. Who acted is said by role. Pure."""

from typing import Any

from libs.contracts import access, alarm, devices
from services.gateway.words.alarm_english_terms import CHECKED, CODES, DETECTED, HOW, KINDS, REASONS, ROLES, RULES, SENT, SEVERITIES, WAITED
from services.gateway.words.names import BY_HAND, Names, moment, short


def sentence(event: Any, names: Names) -> str:
    """Empty for what is none of these."""
    match event:
        case alarm.PanelInstalled():
            return f"Alarm panel {event.name} speaks through {_device(event, names)}."
        case alarm.SensorInstalled():
            return f"A sensor ({KINDS.get(event.kind, event.kind)}) hangs on zone {event.zone} of its panel, at {place(event, names)}."
        case alarm.IncidentRaised():
            return _raised(event, names)
        case alarm.IncidentRepeated():
            return f"The same source said it again{_late(event)}, for the {ordinal(event.count)} time; it is still one incident."
        case alarm.IncidentRestored():
            return f"The source of the {_alarm(event)} is well again; that alone ends no incident, people do."
        case alarm.IncidentAcknowledged():
            by = moment(event.verify_by)
            return f"{_first(who(event.by, names))} owns the {_alarm(event)} from then on; the next step is due by {by} UTC."
        case alarm.IncidentVerified():
            return (f"{_first(who(event.by, names))} verified {HOW.get(event.how, event.how)} that the {_alarm(event)} at"
                    f" {place(event, names)} is real; somebody has to be sent by {moment(event.dispatch_by)} UTC.")
        case alarm.IncidentFoundFalse():
            return f"{_first(who(event.by, names))} found that the {_alarm(event)} was false: {HOW.get(event.cause, event.cause)}."
        case alarm.IncidentDispatched():
            return (f"{_first(who(event.by, names))} sent {SENT.get(event.to, event.to)}; it has to be resolved by"
                    f" {moment(event.resolve_by)} UTC.")
        case alarm.IncidentResolved():
            return f"{_first(who(event.by, names))} said that the {_alarm(event)} is over: {HOW.get(event.how, event.how)}."
        case alarm.IncidentEscalated():
            return _escalated(event)
        case alarm.PatrolJudged():
            return _patrol(event)
        case alarm.WellnessCheck():
            return _check(event, names)
        case _:
            return _of_releases(event, names) or _of_panels(event, names)


def _raised(event: alarm.IncidentRaised, names: Names) -> str:
    match event.code:
        case "sos" | "manual":
            source = f"{who(event.raised_by, names, 'a resident' if event.code == 'sos' else 'somebody on duty')} raised it"
        case _:
            source = CODES.get(event.code) or DETECTED.get(event.code.partition(":")[0]) or f"code {event.code}"
    quiet = " Nothing at the place shows it." if event.silent else ""
    return (f"A {SEVERITIES[event.severity]} {_alarm(event)} was raised at {place(event, names)}{_late(event)} ({source});"
            f" somebody has to acknowledge it by {moment(event.acknowledge_by)} UTC.{quiet}")


def _escalated(event: alarm.IncidentEscalated) -> str:
    told = " and ".join(ROLES.get(role, role) for role in event.told) or "nobody more"
    then = f"; the next level follows at {moment(event.next_by)} UTC" if event.next_by else "; there is no higher level"
    return (f"The {_alarm(event)} went up to level {event.level}: nobody had {WAITED[event.waiting_for]} it by"
            f" {moment(event.due)} UTC; {told} had to be told{then}.")


def _patrol(event: alarm.PatrolJudged) -> str:
    met = [f"{n} {text}" for how, text in (("on_time", "on time"), ("early", "early"), ("late", "late"), ("missed", "missed"))
           if (n := event.stops.get(how))]  # type: ignore[call-overload]
    again = "" if event.times == 1 else f" for the {ordinal(event.times)} time, since more was told"
    return f"The round {event.name} of {moment(event.starts_at)} UTC has been judged{again}: of its stops {', '.join(met)}."


def _check(event: alarm.WellnessCheck, names: Names) -> str:
    home = f"home {names[event.home_id]}" if event.home_id in names else "a home that is cared for"
    if event.answer_by is not None:
        asked = "those who live there" if event.state == "home" else "the neighbours who help there"
        worried = f"{_first(who(event.by, names))} worried. " if event.by else ""
        return (f"{worried}Nobody has been noticed at {home} since {moment(event.silent_since)} UTC; {asked} are asked whether all is well,"
                f" and have until {moment(event.answer_by)} UTC.")
    return f"The wellness check at {home} is over: {CHECKED[event.state]}."


def _of_releases(event: Any, names: Names) -> str:
    match event:
        case access.FireReleaseBegun():
            rule = f"access, by the rule {RULES.get(event.rule, event.rule)},"
            by = who(event.by, names) if event.by or event.rule == BY_HAND else rule
            return f"{_first(by)} had {_relays(event)} {_building(event, names)} released: {_why(event.reason)}."
        case access.FireReleaseJoined():
            return f"Another fire was verified while {_relays(event)} {_building(event, names)} stood released: they are for it too."
        case access.FireReleaseEnded():
            return f"{_first(who(event.by, names))} ended the fire release of {_building(event, names)}: {_why(event.reason)}."
        case access.RelayReleased(released=True):
            return f"{_first(_opening(event, names))} stands released: its device confirmed it."
        case access.RelayReleased():
            return f"{_first(_opening(event, names))} is back to normal: its device confirmed it."
        case access.RelayNotReleased(reason="device_retired"):
            wanted = "released" if event.released else "set back"
            return f"{_first(_opening(event, names))} will not be {wanted}: its device was taken out of use before."
        case access.RelayNotReleased():
            wanted = "released" if event.released else "set back"
            return f"{_first(_opening(event, names))} is not {wanted} yet ({_why(event.reason)}); it is tried again."
        case access.DuressSignalled():
            return (f"Somebody at {_opening(event, names)} signalled that they are under threat; the door does as ever and nothing there"
                    " shows it.")
        case _:
            return ""


def _of_panels(event: Any, names: Names) -> str:
    match event:
        case devices.PanelSignalled():
            where = f", {'user' if event.user else 'zone'} {event.zone}" if event.zone is not None else ""
            when = "just now" if event.live else "from its memory"
            return f"{_first(_device(event, names))} signalled {when}: {event.code}{where}."
        case devices.LineSilent():
            return f"The line of {_device(event, names)} has been silent for more than {event.limit} seconds."
        case devices.LineBack():
            return f"The line of {_device(event, names)} speaks again."
        case devices.HoldCarriedOut():
            return f"{_first(_device(event, names))} said that relay {event.door_no} is {REASONS[event.state]}."
        case devices.HoldFailed(reason="device_retired"):
            return f"{_first(_device(event, names))} was taken out of use before relay {event.door_no} was {REASONS[event.state]}."
        case devices.HoldFailed():
            again = f"it is tried again at {moment(event.again_at)} UTC" if event.again_at else "it is tried no more"
            return (f"{_first(_device(event, names))} did not bring relay {event.door_no} to be {REASONS[event.state]}"
                    f" ({_why(event.reason)}, attempt {event.attempt}); {again}.")
        case _:
            return ""


def who(person_id: Any, names: Names, otherwise: str = "somebody on duty") -> str:
    return ROLES.get(names.get(person_id, ""), otherwise) if person_id else otherwise


def place(event: Any, names: Names) -> str:
    """As exactly as was said; the home only where the reader may know it."""
    at = event.place
    found = [at.name] if at.name not in ("", names.get(at.home_id)) else []
    if at.home_id in names:
        found.append(f"home {names[at.home_id]}")
    if at.floor is not None:
        found.append(f"floor {at.floor}")
    if at.unit is not None:
        found.append(f"unit {at.unit}")
    if at.building_id is not None:
        found.append(f"building {names.get(at.building_id) or short(at.building_id)}")
    return ", ".join(found) or "a place that nobody named"


def ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _alarm(event: Any) -> str:
    return str(KINDS.get(event.kind, event.kind))


def _late(event: Any) -> str:
    return "" if event.live else ", told late"


def _relays(event: Any) -> str:
    lifts = sum(relay.state == "recalled" for relay in event.relays)
    doors = len(event.relays) - lifts
    return f"{counted(doors, 'door')} and {counted(lifts, 'lift')} of"


def _why(reason: str) -> str:
    return REASONS.get(reason) or reason.replace("_", " ")


def _opening(event: Any, names: Names) -> str:
    return f"door {names.get(event.door_id) or short(event.door_id)}"


def _device(event: Any, names: Names) -> str:
    return f"device {names.get(event.device_id) or short(event.device_id)}"


def _building(event: Any, names: Names) -> str:
    return f"building {names.get(event.building_id) or short(event.building_id)}"


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
