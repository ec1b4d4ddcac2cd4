"""S2: every role at every route of every service. What is expected is written by hand in `matrix.py`, and of no route is it missing."""

import re
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from libs.eventkit.direct import _known
from tests.security.asking import Answer, ask
from tests.security.conftest import SERVICES, Signed
from tests.security.matrix import MATRIX, ROLES, expected

Served = Callable[[str], Awaitable[FastAPI]]
STREAMS = {"/v1/live"}
WORDS = {"severity": "high", "name": "local"}


def routes_of(app: FastAPI) -> set[str]:
    return {
        f"{method} {route.path}" for route in iter_route_contexts(app.routes) if isinstance(route.original_route, APIRoute)
        for method in route.methods or ()}


def filled(path: str) -> str:
    """With ids that nothing has."""
    return re.sub(r"{(\w+)}", lambda m: WORDS.get(m[1]) or str(uuid4()), path)


async def at(app: FastAPI, route: str, token: str = "") -> Answer:
    method, path = route.split(" ")
    return await ask(app, method, filled(path), token, None if method in ("GET", "DELETE") else {})


def gets_past(answer: Answer) -> bool:
    return answer.status != 401 and (answer.status, answer.code) != (403, "not_permitted")


@pytest.mark.parametrize("service", SERVICES)
async def test_the_table_has_every_route(served: Served, service: str):
    assert routes_of(await served(service)) == set(expected(service))


@pytest.mark.parametrize("service", SERVICES)
async def test_every_route_that_gives_one_answer_is_known_to_the_short_way(served: Served, service: str):
    """The other is slower (decision 26): a route is to be declared by what the short one knows."""
    long = [
        route.path for route in iter_route_contexts((await served(service)).routes)
        if isinstance(route.original_route, APIRoute) and route.path not in STREAMS and not _known(route)]
    assert long == []


def test_the_table_is_of_every_service():
    assert sorted(MATRIX) == SERVICES


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_gets_past_the_door_of_its_own_routes_only(served: Served, signed: Signed, service: str):
    app, tokens = await served(service), {role: signed.token(role) for role in ROLES}
    wrong = []
    for route, roles in expected(service).items():
        if roles & {"public", "secret"} or route.partition(" ")[2].startswith("/v1/device-reports"):
            continue
        found = {role for role in ROLES if gets_past(await at(app, route, tokens[role]))}
        wrong += [f"{route}: {' '.join(sorted(found))}"] if found != roles else []
    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
async def test_without_a_token_there_is_only_what_is_public(served: Served, service: str):
    app = await served(service)
    answers = {route: await at(app, route) for route in expected(service)}
    public = {route for route, answer in answers.items() if answer.status != 401}
    assert {route for route, roles in expected(service).items() if "public" in roles} <= public
    # a secret of its own is asked for in the body or a header: who has none gets nothing either
    open_by_mistake = {r for r in public if "public" not in expected(service)[r] and answers[r].status < 400}
    assert open_by_mistake == set()
    assert {r for r in public if not expected(service)[r] & {"public", "secret"}} == set()


@pytest.mark.parametrize("service", SERVICES)
async def test_no_token_opens_what_asks_for_a_secret_or_for_a_devices_own_credential(served: Served, signed: Signed, service: str):
    app = await served(service)
    for route, roles in expected(service).items():
        if "secret" in roles or route.partition(" ")[2].startswith("/v1/device-reports"):
            for role in ROLES:
                assert (await at(app, route, signed.token(role))).status in (400, 401, 403, 404, 422), f"{route} as {role}"
