"""The guard at the lane, and money, through the service's own interface."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from services.devices.domain.orders import ExpireOrder
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
