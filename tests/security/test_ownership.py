"""S2: what belongs to another community, or to another person, is to a caller as if it did not exist: 404, and never a word more.

Asked at every route that names an object in its path, with a body as its document wants it, on the whole stack.
"""

import re
from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

import httpx
import pytest

from tests.e2e.conftest import Stack
from tests.security.bodies import body_of
from tests.security.conftest import SERVICES
from tests.security.matrix import expected
from tests.security.own import Strangers, ids_of, url_of

NOT_IN_THE_DEMO = {"session_id", "finding_id", "release_id", "payment_id", "subject_id", "round_id"}
"""Nothing has parked there and nothing burns: asked for with ids of none, and by the tests of parking and of fire."""
KNOWN_TO_ALL_WHO_LIVE_THERE = {
    "POST /v1/doors/{door_id}/openings": "no_right_for_this_door",
    "POST /v1/lifts/{lift_id}/openings": "no_right_for_this_door",
}
"""A door of one's own community is no secret: it is refused by its rule (409)."""
TOLD_APART = {
    "PUT /v1/doors/{door_id}", "PUT /v1/lifts/{lift_id}", "PUT /v1/panels/{panel_id}", "PUT /v1/patrol-points/{point_id}",
    "PUT /v1/patrol-routes/{route_id}", "PATCH /v1/organisations/{organisation_id}",
    "DELETE /v1/credentials/{credential_id}", "DELETE /v1/parking/spaces/{space_id}", "DELETE /v1/parking/plate-rights/{right_id}",
    "POST /v1/broadcasts/{broadcast_id}/receipts",
}
"""Another's is 404 there, while nobody's is 412 (no such version), 200 (nothing to take away) or 404 by another name. Who holds one of
those random ids learns that it is somebody's, and no more; to know it they must have been given it."""
NO_OBJECTS = {"severity": "high", "name": "local", "purpose": "face", "sign_in_id": ""}
"""Parts of paths that name nobody's object, and what is asked for there."""

ASKED_WITH = {"GET /v1/doors/{door_id}/rights": {"purpose": "who could come in"}}
"""What a question wants to be told besides."""


@pytest.fixture(scope="session")
async def client(stack: Stack):
    async with httpx.AsyncClient(base_url=stack.gateway, timeout=20, trust_env=False) as found:
        yield found


@pytest.fixture(scope="session")
async def ids(stack: Stack, client: httpx.AsyncClient) -> dict[str, str]:
    return await ids_of(stack, client)


@pytest.fixture(scope="session")
async def strangers(stack: Stack) -> Strangers:
    return await Strangers.of(stack)


def named(route: str) -> list[str]:
    return [name for name in re.findall(r"{(\w+)}", route) if name not in NO_OBJECTS]


def routes_with_objects(service: str, role: str) -> list[str]:
    return [route for route, roles in expected(service).items() if role in roles and named(route)]


async def answered(client: httpx.AsyncClient, base: str, route: str, headers: dict[str, str], ids: dict[str, str], body: object) -> tuple:
    method, path = route.split(" ")
    target = re.sub(r"{(\w+)}", lambda m: NO_OBJECTS.get(m[1]) or ids.get(m[1]) or str(uuid4()), path)
    version = {"if-match": '"1"'} if method in ("PUT", "PATCH") else {}
    sent = {"json": body} if body is not None else {}
    answer = await client.request(method, base + target, headers=headers | version, params=ASKED_WITH.get(route), **sent)
    found = answer.json() if answer.content else {}
    return answer.status_code, found.get("code"), found.get("items"), answer.text


async def disclosed(
    stack: Stack, client: httpx.AsyncClient, service: str, role: str, somebody: Callable[[], dict[str, str]], ids: dict[str, str],
) -> list[str]:
    """Routes at which what exists is answered otherwise than what does not, or is answered at all; each asked by somebody else, since
    whoever asks for so much in vain would have to wait."""
    base, wrong = url_of(stack, service), []
    document = (await client.get(base + "/openapi.json")).json()
    for route in routes_with_objects(service, role):
        body, headers = body_of(document, route), somebody()
        theirs = await answered(client, base, route, headers, ids, body)
        nobodys = await answered(client, base, route, headers, {}, body)
        if theirs[0] == 422:
            wrong.append(f"{role} {route}: the test's body {body} is not valid: {theirs[3][:200]}")
        elif not is_silent(route, theirs, nobodys):
            wrong.append(f"{role} {route}: {theirs[0]} {theirs[3][:160]}, of nobody {nobodys[0]} {nobodys[3][:160]}")
    return wrong


def is_silent(route: str, theirs: tuple, nobodys: tuple) -> bool:
    """Whether the answer says no more than that of an object that nobody has."""
    if route in KNOWN_TO_ALL_WHO_LIVE_THERE and KNOWN_TO_ALL_WHO_LIVE_THERE[route] == theirs[1]:
        return bool(theirs[0] == 409)
    if route in TOLD_APART:
        return bool(theirs[0] == 404)
    return bool(theirs[:3] == nobodys[:3] and (theirs[0] in (403, 404, 409) or theirs[2] == []))


@pytest.mark.parametrize("service", SERVICES)
async def test_another_communitys_objects_do_not_exist(stack: Stack, client: httpx.AsyncClient, ids: dict[str, str], strangers: Strangers,
                                                       service: str):
    wrong = [line for role in ("staff", "guard", "resident", "police", "operator")
             for line in await disclosed(stack, client, service, role, partial(strangers.bearer, role), ids)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("service", SERVICES)
async def test_another_residents_objects_do_not_exist(stack: Stack, client: httpx.AsyncClient, ids: dict[str, str], strangers: Strangers,
                                                      service: str):
    """Somebody who lives in the same community and has nothing there yet."""
    neighbour = partial(strangers.bearer, "resident", UUID(stack.status["community_id"]))
    wrong = await disclosed(stack, client, service, "resident", neighbour, ids)
    assert not wrong, "\n".join(wrong)


def test_every_kind_of_object_is_asked_for(ids: dict[str, str]):
    kinds = {name for service in SERVICES for route in expected(service) for name in named(route)}
    assert kinds - set(ids) == NOT_IN_THE_DEMO


async def test_the_same_questions_have_answers_for_those_whose_they_are(stack: Stack, client: httpx.AsyncClient, ids: dict[str, str]):
    """Or the tests above would find silence everywhere."""
    for service in SERVICES:
        for route in routes_with_objects(service, "staff"):
            if route.startswith("GET ") and not set(named(route)) & NOT_IN_THE_DEMO:
                answer = await answered(client, url_of(stack, service), route, stack.bearer("staff"), ids, None)
                assert answer[0] == 200, f"{service} {route}: {answer}"
