"""Somebody has lost their phone: through the gateway they see where they are signed in, and end that, or have it ended."""

from typing import Any

import httpx

from tests.e2e.conftest import Stack
from tests.e2e.signing_in import bearer, handed_out, phone, signed_in
from tests.kit import until

MINE = "/v1/me/sessions"


async def renewed(http: httpx.AsyncClient, tokens: dict[str, Any]) -> dict[str, Any] | None:
    answer = await http.post("/v1/token-renewals", json={"refresh_token": tokens["refresh_token"]})
    assert answer.status_code in (200, 401), answer.text
    return dict(answer.json()) if answer.status_code == 200 else None


async def test_from_a_lost_phone_to_a_session_that_is_no_more(stack: Stack, http: httpx.AsyncClient) -> None:
    operator = stack.bearer("operator")
    opened = await http.post("/v1/accounts", json={"role": "guard", "phone": phone()}, headers=operator)
    account = opened.json()["id"]
    lost, computer = [await signed_in(http, handed_out(stack, account)) for _ in range(2)]

    async def shown(tokens: dict[str, Any], position: str) -> list[dict[str, Any]]:
        answer = await http.get(MINE, headers=bearer(tokens) | {"lifang-min-position": position})
        assert answer.status_code == 200 and "lifang-stale" not in answer.headers, answer.text
        return list(answer.json()["items"])

    again = await http.post("/v1/token-renewals", json={"refresh_token": computer["refresh_token"]})
    computer = again.json()
    both = await shown(computer, again.headers["lifang-position"])
    assert [one["current"] for one in both] == [True, False] and both[0]["renewed_at"] > both[0]["started_at"]
    ended = await http.delete(MINE, headers=bearer(computer))
    assert ended.status_code == 204, ended.text
    (left,) = await shown(computer, ended.headers["lifang-position"])
    assert left["current"] and await renewed(http, lost) is None
    found = await renewed(http, computer)
    assert found is not None

    third = await signed_in(http, handed_out(stack, account))

    async def known() -> str:
        return next((str(one["id"]) for one in (await http.get(MINE, headers=bearer(third))).json()["items"] if one["current"]), "")

    mine = await until(known)
    assert (await http.delete(f"{MINE}/{mine}", headers=stack.bearer("staff"))).json()["code"] == "session_not_found"
    assert (await http.delete(f"{MINE}/{mine}", headers=bearer(found))).status_code == 204
    assert await renewed(http, third) is None

    assert (await http.delete(f"/v1/accounts/{account}/sessions", headers=stack.bearer("staff"))).status_code == 404, "a guard's"
    by_operator = await http.delete(f"/v1/accounts/{account}/sessions", headers=operator)
    assert by_operator.status_code == 204
    assert await shown(found, by_operator.headers["lifang-position"]) == [] and await renewed(http, found) is None
