"""Money at the gate beyond the usual: paying after the exit, paying twice, several stays of one day, a class that was misread."""

from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from services.parking.book import LotBook
from services.parking.domain.lots import AdoptTariff, OpenLot
from services.parking.domain.published_tariffs import qinzhou_zone_1
from services.parking.lane_desk import index_in, index_of
from tests.kit import caught_up, until
from tests.parking.conftest import LONG_AGO, Gate

HOURS_AGO = {n: timedelta(hours=n) for n in (2, 3, 4, 5)}


async def finding_of(gate: Gate, kind: str) -> Any:
    async def raised() -> Any:
        return [f for f in await gate.story("finding_raised") if f.kind == kind]

    return (await until(raised))[0]


async def paid(gate: Gate, desk: Any, session: UUID, who: str = "guard") -> Any:
    asked = (await desk.ask("POST", f"/sessions/{session}/payments", who)).json()
    return await desk.ask("POST", f"/demo-payments/{session}/{asked['id']}", who)


async def test_who_left_owing_pays_afterwards_and_the_finding_settles_itself(gate: Gate, desk: Any) -> None:
    """Told by the camera from its memory: it came, stayed three hours, and went through an open barrier."""
    host, now = uuid4(), datetime.now(UTC)
    await gate.grant("京A12345", "visitor_pass", person_id=host)
    await gate.sees("in", "京A12345", at=now - HOURS_AGO[5], offline=True)
    await gate.sees("out", "京A12345", at=now - HOURS_AGO[2], offline=True)
    (ended,) = await gate.outside()
    finding = await finding_of(gate, "unpaid_exit")
    assert (ended.total, ended.paid, finding.session_id) == (400, 0, ended.session_id)
    path, me = f"/sessions/{ended.session_id}", f"resident:{host}"
    assert (await desk.ask("GET", f"{path}/bill", me)).json()["due"] == 400

    async def owes() -> bool:
        items = (await desk.ask("GET", "/sessions?owing=true")).json()["items"]
        return [item["id"] for item in items] == [str(ended.session_id)]

    await until(owes)
    assert (await paid(gate, desk, ended.session_id, me)).status_code == 200
    assert (await desk.ask("GET", f"{path}/bill", me)).json()["due"] == 0
    assert (await desk.ask("POST", f"{path}/payments", me)).json()["code"] == "nothing_due"
    settled = await until(lambda: gate.story("finding_settled"))
    assert [(s.finding_id, s.how) for s in settled] == [(finding.finding_id, "paid")]


async def test_a_bill_that_was_paid_twice_is_shown_to_staff(gate: Gate, desk: Any) -> None:
    await gate.sees("in", "京A12345", at=datetime.now(UTC) - HOURS_AGO[3] + timedelta(minutes=5), offline=True)
    (stay,) = await gate.inside()
    asked = [(await desk.ask("POST", f"/sessions/{stay.session_id}/payments")).json()["id"] for _ in range(2)]
    for payment in asked:
        assert (await desk.ask("POST", f"/demo-payments/{stay.session_id}/{payment}")).status_code == 200
    assert await gate.story("finding_raised") == [], "while it is inside it counts towards what comes"
    assert await gate.sees("out", "京A12345") == "ok"
    (ended,) = await gate.outside()
    finding = await finding_of(gate, "overpaid")
    assert (ended.total, ended.paid, finding.session_id) == (400, 800, stay.session_id)
    refunded = await desk.ask("POST", f"/findings/{finding.finding_id}/settlements", body={"how": "refunded", "note": "in cash"})
    assert refunded.status_code == 201


async def test_stays_of_one_day_share_its_cap_in_every_process(gate: Gate, desk: Any) -> None:
    """Also in one that began after the first of them had ended: it finds the plate in what is sealed."""
    tariff = qinzhou_zone_1()
    for event in (
        OpenLot(gate.lot, "lot", "UTC", {"ground": 9}, True, 900), AdoptTariff(gate.lot, tariff, date(2020, 1, 2), LONG_AGO)):
        await gate.parking.commands.handle(gate.lot, event, gate.context())
    day = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0) - timedelta(days=1)
    for number, (begins, ends) in enumerate(((0, 6), (7, 12)), 1):
        await gate.sees("in", "京A12345", at=day + timedelta(hours=begins), offline=True)
        await gate.inside(number)
        if number == 2:
            break
        await gate.sees("out", "京A12345", at=day + timedelta(hours=ends), offline=True)
        await gate.outside(number)
    first, second = (await gate.outside())[0], (await gate.inside(2))[1]
    assert first.total == 2550
    assert sum(line.amount_fen for line in second.earlier) == 2550
    later = LotBook(partial(index_in, gate.parking))
    later.memory.bind(gate.parking.log, gate.parking.catalogue)
    await later.memory.catch_up()
    plate = index_of(gate.parking, gate.community, "京A12345")
    assert await later.over.billed(gate.community, gate.lot, plate, day + timedelta(hours=7)) == second.earlier
    await gate.sees("out", "京A12345", at=day + timedelta(hours=12), offline=True)
    assert (await gate.outside(2))[1].total == 450
    bill = (await desk.ask("GET", f"/sessions/{second.session_id}/bill")).json()
    assert bill["total"] == 450 == sum(line["amount"] for line in bill["lines"])


