"""On the real stack: a resident reads who looked at them, withdraws a consent, and takes what is kept about them as one file."""

from typing import Any

import asyncpg
import httpx

from tests.e2e.conftest import Stack
from tests.kit import until


async def newcomer(stack: Stack, http: httpx.AsyncClient) -> tuple[str, dict[str, str]]:
    desk, staff = stack.url("identity"), stack.bearer("staff")
    home = (await http.get(f"{desk}/v1/homes", params={"limit": 1}, headers=staff)).json()["items"][0]["id"]
    made = await http.post(f"{desk}/v1/residents", json={"name": "林一", "phone": "13812345678"}, headers=staff)
    who = made.json()["id"]
    moved = await http.post(f"{desk}/v1/residents/{who}/residences", json={"home_id": home, "role": "tenant"}, headers=staff)
    assert moved.status_code == 201, moved.text
    return who, stack.bearer("resident", who)


async def test_a_look_through_the_gateway_is_read_by_whoever_was_looked_at(stack: Stack, http: httpx.AsyncClient) -> None:
    who, me = await newcomer(stack, http)
    path, look, grid = f"/v1/residents/{who}/disclosures", {"purpose": "door to door"}, stack.bearer("grid")
    refused = await http.post(path, json=look, headers=grid)
    assert (refused.status_code, refused.json()["code"], refused.json()["purpose"]) == (409, "consent_missing", "sharing")
    given = await http.put("/v1/me/consents/sharing", json={"given": True}, headers=me)
    assert given.status_code == 200, given.text
    listed = await http.get("/v1/me/consents", headers=me | {"lifang-min-position": given.headers["lifang-position"]})
    assert [i["given"] for i in listed.json()["items"]] == [False, True, False] and "lifang-stale" not in listed.headers
    shown = await http.post(path, json=look, headers=grid)
    assert (shown.status_code, shown.json()["phone"]) == (201, "13812345678")
    seen = await http.get("/v1/me/looks", headers=me | {"lifang-min-position": shown.headers["lifang-position"]})
    assert [(i["by"]["role"], i["purpose"], i["what"]) for i in seen.json()["items"]] == [("grid", "door to door", ["name", "phone"])]
    assert "lifang-stale" not in seen.headers
    for other in ("staff", "grid"):
        assert (await http.get("/v1/me/looks", headers=stack.bearer(other))).status_code == 403


async def test_everything_that_is_kept_comes_as_one_file(stack: Stack, http: httpx.AsyncClient) -> None:
    who, me = await newcomer(stack, http)

    async def known() -> Any:
        answer = await http.get("/v1/me/export", headers=me)
        if answer.status_code != 200:
            return None
        sections = answer.json()["sections"]
        return answer if len(sections["neighbors"]["circles"]) == 2 and sections["homes"] and sections["doors"] else None

    answer = await until(known)
    file = answer.json()
    assert answer.headers["content-disposition"].startswith("attachment; filename=") and file["complete"] is True
    resident = file["sections"]["identity"]["resident"]
    assert (file["person_id"], resident["name"], resident["phone"], resident["id_number"]) == (who, "林一", "13812345678", None)
    assert len(file["sections"]["homes"]) == 1
    first = stack.demo.cards[0]["person_id"]
    assert first not in answer.text


async def test_a_face_ends_with_the_consent_and_its_readers_forget_it(stack: Stack, http: httpx.AsyncClient) -> None:
    who, me = await newcomer(stack, http)
    access, staff = stack.url("access"), stack.bearer("staff")
    assert (await http.put("/v1/me/consents/face", json={"given": True}, headers=me)).status_code == 200
    card = {"person_id": who, "kind": "card", "number": f"F{who[:8]}"}
    assert (await http.post(f"{access}/v1/credentials", json=card, headers=staff)).status_code == 201

    async def issued() -> Any:
        answer = await http.post(f"{access}/v1/credentials", json={"person_id": who, "kind": "face"}, headers=staff)
        assert answer.status_code in (201, 409), answer.text
        return answer.json() if answer.status_code == 201 else None

    face = await until(issued)
    assert (await http.put("/v1/me/consents/face", json={"given": False}, headers=me)).status_code == 200

    async def proved() -> Any:
        items = (await http.get(f"{access}/v1/credentials/{face['id']}/readers", headers=staff)).json()["items"]
        return len(items) >= len(stack.demo.terminals) and {item["state"] for item in items} == {"removed"}

    await until(proved, timeout=60)
    listed = (await http.get(f"{access}/v1/credentials", params={"person_id": who}, headers=staff)).json()["items"]
    assert [held["kind"] for held in listed] == ["card"]
    log = await asyncpg.connect(stack.status["databases"]["access"])
    try:
        reason = await log.fetchval(
            "select data->>'reason' from events where stream = $1 and type = 'credential_revoked'", f"credential:{face['id']}")
    finally:
        await log.close()
    assert reason == "consent_withdrawn"
