"""A person's own data as one file, who looked at them, and their erasure, on the gateway's pages; nobody else's is in any of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec import Struct, structs

from libs.contracts import access as door
from libs.contracts import alarm, identity, neighbors, parking
from libs.contracts.fields import SealedField
from libs.eventkit.privacy import seal
from libs.eventkit.run import web
from libs.eventkit.service import App, Service
from libs.eventkit.views import take
from services.access.api.doors import issue
from services.access.main import SERVICE as ACCESS
from services.alarm.domain.care import ArrangeCare
from services.alarm.domain.care_history import Terms
from services.alarm.domain.signs import TakeSign, day_of
from services.alarm.main import SERVICE as ALARM
from services.alarm.main import care_book_of
from services.gateway.api import export, passing
from services.gateway.forwarding import Upstream
from services.gateway.main import SERVICE as GATEWAY
from services.identity import plates
from services.identity.domain.residences import StartResidence
from services.identity.main import SERVICE as IDENTITY
from services.identity.publishing import publish
from services.neighbors.domain.circles import AddResidence, member_id_of
from services.neighbors.main import SERVICE as NEIGHBORS
from services.neighbors.reactions import circles_of
from services.parking.domain.plate_rights import PLATE_RIGHTS, AskRenewal, EndPlateRight, GrantPlateRight, PlateRightGranted, ReceiveRenewal
from services.parking.lane_desk import index_of
from services.parking.main import SERVICE as PARKING
from tests.integration.office import NUMBER, Office, number_of, verifying
from tests.kit import everything, recorded

HOME, HOUSE, CAR, HIS_CAR, PASS, GATE = (uuid4() for _ in range(6))
NOW = datetime.now(UTC).replace(microsecond=0)
HIS_NUMBER = number_of(date(1980, 5, 5))


class Routed(httpx.AsyncBaseTransport):
    """To the apps of the owners by the host's name; `away`: these answer nothing."""

    def __init__(self, apps: dict[str, App]) -> None:
        self.to = {name: httpx.ASGITransport(app=web(app)) for name, app in apps.items()}
        self.away: set[str] = set()
        self.asked: list[tuple[str, str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host in self.away:
            raise httpx.ConnectError("refused")
        self.asked.append((request.method, request.url.host, request.url.path))
        return await self.to[request.url.host].handle_async_request(request)


class Town(Struct):
    """Identity, access, parking, alarm and neighbors behind a gateway that has heard them."""

    office: Office
    access: App
    parking: App
    alarm: App
    neighbors: App
    gateway: App
    client: httpx.AsyncClient
    routed: Routed
    position: int = 0

    async def heard(self, *events: Struct, own: bool = False) -> None:
        rows = [recorded(
            event, self.office.community, position=self.position + n, at=NOW, source=None if own else str(
                event.__struct_config__.tag).partition(".")[0], stream="erasure:x" if own else None) for n, event in enumerate(events, 1)]
        for view in GATEWAY.views:
            await take(self.gateway.database, self.gateway.catalogue, [view], rows, self.position)
        self.position += len(rows)

    async def get(self, path: str, who: str, status: int = 200) -> httpx.Response:
        answer = await self.client.get(path, headers={"authorization": f"Bearer {who}"})
        assert answer.status_code == status, answer.text
        return answer

    async def told(self) -> None:
        """The gateway hears what identity has said, and has its keys."""
        app = self.office.app
        rows = await everything(await app.database.pool())
        said = [p.body for row in rows if (event := app.catalogue.read(row)) is not None for p in publish(event, row)]
        for (key_id,) in await (await app.database.pool()).fetch("select key_id from keys"):
            record = await app.keyring.record(key_id)
            assert record is not None
            await self.gateway.keyring.store(record)
        await self.heard(*said)


@pytest.fixture
async def town(
    app_of: Callable[[Service], Awaitable[App]], community: UUID, monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Town]:
    apps = {service.name: await app_of(service) for service in (IDENTITY, ACCESS, PARKING, ALARM, NEIGHBORS, GATEWAY)}
    for name, app in apps.items():
        app.verifier.verify = verifying(community)  # type: ignore[method-assign]
        monkeypatch.setenv(f"LIFANG_URL_{name.upper()}", f"http://{name}")
    gateway = apps.pop("gateway")
    routed = Routed(apps)
    for page in (export, passing):
        monkeypatch.setattr(page, "Upstream", lambda settings: Upstream(settings, routed))
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app=web(gateway)), base_url="http://gateway") as client,
        httpx.AsyncClient(transport=routed.to["identity"], base_url="http://identity") as desk,
    ):
        office = Office(apps["identity"], community, desk)
        await office.founded()
        yield Town(office, *(apps[name] for name in ("access", "parking", "alarm", "neighbors")), gateway, client, routed)


