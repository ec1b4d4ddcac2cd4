"""Doubt at the gate, through the gateway: a missed exit and a look-alike are settled by a guard; what is wrong changes nothing."""

import json
from datetime import datetime, timedelta
from random import randrange
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from cli.scenarios.visitor import some_plate
from services.identity.demo_community import ZONE
from simulator.vzenith_bodies import Camera, Passage, push
from tests.e2e.gate import MINE, Gate, Headers, mask

YELLOW = 2


async def test_a_missed_exit_is_shown_with_its_car_and_waived(gate: Gate):
    plate = some_plate()
    stay, finding = await gate.missed(plate)
    assert (finding["plate"], finding["plate_state"], finding["candidates"]) == (mask(plate), "known", [])
    about = finding["stay"]
    assert (about["kind"], about["plate"], about["lane_id"], about["lane_name"]) == (
        "stay", mask(plate), gate.lanes["in"]["id"], gate.lanes["in"]["name"])
    assert about["entered_at"] == stay["entered_at"]
    lanes = (await gate.get("/v1/lanes", gate.guard))["items"]
    assert finding["id"] in {f["id"] for lane in lanes if lane["id"] == gate.lanes["in"]["id"] for f in lane["findings"]}
    await gate.one_stay(stay["id"], state="quarantined", owed=None)
    answer = await gate.asks("POST", f"/v1/parking-sessions/{stay['id']}/payments", gate.resident, {})
    assert (answer.status_code, answer.json()["code"]) == (409, "session_quarantined")

    await gate.post(f"/v1/parking-findings/{finding['id']}/settlements", gate.guard, {"how": "waived"})
    settled = await gate.one_stay(stay["id"], state="settled")
    assert (settled["total"], settled["owed"], settled["lines"], settled["exited_at"]) == (0, 0, [], None)
    await gate.finding(lambda f: f["id"] == finding["id"] and f["how"] == "waived", open_only=False)
    await gate.passes("out", plate)  # the second stay goes on as if nothing had been


async def test_a_missed_exit_is_billed_up_to_the_moment_that_a_person_found_out(gate: Gate):
    plate = some_plate()
    stay, finding = await gate.missed(plate)
    left_at = datetime.fromisoformat(stay["entered_at"]) + timedelta(hours=3)
    answer = await gate.asks("POST", f"/v1/parking-findings/{finding['id']}/settlements", gate.guard, {"how": "left_earlier"})
    assert (answer.status_code, answer.json()["code"], answer.json()["session_id"]) == (409, "left_when", stay["id"])
    await gate.post(f"/v1/parking-sessions/{stay['id']}/settlements", gate.guard, {"left_at": left_at.isoformat()})
    settled = await gate.one_stay(stay["id"], state="settled")
    assert datetime.fromisoformat(settled["exited_at"]) == left_at
    assert settled["owed"] == settled["total"] == sum(line["amount"] for line in settled["lines"]) > 0
    await gate.finding(lambda f: f["id"] == finding["id"] and f["how"] == "left_earlier", open_only=False)
    await gate.passes("out", plate)


async def test_a_look_alike_at_the_exit_is_shown_with_its_candidate_and_let_through(gate: Gate):
    plate = f"{(text := some_plate())[:4]}8{text[5:]}"
    misread = f"{plate[:4]}B{plate[5:]}"
    stay, out = await gate.guest(plate), gate.lanes["out"]
    assert not await gate.reads("out", misread, YELLOW)
    finding = await gate.finding(lambda f: f["kind"] == "look_alike" and stay["id"] in {c["id"] for c in f["candidates"]})
    assert (finding["plate"], finding["plate_colour"], finding["stay"]) == (mask(misread), "yellow", None)
    (candidate,) = finding["candidates"]
    assert (candidate["kind"], candidate["plate"], candidate["plate_colour"], candidate["lane_id"], candidate["entered_at"]) == (
        "stay", mask(plate), "blue", gate.lanes["in"]["id"], stay["entered_at"])
    lifted = await gate.openings()
    body = {"finding_id": finding["id"], "session_id": candidate["id"], "reason": "the driver showed the papers"}
    await gate.post(f"/v1/lanes/{out['id']}/openings", gate.guard, body)
    await gate.one_stay(stay["id"], state="ended", owed=0)
    assert await gate.openings() == lifted + 1
    await gate.finding(lambda f: f["id"] == finding["id"] and f["how"] == "let_through", open_only=False)

    async def look() -> Any:
        passages = (await gate.get(f"/v1/lanes/{out['id']}/passages", gate.guard))["items"]
        return [p for p in passages if p["session_id"] == stay["id"] and p["outcome"] == "lifted_by_call"]

    (passage,) = await gate.until(look)
    assert (passage["rule"], passage["plate"], passage["plate_state"]) == ("by_hand", None, "none"), "nobody read a plate for it"
    again = await gate.asks("POST", f"/v1/lanes/{out['id']}/openings", gate.guard, {**body, "session_id": str(uuid4())})
    assert again.status_code == 404 and await gate.openings() == lifted + 1


