"""A fire on the pages of guards, residents, staff and authorities, answered from real tables: each sees what is theirs to see."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec import Struct

from libs.contracts import access, alarm, identity, neighbors, parking
from libs.contracts.fields import SealedField
from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.views import take
from services.gateway.main import SERVICE
from services.gateway.viewing import seen_by
from tests.kit import recorded

NOW = datetime.now(UTC).replace(microsecond=0)
SOON, LATE = NOW + timedelta(hours=2), NOW - timedelta(minutes=2)
ANN, BEN, CARL, GUARD, STAFF, HERS, HIS, HOUSE, OTHER_HOUSE, FAR, SENSOR, GATE, LIFT = (uuid4() for _ in range(13))
NAME = SealedField(uuid4(), uuid4(), "name", "secret-box")


class Pages(Struct):
    app: App
    community: UUID
    client: httpx.AsyncClient
    position: int = 0

    async def hears(self, *events: Struct, at: datetime = NOW) -> None:
        rows = [recorded(event, self.community, position=self.position + n, at=at, source="x") for n, event in enumerate(events, 1)]
        for view in SERVICE.views:
            await take(self.app.database, self.app.catalogue, [view], rows, self.position)
        self.position += len(rows)

    async def get(self, path: str, who: str = "guard", status: int = 200) -> Any:
        answer = await self.client.get(path, headers={"authorization": f"Bearer {who}"})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def items(self, path: str, who: str = "guard") -> list[Any]:
        """All pages of it, one item a page."""
        found, more = list[Any](), ""
        while True:
            answer = await self.get(f"{path}{'&' if '?' in path else '?'}limit=1{more}", who)
            found += answer["items"]
            if answer["next"] is None:
                return found
            more = f"&cursor={answer['next']}"


@pytest.fixture
async def pages(app_of: Callable[..., Any], community: UUID, monkeypatch: pytest.MonkeyPatch) -> Any:
    app = await app_of(SERVICE)

    def verify(token: str, now: datetime) -> Principal:
        """`role`, `role:person` or `role:person:community`."""
        role, person, where = (*token.split(":"), "", "")[:3]
        here = UUID(where) if where else community
        return Principal(UUID(person) if person else UUID(int=7), role, frozenset({here}), permissions_of(role))

    monkeypatch.setattr(app.verifier, "verify", verify)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(app)), base_url="http://gateway") as client:
        found = Pages(app, community, client)
        await found.hears(
            identity.CommunityFounded(community, "里坊", "310101", "Asia/Shanghai"),
            identity.BuildingRegistered(HOUSE, "3", 2), identity.BuildingRegistered(OTHER_HOUSE, "4", 2),
            identity.HomeRegistered(HERS, HOUSE, 1, "3-1-701"), identity.HomeRegistered(HIS, HOUSE, 2, "3-2-102"),
            identity.AccountOpened(uuid4(), GUARD, "guard"), identity.AccountOpened(uuid4(), STAFF, "staff"),
            lives(ANN, HERS), lives(BEN, HIS), lives(CARL, FAR, OTHER_HOUSE),
            alarm.SensorInstalled(SENSOR, uuid4(), 1, 4, "fire", alarm.Place(HOUSE, 1, 7, HERS, "kitchen")),
            access.DoorInstalled(GATE, "Stairs", f"building:{HOUSE}", uuid4(), 1), access.LiftInstalled(LIFT, HOUSE, "A", uuid4(), ()))
        yield found


def lives(person: UUID, home: UUID, building: UUID = HOUSE, since: date = date(2024, 1, 1)) -> identity.ResidenceStarted:
    return identity.ResidenceStarted(uuid4(), person, home, building, 1, "owner", since)


def raised(**more: Any) -> alarm.IncidentRaised:
    return alarm.IncidentRaised(**{
        "incident_id": uuid4(), "kind": "fire", "severity": "critical", "silent": False,
        "place": alarm.Place(HOUSE, 1, 7, HERS, "kitchen"), "code": "contact_id:1110", "source_id": SENSOR, "sensor_id": SENSOR,
        "device_id": None, "raised_by": None, "live": True, "acknowledge_by": SOON, **more})


def of(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in ("incident_id", "kind", "severity", "silent", "place")}


def verified(event: Any) -> alarm.IncidentVerified:
    return alarm.IncidentVerified(**of(event), by=GUARD, how="on_site", dispatch_by=SOON)


async def test_the_guards_queue_says_what_where_whose_and_by_when(pages: Pages) -> None:
    fire, water = raised(), raised(kind="water", severity="low", place=alarm.Place(OTHER_HOUSE), sensor_id=None, acknowledge_by=LATE)
    over = raised(kind="gas")
    await pages.hears(over, at=NOW - timedelta(hours=3))
    await pages.hears(water, at=NOW - timedelta(hours=2))
    await pages.hears(
        fire, alarm.IncidentRepeated(**of(fire), count=2, live=True),
        alarm.IncidentEscalated(**of(water), level=1, waiting_for="acknowledgement", due=LATE, told=("guard", "staff"), next_by=SOON),
        alarm.IncidentAcknowledged(**of(fire), by=GUARD, verify_by=SOON),
        alarm.IncidentFoundFalse(**of(over), by=GUARD, cause="cooking"))
    first, second = await pages.items("/v1/incidents")
    assert [first["id"], second["id"]] == [str(fire.incident_id), str(water.incident_id)]
    assert [i["id"] for i in await pages.items("/v1/incidents?state=all")] == [
        str(e.incident_id) for e in (fire, water, over)]
    assert [i["id"] for i in await pages.items("/v1/incidents?state=closed")] == [str(over.incident_id)]
    assert (first["state"], first["count"], first["overdue"], first["waiting_for"]) == ("acknowledged", 2, False, "verification")
    assert first["owner"] == {"id": str(GUARD), "role": "guard"} and first["escalation"] is None
    assert {k: first["place"][k] for k in ("building", "home", "name", "floor")} == {
        "building": "3", "home": "3-1-701", "name": "kitchen", "floor": 7}
    assert (first["sensor"]["sensor"], first["sensor"]["zone"], len(first["events"])) == ("kitchen", 4, 3)
    assert (second["overdue"], second["escalation"]["level"], second["escalation"]["told"]) == (True, 1, ["guard", "staff"])
    assert second["age_seconds"] >= 7200 and second["sensor"] is None
    whole = await pages.get(f"/v1/incidents/{fire.incident_id}")
    assert [(step["what"], step["role"]) for step in whole["history"]] == [("raised", None), ("acknowledged", "guard")]
    assert (await pages.get(f"/v1/incidents/{uuid4()}", status=404))["code"] == "incident_not_found"
    await pages.get("/v1/incidents", f"resident:{ANN}", 403)


async def test_a_resident_sees_their_home_their_call_and_verified_fires_of_their_house(pages: Pages) -> None:
    hers, early = raised(), raised()
    his = raised(kind="water", place=alarm.Place(HOUSE, 2, 1, HIS))
    call = raised(kind="sos", code="sos", place=alarm.Place(HOUSE, 2, None, HIS), raised_by=BEN, sensor_id=None)
    quiet = raised(kind="duress", silent=True, raised_by=ANN)
    old, long_ago = raised(kind="gas"), raised(kind="water")
    await pages.hears(old, verified(old), at=NOW - timedelta(days=3))
    await pages.hears(alarm.IncidentResolved(**of(old), by=GUARD, how="repaired"), at=NOW - timedelta(days=2))
    await pages.hears(long_ago, at=datetime(2023, 1, 1, tzinfo=UTC))
    await pages.hears(hers, early, his, call, quiet, verified(hers), verified(quiet))
    ids = {name: str(event.incident_id) for name, event in {
        "hers": hers, "early": early, "his": his, "call": call, "old": old}.items()}

    async def alarms(person: UUID) -> dict[str, Any]:
        return {item["id"]: item for item in await pages.items("/v1/me/alarms", f"resident:{person}")}

    assert set(await alarms(ANN)) == {ids["hers"], ids["early"], ids["old"]}, "not what was there before she lived there"
    ben = await alarms(BEN)
    assert set(ben) == {ids["hers"], ids["his"], ids["call"]}
    assert ben[ids["hers"]]["place"] == {"building_id": str(HOUSE), "building": "3", "unit": 1, "floor": 7}
    assert [ben[ids[name]]["because"] for name in ("hers", "his", "call")] == ["building", "home", "home"]
    assert await alarms(CARL) == {}
    await pages.hears(alarm.IncidentResolved(**of(hers), by=GUARD, how="put_out"))
    assert ids["hers"] in await alarms(BEN), "a day after, too"
    await pages.get("/v1/me/alarms", "guard", 403)


async def test_of_a_fire_before_they_lived_there_they_read_what_the_building_does(pages: Pages) -> None:
    dora, fire = uuid4(), raised()
    await pages.hears(fire, verified(fire), at=NOW - timedelta(days=3))
    await pages.hears(lives(dora, HERS, since=(NOW - timedelta(days=1)).date()))
    (shown,) = await pages.items("/v1/me/alarms", f"resident:{dora}")
    assert (shown["because"], shown["place"]) == ("building", {"building_id": str(HOUSE), "building": "3", "unit": 1, "floor": 7})


async def test_the_day_since_which_they_live_there_begins_where_the_community_is(pages: Pages) -> None:
    evening, night = (raised(kind="water", place=alarm.Place(OTHER_HOUSE, 1, None, FAR)) for _ in range(2))
    await pages.hears(evening, at=datetime(2023, 12, 31, 15, 59, tzinfo=UTC))
    await pages.hears(night, at=datetime(2023, 12, 31, 16, 1, tzinfo=UTC))
    shown = [item["id"] for item in await pages.items("/v1/me/alarms", f"resident:{CARL}")]
    assert shown == [str(night.incident_id)], "midnight of Shanghai"
    who = await seen_by(pages.app, Principal(CARL, "resident", frozenset({pages.community}), permissions_of("resident")), pages.community)
    assert who.since == {FAR: datetime(2023, 12, 31, 16, tzinfo=UTC)}


async def test_who_lives_there_since_the_year_1_has_their_pages(pages: Pages) -> None:
    dora = uuid4()
    await pages.hears(lives(dora, HERS, since=date(1, 1, 1)))
    for path in ("/v1/me", "/v1/me/alarms", "/v1/me/notices"):
        await pages.get(path, f"resident:{dora}")


async def test_notices_and_broadcasts_reach_a_circle_emergencies_and_unread_first(pages: Pages) -> None:
    circle, everybody, read, unread, gone, elsewhere, now, past, missed = (uuid4() for _ in range(9))

    def posted(notice: UUID, of_circle: UUID, title: str) -> neighbors.NoticePosted:
        return neighbors.NoticePosted(notice, of_circle, HOUSE, "general", title, "…", STAFF, 2)

    def sent(broadcast: UUID, building: UUID = HOUSE) -> neighbors.BroadcastSent:
        return neighbors.BroadcastSent(broadcast, building, "fire", "Leave by the stairs", None, GUARD, "by_hand", "by_hand", (), 2)

    await pages.hears(
        neighbors.CircleJoined(circle, HOUSE, ANN), neighbors.CircleJoined(everybody, None, ANN),
        neighbors.CircleJoined(circle, HOUSE, BEN),
        sent(past), sent(missed, OTHER_HOUSE), posted(read, circle, "read"), posted(unread, everybody, "unread"),
        posted(gone, circle, "gone"), posted(elsewhere, uuid4(), "elsewhere"), sent(now),
        neighbors.NoticeWithdrawn(gone, STAFF), neighbors.NoticeRead(read, ANN), neighbors.ResidentTold(past, ANN, "push"),
        neighbors.NoticeRead(past, ANN), neighbors.BroadcastEnded(past, HOUSE, STAFF, "all_clear"))
    items = await pages.items("/v1/me/notices", f"resident:{ANN}")
    assert [(i["id"], i["kind"], i["read"], i["ended_at"] is not None) for i in items] == [
        (str(now), "broadcast", False, False), (str(unread), "notice", False, False), (str(read), "notice", True, False),
        (str(past), "broadcast", True, True)]
    his = [i["id"] for i in await pages.items("/v1/me/notices", f"resident:{BEN}")]
    assert his == [str(now), str(read)], "the past one was not for him"
    assert await pages.items("/v1/me/notices", f"resident:{CARL}") == []
    assert [(n["title"], n["read"], n["audience"], n["withdrawn_at"] is not None) for n in await pages.items("/v1/notices", "staff")] == [
        ("elsewhere", 0, 2, False), ("gone", 0, 2, True), ("unread", 0, 2, False), ("read", 1, 2, False)]
    await pages.get("/v1/notices", "guard", 403)
    assert (await pages.get("/v1/me/notices?cursor=x", f"resident:{ANN}", 400))["code"] == "cursor_malformed"


async def test_what_a_page_showed_and_was_read_does_not_come_again_further_down(pages: Pages) -> None:
    circle, who, shown, cursor = uuid4(), f"resident:{ANN}", list[str](), ""
    old, *new = [uuid4() for _ in range(5)]
    call = neighbors.BroadcastSent(uuid4(), HOUSE, "fire", "Leave by the stairs", None, GUARD, "by_hand", "by_hand", (), 2)
    await pages.hears(
        neighbors.CircleJoined(circle, HOUSE, ANN), call, neighbors.ResidentTold(call.broadcast_id, ANN, "push"),
        *(neighbors.NoticePosted(notice, circle, HOUSE, "general", "water", "…", STAFF, 2) for notice in (old, *new)),
        neighbors.NoticeRead(old, ANN), at=NOW - timedelta(hours=1))
    while not shown or cursor:
        found = await pages.get(f"/v1/me/notices?limit=2{cursor and f'&cursor={cursor}'}", who)
        shown, cursor = shown + [item["id"] for item in found["items"]], found["next"]
        read = [neighbors.NoticeRead(UUID(item["id"]), ANN) for item in found["items"]]
        over = [] if len(shown) > 2 else [neighbors.BroadcastEnded(call.broadcast_id, HOUSE, STAFF, "all_clear")]
        await pages.hears(*read, *over, at=datetime.now(UTC))
    assert shown == [str(i) for i in (call.broadcast_id, *reversed(new), old)]


async def test_of_a_broadcast_staff_see_who_was_told_who_not_and_who_read_it(pages: Pages) -> None:
    broadcast = uuid4()
    await pages.hears(
        neighbors.BroadcastSent(broadcast, HOUSE, "fire", "Leave", None, None, "fire_verified", "fire_verified", (), 4),
        neighbors.ResidentNotTold(broadcast, ANN, "push", "no_channel"), neighbors.ResidentTold(broadcast, ANN, "sms"),
        neighbors.ResidentTold(broadcast, BEN, "push"), neighbors.ResidentNotTold(broadcast, CARL, "push", "no_channel"),
        neighbors.ResidentNotTold(broadcast, CARL, "sms", "given_up"), neighbors.NoticeRead(broadcast, BEN))
    found = await pages.get(f"/v1/broadcasts/{broadcast}")
    assert (found["told"], found["not_told"], found["read"], found["audience"]) == (2, {"no_channel": 1}, 1, 4)
    people = {r["resident_id"]: r for r in found["residents"]}
    assert (people[str(ANN)]["channel"], people[str(ANN)]["reason"]) == ("sms", None)
    assert people[str(BEN)]["read_at"] is not None and people[str(CARL)]["reason"] == "no_channel"
    first = await pages.get(f"/v1/broadcasts/{broadcast}?limit=2")
    rest = await pages.get(f"/v1/broadcasts/{broadcast}?limit=2&cursor={first['next']}")
    assert len(first["residents"] + rest["residents"]) == 3 and rest["next"] is None
    assert (await pages.get(f"/v1/broadcasts/{uuid4()}", status=404))["code"] == "broadcast_not_found"


async def test_a_fire_release_shows_every_door_and_lift(pages: Pages) -> None:
    release, incident = uuid4(), uuid4()
    relays = (access.ReleasedRelay(GATE, uuid4(), 1, "held_open"), access.ReleasedRelay(LIFT, uuid4(), 2, "recalled"))
    await pages.hears(
        access.FireReleaseBegun(release, HOUSE, incident, None, relays, "fire_verified", "fire_verified", ()),
        access.RelayReleased(release, GATE, True), access.RelayNotReleased(release, LIFT, True, "unreachable"))
    (found,) = await pages.items("/v1/fire-releases?open_only=true")
    assert [(r["name"], r["state"], r["failed"]) for r in found["relays"]] == [("Stairs", "held", None), ("A", "not_yet", "unreachable")]
    assert (found["building"], found["held"], found["not_yet"], found["set_back"]) == ("3", 1, 1, 0)
    await pages.hears(
        access.FireReleaseEnded(release, HOUSE, incident, STAFF, "fire_over", relays), access.RelayReleased(release, GATE, False))
    assert await pages.items("/v1/fire-releases?open_only=true") == []
    (found,) = await pages.items("/v1/fire-releases", "staff")
    assert (found["ended_for"], found["set_back"]) == ("fire_over", 1)


@pytest.mark.parametrize("role", ["grid", "police"])
async def test_authorities_see_figures_and_nobodys_name_home_or_id(pages: Pages, role: str) -> None:
    fire, old = raised(raised_by=ANN), raised(kind="water")
    lot = uuid4()
    people = [uuid4() for _ in range(6)]
    today = NOW.date()
    await pages.hears(old, at=NOW - timedelta(days=40))
    await pages.hears(alarm.IncidentFoundFalse(**of(old), by=GUARD, cause="steam"), at=NOW - timedelta(days=39))
    await pages.hears(fire, at=NOW - timedelta(seconds=30))
    await pages.hears(
        alarm.IncidentAcknowledged(**of(fire), by=GUARD, verify_by=LATE),
        *(lives(p, HERS, since=today) for p in people), lives(ANN, FAR, OTHER_HOUSE, since=today),
        *(identity.PopulationDeclared(p, "floating", "grid") for p in (*people[:3], ANN)),
        identity.PopulationDeclared(BEN, "foreign", "self"),
        parking.LotOpened(lot, "North", {"ground": 10}),
        *(parking.SessionBegun(uuid4(), lot, "ground", None, None, None, NOW) for _ in range(3)))
    gone = parking.SessionBegun(uuid4(), lot, "ground", ANN, None, None, NOW)
    await pages.hears(gone, parking.SessionQuarantined(gone.session_id, lot, "ground"))
    asked = await pages.get("/v1/government/incidents", role)
    assert (asked["community"], asked["division_code"], asked["as_of"]["position"]) == ("里坊", "310101", pages.position)
    assert (asked["by_state"], asked["by_kind"]) == ({"acknowledged": 1}, {"fire": 1})
    (item,) = asked["items"]
    assert (item["id"], item["building"], item["seconds_to_acknowledge"]) == (str(fire.incident_id), "3", 30)
    assert item["deadlines"]["acknowledgement"]["met"] is True and item["deadlines"]["verification"] == {
        "due": item["deadlines"]["verification"]["due"], "met": False}
    population = await pages.get("/v1/government/population", role)
    assert (population["people"], population["by_kind"]) == (9, {"floating": 4, "other": 5}), "everybody once"
    assert [(b["building"], b["people"]) for b in population["by_building"]] == [("other", 9)], "two of them live in house 4"
    assert population["moves"] == {"days": 30, "in": {"people": 6}, "out": {"people": 0}}, "Ann has only moved within the community"
    parked = await pages.get("/v1/government/parking", role)
    assert parked["items"] == [{"id": str(lot), "name": "North", "zones": [
        {"zone": "ground", "spaces": 10, "inside": 3, "quarantined": 1, "percent": 30}]}]
    for said in (asked, population, parked):
        assert not {str(i) for i in (ANN, BEN, CARL, GUARD, STAFF, HERS, HIS, SENSOR, *people)} & set(str(said).replace("'", " ").split())
        assert "kitchen" not in str(said) and "3-1-701" not in str(said)
    for who in ("guard", f"resident:{ANN}"):
        for path in ("incidents", "population", "parking", "incident-events"):
            assert (await pages.get(f"/v1/government/{path}", who, 403))["code"] == "not_permitted"


async def test_who_left_for_good_has_moved_out_and_who_moved_next_door_has_not(pages: Pages) -> None:
    left = [lives(uuid4(), HERS) for _ in range(3)]
    stays = lives(ANN, FAR, OTHER_HOUSE)
    await pages.hears(*left, stays)
    await pages.hears(
        *(identity.ResidenceEnded(r.residence_id, r.resident_id, HERS, HOUSE, NOW.date()) for r in left),
        identity.ResidenceEnded(stays.residence_id, ANN, FAR, OTHER_HOUSE, NOW.date()))
    found = await pages.get("/v1/government/population", "grid")
    assert found["moves"]["out"] == {"people": 3} and found["moves"]["in"] == {"people": 0}


async def test_nothing_of_it_is_on_the_pages_of_another_community(pages: Pages) -> None:
    fire, notice, broadcast, release, circle, other = raised(raised_by=ANN), *(uuid4() for _ in range(5))
    relays = (access.ReleasedRelay(GATE, uuid4(), 1, "held_open"),)
    await pages.hears(
        fire, verified(fire), neighbors.CircleJoined(circle, HOUSE, ANN),
        neighbors.NoticePosted(notice, circle, HOUSE, "general", "x", "x", STAFF, 1),
        neighbors.BroadcastSent(broadcast, HOUSE, "fire", "Leave", fire.incident_id, None, "incident_verified", "fire_verified", (), 1),
        neighbors.ResidentTold(broadcast, ANN, "push"),
        access.FireReleaseBegun(release, HOUSE, fire.incident_id, None, relays, "fire_verified", "fire_is_real", ()))
    for path, role in (
            ("/v1/incidents?state=all", "guard"), ("/v1/me/alarms", "resident"), ("/v1/me/notices", "resident"), ("/v1/notices", "staff"),
            ("/v1/fire-releases", "guard"), ("/v1/government/incident-events", "police")):
        assert (await pages.get(path, f"{role}:{ANN}:{other}"))["items"] == [], path
        if "government" not in path:
            assert (await pages.get(path, f"{role}:{ANN}"))["items"] != [], path
    for path, role in (
            (f"/v1/incidents/{fire.incident_id}", "guard"), (f"/v1/broadcasts/{broadcast}", "staff"),
            ("/v1/government/incidents", "police"), ("/v1/government/population", "grid"), ("/v1/government/parking", "grid"),
            (f"/v1/events/{fire.incident_id}/explanation", "staff")):
        await pages.get(path, f"{role}:{ANN}:{other}", 404)
