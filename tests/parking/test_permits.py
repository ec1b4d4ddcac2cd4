"""Permits by the month and for single spaces, through the service's own interface and at the lane."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from msgspec import json

from libs.eventkit.recorded import Retired
from services.parking.domain.lots import OpenLot
from tests.kit import recorded, until
from tests.parking.conftest import Gate

ANN, BEN = uuid4(), uuid4()
HOUR = timedelta(hours=1)


async def permit(desk: Any, gate: Gate, plate: str, **terms: Any) -> str:
    body = {"kind": "permit", "plate": plate, "lot_id": str(gate.lot), **terms}
    granted = await desk.ask("POST", "/plate-rights", "staff", body)
    assert granted.status_code == 201, granted.text
    return str(granted.json()["id"])


async def test_a_permit_is_renewed_by_whoever_holds_it_when_the_provider_says_that_it_is_paid(gate: Gate, desk: Any) -> None:
    now = datetime.now(UTC)
    until_, me, other = (now + HOUR).replace(microsecond=0), f"resident:{ANN}", f"resident:{BEN}"
    right = await permit(
        desk, gate, "京A12345", monthly=15_000, person_id=str(ANN), valid_from=(now - HOUR).isoformat(), valid_until=until_.isoformat())
    path = f"/plate-rights/{right}/renewals"
    assert (await desk.ask("POST", path, other, {"months": 1})).status_code == 404
    for months in (0, 37, "many"):
        assert (await desk.ask("POST", path, me, {"months": months})).status_code == 422
    key = {"idempotency-key": str(uuid4())}
    asked = (await desk.ask("POST", path, me, {"months": 2}, **key)).json()
    assert asked == (await desk.ask("POST", path, me, {"months": 2}, **key)).json()
    assert (asked["amount"], [line["amount"] for line in asked["months"]]) == (30_000, [15_000, 15_000])
    assert asked["months"][0]["ends"] == asked["months"][1]["starts"]
    assert (await desk.ask("POST", f"/demo-payments/{right}/{asked['id']}", other)).status_code == 404
    for _ in range(2):
        assert (await desk.ask("POST", f"/demo-payments/{right}/{asked['id']}", me)).status_code == 200

    async def renewed() -> Any:
        (mine,) = (await desk.ask("GET", "/me/permits", me)).json()["items"]
        return mine if mine["valid_until"] == asked["months"][1]["ends"] else None

    mine = await until(renewed)
    assert (mine["id"], mine["plate"], mine["monthly"]) == (right, "京A***45", 15_000)
    assert (await desk.ask("GET", "/me/permits", other)).json()["items"] == []
    assert len(await gate.story("renewal_paid")) == 1


async def test_moments_with_another_offset_are_in_the_log_in_utc(gate: Gate, desk: Any) -> None:
    first = {"valid_from": "2026-12-01T00:00:00+08:00", "valid_until": "2027-01-01T00:00:00+08:00"}
    body = {"kind": "permit", "plate": "京A12345", "lot_id": str(gate.lot), **first}
    granted = await desk.ask("POST", "/plate-rights", "staff", body)
    terms = {"lot_id": str(gate.lot), "valid_from": "2026-12-01T08:00:00+08:00", "valid_until": "2027-01-01T08:00:00+08:00"}
    path = f"/plate-rights/{granted.json()['id']}"
    assert (await desk.ask("PUT", path, "staff", terms, **{"if-match": granted.headers["etag"]})).status_code == 200
    rows = await (await gate.parking.database.pool()).fetch(
        "select data from events where community_id = $1 and type = 'plate_right_granted' order by position", gate.community)
    said = [(row["valid_from"], row["valid_until"]) for row in (json.decode(data) for (data,) in rows)]
    assert said == [("2026-11-30T16:00:00Z", "2026-12-31T16:00:00Z"), ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")]


async def test_staff_who_save_what_they_saw_before_months_were_paid_take_none_of_them_away(gate: Gate, desk: Any) -> None:
    now, me = datetime.now(UTC).replace(microsecond=0), f"resident:{ANN}"
    terms = {
        "lot_id": str(gate.lot), "valid_from": now.isoformat(), "valid_until": (now + HOUR).isoformat(), "monthly": 15_000,
        "person_id": str(ANN)}
    granted = await desk.ask("POST", "/plate-rights", "staff", {"kind": "permit", "plate": "京A12345", **terms})
    right = granted.json()["id"]

    async def listed(wanted: int) -> Any:
        async def there() -> Any:
            items = (await desk.ask("GET", "/plate-rights", "staff")).json()["items"]
            return items[0] if items and items[0]["version"] >= wanted else None

        return await until(there)

    seen = await listed(1)
    assert granted.headers["etag"] == f'"{seen["version"]}"'
    asked = (await desk.ask("POST", f"/plate-rights/{right}/renewals", me, {"months": 3})).json()
    assert (await desk.ask("POST", f"/demo-payments/{right}/{asked['id']}", me)).status_code == 200
    save = ("PUT", f"/plate-rights/{right}", "staff", {**terms, "reason": "a second key was handed out"})
    assert (await desk.ask(*save)).json()["code"] == "if_match_required"
    stale = await desk.ask(*save, **{"if-match": str(seen["version"])})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    renewed = await listed(seen["version"] + 3)  # asked for, paid, extended
    assert renewed["valid_until"] == asked["months"][2]["ends"]
    saved = await desk.ask(*save[:3], {**save[3], "valid_until": renewed["valid_until"]}, **{"if-match": str(renewed["version"])})
    assert (saved.status_code, saved.headers["etag"]) == (200, f'"{renewed["version"] + 1}"')
    assert (await listed(renewed["version"] + 1))["valid_until"] == asked["months"][2]["ends"]


async def test_a_permit_that_is_bought_changed_or_ended_while_the_car_is_inside_counts_for_its_time(gate: Gate, desk: Any) -> None:
    """Five hours: by tariff 800 fen; with a permit from the second hour on 0, since the first is free."""
    now = datetime.now(UTC)
    await gate.sees("in", "京A12345", at=now - 5 * HOUR, offline=True)
    (stay,) = await gate.inside()

    async def due() -> int:
        return int((await desk.ask("GET", f"/sessions/{stay.session_id}/bill")).json()["due"])

    async def becomes(fen: int) -> None:
        async def there() -> bool:
            return await due() == fen

        await until(there)

    await becomes(1000)
    right = await permit(desk, gate, "京A12345", valid_from=(now - 4 * HOUR).isoformat())
    await becomes(0)

    async def change(terms: dict[str, str]) -> int:
        (shown,) = (await desk.ask("GET", "/plate-rights", "staff")).json()["items"]
        return int((await desk.ask("PUT", f"/plate-rights/{right}", "staff", terms, **{"if-match": str(shown["version"])})).status_code)

    terms = {"lot_id": str(gate.lot), "valid_from": (now - 4 * HOUR).isoformat(), "valid_until": (now - 3 * HOUR).isoformat()}
    assert await change(terms) == 200
    await becomes(600)
    assert await change({**terms, "lot_id": str(uuid4())}) == 404
    terms["valid_until"] = (now + 9 * HOUR).isoformat()
    assert await change(terms) == 200
    await becomes(0)
    assert (await desk.ask("DELETE", f"/plate-rights/{right}", "staff")).status_code == 200
    assert await gate.sees("out", "京A12345") == "ok"
    (ended,) = await gate.outside()
    assert ended.total == 0


async def test_two_cars_share_a_space_and_the_second_pays(gate: Gate, desk: Any) -> None:
    lot = OpenLot(gate.lot, "lot", "Asia/Shanghai", {"ground": 2}, True, 900)
    await gate.parking.commands.handle(gate.lot, lot, gate.context())
    body = {"lot_id": str(gate.lot), "zone": "ground", "label": "A-12"}
    space = (await desk.ask("POST", "/spaces", "staff", body)).json()["id"]
    assert (await desk.ask("POST", "/spaces", "staff", body)).json()["code"] == "space_taken"
    assert (await desk.ask("POST", "/spaces", "staff", {**body, "zone": "roof"})).json()["code"] == "zone_unknown"
    one, two = [await permit(desk, gate, plate, space_id=space) for plate in ("京A11111", "京A22222")]
    zone = (await desk.ask("GET", f"/lots/{gate.lot}/occupancy")).json()["zones"][0]
    assert (zone["spaces"], zone["taken"], zone["kept"], zone["free"]) == (2, 0, 1, 1)
    assert await gate.sees("in", "京A99999") == "ok"
    await gate.inside(1)
    assert await gate.sees("in", "京A88888") == "no", "the last space is kept"
    assert await gate.sees("in", "京A11111") == "ok"
    stay = (await gate.inside(2))[1]
    listed = (await desk.ask("GET", f"/lots/{gate.lot}/spaces")).json()["items"]
    assert listed == [{"id": space, "zone": "ground", "label": "A-12", "permits": 2, "taken_by": [str(stay.session_id)]}]
    assert await gate.sees("in", "京A22222") == "no"
    judged = (await gate.story("passage_judged"))[-1].judgement
    assert (judged.reason, judged.facts[1].says) == ("lot_full", "space_taken")
    assert await gate.sees("out", "京A11111") == "ok"
    await gate.outside()
    assert await gate.sees("in", "京A22222") == "ok"
    assert (await gate.inside(3))[2].under.right_id == UUID(two) and one != two
    assert (await desk.ask("DELETE", f"/spaces/{space}", "staff")).status_code == 200
    assert (await desk.ask("GET", f"/lots/{gate.lot}/spaces")).json()["items"] == []


async def test_with_a_guests_pass_that_retention_has_blanked_goes_what_their_plate_is_known_by(gate: Gate) -> None:
    guest, permit = await gate.grant("京A12345", "visitor_pass"), await gate.grant("京A54321", "permit")
    pool, now = await gate.parking.database.pool(), datetime.now(UTC)
    reactor = next(r for r in gate.parking.reactors if r.reaction.name == "passes_retired")

    async def left(name: str, before: datetime) -> set[str]:
        event = Retired(name, ("access.visitor_pass_issued",), 1, 1, 1, before)
        await reactor.handle(event, recorded(event, gate.community))
        return {row["stream"] for row in await pool.fetch("select stream from claims where community_id = $1", gate.community)}

    both = {f"plate-right:{i}" for i in (guest, permit)}
    assert both <= await left("visitor_passes", now - timedelta(days=1)) and both <= await left("reports", now + timedelta(days=1))
    assert both & await left("visitor_passes", now + timedelta(days=1)) == {f"plate-right:{permit}"}
    assert [event.reason for event in await gate.story("plate_right_ended")] == ["pass_forgotten"]