async def two_of_one_home(town: Town) -> tuple[UUID, UUID]:
    """Ann and Ben: both with everything that can be kept of anybody."""
    office = town.office
    ann = await office.resident("林一", "13800138000", NUMBER)
    ben = await office.resident("周三", "13900139000", HIS_NUMBER)
    for who, car, plate in ((ann, CAR, "沪A00001"), (ben, HIS_CAR, "沪B99999")):
        residence = uuid4()
        start = StartResidence(residence, who, HOME, HOUSE, 1, "owner", date(2024, 1, 1), date(2024, 1, 1))
        await office.app.commands.handle(residence, start, office.asked)
        await plates.register(office.app, car, HOME, who, plate, "small", office.asked)
        await office.ask("PUT", "/v1/me/consents/notices", f"resident:{who}", {"given": True})
        for kind, number in (("card", f"1000{len(str(who))}{who.int % 1000:03}"), ("pin", f"{who.int % 10**8:08}")):
            await issue(town.access, office.community, uuid4(), who, kind, number, None, office.asked)  # type: ignore[arg-type]
        await issue(
            town.access, office.community, uuid4(), who, "pin", f"{who.int % 10**9 + 10**9}", None, office.asked, duress=True)
        await listed(town, "black", who, "insulted the guard", plate)
        right = await listed(town, "permit", who, f"a note about {who}", plate, monthly=30_000, lot_id=GATE, valid_until=NOW)
        paid = uuid4()
        for command in (AskRenewal(right, paid, 2, "Asia/Shanghai", NOW), ReceiveRenewal(right, paid, 60_000, "t1")):
            await town.parking.commands.handle(right, command, office.asked)
        for circle, building in circles_of(HOUSE, office.community):
            add = AddResidence(circle, building, who, residence)
            await town.neighbors.commands.handle(member_id_of(circle, who), add, office.asked)
        await office.ask("POST", f"/v1/residents/{who}/disclosures", f"staff:{ben}", {"purpose": f"parcel for {who}"}, 201)
        living = identity.ResidenceStarted(residence, who, HOME, HOUSE, 1, "owner", date(2024, 1, 1))
        care_book_of(town.alarm).memory.apply(living, recorded(living, office.community))
    arranged = ArrangeCare(HOME, (ann,), Terms(12, 48, 30, (ben,)), "Asia/Shanghai", "in_writing", ben, NOW)
    await town.alarm.commands.handle(HOME, arranged, office.asked)
    sign = TakeSign(HOME, NOW)
    await town.alarm.commands.handle(day_of(HOME, NOW.date()), sign, office.asked)
    await office.folds()
    for app, service in ((town.access, ACCESS), (town.neighbors, NEIGHBORS)):
        rows = await everything(await app.database.pool())
        for view in service.views:
            await take(app.database, app.catalogue, [view], rows, 0)
    await town.told()
    return ann, ben


