"""Deny by default: a service with a route that names no permission does not start."""

import base64
import importlib
import os

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from cli.stack import services
from libs.eventkit.http import guards_of, open_to_all, permitted, refuse_unguarded
from libs.eventkit.run import web
from libs.eventkit.service import App
from libs.eventkit.settings import Settings


def router(*dependencies) -> APIRouter:
    found = APIRouter(prefix="/v1")

    @found.get("/things", dependencies=list(dependencies))
    async def things() -> None: ...

    return found


def included(*routers: APIRouter) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for one in routers:
        app.include_router(one)
    return app


def test_a_route_of_an_included_router_without_a_permission_is_refused():
    with pytest.raises(RuntimeError, match="/v1/things"):
        refuse_unguarded(included(router()))


def test_a_router_within_a_router_is_looked_into():
    outer = APIRouter(prefix="/outer")
    outer.include_router(router())
    with pytest.raises(RuntimeError, match="/outer/v1/things"):
        refuse_unguarded(included(outer))


def test_a_route_of_the_application_itself_is_refused():
    app = included()

    @app.get("/bare")
    async def bare() -> None: ...

    with pytest.raises(RuntimeError, match="/bare"):
        refuse_unguarded(app)


@pytest.mark.parametrize("dependency", [open_to_all, permitted("doors.open")])
def test_a_route_that_says_who_may_is_taken(dependency):
    refuse_unguarded(included(router(dependency)))


@pytest.mark.parametrize("name", services.names())
def test_every_route_of_a_service_names_a_permission(name, tmp_path):
    for secret in ("blind-index", "signing-seed", "kek-contact", "kek-credential", "kek-device-raw", "visitor-qr-seed"):
        (tmp_path / secret).write_text(base64.urlsafe_b64encode(os.urandom(32)).decode())
    for secret in ("demo", "device-password", "payment-local"):
        (tmp_path / secret).write_text(os.urandom(16).hex())
    settings = Settings(service=name, database_url="postgresql://nobody@127.0.0.1:1/none", secrets=tmp_path, demo=True)
    app = web(App(importlib.import_module(f"services.{name}.main").SERVICE, settings))
    routes = [r for r in iter_route_contexts(app.routes) if isinstance(r.original_route, APIRoute)]
    assert len(routes) > 5, "the routes of included routers are seen"
    assert [r.path for r in routes if not guards_of(r)] == []
