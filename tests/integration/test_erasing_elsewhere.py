"""Access, parking, neighbors and those that keep nothing do their part of an erasure, each once, and confirm it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import convert

from cli.keeper.retiring import retire
from libs.contracts.fields import SealedField
from libs.contracts.identity import BuildingRegistered, CommunityFounded, HomeRegistered, ResidenceStarted, ResidentRegistered
from libs.eventkit.decider import Refused
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.privacy import Erased, seal
from libs.eventkit.recorded import uuid7
from libs.eventkit.sealed import Sealed
from services.access.api.doors import issue as issue_credential
from services.access.api.visitor_passes import NewPass, shown
from services.access.api.visitor_passes import issue as issue_pass
from services.access.domain.credentials import IssueCredential
from services.access.domain.doors import InstallDoor
from services.access.erasures import refuse_erased as access_refuses
from services.access.main import SERVICE as ACCESS
from services.access.main import book_of as door_book
from services.alarm.main import SERVICE as ALARM
from services.devices.main import SERVICE as DEVICES
from services.gateway.main import SERVICE as GATEWAY
from services.neighbors import names
from services.neighbors.domain.circles import AddResidence, member_id_of
from services.neighbors.domain.display_names import SCOPE
from services.neighbors.main import SERVICE as NEIGHBORS
from services.neighbors.main import book_of as circle_book
from services.parking.domain.plate_rights import EndPlateRight, GrantPlateRight, PlateRightGranted
from services.parking.erasures import refuse_erased as parking_refuses
from services.parking.lane_desk import index_of
from services.parking.main import SERVICE as PARKING
from tests.integration.erasing import Desk
from tests.kit import until

ANN, BEN, HOME, BUILDING, DOOR, DEVICE = (uuid4() for _ in range(6))
CARD, PIN, PLATE = "99887766", "246813", "沪A00001"


@pytest.mark.parametrize("service", [DEVICES, ALARM, GATEWAY], ids=lambda s: s.name)
async def test_who_keeps_nothing_of_them_confirms_it(app_of, community: UUID, service: Any):
    desk = Desk(await app_of(service), community)
    await desk.erases(ANN)
    assert await desk.confirmed() == [0]
    await desk.erases(ANN)
    assert await desk.confirmed() == [0], "told again, it says nothing new"


# access


class Doors(Desk):
    async def set_up(self) -> None:
        await self.hears(BuildingRegistered(BUILDING, "1号楼", 2))
        await self.hears(HomeRegistered(HOME, BUILDING, 1, "1-1-101"))
        for person in (ANN, BEN):
            await self.hears(ResidenceStarted(uuid4(), person, HOME, BUILDING, 1, "owner", date(2024, 9, 1)))
        await self.app.commands.handle(DOOR, InstallDoor(
            door_id=DOOR, name="门", zone="community", device_id=DEVICE, door_no=1, evacuation=True), self.asked)

    async def credential(self, person: UUID, kind: Any, number: str) -> UUID:
        found = uuid4()
        await issue_credential(self.app, self.community, found, person, kind, number, None, self.asked)
        return found

    async def invites(self, host: UUID, **more: Any) -> UUID:
        found = uuid4()
        await issue_pass(self.app, door_book(self.app), found, host, NewPass(
            kind="family", home_id=HOME, plate="粤B12345", visitor_name="客人", **more), self.asked)
        return found

    async def reason(self, kind: Any, number: str) -> str:
        """Why what is shown at the door is refused or let in."""
        book = door_book(self.app)
        await book.ready(await self.app.database.pool(), await self.app.log.last())
        index = self.app.blind.of(self.community, kind, number)
        return book.judge(book.door(self.community, DOOR), kind, datetime.now(UTC), index=index).reason


@pytest.fixture
async def doors(app_of, community: UUID) -> Doors:
    found = Doors(await app_of(ACCESS), community)
    await found.set_up()
    return found


async def test_access_revokes_what_they_hold_and_knows_it_no_more(doors: Doors):
    card, pin = await doors.credential(ANN, "card", CARD), await doors.credential(ANN, "pin", PIN)
    his = await doors.credential(BEN, "card", "11223344")
    assert await doors.reason("card", CARD) == "no_right_for_this_door"
    await doors.erases(ANN)
    assert sorted((e["credential_id"], e["reason"]) for e in await doors.said("credential_revoked")) == sorted(
        [(str(card), "erased"), (str(pin), "erased")])
    assert await doors.reason("card", CARD) == await doors.reason("pin", PIN) == "credential_unknown"
    assert await doors.reason("card", "11223344") == "no_right_for_this_door"
    assert await doors.claims("card", "pin") == {f"credential:{his}"} and await doors.alive() == {f"resident:{BEN}"}
    assert not [i for i in door_book(doors.app)._by_index.values() if i in (card, pin)], "the index is forgotten in memory"
    assert await doors.confirmed() == [1]


async def test_access_ends_the_passes_that_are_not_over_and_reads_none_of_them(doors: Doors):
    soon = await doors.invites(ANN)
    soon_over = datetime.now(UTC) + timedelta(seconds=1)
    over = await doors.invites(ANN, valid_from=soon_over - timedelta(minutes=1), valid_until=soon_over)
    theirs = await doors.invites(BEN)
    await until(lambda: datetime.now(UTC) > soon_over)
    await doors.erases(ANN)
    assert [(e["pass_id"], e["reason"]) for e in await doors.said("visitor_pass_revoked")] == [(str(soon), "host_erased")]
    assert await doors.alive() == {f"visitor-pass:{theirs}"} and await doors.confirmed() == [2], f"{over} too"
    rows = [{**e, "entries": 0, "arrived_at": None, "revoked": None} for e in await doors.said("visitor_pass_issued")]
    asked = [{**r, **{n: datetime.fromisoformat(r[n]) for n in ("valid_from", "valid_until")}} for r in rows]
    assert [(p["plate"], p["plate_state"], p["visitor_name"], p["visitor_name_state"]) for p in await shown(doors.app, asked, uuid4())] == [
        (None, "erased", None, "erased"), (None, "erased", None, "erased"), ("粤B***45", "known", "客*", "known")]


async def test_access_issues_nothing_to_them_and_takes_back_what_came_late(doors: Doors):
    await doors.erases(ANN)
    for attempt in (doors.credential(ANN, "card", CARD), doors.invites(ANN), access_refuses(doors.app, doors.community, ANN)):
        with pytest.raises(Refused) as refused:
            await attempt
        assert refused.value.code == "resident_erased"
    assert await doors.alive() == set(), "no key was made for it"
    await late_credential(doors)
    await doors.reacts()
    assert await doors.claims("card") == set() and await doors.alive() == set() and await doors.confirmed() == [0, 1]


async def test_access_keeps_no_key_of_a_pass_that_retention_has_blanked(doors: Doors):
    """Parking's copy of the plate rests under it, and nothing leads from the host to the pass any more."""
    theirs = await doors.invites(ANN)
    (said,) = await doors.said("visitor_pass_issued")
    plate = convert(said["plate"], Sealed)
    assert await doors.app.keyring.open(plate) == "粤B12345".encode()
    await blanked(doors)
    his = await doors.invites(BEN)
    await doors.reacts()
    assert await doors.alive() == {f"visitor-pass:{his}"} and await doors.app.keyring.open(plate) == Erased()
    assert [e["key_id"] for e in await doors.said("key_erased")] == [str(plate.key_id)], "others are told"
    await doors.erases(ANN)
    assert await doors.confirmed() == [0], f"nothing is left of {theirs}"