async def listed(town: Town, kind: Any, who: UUID, reason: str, plate: str, **terms: Any) -> UUID:
    app, right = town.parking, uuid4()
    handle = await app.keyring.key_for(town.office.community, f"plate-right:{right}", "plate")
    grant = PlateRightGranted(
        right, kind, seal(handle.dek, handle.key_id, right, "plate", plate), person_id=who, reason=reason, **terms)
    await app.commands.handle(right, GrantPlateRight(grant, index_of(app, town.office.community, plate)), town.office.asked)
    return right


def of_the_gate(person: UUID, car: UUID, sealed: SealedField, number: int) -> list[Any]:
    """Everything that others say of somebody."""
    pass_id, stay, notice, incident = (UUID(int=number + n) for n in range(4))
    place = alarm.Place(HOUSE, 1, 7, HOME, "kitchen")
    return [
        door.VisitorPassIssued(pass_id, "family", HOME, person, NOW, NOW + timedelta(hours=2), 2, ("community",), (3,), sealed, sealed),
        parking.SessionBegun(stay, GATE, "ground", person, car, None, NOW), parking.Billed(stay, "A", 1, NOW, 800 + number, 0, ()),
        parking.PermitHeld(stay, GATE, person, car, NOW, NOW + timedelta(days=30), 30000 + number, False),
        door.RightGranted(stay, person, "community", "residence"), door.DoorOpened(stay, GATE, person),
        door.CredentialJudged(GATE, "card", True, "residence", f"because of {person}", (), person, True),
        neighbors.NoticePosted(notice, HOUSE, HOUSE, "maintenance", "Lift", "On Monday.", person, 2),
        neighbors.NoticeRead(notice, person),
        alarm.IncidentRaised(incident, "sos", "critical", False, place, "sos", person, None, None, person, True, NOW),
    ]


async def test_a_file_has_everything_of_one_person_and_nothing_of_another(town: Town) -> None:
    ann, ben = await two_of_one_home(town)
    box = await town.office.app.keyring.key_for(town.office.community, f"resident:{ben}", "contact")
    visitor = SealedField(*structs.astuple(seal(box.dek, box.key_id, uuid4(), "visitor_name", "吴客人")))
    await town.heard(*of_the_gate(ann, CAR, visitor, 100), *of_the_gate(ben, HIS_CAR, visitor, 900))
    answer = await town.get("/v1/me/export", f"resident:{ann}")
    file, text = answer.json(), answer.text
    assert answer.headers["content-disposition"].startswith('attachment; filename="lifang-')
    assert answer.headers["cache-control"] == "no-store"
    assert (file["schema"], file["person_id"], file["complete"], file["truncated"]) == ("lifang.export.v1", str(ann), True, [])
    found = file["sections"]
    mine = found["identity"]["resident"]
    assert (mine["name"], mine["phone"], mine["id_number"]) == ("林一", "13800138000", NUMBER)
    assert [v["plate"] for v in (*found["identity"]["vehicles"], *found["vehicles"], *found["permits"])] == ["沪A00001"] * 3
    assert [c["given"] for c in found["identity"]["consents"]] == [False, False, True]
    assert sorted(c["kind"] for c in found["access"]["credentials"]) == ["card", "pin"], "of a duress PIN there is no word"
    assert found["neighbors"]["display_name"] and len(found["neighbors"]["circles"]) == 2
    [care] = found["alarm"]["homes"]
    assert (care["home_id"], care["helpers"], care["signs_of_life"]) == (str(HOME), 0, [NOW.isoformat().replace("+00:00", "Z")])
    assert found["alarm"]["helping"] == []
    entry, permit = sorted(found["parking"]["plate_rights"], key=lambda right: str(right["kind"]))
    assert (entry["kind"], entry["reason"], entry["plate"], entry["renewals"]) == ("black", "insulted the guard", "沪A00001", [])
    assert (permit["reason"], permit["ended"], permit["plate"]) == (f"a note about {ann}", False, "沪A00001")
    assert [(r["months"], r["amount"], r["paid"]) for r in permit["renewals"]] == [(2, 60_000, True)]
    one_each = ("homes", "visitor_passes", "parking_sessions", "permits", "notices_read", "looks")
    assert {name: len(found[name]) for name in one_each} == dict.fromkeys(one_each, 1)
    assert found["parking_sessions"][0]["total"] == 900 and found["door_events"]
    assert [alarm["raised_by_me"] for alarm in found["alarms"]] == [False, True], "those of her home"
    assert found["looks"][0]["purpose"] == f"parcel for {ann}" and "visitor_name" not in found["visitor_passes"][0]
    planted = ("周三", "13900139000", HIS_NUMBER, "沪B99999", "吴客人", str(ben), str(HIS_CAR), "30900", "secret")
    assert [word for word in planted if word in text] == []
    assert {(method, host, path) for method, host, path in town.routed.asked} == {
        ("GET", owner, "/v1/me/data") for owner in ("identity", "access", "parking", "alarm", "neighbors")}


