"""An emergency broadcast: everybody in one building is told, through every channel, until it is over.

1. A rule begins it when somebody has verified a fire or a gas leak in the building, once for an incident, and ends it with
   the incident; a silent one leads to none. Staff and guards begin and end by hand.
2. Its stream holds the ids of those who lived there when it was decided: who was told and who was not has to add up
   afterwards, whoever has moved since. How each of them is told: `tellings.py`.
"""

from typing import Literal, assert_never
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import asdict

from libs.eventkit.decider import Decider, NotFound, Refused

Kind = Literal["fire", "gas", "water", "security", "other"]
LONGEST_TEXT = 500
BY_RULE, BY_HAND = "incident_verified", "by_hand"
TEXTS: dict[str, str] = {
    "fire": "本楼发生火情，请立即沿疏散楼梯撤离到楼外，不要乘坐电梯，不要返回取物。",
    "gas": "本楼发生燃气泄漏，请勿开关电器，请勿使用明火，立即开窗并撤离到楼外。",
}
"""What the rule says, by the kind of the incident: of others it begins no broadcast."""


class Fact(Struct, frozen=True):
    """Something that it rests on: the event that said it, and what it said in one word."""

    event_id: UUID
    says: str


class _Broadcast(Struct, frozen=True):
    """`by` None: a rule sent it. `recipients`: who belonged to the building's circle."""

    broadcast_id: UUID
    building_id: UUID
    kind: Kind
    text: str
    incident_id: UUID | None
    by: UUID | None
    rule: str
    reason: str
    facts: tuple[Fact, ...]
    recipients: tuple[UUID, ...]


# what happened


class BroadcastSent(_Broadcast, frozen=True, tag="broadcast_sent"):
    pass


class BroadcastEnded(Struct, frozen=True, tag="broadcast_ended"):
    """`by` None: with its incident; `reason`: by_hand, incident_resolved, incident_found_false."""

    broadcast_id: UUID
    building_id: UUID
    by: UUID | None
    reason: str


BroadcastEvent = BroadcastSent | BroadcastEnded


# what is


class NoBroadcast(Struct, frozen=True):
    pass


class Running(Struct, frozen=True):
    sent: BroadcastSent


class Ended(Struct, frozen=True):
    sent: BroadcastSent


Broadcast = NoBroadcast | Running | Ended


def evolve(broadcast: Broadcast, event: BroadcastEvent) -> Broadcast:
    match broadcast, event:
        case NoBroadcast(), BroadcastSent():
            return Running(event)
        case Running(sent=sent), BroadcastEnded():
            return Ended(sent)
        case _:
            return broadcast


# what is asked


class SendBroadcast(_Broadcast, frozen=True):
    pass


class EndBroadcast(Struct, frozen=True):
    broadcast_id: UUID
    by: UUID | None
    reason: str


def broadcast_id_of(incident_id: UUID) -> UUID:
    """One for each incident."""
    return uuid5(incident_id, "broadcast")


def decide_send_broadcast(command: SendBroadcast, broadcast: Broadcast) -> list[BroadcastEvent]:
    """Also to a building where nobody is known to live: who moves in while it runs is told."""
    if not isinstance(broadcast, NoBroadcast):
        return []
    if not 1 <= len(command.text) <= LONGEST_TEXT:
        raise Refused("text_length", longest=LONGEST_TEXT)
    return [BroadcastSent(**asdict(command))]


def decide_end_broadcast(command: EndBroadcast, broadcast: Broadcast) -> list[BroadcastEvent]:
    """The rule ends what there is; a person is told that there is none."""
    match broadcast:
        case NoBroadcast() if command.by is not None:
            raise NotFound("broadcast")
        case Running(sent=sent):
            return [BroadcastEnded(command.broadcast_id, sent.building_id, command.by, command.reason)]
        case NoBroadcast() | Ended():
            return []
        case _:
            assert_never(broadcast)


BROADCASTS = Decider[Broadcast, BroadcastEvent](
    category="broadcast", initial=NoBroadcast(), evolve=evolve,
    decide={SendBroadcast: decide_send_broadcast, EndBroadcast: decide_end_broadcast})