async def test_what_is_wrong_unknown_or_not_ones_own_is_refused_plainly_and_changes_nothing(gate: Gate):
    plate, nobody = some_plate(), uuid4()
    stay, finding = await gate.missed(plate)
    lane, guard, resident = f"/v1/lanes/{gate.lanes['in']['id']}", gate.guard, gate.resident
    session, settle = f"/v1/parking-sessions/{stay['id']}", f"/v1/parking-findings/{finding['id']}/settlements"
    before, lifted = await gate.one_stay(stay["id"], state="quarantined"), await gate.openings()
    reason = {"reason": "x"}
    wrong: list[tuple[str, str, Headers, Any, int, str | None]] = [
        ("POST", f"/v1/parking-sessions/{nobody}/payments", resident, {}, 404, "session_not_found"),
        ("POST", f"/v1/parking-sessions/{nobody}/settlements", guard, {}, 404, "session_not_found"),
        ("POST", f"/v1/parking-sessions/{nobody}/corrections", guard, {}, 404, "session_not_found"),
        ("POST", f"/v1/permits/{nobody}/renewals", resident, {"months": 1}, 404, "plate_right_not_found"),
        ("POST", f"/v1/permits/{nobody}/renewals", resident, {"months": 0}, 422, "invalid"),
        ("POST", f"/v1/permits/{nobody}/renewals", guard, {"months": 1}, 403, "not_permitted"),
        ("POST", f"{session}/corrections", guard, {"spaces": 0}, 422, "invalid"),
        ("POST", f"{session}/corrections", guard, {"vehicle_class": "spaceship"}, 409, "class_not_in_tariff"),
        ("POST", f"/v1/parking-findings/{nobody}/settlements", guard, {"how": "waived"}, 404, "finding_not_found"),
        ("POST", f"/v1/lanes/{nobody}/openings", guard, reason, 404, "lane_not_found"),
        ("POST", f"{lane}/openings", guard, {**reason, "session_id": str(nobody)}, 404, "session_not_found"),
        ("POST", f"{lane}/openings", guard, {**reason, "finding_id": str(nobody)}, 404, "finding_not_found"),
        ("GET", f"{MINE}/{nobody}", resident, None, 404, "session_not_found"),
        ("GET", "/v1/lanes", resident, None, 403, "not_permitted"),
        ("GET", f"{lane}/passages", resident, None, 403, "not_permitted"),
        ("GET", "/v1/parking-findings", resident, None, 403, "not_permitted"),
        ("GET", "/v1/me/permits", guard, None, 403, "not_permitted"),
        ("POST", f"{lane}/openings", resident, reason, 403, "not_permitted"),
        ("POST", settle, resident, {"how": "waived"}, 403, "not_permitted"),
        ("POST", f"{session}/settlements", resident, {}, 403, "not_permitted"),
        ("POST", f"{session}/corrections", resident, {}, 403, "not_permitted"),
        ("POST", "/v1/permits/no-id/renewals", resident, {"months": 1}, 422, "invalid"),
        ("GET", f"{MINE}/no-id", resident, None, 422, "invalid"),
        ("GET", "/v1/lanes/no-id/passages", guard, None, 422, "invalid"),
        ("GET", "/v1/parking-findings?limit=0", guard, None, 422, "invalid"),
        ("GET", "/v1/parking-findings?cursor=x", guard, None, 400, "cursor_malformed"),
        ("POST", settle, guard, {}, 422, "invalid"),
        ("POST", settle, guard, {"how": "nonsense"}, 422, "invalid"),
        ("POST", settle, guard, {"how": "chosen", "chosen": str(nobody)}, 409, "not_a_candidate"),
        ("POST", f"{lane}/openings", guard, {}, 422, "invalid"),
        ("POST", f"{lane}/openings", guard, {**reason, "force": True}, 422, "invalid"),
        ("POST", f"{session}/settlements", guard, {"left_at": "yesterday"}, 422, "invalid"),
        ("POST", f"{session}/settlements", guard, {"left_at": "2026-03-01T12:00:00"}, 422, "invalid"),
        ("POST", f"{session}/settlements", guard, {"left_at": "2020-01-01T00:00:00Z"}, 409, "exit_before_entry"),
        ("POST", settle, {}, {"how": "waived"}, 401, "token_missing"),
    ]
    for method, path, who, body, status, code in wrong:
        answer = await gate.asks(method, path, who, body)
        told = f"{method} {path} {body}: {answer.text}"
        assert answer.headers["content-type"].startswith("application/problem+json"), told
        assert answer.status_code == status, told
        assert code in (None, answer.json()["code"]), told
    await gate.passes("out", plate)  # what comes behind all that is heard behind it
    await gate.events(MINE, gate.resident, pass_id=stay["pass_id"], state="ended")
    assert await gate.one_stay(stay["id"]) == before
    assert await gate.finding(lambda f: f["id"] == finding["id"]) == finding
    assert await gate.openings() == lifted + 1


async def test_a_camera_whose_clock_names_no_zone_kept_an_entry_and_nothing_stands_still(gate: Gate):
    """Without seconds since 1970 it tells its local date and time alone."""
    plate, came = some_plate(), datetime.now(ZoneInfo(ZONE)).replace(microsecond=0) - timedelta(hours=5)
    lane = gate.lanes["in"]
    passage = Passage(plate_id=randrange(10**6), license=plate, offline=True, at=came)
    body = json.loads(push(passage, Camera("127.0.0.1", lane["name"], f"lf-sim-{lane['device_id']}")))
    body["AlarmInfoPlate"]["result"]["PlateResult"]["timeStamp"]["Timeval"] |= {"sec": 0, "usec": 0}
    pass_id = await gate.invites(plate)
    answer = await gate.client.post(f"{gate.controls[lane['device_id']]}/raw", json=body)
    assert answer.json()["status"] == 200, answer.text
    stay = await gate.events(MINE, gate.resident, pass_id=pass_id)
    assert datetime.fromisoformat(stay["entered_at"]) == came
    assert not await gate.drives("out", plate), "five hours are owed for"
    await gate.pays(stay["id"], gate.resident)
    await gate.passes("out", plate)
    ended = await gate.one_stay(stay["id"], state="ended")
    assert ended["total"] == sum(line["amount"] for line in ended["lines"]) > 0
