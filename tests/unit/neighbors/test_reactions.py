"""What follows from what is heard: residences, verified incidents and their end; and what one attempt to tell somebody comes to."""

import asyncio
from datetime import UTC, date, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.contracts import alarm, identity
from libs.eventkit.privacy import BlindIndex
from services.neighbors.book import CircleBook
from services.neighbors.channels import NONE, HasNoChannel, channels_for
from services.neighbors.domain.broadcasts import (
    TEXTS,
    BroadcastEnded,
    BroadcastSent,
    EndBroadcast,
    Ended,
    Fact,
    NoBroadcast,
    Running,
    SendBroadcast,
    broadcast_id_of,
)
from services.neighbors.domain.circles import AddResidence, MemberJoined, MemberLeft, RemoveResidence, member_id_of
from services.neighbors.domain.tellings import (
    LONGEST,
    PATIENCE,
    GiveUpTelling,
    QueueTelling,
    RecordFailed,
    RecordTold,
    TellingQueued,
    Waiting,
    telling_id_of,
)
from services.neighbors.processes import telling
from services.neighbors.reactions import reactions
from tests.kit import recorded

HERE, HOUSE, ANN, BEN, FIRE, BY, LIVES, HOME = (UUID(int=n) for n in range(1, 9))
CALL = broadcast_id_of(FIRE)
NOW, DAY = datetime(2026, 3, 1, 8, tzinfo=UTC), date(2026, 3, 1)
VERIFIED = alarm.IncidentVerified(FIRE, "fire", "critical", False, alarm.Place(building_id=HOUSE, floor=3), BY, "camera", NOW)
RESOLVED = alarm.IncidentResolved(FIRE, "fire", "critical", False, alarm.Place(building_id=HOUSE), BY, "put_out")
FALSE = alarm.IncidentFoundFalse(FIRE, "gas", "critical", False, alarm.Place(building_id=HOUSE), BY, "cooking")
SENT = BroadcastSent(CALL, HOUSE, "fire", "着火了", FIRE, None, "incident_verified", "fire_verified", (), (ANN,))


def book_of(*events, later=()):
    """`later`: what another process has heard a moment ago."""
    book = CircleBook(BlindIndex(bytes(range(32))).of)
    for event in (identity.BuildingRegistered(HOUSE, "1号楼", 2), *events):
        book.memory.apply(event, recorded(event, HERE))
    asked = []

    async def ready(position=0):
        asked.append(position)

    async def catch_up():
        for event in later:
            book.memory.apply(event, recorded(event, HERE))

    book.ready, book.memory.catch_up = ready, catch_up
    book.asked = asked
    return book


def joined(resident, building=HOUSE):
    return MemberJoined(building or HERE, building, resident, LIVES)


async def followed(event, book, position=7):
    row = recorded(event, HERE, position=position, at=NOW)
    return row, [do for r in reactions(book) for kind, react in r.on.items() if kind is type(event) for do in await react(event, row)]


async def test_who_moves_in_joins_the_building_and_the_community_and_leaves_both():
    started = identity.ResidenceStarted(LIVES, ANN, HOME, HOUSE, 1, "tenant", DAY)
    _, dos = await followed(started, book_of())
    assert [(d.subject_id, d.command) for d in dos] == [
        (member_id_of(HOUSE, ANN), AddResidence(HOUSE, HOUSE, ANN, LIVES)), (member_id_of(HERE, ANN), AddResidence(HERE, None, ANN, LIVES))]
    _, dos = await followed(identity.ResidenceEnded(LIVES, ANN, HOME, HOUSE, DAY), book_of())
    assert [(d.subject_id, d.command) for d in dos] == [
        (member_id_of(HOUSE, ANN), RemoveResidence(HOUSE, HOUSE, ANN, LIVES)),
        (member_id_of(HERE, ANN), RemoveResidence(HERE, None, ANN, LIVES))]
    assert len({d.name for d in dos}) == 2


@pytest.mark.parametrize("kind", ["fire", "gas"])
async def test_a_verified_fire_or_gas_leak_is_broadcast_to_its_building_once(kind):
    book = book_of(joined(BEN), joined(ANN), joined(BY, None))
    row, [do] = await followed(replace(VERIFIED, kind=kind), book)
    assert do.subject_id == CALL and book.asked == [7]
    assert do.command == SendBroadcast(
        CALL, HOUSE, kind, TEXTS[kind], FIRE, None, "incident_verified", f"{kind}_verified",
        (Fact(row.event_id, "incident_verified"),), (ANN, BEN))


@pytest.mark.parametrize("change", [
    {"silent": True}, {"kind": "duress"}, {"kind": "water"}, {"place": alarm.Place(name="gate")}], ids=str)
async def test_of_nothing_else_is_anybody_told(change):
    assert (await followed(replace(VERIFIED, **change), book_of(joined(ANN))))[1] == []


@pytest.mark.parametrize("over", [RESOLVED, FALSE], ids=lambda e: type(e).__name__)
async def test_what_is_over_before_anybody_looked_alarms_nobody(over):
    assert (await followed(VERIFIED, book_of(joined(ANN), over)))[1] == []


async def test_it_ends_with_its_incident():
    book = book_of()
    assert [d.command for d in (await followed(RESOLVED, book))[1]] == [EndBroadcast(CALL, None, "incident_resolved")]
    assert [d.command for d in (await followed(FALSE, book))[1]] == [EndBroadcast(CALL, None, "incident_found_false")]
    assert (await followed(replace(RESOLVED, kind="water"), book))[1] == []


def test_the_rule_speaks_of_fire_and_gas_in_chinese():
    assert set(TEXTS) == {"fire", "gas"} and all(1 <= len(t) <= 500 and "撤离" in t for t in TEXTS.values())