async def blanked(doors: Doors) -> None:
    """As the keeper does it ninety days later."""
    owner = await asyncpg.connect(doors.app.settings.database_url)
    await owner.execute("update events set recorded_at = recorded_at - interval '100 days'")
    await owner.execute("select seal_log()")
    await owner.execute("update checkpoints set position = (select max(position) from events) where name = any($1)",
                        list(doors.app.checkpoints()))
    await owner.close()
    readers = list(doors.app.checkpoints())
    gone = await retire(doors.app.database, ACCESS.retention, readers, datetime.now(UTC))
    assert gone["visitor_passes"] == 2, "with the word that its key was made"


async def late_credential(doors: Doors) -> None:
    """Decided by a process that had not heard of the erasure."""
    handle = await doors.app.keyring.key_for(doors.community, f"resident:{ANN}", "credential")
    number, credential = seal(handle.dek, handle.key_id, uuid7(), "number", CARD), uuid4()
    command = IssueCredential(credential, ANN, "card", number, doors.app.blind.of(doors.community, "card", CARD))
    await doors.app.commands.handle(credential, command, doors.asked, first=[KeyCreated(handle.key_id)])


# parking


class Rights(Desk):
    async def grant(self, kind: Any, plate: str, sealed_here: bool = True, **more: Any) -> UUID:
        right = more.pop("right_id", None) or uuid4()
        subject = f"plate-right:{right}" if sealed_here else f"vehicle:{right}"
        handle = await self.app.keyring.key_for(self.community, subject, "plate")
        box = seal(handle.dek, handle.key_id, right, "plate", plate)
        grant = PlateRightGranted(right, kind, box, **more)
        await self.app.commands.handle(right, GrantPlateRight(grant, index_of(self.app, self.community, plate)), self.asked)
        return right