async def test_of_a_permit_a_file_tells_whoever_has_it_now(town: Town) -> None:
    ann, ben = await two_of_one_home(town)
    over = await listed(town, "permit", ann, "for a month", "沪A00077")
    await town.parking.commands.handle(over, EndPlateRight(over, "by_staff"), town.office.asked)
    handed = await listed(town, "white", ann, "to be handed on", "沪A00088")
    state, _ = await town.parking.commands.state(PLATE_RIGHTS, handed, town.office.community)
    index = index_of(town.parking, town.office.community, "沪A00088")
    await town.parking.commands.handle(handed, GrantPlateRight(structs.replace(state.granted, person_id=ben), index), town.office.asked)

    async def told(who: UUID) -> dict[str, Any]:
        file = (await town.get("/v1/me/export", f"resident:{who}")).json()
        return {right["id"]: right for right in file["sections"]["parking"]["plate_rights"]}

    hers, his = await told(ann), await told(ben)
    assert (hers[str(over)]["ended"], hers[str(over)]["plate"]) == (True, "沪A00077")
    assert str(handed) not in hers and his[str(handed)]["plate"] == "沪A00088" and str(over) not in his


async def test_half_a_file_is_none_and_nobody_takes_anothers(town: Town) -> None:
    ann, _ = await two_of_one_home(town)
    town.routed.away.add("access")
    answer = await town.get("/v1/me/export", f"resident:{ann}", 503)
    assert (answer.json()["code"], answer.json()["service"]) == ("upstream_unavailable", "access")
    for role in ("staff", "guard", "grid", "police", "operator", "device"):
        await town.get("/v1/me/export", f"{role}:{ann}", 403)
    town.routed.away.clear()
    assert (await town.get(f"/v1/me/export?person_id={ann}", f"resident:{uuid4()}", 404)).json()["code"] == "resident_not_found"


