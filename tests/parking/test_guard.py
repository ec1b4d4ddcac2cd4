"""The guard at the lane, and money, through the service's own interface."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.devices.domain.orders import ExpireOrder
from services.parking.domain.passages import CompletePassage
from tests.kit import until
from tests.parking.conftest import Gate


async def test_a_guard_lets_a_car_out_whose_entry_nobody_saw(gate: Gate, desk: Any) -> None:
    assert await gate.sees("out", "京A12345") == "no"
    (finding,) = await gate.findings()
    assert finding.kind == "no_entry"
    body = {"finding_id": str(finding.finding_id), "reason": "seen by the guard"}
    path, key = f"/lanes/{gate.lanes['out']}/openings", str(uuid4())
    first = await desk.ask("POST", path, body=body, **{"idempotency-key": key})
    again = await desk.ask("POST", path, body=body, **{"idempotency-key": key})
    assert (first.status_code, again.json()) == (201, first.json())
    assert len(await gate.story("barrier_ordered")) == 1
    assert [f.how for f in await gate.story("finding_settled")] == ["let_through"]


async def test_a_finding_that_was_settled_otherwise_lifts_no_barrier(gate: Gate, desk: Any) -> None:
    assert await gate.sees("out", "京A12345") == "no"
    (finding,) = await gate.findings()
    settled = await desk.ask("POST", f"/findings/{finding.finding_id}/settlements", body={"how": "turned_away"})
    assert settled.status_code == 201
    body = {"finding_id": str(finding.finding_id), "reason": "after all"}
    refused = await desk.ask("POST", f"/lanes/{gate.lanes['out']}/openings", body=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "finding_already_settled")
    assert await gate.story("barrier_ordered") == []


async def test_who_was_refused_without_a_finding_is_let_in_with_its_plate_and_so_gets_out_again(gate: Gate, desk: Any) -> None:
    for number, plate in enumerate(("京A11111", "京A22222"), 1):
        assert await gate.sees("in", plate) == "ok"
        await gate.inside(number)
    assert await gate.sees("in", "京A33333") == "no"
    refused = (await gate.story("passage_judged"))[-1]
    assert (refused.judgement.reason, refused.judgement.finding) == ("lot_full", None)
    path, body = f"/lanes/{gate.lanes['in']}/openings", {"passage_id": str(refused.passage_id), "reason": "one has just left"}
    assert (await desk.ask("POST", path, body={**body, "passage_id": str(uuid4())})).json()["code"] == "passage_not_found"
    opened = await desk.ask("POST", path, body=body)
    assert opened.status_code == 201
    passage = UUID(opened.json()["id"])
    await gate.parking.commands.handle(passage, CompletePassage(passage, "barrier"), gate.context())
    stay = (await gate.inside(3))[-1]
    assert stay.plate == refused.seen.plate
    assert await gate.sees("out", "京A33333") == "ok"
    assert [ended.session_id for ended in await gate.outside()] == [stay.session_id]
    body["passage_id"] = str((await gate.story("passage_judged"))[-1].passage_id)
    gone = await desk.ask("POST", f"/lanes/{gate.lanes['out']}/openings", body=body)
    assert (gone.status_code, gone.json()["code"]) == (409, "passage_completed")


async def test_a_car_that_left_unseen_is_put_in_question_and_settled_and_its_space_is_free(gate: Gate, desk: Any) -> None:
    now = datetime.now(UTC)
    await gate.sees("in", "京A12345", at=now - timedelta(hours=9), offline=True)
    (stay,) = await gate.inside()
    path, zones = f"/sessions/{stay.session_id}", f"/lots/{gate.lot}/occupancy"
    assert (await desk.ask("POST", f"{path}/settlements", body={})).json()["code"] == "session_not_in_question"
    assert (await desk.ask("POST", f"{path}/quarantines", body={"reason": ""})).status_code == 422
    assert (await desk.ask("POST", f"{path}/quarantines", f"resident:{uuid4()}", {"reason": "x"})).status_code == 403
    assert (await desk.ask("POST", f"/sessions/{uuid4()}/quarantines", body={"reason": "x"})).status_code == 404
    assert (await desk.ask("GET", zones)).json()["zones"][0]["taken"] == 1
    for _ in range(2):
        asked = await desk.ask("POST", f"{path}/quarantines", body={"reason": "its space is empty"})
        assert (asked.status_code, asked.json()) == (201, {"id": str(stay.session_id)})
    assert [(said.because, said.note) for said in await gate.story("session_quarantined")] == [("by_hand", "its space is empty")]
    assert (await desk.ask("GET", zones)).json()["zones"][0]["taken"] == 0
    assert (await desk.ask("GET", f"{path}/bill")).json()["due"] == 0
    (finding,) = await gate.findings()
    assert (finding.kind, finding.session_id) == ("missing_exit", stay.session_id)
    left = {"left_at": (now - timedelta(hours=6)).isoformat()}
    assert (await desk.ask("POST", f"{path}/settlements", body=left)).status_code == 201
    (ended,) = await gate.outside()
    assert (ended.how, ended.total) == ("settled", 400)
    settled = await until(lambda: gate.story("finding_settled"))
    assert [(s.finding_id, s.how) for s in settled] == [(finding.finding_id, "left_earlier")]
    late = await desk.ask("POST", f"{path}/quarantines", body={"reason": "x"})
    assert (late.status_code, late.json()["code"]) == (409, "session_ended")


async def test_two_guards_lift_the_barrier_for_one_car_once_and_again_only_where_it_did_not_rise(gate: Gate, desk: Any) -> None:
    assert await gate.sees("out", "京A12345") == "no"
    (finding,) = await gate.findings()
    path, body = f"/lanes/{gate.lanes['out']}/openings", {"finding_id": str(finding.finding_id), "reason": "seen by the guard"}
    both = await asyncio.gather(desk.ask("POST", path, body=body), desk.ask("POST", path, body=body))
    assert sorted(answer.status_code for answer in both) == [201, 409]
    assert [a.json()["code"] for a in both if a.status_code == 409] == ["let_through_already"]
    assert len(await gate.story("barrier_ordered")) == 1
    await until(lambda: gate.story("passage_failed"))  # nothing listens at that camera's address
    assert (await desk.ask("POST", path, body=body)).status_code == 201


async def test_a_stay_that_does_not_exist_is_no_reason_to_open(gate: Gate, desk: Any) -> None:
    body = {"session_id": str(uuid4()), "reason": "x"}
    assert (await desk.ask("POST", f"/lanes/{gate.lanes['out']}/openings", body=body)).status_code == 404
    assert (await desk.ask("POST", f"/lanes/{uuid4()}/openings", body={"reason": "x"})).status_code == 404


async def test_a_lane_goes_on_after_what_became_of_an_opening_that_a_restore_has_lost(gate: Gate) -> None:
    """Devices has heard of it and says so; that a guard had asked for it, parking's log does not know any more."""
    order, camera = uuid4(), gate.cameras["in"]
    await gate.devices.commands.handle(order, ExpireOrder(order, camera, 1, "barrier"), gate.context())
    assert await gate.sees("in", "京A12345") == "ok"
    await gate.inside()
    pool = await gate.parking.database.pool()
    asked = "select count(*) from {} where community_id = $1"
    assert await pool.fetchval(asked.format("events") + " and type = 'devices.barrier_order_failed'", gate.community) == 1
    assert await pool.fetchval(asked.format("parked"), gate.community) == 0


