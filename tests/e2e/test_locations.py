"""Where an answer of the gateway says that something is, whoever was answered finds it."""

from uuid import uuid4

import httpx

from tests.e2e.conftest import Stack
from tests.kit import until


async def test_what_an_answer_names_as_its_location_can_be_read_there_by_whoever_was_answered(stack: Stack, http: httpx.AsyncClient):
    resident, guard = stack.bearer("resident"), stack.bearer("guard")
    home = (await http.get("/v1/me", headers=resident)).json()["homes"][0]
    door = (await http.get("/v1/me/doors", headers=resident)).json()["items"][0]
    (lift,) = (await http.get("/v1/me/lifts", headers=resident)).json()["items"]
    assert (lift["building_id"], lift["rule"]) == (home["building_id"], "residence")
    guards = (await http.get("/v1/me/lifts", headers=guard)).json()["items"]
    assert {known["id"] for known in guards} == {known["id"] for known in stack.demo.lifts}
    floor = int(home["label"].rpartition("-")[2][:-2])
    spot = {"building_id": home["building_id"], "name": f"closer {uuid4().hex[:8]}"}
    for who, path, body, names_a_place in (
        (resident, f"/v1/doors/{door['id']}/openings", {}, True),
        (resident, f"/v1/lifts/{lift['id']}/openings", {"floor": floor}, True),
        (resident, "/v1/visitor-passes", {"kind": "courier", "home_id": home["home_id"]}, True),
        (guard, "/v1/incidents", {"kind": "trouble", "place": spot}, True),
        (resident, "/v1/sos", {"home_id": home["home_id"]}, False),
    ):
        answer = await http.post(path, headers=who, json=body)
        assert (answer.status_code, "location" in answer.headers) == (201, names_a_place), (path, answer.text)
        place, mine = answer.headers.get("location", "/v1/me/alarms"), who | {"lifang-min-position": answer.headers["lifang-position"]}

        async def found(place: str = place, mine: dict[str, str] = mine) -> httpx.Response | None:
            there = await http.get(place, headers=mine)
            return there if there.status_code == 200 else None

        there = await until(found)
        assert names_a_place or answer.json()["id"] in {alarm["id"] for alarm in there.json()["items"]}
        if path in ("/v1/incidents", "/v1/sos"):
            for step, said in (("acknowledgements", {}), ("false-alarms", {"cause": "test"})):
                await http.post(f"/v1/incidents/{answer.json()['id']}/{step}", headers=guard, json=said)
