"""S4: what a route does not know it refuses, and what is personal stands in no list but masked. S3: who belongs nowhere sees nothing."""

import ast
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from libs.eventkit.privacy import base64url
from tests.e2e.conftest import Stack
from tests.security.asking import ask
from tests.security.bodies import body_of
from tests.security.conftest import KID, SERVICES, Signed
from tests.security.matrix import ROLES, SEEDING, expected

Served = Callable[[str], Awaitable[FastAPI]]
ROOT = Path(__file__).parents[2]
NOT_OURS = {
    "devices": {f"POST /v1/device-reports/{vendor}/{{device_id}}" for vendor in ("hikvision", "onvif", "vzenith")},
    "parking": {"POST /v1/parking/payment-notifications/{name}"},
}
"""Bodies of others' protocols: read by adapters, which keep what they do not know, and by what their sender has signed."""
READS_THE_LOG = {
    "access": {
        "api/lifts.py", "api/openings.py", "api/releases.py", "api/visitor_passes.py", "erasures.py", "moving_out.py",
        "reactions.py", "releasing.py"},
    "devices": {"past_days.py", "performer.py"},
    "gateway": {"api/government.py", "api/incident_events.py", "chain.py", "freshness.py", "history.py", "webhooks/delivering.py",
        "webhooks/places.py"},
    "identity": {"lookups.py"},
    "parking": {
        "api/lanes.py", "api/lots.py", "api/rights.py", "api/sessions.py", "erasures.py", "lane_desk.py", "reactions/cameras.py",
        "reactions/rights.py", "reactions/stays.py"},
}
"""By hand: the files of services that use the pool of the log, which no policy binds: for claims, positions, events by id, and to bring a
book up to date before a decision. Each asks for a community by name. No other file begins to without standing here."""


def bodies(service: str) -> list[str]:
    written = ("POST", "PUT", "PATCH")
    return [r for r in expected(service) if r.split()[0] in written and r != SEEDING and r not in NOT_OURS.get(service, ())]