async def test_a_file_is_written_page_by_page(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, _ = await two_of_one_home(town)
    await town.heard(*(door.DoorOpeningOrdered(uuid4(), GATE, GATE, 1, "remote", ann, "residence", "x", ()) for _ in range(7)))
    monkeypatch.setattr("services.gateway.exporting.PAGE", 3)
    file = (await town.get("/v1/me/export", f"resident:{ann}")).json()
    positions = [event["id"] for event in file["sections"]["door_events"]]
    assert len(positions) == len(set(positions)) == 7 and file["truncated"] == []
    monkeypatch.setattr("services.gateway.exporting.MOST", 4)
    file = (await town.get("/v1/me/export", f"resident:{ann}")).json()
    assert len(file["sections"]["door_events"]) == 4 and file["truncated"] == ["door_events"] and file["complete"]


async def test_a_resident_reads_who_looked_at_them_and_at_nobody_else(town: Town) -> None:
    ann, ben = await two_of_one_home(town)
    await town.heard(identity.ResidentLookedAt(ann, uuid4(), "police", "burglary", ("name", "id_number")))
    first = (await town.get("/v1/me/looks?limit=1", f"resident:{ann}")).json()
    second = (await town.get(f"/v1/me/looks?limit=1&cursor={first['next']}", f"resident:{ann}")).json()
    assert second["next"] is None
    assert [(look["by"], look["purpose"], look["what"]) for page in (first, second) for look in page["items"]] == [
        ({"role": "police", "name": None, "name_state": "none"}, "burglary", ["name", "id_number"]),
        ({"role": "staff", "name": "周*", "name_state": "known"}, f"parcel for {ann}", ["name", "phone"])]
    (his,) = (await town.get("/v1/me/looks", f"resident:{ben}")).json()["items"]
    assert his["purpose"] == f"parcel for {ben}"
    await town.get("/v1/me/looks", f"staff:{ann}", 403)
    await town.heard(identity.ResidentErased(ben, ben, "own_wish"))
    looks = (await town.get("/v1/me/looks", f"resident:{ann}")).json()["items"]
    assert looks[1]["by"] == {"role": "staff", "name": None, "name_state": "erased"}


class OwnWord(Struct, frozen=True, tag="erasure_confirmed"):
    person_id: UUID
    keys: int


async def test_an_erasure_is_followed_until_everybody_has_confirmed(town: Town) -> None:
    ann, ben = await two_of_one_home(town)
    await town.get("/v1/me/erasure", f"resident:{ann}", 404)
    assert (await town.get("/v1/me", f"resident:{ann}")).json()["name"] == "林一"
    await town.heard(identity.ResidentErased(ann, ann, "own_wish"), door.AccessErasureConfirmed(ann, 2))
    me = (await town.get("/v1/me", f"resident:{ann}")).json()
    assert (me["name"], me["name_state"]) == (None, "erased")
    found = (await town.get("/v1/me/erasure", f"resident:{ann}")).json()
    assert [c["service"] for c in found["confirmed"]] == ["access"] and found["by_themselves"] and not found["complete"]
    assert found["waiting"] == ["identity", "parking", "neighbors", "alarm", "devices", "gateway"] and found["erased_at"]
    (listed,) = (await town.get("/v1/erasures", f"staff:{uuid4()}")).json()["items"]
    assert listed == found and "林" not in str(listed)
    for who in (f"resident:{ann}", f"guard:{uuid4()}", f"grid:{uuid4()}"):
        await town.get("/v1/erasures", who, 403)
    await town.get("/v1/me/erasure", f"resident:{ben}", 404)
    others = (identity.IdentityErasureConfirmed, parking.ParkingErasureConfirmed, neighbors.NeighborsErasureConfirmed,
              alarm.AlarmErasureConfirmed)
    await town.heard(*(confirmed(ann, 1) for confirmed in others))
    assert (await town.get("/v1/me/erasure", f"resident:{ann}")).json()["waiting"] == ["devices", "gateway"]


async def test_consents_and_disclosures_go_to_their_owner(town: Town) -> None:
    ann, ben = await two_of_one_home(town)
    me = {"authorization": f"Bearer resident:{ann}"}
    answer = await town.client.put("/v1/me/consents/sharing", json={"given": True}, headers=me)
    assert (answer.status_code, answer.json()["given"]) == (200, True) and answer.headers["lifang-position"]
    assert (await town.client.put("/v1/me/consents/..%2F..%2Faccounts", json={"given": True}, headers=me)).status_code in (404, 422)
    await town.office.folds()
    items = (await town.get("/v1/me/consents", f"resident:{ann}")).json()["items"]
    assert [i["given"] for i in items] == [False, True, True]
    assert len((await town.get("/v1/consents", f"staff:{uuid4()}")).json()["items"]) == 3
    grid = {"authorization": f"Bearer grid:{uuid4()}"}
    for who, status in ((ann, 201), (ben, 409)):
        look = await town.client.post(f"/v1/residents/{who}/disclosures", json={"purpose": "door to door"}, headers=grid)
        assert look.status_code == status, look.text