async def test_a_class_is_corrected_by_the_guard_and_what_the_tariff_does_not_know_changes_nothing(gate: Gate, desk: Any) -> None:
    await gate.sees("in", "京A12345", at=datetime.now(UTC) - HOURS_AGO[4], offline=True)
    (stay,) = await gate.inside()
    path = f"/sessions/{stay.session_id}"
    for body, status, code in (
        ({"vehicle_class": "tank"}, 409, "class_not_in_tariff"), ({"spaces": 0}, 422, "invalid"),
        ({"on_duty": "perhaps"}, 422, "invalid")):
        refused = await desk.ask("POST", f"{path}/corrections", body=body)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert await gate.story("stay_corrected") == []
    assert (await desk.ask("POST", f"{path}/corrections", "resident:" + str(uuid4()), {"on_duty": True})).status_code == 403
    assert (await desk.ask("POST", f"{path}/corrections", body={"on_duty": True, "note": "ambulance"})).status_code == 201
    bill = (await desk.ask("GET", f"{path}/bill")).json()
    assert (bill["due"], [line["code"] for line in bill["lines"]]) == (0, ["on_duty"])
    assert await gate.sees("out", "京A12345") == "ok"


async def test_a_missing_exit_is_waived_in_one_step_and_settled_with_a_moment_in_the_other(gate: Gate, desk: Any) -> None:
    now = datetime.now(UTC)
    for number, plate in enumerate(("京A12345", "京A54321"), 1):
        await gate.sees("in", plate, at=now - timedelta(days=9), offline=True)
        await gate.inside(2 * number - 1)
        await gate.sees("in", plate, at=now - timedelta(days=1), offline=True)
        await gate.inside(2 * number)
    first, second = await gate.findings(2)
    left = {"how": "left_earlier"}
    refused = await desk.ask("POST", f"/findings/{first.finding_id}/settlements", body=left)
    assert (refused.status_code, refused.json()["code"]) == (409, "left_when")
    assert (await desk.ask("POST", f"/findings/{first.finding_id}/settlements", body={"how": "waived"})).status_code == 201
    (waived,) = await gate.outside()
    assert (waived.session_id, waived.how, waived.total) == (first.session_id, "settled", 0)
    path = f"/sessions/{second.session_id}/settlements"
    soon = {"left_at": (now + timedelta(hours=1)).isoformat()}
    assert (await desk.ask("POST", path, body=soon)).json()["code"] == "exit_in_the_future"
    left_at = now - timedelta(days=9) + HOURS_AGO[3]
    moment = {"left_at": left_at.astimezone(timezone(timedelta(hours=8))).isoformat()}
    assert (await desk.ask("POST", path, body=moment)).status_code == 201
    settled = (await gate.outside(2))[1]
    assert (settled.session_id, settled.total) == (second.session_id, 400)
    assert (settled.exited_at, settled.exited_at.utcoffset()) == (left_at, timedelta(0)), "in the log in UTC"
    pool = await gate.parking.database.pool()
    await caught_up(pool, "after_passages")
    assert {s.finding_id: s.how for s in await gate.story("finding_settled")} == {
        first.finding_id: "waived", second.finding_id: "left_earlier"}
    assert await pool.fetchval("select count(*) from parked where community_id = $1", gate.community) == 0


async def test_who_is_let_in_by_hand_though_inside_already_leaves_a_missing_exit_behind(gate: Gate, desk: Any) -> None:
    """And stands under the right that its plate has."""
    right = await gate.grant("京A12345", "vehicle")
    for number, plate in enumerate(("京A12345", "京A54321"), 1):
        await gate.sees("in", plate, at=datetime.now(UTC) - HOURS_AGO[2], offline=True)
        await gate.inside(number)
    await gate.grant("京A12D45", "black")
    assert await gate.sees("in", "京A12345") == "ok", "it is inside already: its space is its own"
    third = (await gate.inside(3))[2]
    assert (await finding_of(gate, "missing_exit")).session_id != third.session_id
    path = f"/lanes/{gate.lanes['in']}/openings"
    assert await gate.sees("in", "京A12O45") == "no"
    finding = await finding_of(gate, "look_alike")
    opened = await desk.ask("POST", path, body={"finding_id": str(finding.finding_id), "reason": "misread"})
    assert opened.status_code == 201
    stays = await gate.inside(3)
    assert [stay.under.right_id for stay in stays if stay.under is not None] == [right, right]