async def test_parking_ends_the_rights_of_their_plates_and_keeps_what_money_hangs_on_by_id(app_of, community: UUID):
    desk = Rights(await app_of(PARKING), community)
    car = uuid4()
    await desk.grant("vehicle", PLATE, sealed_here=False, right_id=car, person_id=ANN, source_id=car)
    permit, of_car = await desk.grant("permit", PLATE, person_id=ANN), await desk.grant("white", PLATE, source_id=car)
    his = await desk.grant("permit", "沪A00002", person_id=BEN)
    await desk.erases(ANN)
    ended = {(e["right_id"], e["reason"]) for e in await desk.said("plate_right_ended")}
    assert ended == {(str(i), "erased") for i in (car, permit, of_car)}
    assert {f"plate-right:{permit}", f"plate-right:{of_car}"}.isdisjoint(await desk.alive())
    assert f"plate-right:{his}" in await desk.alive()
    assert {row.stream for row in await desk.rows() if row.type == "plate_right_granted"} >= {f"plate-right:{permit}"}
    pool = await desk.app.database.pool()
    assert [row[0] for row in await pool.fetch("select stream from claims")] == [f"plate-right:{his}"]
    assert await desk.confirmed() == [2]
    with pytest.raises(Refused):
        await parking_refuses(desk.app, community, ANN)
    await parking_refuses(desk.app, community, BEN)
    await parking_refuses(desk.app, community, None)


async def test_parking_takes_back_a_right_that_came_late_and_reads_one_that_had_ended_no_more(app_of, community: UUID):
    desk = Rights(await app_of(PARKING), community)
    old = await desk.grant("permit", PLATE, person_id=ANN)
    await desk.app.commands.handle(old, EndPlateRight(old, "by_staff"), desk.asked)
    await desk.erases(ANN)
    assert await desk.alive() == set() and await desk.confirmed() == [1]
    late = await desk.grant("permit", PLATE, person_id=ANN)
    await desk.reacts()
    assert await desk.alive() == set() and await desk.confirmed() == [1, 2]
    assert [e["right_id"] for e in await desk.said("plate_right_ended")] == [str(old), str(late)]


