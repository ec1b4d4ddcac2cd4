"""Money at the gate, through the gateway: a stay is paid once, also afterwards; corrected by a guard; permits are renewed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cli.scenarios.visitor import some_plate
from tests.e2e.gate import MINE, Gate, mask


async def test_a_stay_is_paid_once_however_often_the_provider_says_so(gate: Gate):
    plate = some_plate()
    stay = await gate.guest(plate, hours=5)
    assert not await gate.drives("out", plate)
    asked = (await gate.post(f"/v1/parking-sessions/{stay['id']}/payments", gate.resident, {})).json()
    billed = await gate.one_stay(stay["id"], total=asked["amount"])
    assert sum(line["amount"] for line in billed["lines"]) == billed["total"] > 0
    assert (billed["paid"], billed["owed"], billed["state"]) == (0, None, "inside")
    notified = f"{gate.parking}/v1/parking/demo-payments/{stay['id']}/{asked['id']}"
    for _ in range(2):
        await gate.post(notified, gate.resident, {}, 200)
    await gate.one_stay(stay["id"], paid=asked["amount"])
    await gate.passes("out", plate)
    await gate.post(notified, gate.resident, {}, 200)
    ended = await gate.one_stay(stay["id"], state="ended")
    assert ended["total"] == ended["paid"] == asked["amount"] and ended["owed"] == 0
    chain = (await gate.why(ended["ended_event_id"], "en"))["chain"]
    assert [link["type"] for link in chain].count("parking.payment_received") == 1


async def test_why_the_barrier_stayed_shut_is_said_in_words_with_the_masked_plate(gate: Gate):
    plate = some_plate()
    stay = await gate.guest(plate, hours=5)
    assert not await gate.drives("out", plate)

    async def look() -> Any:
        passages = (await gate.get(f"/v1/lanes/{gate.lanes['out']['id']}/passages", gate.guard))["items"]
        return next((p for p in passages if p["session_id"] == stay["id"] and p["plate_state"] == "known"), None)

    passage = await gate.until(look)
    assert (passage["admitted"], passage["reason"], passage["plate"]) == (False, "not_paid", mask(plate))
    for language, words in (("en", "what is owed has not been paid"), ("zh", "尚未付清停车费")):
        assert words in (await gate.why(passage["event_id"], language))["text"][0]
    page = (await gate.client.get("/v1/lanes", headers=gate.guard)).text
    assert mask(plate) in page and plate not in page


async def test_a_strangers_payment_finds_no_stay_and_changes_none(gate: Gate):
    stay = await gate.guest(some_plate(), hours=5)
    before = await gate.one_stay(stay["id"])
    for method, path in (("POST", f"/v1/parking-sessions/{stay['id']}/payments"), ("GET", f"{MINE}/{stay['id']}")):
        answer = await gate.asks(method, path, gate.other, {} if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found"), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert stay["id"] not in {i["id"] for i in (await gate.get(MINE, gate.other, limit=200))["items"]}
    asked = (await gate.post(f"/v1/parking-sessions/{stay['id']}/payments", gate.guard, {})).json()
    billed = await gate.one_stay(stay["id"], total=asked["amount"])
    assert before["total"] == billed["paid"] == 0
    chain = (await gate.why(stay["event_id"], "en"))["chain"]
    assert [link["type"] for link in chain].count("parking.billed") == 1, "what the guard asked, and nothing that the stranger did"


async def test_who_left_without_paying_pays_afterwards(gate: Gate):
    plate = some_plate()
    stay = await gate.guest(plate, hours=5)
    await gate.drives("out", plate, at=datetime.now(UTC) - timedelta(hours=1))
    left = await gate.one_stay(stay["id"], state="ended")
    assert left["owed"] == left["total"] == sum(line["amount"] for line in left["lines"]) > 0
    finding = await gate.finding(lambda f: f["kind"] == "unpaid_exit" and f["session_id"] == stay["id"])
    assert (finding["plate"], finding["stay"]["state"]) == (mask(plate), "ended")
    asked = await gate.pays(stay["id"], gate.resident)
    paid = await gate.one_stay(stay["id"], owed=0)
    assert asked["amount"] == left["owed"] == paid["paid"]
    await gate.finding(lambda f: f["id"] == finding["id"] and f["how"] == "paid", open_only=False)


async def test_a_car_on_duty_that_a_guard_has_seen_to_be_one_owes_nothing_and_the_bill_says_why(gate: Gate):
    plate = some_plate()
    stay = await gate.guest(plate, hours=5)
    assert not await gate.drives("out", plate)
    await gate.post(f"/v1/parking-sessions/{stay['id']}/corrections", gate.guard, {"on_duty": True, "note": "an ambulance"})
    await gate.passes("out", plate)
    ended = await gate.one_stay(stay["id"], state="ended")
    assert ([line["code"] for line in ended["lines"]], ended["total"], ended["owed"]) == (["on_duty"], 0, 0)


async def test_a_permit_is_seen_and_renewed_by_who_holds_it_and_by_nobody_else(gate: Gate):
    plate, until = some_plate(), datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    me = await gate.get("/v1/me", gate.resident)
    body = {"home_id": me["homes"][0]["home_id"], "plate": plate, "vehicle_class": "small"}
    car = (await gate.post("/v1/vehicles", gate.resident, body)).json()["id"]
    held = {
        "kind": "permit", "plate": plate, "lot_id": gate.demo.lots[0]["id"], "person_id": me["person_id"], "vehicle_id": car,
        "monthly": 30000, "valid_from": (until - timedelta(days=30)).isoformat(), "valid_until": until.isoformat()}
    permit_id = (await gate.post(f"{gate.parking}/v1/parking/plate-rights", gate.staff, held)).json()["id"]

    async def permit(**wanted: Any) -> dict[str, Any]:
        return await gate.events("/v1/me/permits", gate.resident, id=permit_id, plate_state="known", **wanted)

    shown = await permit()
    assert (shown["state"], shown["plate"], shown["lot_name"], shown["monthly"], shown["vehicle_id"]) == (
        "valid", plate, gate.demo.lots[0]["name"], 30000, car)
    assert permit_id not in {p["id"] for p in (await gate.get("/v1/me/permits", gate.other))["items"]}
    renewals = f"/v1/permits/{permit_id}/renewals"
    answer = await gate.asks("POST", renewals, gate.other, {"months": 2})
    assert (answer.status_code, answer.json()["code"]) == (404, "plate_right_not_found")
    asked = (await gate.post(renewals, gate.resident, {"months": 2})).json()
    assert (asked["amount"], [month["amount"] for month in asked["months"]]) == (60000, [30000, 30000])
    for _ in range(2):
        await gate.post(f"{gate.parking}/v1/parking/demo-payments/{permit_id}/{asked['id']}", gate.resident, {}, 200)
    longer = asked["months"][-1]["ends"]
    await permit(valid_until=longer)
    await gate.client.delete(f"{gate.parking}/v1/parking/plate-rights/{permit_id}", headers=gate.staff)
    assert (await permit(state="ended"))["valid_until"] == longer, "the second notification bought nothing more"