@pytest.mark.parametrize("service", [s for s in SERVICES if s != "gateway"])
async def test_a_field_that_nobody_knows_is_refused_at_every_route(served: Served, signed: Signed, service: str):
    """The gateway passes bodies on unread: they are refused where they are understood."""
    app = await served(service)
    document, wrong = app.openapi(), []
    for route in bodies(service):
        method, path = route.split(" ")
        body = body_of(document, route)
        if body is None or "secret" in expected(service)[route]:
            continue
        role = next((r for r in ROLES if r in expected(service)[route]), "")
        target = re.sub(r"{(\w+)}", lambda m: {"severity": "high"}.get(m[1]) or str(uuid4()), path)
        answer = await ask(app, method, target, signed.token(role) if role else "", {**body, "nobody_knows": 1}, {"if-match": '"1"'})
        unknown = [f for f in json.loads(answer.body).get("fields", ()) if f["code"] == "extra_forbidden"]
        if answer.status != 422 or [f["at"][-1] for f in unknown] != ["nobody_knows"]:
            wrong.append(f"{route}: {answer.status} {answer.body[:200]!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_path_with_a_slash_too_many_is_none_and_leads_nobody_elsewhere(served: Served, signed: Signed, service: str):
    """A redirect would name the scheme that is spoken here, behind whoever ends TLS, and a client might show its token there in clear."""
    app = await served(service)
    for route, roles in expected(service).items():
        method, path = route.split(" ")
        if "{" not in path and path.startswith("/v1/"):
            answer = await ask(app, method, f"{path}/", signed.token(next(iter(sorted(roles & set(ROLES))), "staff")))
            assert (answer.status, answer.code) in ((404, "not_found"), (405, "method_not_allowed")), route


def objects(schema: Any, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object with named fields that a schema leads to."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield from objects(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
        elif "properties" in schema:
            yield schema
        for value in schema.values():
            yield from objects(value, document)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value, document)


@pytest.mark.parametrize("service", SERVICES)
async def test_nor_is_one_taken_anywhere_within_a_body(served: Served, service: str):
    document = (await served(service)).openapi()
    for route in bodies(service):
        method, path = route.split(" ")
        asked = document["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
        for found in objects(asked, document):
            assert found.get("additionalProperties") is False, f"{route}: {found.get('title')}"


@pytest.mark.parametrize("service", SERVICES)
async def test_whoever_belongs_to_no_community_is_shown_nothing(served: Served, signed: Signed, service: str):
    app, now = await served(service), int(datetime.now(UTC).timestamp())
    for route, roles in expected(service).items():
        if not route.startswith("GET /v1/") or "{" in route or roles & {"public", "secret"} or route == "GET /v1/live":
            continue
        claims = {
            "iss": "lifang-identity", "aud": [service], "sub": str(uuid4()), "role": sorted(roles)[0], "cid": [], "iat": now,
            "exp": now + 60}
        said = ".".join(base64url(json.dumps(p).encode()) for p in ({"alg": "EdDSA", "typ": "at+jwt", "kid": KID}, claims))
        token = f"{said}.{base64url(signed.own.signing_key(KID).sign(said.encode()))}"
        answer = await ask(app, "GET", route.split(" ")[1], token)
        shown = json.loads(answer.body)
        assert (answer.status, answer.code) == (403, "community_unclear") or not any(shown.values()) or "items" not in shown, route
        assert not shown.get("items"), route


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_of_communities_is_under_row_level_security_or_closed_to_readers(served: Served, service: str):
    app = (await served(service)).state.app
    owner = await asyncpg.connect(app.settings.database_url)
    try:
        tables = await owner.fetch(
            "select c.relname, c.relrowsecurity and c.relforcerowsecurity and exists"
            " (select from pg_policy p where p.polrelid = c.oid and $1::regrole = any (p.polroles)) as guarded,"
            " has_table_privilege($1, c.oid, 'select') as readable, has_table_privilege($1, c.oid, 'insert, update, delete') as writable"
            " from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid"
            " where n.nspname = 'public' and c.relkind in ('r', 'p') and a.attname = 'community_id'", f"{service}_read")
    finally:
        await owner.close()
    assert {"events", "claims", "keys"} <= {t["relname"] for t in tables}
    assert [t["relname"] for t in tables if t["readable"] and not t["guarded"]] == []
    assert [t["relname"] for t in tables if t["writable"]] == []


def test_the_pool_of_the_log_is_in_few_hands():
    found = {
        str(path.relative_to(ROOT)) for path in (ROOT / "services").rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("pool", "folds", "direct", "role_url") and not (
            isinstance(node.value, ast.Name) and node.value.id in ("httpx", "asyncpg"))}
    assert found == {f"services/{service}/{file}" for service, files in READS_THE_LOG.items() for file in files}
    opened = [path for path in (ROOT / "services").rglob("*.py") if re.search(r"asyncpg\.(connect|create_pool)", path.read_text())]
    assert opened == [], "only the mechanism opens connections"


# lists


async def planted(stack: Stack, http: httpx.AsyncClient) -> dict[str, str]:
    """A resident with a telephone, an ID number and a car, each unlike any other."""
    identity, staff = stack.url("identity"), stack.bearer("staff")
    n = uuid4().int
    phone, plate = f"+86139{n % 10**8:08d}", f"沪B{n % 100_000:05d}"
    first = f"110105{date(1930, 1, 1) + timedelta(days=n % 25_000):%Y%m%d}{n % 1000:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    number = first + "10X98765432"[sum(int(d) * w for d, w in zip(first, weights, strict=True)) % 11]
    home = (await http.get(f"{identity}/v1/homes", headers=staff)).json()["items"][7]["id"]
    made = await http.post(f"{identity}/v1/residents", headers=staff, json={"name": "欧阳植", "phone": phone})
    assert made.status_code == 201, made.text
    who = made.json()["id"]
    for path, method, body, headers in (
        (f"residents/{who}/residences", "POST", {"home_id": home, "role": "owner"}, staff),
        (f"residents/{who}/id-number", "PUT", {"number": number}, staff),
        ("vehicles", "POST", {"home_id": home, "plate": plate, "vehicle_class": "small"}, stack.bearer("resident", who)),
    ):
        answer = await http.request(method, f"{identity}/v1/{path}", headers=headers, json=body)
        assert answer.status_code in (200, 201), answer.text
    return {"phone": phone.removeprefix("+86"), "id_number": number, "plate": plate}


async def pages(http: httpx.AsyncClient, url: str, headers: dict[str, str]) -> str:
    """All of a list, as text; where it has no pages, what it is."""
    text, cursor = "", ""
    for _ in range(40):
        answer = await http.get(url, headers=headers, params={"limit": "200"} | ({"cursor": cursor} if cursor else {}))
        if answer.status_code == 422:
            answer = await http.get(url, headers=headers)
        text += answer.text
        cursor = answer.json().get("next") if answer.status_code == 200 else ""
        if not cursor:
            break
    return text


async def test_what_is_planted_stands_in_no_list_of_any_role(stack: Stack, http_client: httpx.AsyncClient):
    known = await planted(stack, http_client)
    shown: list[str] = []
    masked = 0
    for service in SERVICES:
        base = stack.gateway if service == "gateway" else stack.url(service)
        for route, roles in expected(service).items():
            path = route.split(" ")[1]
            if not route.startswith("GET /v1/") or "{" in path or path == "/v1/live":
                continue
            for role in set(ROLES[:6]) & roles:
                text = await pages(http_client, base + path, stack.bearer(role))
                shown += [f"{service} {route} as {role}: {kind}" for kind, value in known.items() if value in text]
                masked += known["phone"][:3] + "****" + known["phone"][-4:] in text
    assert shown == []
    assert masked, "the planted telephone was in no list at all, not even masked: nothing has been proved"


@pytest.fixture(scope="module")
async def http_client(stack: Stack):
    async with httpx.AsyncClient(timeout=20, trust_env=False) as found:
        yield found