async def test_a_permit_that_was_handed_on_is_its_new_holders_whoever_is_erased(app_of, community: UUID):
    desk = Rights(await app_of(PARKING), community)
    permit = await desk.grant("permit", PLATE, person_id=ANN)
    await desk.grant("permit", PLATE, right_id=permit, person_id=BEN)
    car = uuid4()
    for keeper in (ANN, BEN):
        await desk.grant("vehicle", "沪A00002", sealed_here=False, right_id=car, person_id=keeper, source_id=car)
    of_car = await desk.grant("permit", "沪A00002", source_id=car)
    await desk.erases(ANN)
    await desk.reacts()
    assert await desk.said("plate_right_ended") == [] and await desk.confirmed() == [0]
    assert {f"plate-right:{permit}", f"plate-right:{of_car}"} <= await desk.alive()
    await desk.erases(BEN)
    assert {e["right_id"] for e in await desk.said("plate_right_ended")} == {str(permit), str(car), str(of_car)}
    assert await desk.confirmed() == [0, 2] and await desk.claims("permit:") == set()


async def test_with_its_key_ends_a_right_of_a_vehicle_that_was_removed_before_its_keeper_was_erased(app_of, community: UUID):
    desk = Rights(await app_of(PARKING), community)
    car = uuid4()
    await desk.grant("vehicle", PLATE, sealed_here=False, right_id=car, person_id=ANN, source_id=car)
    listed = await desk.grant("white", PLATE, source_id=car)
    await desk.app.commands.handle(car, EndPlateRight(car, "vehicle_removed"), desk.asked)
    await desk.erases(ANN)
    assert [(e["right_id"], e["reason"]) for e in await desk.said("plate_right_ended")] == [
        (str(car), "vehicle_removed"), (str(listed), "erased")]
    pool = await desk.app.database.pool()
    assert await pool.fetch("select stream from claims") == [], "no blind index leads to the plate any more"
    assert await desk.confirmed() == [1]


# neighbors


async def test_neighbors_drops_the_name_that_they_had_chosen(app_of, community: UUID):
    desk = Desk(await app_of(NEIGHBORS), community)
    book = circle_book(desk.app)
    await desk.hears(CommunityFounded(community, "里坊", "310104", "Asia/Shanghai"))
    for person in (ANN, BEN):
        key = await desk.app.keyring.key_for(community, f"other:{person}", "contact")
        box = seal(key.dek, key.key_id, uuid4(), "name", "无名氏")
        await desk.hears(ResidentRegistered(person, SealedField(box.key_id, box.event_id, box.slot, box.box)))
        await joins(desk, person)
    await names.choose(desk.app, book, ANN, "晴天小屋", desk.asked, None)
    await book.ready(await desk.app.log.last())
    chosen = book.chosen_name(community, ANN)
    assert chosen is not None
    await desk.erases(ANN)
    await book.ready(await desk.app.log.last())
    assert [e["reason"] for e in await desk.said("display_name_dropped")] == ["erased"]
    assert await desk.app.keyring.open(chosen) == Erased() and await desk.claims(SCOPE) == set()
    assert book.reached(community, community) == {BEN} and set(book.members(community, community)) == {ANN, BEN}
    assert await desk.confirmed() == [1]
    with pytest.raises(Refused) as refused:
        await names.choose(desk.app, book, ANN, "另一个名", desk.asked, None)
    assert refused.value.code == "resident_erased"
    await names.choose(desk.app, book, BEN, "晴天小屋", desk.asked, None)


async def joins(desk: Desk, person: UUID) -> None:
    command = AddResidence(desk.community, None, person, uuid4())
    await desk.app.commands.handle(member_id_of(desk.community, person), command, desk.asked)


async def test_no_two_services_say_it_under_one_id(app_of, community: UUID):
    """All hear one event; what follows is told to all, and a log takes no id twice."""
    said, heard = set[UUID](), uuid7()
    for service in (ACCESS, DEVICES, PARKING, ALARM, NEIGHBORS, GATEWAY):
        desk = Desk(await app_of(service), community)
        await desk.erases(ANN, heard)
        said |= {row.event_id for row in await desk.rows() if row.type in ("erasure_begun", "erasure_confirmed")}
    assert len(said) == 2 * 6