class Desk:
    """Stands for the app: what it is told to do, and what it knows of the broadcast."""

    def __init__(self, broadcast=None):
        self.given, self.broadcast = [], broadcast or Running(SENT)
        self.commands = SimpleNamespace(handle=self.handle, state=self.state)

    async def handle(self, subject_id, command, context, new=False):
        self.given.append((subject_id, command, context))

    async def state(self, decider, subject_id, community_id):
        return (self.broadcast if subject_id == CALL else NoBroadcast()), 1


class Takes:
    def __init__(self, name="push", error=None):
        self.name, self.error, self.taken = name, error, []

    async def send(self, emergency, key):
        self.taken.append((emergency, key))
        if self.error:
            raise self.error


async def queued(event, book, *channels):
    desk, row = Desk(), recorded(event, HERE, position=9, at=NOW)
    assert await telling.queueing(desk, book, channels).on[type(event)](event, row) == []
    return desk.given


async def test_whoever_lives_there_or_has_just_joined_is_told_by_every_channel():
    book = book_of(joined(BEN), joined(BY, None))
    given = await queued(SENT, book, Takes("push"), Takes("sms"))
    assert {(c.resident_id, c.channel) for _, c, _ in given} == {(r, c) for r in (ANN, BEN) for c in ("push", "sms")}
    assert book.asked == [9] and all(c.queued_at == NOW and c.broadcast_id == CALL and c.building_id == HOUSE for _, c, _ in given)
    assert all(subject == telling_id_of(CALL, c.resident_id, c.channel) == c.telling_id for subject, c, _ in given)
    assert len({next(iter(context.ids("neighbors"))) for _, _, context in given}) == 4, "each has an event of its own"
    assert [c.channel for _, c, _ in await queued(SENT, book_of())] == [NONE]


async def test_who_moves_in_while_it_runs_is_told_and_later_not():
    given = await queued(joined(BEN), book_of(SENT, joined(BEN)), Takes())
    assert [c for _, c, _ in given] == [QueueTelling(telling_id_of(CALL, BEN, "push"), CALL, HOUSE, BEN, "push", NOW)]
    assert await queued(joined(BEN, None), book_of(SENT, joined(BEN, None)), Takes()) == []
    over = BroadcastEnded(CALL, HOUSE, BY, "by_hand")
    assert await queued(joined(BEN), book_of(SENT, over, joined(BEN)), Takes()) == []


ID = telling_id_of(CALL, ANN, "push")
WAITING = Waiting(TellingQueued(ID, CALL, HOUSE, ANN, "push", datetime.now(UTC)), datetime.now(UTC), 2)


async def attempt(channel, *events, broadcast=None, waiting=WAITING):
    channels = {channel.name: channel}
    return await telling.attempt(Desk(broadcast), book_of(joined(ANN), *events), channels, HERE, waiting)


async def test_a_channel_takes_it_under_its_key():
    channel = Takes()
    assert await attempt(channel) == RecordTold(ID)
    [(emergency, key)] = channel.taken
    assert key == str(ID) and (emergency.resident_id, emergency.kind, emergency.text) == (ANN, "fire", "着火了")


async def test_what_is_not_taken_is_recorded_by_the_name_of_the_error_alone(monkeypatch):
    found = await attempt(Takes(error=ConnectionRefusedError("call 13800000001")))
    assert isinstance(found, RecordFailed) and (found.attempt, found.error) == (3, "ConnectionRefusedError")
    assert telling.ANSWER == 10.0
    monkeypatch.setattr(telling, "ANSWER", 0.01)
    hangs = Takes()
    hangs.send = lambda emergency, key: asyncio.Event().wait()
    found = await attempt(hangs)
    assert isinstance(found, RecordFailed) and found.error == "TimeoutError"


async def test_there_is_no_point_where_it_is_over_they_have_left_or_cannot_be_reached():
    channel = Takes()
    assert await attempt(channel, broadcast=Ended(SENT)) == GiveUpTelling(ID, "ended")
    assert await attempt(channel, MemberLeft(HOUSE, HOUSE, ANN, LIVES)) == GiveUpTelling(ID, "moved_out")
    assert await attempt(Takes("sms")) == GiveUpTelling(ID, "no_channel")
    assert channel.taken == []
    assert await attempt(Takes(error=HasNoChannel())) == GiveUpTelling(ID, "no_channel")


async def test_nobody_is_told_of_an_emergency_by_whoever_was_away_for_longer_than_its_hour():
    """A process that begins again knows of the broadcast before it has heard what became of the incident meanwhile."""
    channel, now = Takes(), datetime.now(UTC)
    late, in_time = (replace(WAITING, queued=replace(WAITING.queued, queued_at=now - age)) for age in (PATIENCE, PATIENCE - LONGEST))
    assert await attempt(channel, waiting=late) == GiveUpTelling(ID, "given_up") and channel.taken == []
    assert await attempt(channel, waiting=in_time) == RecordTold(ID)


async def test_who_has_just_moved_in_is_not_taken_for_one_who_has_moved_out():
    """The process that tells may be some seconds behind the one that queued."""
    channel = Takes()
    book = book_of(later=[joined(ANN)])
    assert await telling.attempt(Desk(), book, {channel.name: channel}, HERE, WAITING) == RecordTold(ID)
    assert len(channel.taken) == 1


def test_there_are_channels_on_the_local_stack_alone():
    assert [c.name for c in channels_for(SimpleNamespace(demo=True))] == ["push", "sms"]
    assert channels_for(SimpleNamespace(demo=False)) == ()
    timers = [t.name for t in telling.timers(None, None, channels_for(SimpleNamespace(demo=True)))]
    assert timers == ["telling_push", "telling_sms"] and [t.name for t in telling.timers(None, None, ())] == ["telling_none"]
