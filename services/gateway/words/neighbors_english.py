"""English: neighbours, broadcasts, population, and what authorities are told. Pure."""

from typing import Any

from libs.contracts import government, identity, neighbors
from services.gateway.told import Told
from services.gateway.words.alarm_english import counted, ordinal, who
from services.gateway.words.alarm_english_terms import (
    BROADCASTS,
    CATEGORIES,
    CHANNELS,
    HOW,
    KINDS,
    POPULATION,
    REASONS,
    RULES,
    SENT,
    SOURCES,
    STATES,
    WAITED,
)
from services.gateway.words.names import BY_HAND, Names, moment, short


def sentence(event: Any, names: Names) -> str:
    """Empty for what is none of these."""
    match event:
        case neighbors.CircleJoined():
            return f"A resident joined the circle of {_circle(event, names)}."
        case neighbors.CircleLeft():
            return f"A resident left the circle of {_circle(event, names)}."
        case neighbors.DisplayNameChosen():
            return "A resident chose by what name neighbours see them."
        case neighbors.NoticePosted():
            return (f"{_first(who(event.by, names, 'staff'))} posted a notice ({CATEGORIES[event.category]}) to the circle of"
                    f" {_circle(event, names)}{_people(event.audience)}: {event.title}.")
        case neighbors.NoticeWithdrawn():
            return f"{_first(who(event.by, names, 'staff'))} withdrew the notice."
        case neighbors.NoticeRead():
            return "A resident read it."
        case neighbors.BroadcastSent():
            rule = f"neighbors, by the rule {RULES.get(event.rule, event.rule)},"
            by = who(event.by, names) if event.by or event.rule == BY_HAND else rule
            building = names.get(event.building_id) or short(event.building_id)
            return (f"{_first(by)} sent an emergency broadcast ({BROADCASTS[event.kind]}) to everybody in building {building}"
                    f"{_people(event.audience)}: {_why(event.reason)}.")
        case neighbors.ResidentTold():
            return f"A resident was told by {CHANNELS.get(event.channel, event.channel)}."
        case neighbors.ResidentNotTold():
            return f"A resident was not told by {CHANNELS.get(event.channel, event.channel)}: {_why(event.reason)}."
        case neighbors.BroadcastEnded():
            by = who(event.by, names) if event.by or event.reason == BY_HAND else "neighbors"
            return f"{_first(by)} gave the all clear for the broadcast: {_why(event.reason)}."
        case identity.PopulationDeclared():
            return f"{_first(SOURCES[event.source])} said that a resident counts as {POPULATION[event.kind]}."
        case _:
            return _of_government(event)


def _of_government(event: Any) -> str:
    match event:
        case government.IncidentOpened():
            return f"Authorities were told of the {_alarm(event)}, to be acknowledged by {moment(event.deadline)} UTC."
        case government.IncidentProgressed():
            until = f"; the next step is due by {moment(event.deadline)} UTC" if event.deadline else ""
            how = HOW.get(event.how) or SENT.get(event.how) or _why(event.how)
            return f"Authorities were told that the {_alarm(event)} is {STATES[event.state]} ({how}){until}."
        case government.IncidentOverdue():
            return (f"Authorities were told that nobody had {WAITED.get(event.waiting_for, event.waiting_for)} the {_alarm(event)} by"
                    f" {moment(event.due)} UTC, level {event.level}.")
        case government.IncidentRecurred():
            return f"Authorities were told that the source of the {_alarm(event)} said it for the {ordinal(event.count)} time."
        case government.FireReleased(released=True):
            return f"Authorities were told of the fire release: {counted(event.doors, 'door')} and {counted(event.lifts, 'lift')}."
        case government.FireReleased():
            return "Authorities were told that the fire release has ended."
        case _:
            return ""


def reached(told: Told, audience: int) -> str:
    """Who was told and who was not, by number: the broadcast's page names each. Who came later was told too."""
    missed = sum(told.not_told.values())
    audience = max(audience, told.told + missed)
    if not told.told and not told.not_told:
        return f"Of {_persons(audience)} nobody has been reached so far."
    why = ", ".join(f"{_why(reason)}: {n}" for reason, n in sorted(told.not_told.items()))
    left = audience - told.told - missed
    return (f"Of {_persons(audience)} {_were(told.told)} told{f', {_were(missed)} not told ({why})' if missed else ''}"
            f"{f', of {left} nobody knows yet' if left > 0 else ''}.")


def _people(audience: int) -> str:
    """Nothing where the reader may not know it."""
    return f", {_persons(audience)}" if audience else ""


def _persons(number: int) -> str:
    return counted(number, "person", "people")


def _were(people: int) -> str:
    return f"{people} {'was' if people == 1 else 'were'}"


def _alarm(event: Any) -> str:
    return str(KINDS.get(event.kind, event.kind))


def _why(reason: str) -> str:
    return REASONS.get(reason) or reason.replace("_", " ")


def _circle(event: Any, names: Names) -> str:
    return f"building {names.get(event.building_id) or short(event.building_id)}" if event.building_id else "the community"


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