async def test_a_resident_sees_and_pays_their_own_stays_and_no_others(gate: Gate, desk: Any) -> None:
    host, other = uuid4(), uuid4()
    await gate.grant("京A55555", "visitor_pass", person_id=host)
    await gate.sees("in", "京A55555", at=datetime.now(UTC) - timedelta(hours=3), offline=True)
    (stay,) = await gate.inside()
    path, me, them = f"/sessions/{stay.session_id}", f"resident:{host}", f"resident:{other}"
    assert (await desk.ask("GET", f"{path}/bill", them)).status_code == 404
    assert (await desk.ask("POST", f"{path}/payments", them)).status_code == 404
    assert (await desk.ask("GET", "/sessions", me)).status_code == 403
    bill = (await desk.ask("GET", f"{path}/bill", me)).json()
    assert bill["due"] == bill["total"] == sum(line["amount"] for line in bill["lines"]) == 400
    asked = (await desk.ask("POST", f"{path}/payments", me)).json()
    assert asked["amount"] == 400

    async def listed() -> Any:
        return (await desk.ask("GET", "/me/sessions", me)).json()["items"]

    (item,) = await until(listed)
    assert (item["id"], item["plate"]) == (str(stay.session_id), "京A***55")
    assert (await desk.ask("GET", "/me/sessions", them)).json()["items"] == []


async def test_only_what_the_provider_signed_is_paid_and_once(gate: Gate, desk: Any) -> None:
    await gate.sees("in", "京A12345", at=datetime.now(UTC) - timedelta(hours=3), offline=True)
    (stay,) = await gate.inside()
    asked = (await desk.ask("POST", f"/sessions/{stay.session_id}/payments")).json()
    said = {"community_id": str(gate.community), "of": "session", "subject_id": str(stay.session_id), "payment_id": asked["id"],
            "amount": asked["amount"], "transaction": "t1"}
    assert (await desk.tell(said, base64.b16encode(b"x" * 32).decode().lower())).status_code == 401
    assert (await desk.tell({**said, "amount": 1})).json()["code"] == "payment_of_another_amount"
    assert (await desk.tell({**said, "of": "permit"})).status_code == 404
    assert await gate.story("payment_received") == []
    for _ in range(2):
        assert (await desk.tell(said)).status_code == 200
    assert [p.amount for p in await gate.story("payment_received")] == [asked["amount"]]
    assert await gate.sees("out", "京A12345") == "ok"
