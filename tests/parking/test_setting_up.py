"""What staff set up at a car park and change again, each change of the version that they saw."""

from typing import Any
from uuid import uuid4

from tests.kit import until
from tests.parking.conftest import Gate


async def test_a_lot_says_which_version_a_change_of_it_takes_also_after_a_tariff(gate: Gate, desk: Any) -> None:
    (lot,) = (await desk.ask("GET", "/lots", "staff")).json()["items"]
    assert lot["version"] == 2, "it was opened, and has adopted a tariff"
    path, body = f"/lots/{gate.lot}", {"name": "lot", "spaces": {"ground": 12}}
    assert (await desk.ask("PUT", path, "staff", body)).status_code == 428
    changed = await desk.ask("PUT", path, "staff", body, **{"if-match": f'"{lot["version"]}"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"3"')
    assert (await desk.ask("PUT", path, "staff", body, **{"if-match": '"2"'})).status_code == 412
    assert [item["version"] for item in (await desk.ask("GET", "/lots", "staff")).json()["items"]] == [3]


async def test_a_lane_gets_another_direction_or_camera_and_the_one_that_it_had_is_free_again(gate: Gate, desk: Any) -> None:
    async def listed() -> Any:
        items = (await desk.ask("GET", "/lanes", "staff")).json()["items"]
        return next((item for item in items if item["id"] == str(gate.lanes["in"])), None)

    lane, seen = await until(listed), {"if-match": '"1"'}
    assert (lane["version"], lane["direction"]) == (1, "in")
    path, camera = f"/lanes/{gate.lanes['in']}", str(gate.cameras["in"])
    body = {"name": "West", "direction": "out", "zone": "ground", "device_id": str(uuid4())}
    assert (await desk.ask("PUT", path, "staff", body)).status_code == 428
    assert (await desk.ask("PUT", path, "guard", body, **seen)).status_code == 403
    assert (await desk.ask("PUT", f"/lanes/{uuid4()}", "staff", body, **seen)).status_code == 404
    for wrong, code in (({"zone": "below"}, "zone_unknown"), ({"device_id": str(gate.cameras["out"])}, "camera_lane_taken")):
        refused = await desk.ask("PUT", path, "staff", {**body, **wrong}, **seen)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
    new = {**body, "name": "East", "direction": "in", "device_id": camera, "lot_id": str(gate.lot)}
    assert (await desk.ask("POST", "/lanes", "staff", new)).json()["code"] == "camera_lane_taken"
    changed = await desk.ask("PUT", path, "staff", body, **seen)
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await desk.ask("PUT", path, "staff", body, **seen)).status_code == 412
    installed = await desk.ask("POST", "/lanes", "staff", new)
    assert (installed.status_code, installed.headers["etag"]) == (201, '"1"')
    assert await gate.sees("in", "京A12345") == "ok"
    (judged,) = await gate.story("passage_judged")
    assert str(judged.lane.lane_id) == installed.json()["id"]
