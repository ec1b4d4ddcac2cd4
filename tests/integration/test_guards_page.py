"""The guard's page and the resident's, answered from real tables: plates masked or honestly missing, and each their own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec import Struct

from libs.contracts import access, devices, identity, parking
from libs.contracts.fields import SealedField
from libs.contracts.permissions import permissions_of
from libs.eventkit.auth import Principal
from libs.eventkit.privacy import seal
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.views import take
from services.gateway.main import SERVICE
from services.gateway.retention import REPORTS
from tests.kit import recorded

NOW = datetime.now(UTC).replace(microsecond=0)
ANN, BEN, LOT, EAST, CAMERA, HOME = (uuid4() for _ in range(6))


class Page(Struct):
    app: App
    community: UUID
    client: httpx.AsyncClient
    position: int = 0

    async def hears(self, *events: Struct, at: datetime = NOW) -> None:
        """Folds them into every view, as the worker does with what stands in the log."""
        rows = [recorded(event, self.community, position=self.position + n, at=at) for n, event in enumerate(events, 1)]  # type: ignore[arg-type]
        for view in SERVICE.views:
            await take(self.app.database, self.app.catalogue, [view], rows, self.position)
        self.position += len(rows)

    async def sealed(self, text: str, subject: str) -> SealedField:
        key, event_id = await self.app.keyring.key_for(self.community, subject, "plate"), uuid4()
        box = seal(key.dek, key.key_id, event_id, "plate", text)
        return SealedField(box.key_id, box.event_id, box.slot, box.box)

    async def sees(self, plate: SealedField | None, passage: UUID, colour: str = "blue") -> None:
        await self.hears(devices.PlateSeen(passage, CAMERA, 1, plate, colour, "small_car", 95, "in", True, True, NOW, ()))

    async def get(self, path: str, who: str = "guard", status: int = 200) -> Any:
        answer = await self.client.get(path, headers={"authorization": f"Bearer {who}"})
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
async def page(app_of: Callable[..., Any], community: UUID, monkeypatch: pytest.MonkeyPatch) -> Any:
    app = await app_of(SERVICE)

    def verify(token: str, now: datetime) -> Principal:
        role, _, person = token.partition(":")
        return Principal(UUID(person) if person else UUID(int=7), role, frozenset({community}), permissions_of(role))

    monkeypatch.setattr(app.verifier, "verify", verify)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web(app)), base_url="http://gateway") as client:
        found = Page(app, community, client)
        await found.hears(
            parking.LotOpened(LOT, "North", {"ground": 9}), parking.LaneInstalled(EAST, LOT, "East", "in", "ground", CAMERA, 1))
        yield found


def judged(passage: UUID, rule: str = "tariff", reason: str = "pays_by_tariff", session: UUID | None = None) -> parking.PassageJudged:
    return parking.PassageJudged(passage, EAST, True, rule, reason, (), session, True)


def begun(stay: UUID, person: UUID | None = None, at: datetime = NOW, **more: UUID) -> parking.SessionBegun:
    ids = {"vehicle_id": None, "pass_id": None, **more}
    return parking.SessionBegun(stay, LOT, "ground", person, ids["vehicle_id"], ids["pass_id"], at)


async def test_a_plate_is_masked_waited_for_and_gone_once_it_is_erased(page: Page) -> None:
    passage, path = uuid4(), f"/v1/lanes/{EAST}/passages"
    await page.hears(judged(passage))
    (shown,) = (await page.get(path))["items"]
    assert (shown["id"], shown["plate"], shown["plate_state"]) == (str(passage), None, "pending"), "the camera's report has not come"
    plate = await page.sealed("京A12345", "device:x:1")
    await page.sees(plate, passage)
    (shown,) = (await page.get(path))["items"]
    assert (shown["plate"], shown["plate_state"], shown["plate_colour"]) == ("京A***45", "known", "blue")
    rests = await (await page.app.database.pool()).fetchval("select plate::text from gateway_passages where passage_id = $1", passage)
    assert "12345" not in rests
    await page.app.keyring.erase(plate.key_id)
    (lane,) = (await page.get("/v1/lanes"))["items"]
    assert (lane["passages"][0]["plate"], lane["passages"][0]["plate_state"]) == (None, "erased")


async def test_no_plate_no_key_and_a_box_that_was_tampered_with_spoil_no_other_plate(page: Page) -> None:
    fine, bare, by_hand, early, broken = (uuid4() for _ in range(5))
    plate = await page.sealed("京A12345", "device:x:2")
    await page.hears(
        judged(fine), judged(bare, "no_plate", "no_plate_read"), judged(by_hand, "by_hand", "the guard knows him"), judged(early),
        judged(broken))
    await page.sees(plate, fine)
    await page.sees(None, bare)
    await page.sees(SealedField(uuid4(), plate.event_id, plate.slot, plate.box), early)
    await page.sees(SealedField(plate.key_id, uuid4(), plate.slot, plate.box), broken)
    shown = {p["id"]: (p["plate"], p["plate_state"]) for p in (await page.get(f"/v1/lanes/{EAST}/passages"))["items"]}
    assert shown == {
        str(fine): ("京A***45", "known"), str(bare): (None, "none"), str(by_hand): (None, "none"), str(early): (None, "pending"),
        str(broken): (None, "unreadable")}


async def test_no_report_is_waited_for_once_reports_of_that_time_are_deleted(page: Page) -> None:
    """A view that has forgotten a report reads as if it had never come."""
    late, gone, by_hand, recent, entered, longer = (uuid4() for _ in range(6))
    month, quarter = NOW - timedelta(days=REPORTS, hours=1), NOW - timedelta(days=100)
    await page.hears(judged(gone), judged(by_hand, "by_hand", "the guard knows him"), judged(entered), begun(entered, at=month), at=month)
    await page.hears(judged(late), at=NOW - timedelta(days=REPORTS - 1))
    await page.hears(
        begun(longer, at=quarter), judged(recent),
        parking.FindingRaised(uuid4(), "look_alike", EAST, entered, recent, (entered, longer)))
    shown = {p["id"]: (p["plate"], p["plate_state"]) for p in (await page.get(f"/v1/lanes/{EAST}/passages"))["items"]}
    assert shown == {
        str(gone): (None, "erased"), str(entered): (None, "erased"), str(by_hand): (None, "none"), str(late): (None, "pending"),
        str(recent): (None, "pending")}
    (finding,) = (await page.get("/v1/parking-findings"))["items"]
    assert [(c["plate"], c["plate_state"]) for c in finding["candidates"]] == [(None, "erased")] * 2
    assert finding["plate_state"] == "pending"


async def test_a_finding_shows_its_car_its_stay_and_what_each_candidate_is(page: Page) -> None:
    passage, inside, by_hand, permit, car, pass_, unknown = (uuid4() for _ in range(7))
    await page.sees(await page.sealed("京A1D345", "device:x:3"), passage, "yellow")
    await page.sees(await page.sealed("京A10345", "device:x:3"), inside)
    until = NOW + timedelta(days=1)
    await page.hears(
        identity.VehicleRegistered(car, HOME, ANN, await page.sealed("京A1Q345", "vehicle:x"), "small", True),
        access.VisitorPassIssued(
            pass_, "family", HOME, ANN, NOW, until, None, (), (), await page.sealed("京A1O345", "visitor:x"), None),
        parking.PermitHeld(permit, LOT, ANN, car, NOW, until, 30000, False),
        judged(inside), begun(inside), judged(by_hand, "by_hand", "known"), begun(by_hand, ANN, vehicle_id=car), judged(passage),
        parking.FindingRaised(uuid4(), "look_alike", EAST, inside, passage, (inside, by_hand, permit, car, pass_, unknown)))
    (finding,) = (await page.get("/v1/parking-findings"))["items"]
    assert (finding["plate"], finding["plate_state"], finding["plate_colour"]) == ("京A***45", "known", "yellow")
    assert finding["stay"] == finding["candidates"][0]
    by_id = {c["id"]: c for c in finding["candidates"]}
    assert [(by_id[str(i)]["kind"], by_id[str(i)]["plate"]) for i in (inside, by_hand, permit, car, pass_, unknown)] == [
        ("stay", "京A***45"), ("stay", "京A***45"), ("permit", "京A***45"), ("vehicle", "京A***45"), ("visitor_pass", "京A***45"),
        (None, None)]
    stay = by_id[str(inside)]
    assert (stay["state"], stay["lane_id"], stay["lane_name"], stay["plate_colour"]) == ("inside", str(EAST), "East", "blue")
    assert datetime.fromisoformat(stay["entered_at"]) == NOW and datetime.fromisoformat(by_id[str(pass_)]["valid_until"]) == until
    (lane,) = (await page.get("/v1/lanes"))["items"]
    assert lane["findings"] == [finding]


async def test_a_missed_exit_has_the_plate_of_its_stay_also_where_the_car_came_in_by_hand(page: Page) -> None:
    stay, passage = uuid4(), uuid4()
    await page.sees(await page.sealed("京A12345", "device:x:4"), stay)
    await page.hears(
        judged(stay), begun(stay), judged(passage, "by_hand", "the guard knows him"), parking.SessionQuarantined(stay, LOT, "ground"),
        parking.FindingRaised(uuid4(), "missing_exit", EAST, stay, passage, ()))
    (finding,) = (await page.get("/v1/parking-findings"))["items"]
    assert (finding["plate"], finding["stay"]["state"], finding["candidates"]) == ("京A***45", "quarantined", [])


async def test_a_stay_is_its_owners_alone_and_another_ones_once_it_is_recognised(page: Page) -> None:
    stay, ann, ben = uuid4(), f"resident:{ANN}", f"resident:{BEN}"
    line = parking.BillLine("step", NOW, NOW + timedelta(hours=2), 4, 200, 800, {})
    await page.hears(judged(stay), begun(stay, ANN), parking.Billed(stay, "A", 1, NOW, 800, 0, (line,)))
    path = f"/v1/me/parking-sessions/{stay}"
    shown = await page.get(path, ann)
    assert (shown["id"], shown["owed"], [part["amount"] for part in shown["lines"]]) == (str(stay), None, [800])
    assert (await page.get("/v1/me/parking-sessions", ann))["items"] == [shown]
    for other in (path, f"/v1/me/parking-sessions/{uuid4()}"):
        assert (await page.get(other, ben, 404))["code"] == "session_not_found"
    await page.hears(
        parking.SessionRecognised(stay, BEN, None, None), parking.PaymentReceived(stay, uuid4(), 300),
        parking.SessionEnded(stay, LOT, "ground", "exit", NOW, 800))
    assert (await page.get(path, ben))["owed"] == 500
    assert (await page.get(path, ann, 404))["code"] == "session_not_found"
    assert (await page.get("/v1/me/parking-sessions", ann))["items"] == []
    await page.get(path, "guard", 403)
    assert (await page.get("/v1/me/parking-sessions/no-id", ann, 422))["code"] == "invalid"


async def test_permits_are_shown_to_who_holds_them_and_the_plate_whole_to_its_keeper_alone(page: Page) -> None:
    hers, his, other = (uuid4() for _ in range(3))
    mine, shared, lost = (uuid4() for _ in range(3))
    month, day = NOW + timedelta(days=30), timedelta(days=1)
    await page.hears(
        identity.VehicleRegistered(hers, HOME, ANN, await page.sealed("京A12345", "vehicle:1"), "small", True),
        identity.VehicleRegistered(his, HOME, BEN, await page.sealed("京A54321", "vehicle:2"), "small", True),
        parking.PermitHeld(mine, LOT, ANN, hers, NOW - day, month, 30000, False),
        parking.PermitHeld(shared, None, ANN, his, NOW + day, month + day, None, False),
        parking.PermitHeld(lost, LOT, ANN, None, NOW - 2 * day, NOW - day, 30000, False),
        parking.PermitHeld(other, LOT, BEN, his, NOW - day, month, 30000, False))
    items = {p["id"]: p for p in (await page.get("/v1/me/permits", f"resident:{ANN}"))["items"]}
    assert {i: (p["state"], p["plate"], p["plate_state"], p["lot_name"], p["monthly"]) for i, p in items.items()} == {
        str(mine): ("valid", "京A12345", "known", "North", 30000), str(shared): ("not_yet_valid", "京A***21", "known", None, None),
        str(lost): ("expired", None, "none", "North", 30000)}
    assert items[str(mine)]["vehicle_id"] == str(hers) and "keeper_id" not in items[str(mine)]
    await page.hears(parking.PermitHeld(mine, LOT, None, None, None, None, None, True))
    last = (await page.get("/v1/me/permits", f"resident:{ANN}"))["items"][-1]
    assert (last["id"], last["state"], last["plate"]) == (str(mine), "ended", "京A12345")
    for path, who in (("/v1/me/permits", "guard"), ("/v1/lanes", f"resident:{ANN}"), ("/v1/parking-findings", f"resident:{ANN}")):
        assert (await page.get(path, who, 403))["code"] == "not_permitted"
