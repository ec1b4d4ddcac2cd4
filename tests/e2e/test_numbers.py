"""ID numbers, organisations and telephones through the real interfaces: taken, doubted, refused, sealed, masked."""

from datetime import date, timedelta
from uuid import uuid4

import httpx
import pytest

from tests.e2e.conftest import Stack

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(division: str = "110105", birth: str = "") -> str:
    """A made-up number that nobody else in this run has: one of twenty-five million."""
    birth = birth or f"{date(1930, 1, 1) + timedelta(days=uuid4().int % 25_000):%Y%m%d}"
    first = f"{division}{birth}{uuid4().int % 1000:03d}"
    return first + "10X98765432"[sum(int(d) * w for d, w in zip(first, WEIGHTS, strict=True)) % 11]


@pytest.fixture
async def identity(stack: Stack, http: httpx.AsyncClient):
    http.base_url = httpx.URL(stack.url("identity"))
    http.headers.update(stack.bearer("staff"))
    return http


async def resident(identity: httpx.AsyncClient, **more: str) -> str:
    answer = await identity.post("/v1/residents", json={"name": "林一", **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def shown(identity: httpx.AsyncClient, who: str, answer: httpx.Response) -> dict:
    found = await identity.get(f"/v1/residents/{who}", headers={"lifang-min-position": answer.headers["lifang-position"]})
    assert "lifang-stale" not in found.headers
    return found.json()


async def test_a_number_is_taken_masked_and_shown_only_to_who_says_why(identity: httpx.AsyncClient):
    who, number = await resident(identity), id_number()
    answer = await identity.put(f"/v1/residents/{who}/id-number", json={"number": f" {number.lower()} "})
    assert (answer.status_code, answer.json()) == (200, {"id": who, "findings": []}), answer.text
    found = await shown(identity, who, answer)
    assert found["id_number"] == number[:3] + "*" * 11 + number[-4:] and found["findings"] == []
    look = {"purpose": "moving in", "id_number": True}
    assert (await identity.post(f"/v1/residents/{who}/disclosures", json=look)).json()["id_number"] == number
    assert "id_number" not in (await identity.post(f"/v1/residents/{who}/disclosures", json={"purpose": "moving in"})).json()


async def test_a_doubtful_number_is_taken_and_stays_in_doubt_until_somebody_has_seen_the_card(identity: httpx.AsyncClient):
    who = await resident(identity)
    assert (await identity.post(f"/v1/residents/{who}/id-number/confirmation")).status_code == 404
    answer = await identity.put(f"/v1/residents/{who}/id-number", json={"number": id_number("340524", "19800101")})
    assert answer.json()["findings"] == ["division_unknown"]
    assert (await shown(identity, who, answer))["findings"] == ["division_unknown"]
    answer = await identity.post(f"/v1/residents/{who}/id-number/confirmation")
    assert answer.status_code == 200 and (await shown(identity, who, answer))["findings"] == []


@pytest.mark.parametrize(("number", "reason"), [
    ("110101199001011234", "check_digit"), ("", "empty"), ("11010119900230123X", "date"), ("1234", "length"),
    ("110101١99001011234", "characters")])
async def test_a_number_that_nobody_can_have_is_refused_with_the_reason_and_changes_nothing(
    identity: httpx.AsyncClient, number: str, reason: str
):
    who = await resident(identity)
    answer = await identity.put(f"/v1/residents/{who}/id-number", json={"number": number})
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (422, "id_number_invalid", reason)
    assert number == "" or number not in answer.text
    look = await identity.post(f"/v1/residents/{who}/disclosures", json={"purpose": "moving in", "id_number": True})
    assert look.json()["id_number"] is None


async def test_one_number_is_one_residents(identity: httpx.AsyncClient):
    ann, ben, number = await resident(identity), await resident(identity), id_number()
    for who, status in ((ann, 200), (ben, 409), (ann, 200)):
        answer = await identity.put(f"/v1/residents/{who}/id-number", json={"number": number})
        assert answer.status_code == status, answer.text
        assert answer.json().get("held_by") == (ann if status == 409 else None)
    assert (await identity.put(f"/v1/residents/{ann}/id-number", json={"number": id_number()})).status_code == 200
    assert (await identity.put(f"/v1/residents/{ben}/id-number", json={"number": number})).status_code == 200, "it was given up"


async def test_a_number_and_a_phone_of_the_wrong_page_are_taken_back(identity: httpx.AsyncClient):
    ann, ben, number = await resident(identity), await resident(identity), id_number()
    place = f"/v1/residents/{ann}"
    assert (await identity.put(f"{place}/id-number", json={"number": number})).status_code == 200
    gone = [await identity.delete(f"{place}/id-number") for _ in range(2)]
    assert [answer.status_code for answer in gone] == [204, 204]
    assert (await identity.put(f"/v1/residents/{ben}/id-number", json={"number": number})).status_code == 200
    known = await identity.get(place, headers={"lifang-min-position": gone[0].headers["lifang-position"]})
    given = await identity.patch(place, json={"phone": "13800138000"}, headers={"if-match": known.headers["etag"]})
    taken = await identity.patch(place, json={"phone": None}, headers={"if-match": given.headers["etag"]})
    assert taken.status_code == 200, taken.text
    look = await identity.post(f"{place}/disclosures", json={"purpose": "moving in", "id_number": True})
    assert (look.json()["phone"], look.json()["id_number"]) == (None, None)


async def test_an_organisation_is_found_by_its_code_and_its_doubt_is_shown(identity: httpx.AsyncClient, stack: Stack):
    name, serial = f"Shop {uuid4()}", f"{uuid4().int % 10**9:09d}"
    answer = await identity.post("/v1/organisations", json={"name": name, "code": f"91110105-{serial}-0"})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    place = f"/v1/organisations/{made['id']}"
    found = await identity.get(place, headers={"lifang-min-position": answer.headers["lifang-position"]})
    assert found.json() == {"id": made["id"], "name": name, "code": made["code"], "findings": made["findings"], "version": 1}
    again = await identity.post("/v1/organisations", json={"name": "another", "code": made["code"]})
    assert (again.status_code, again.json()["code"]) == (409, "organisation_code_taken")
    assert (await identity.patch(place, json={"name": "New"})).status_code == 428
    answer = await identity.patch(place, json={"name": "New"}, headers={"if-match": found.headers["etag"]})
    assert answer.status_code == 200, answer.text
    assert (await identity.patch(place, json={"name": "x"}, headers={"if-match": found.headers["etag"]})).status_code == 412
    wrong = await identity.post("/v1/organisations", json={"name": "x", "code": "91350100M000100Y4Z"})
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["reason"]) == (422, "organisation_code_invalid", "characters")
    forbidden = await identity.post("/v1/organisations", json={"name": "x", "code": made["code"]}, headers=stack.bearer("resident"))
    assert forbidden.status_code == 403


async def test_a_telephone_is_stored_in_one_form_and_a_landline_is_shown_to_be_one(identity: httpx.AsyncClient):
    who = await resident(identity, phone="+86 138-0000-8825")
    look = await identity.post(f"/v1/residents/{who}/disclosures", json={"purpose": "moving in"})
    assert look.json()["phone"] == "13800008825"
    assert (await identity.post("/v1/residents", json={"name": "x", "phone": "1380000124"})).json()["reason"] == "length"
