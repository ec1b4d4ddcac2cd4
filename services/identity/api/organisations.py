"""Organisations, as staff register them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts.permissions import HOMES_MANAGE, HOMES_READ
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Done
from libs.eventkit.decider import NotFound
from libs.eventkit.http import (
    IdempotencyKey,
    Input,
    caught_up,
    community_of,
    context,
    cursor_id,
    if_match,
    json,
    page,
    permitted,
    position_header,
)
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.identity import lookups
from services.identity.domain.organisations import CorrectOrganisation, RegisterOrganisation
from services.identity.national.organisation_codes import OrganisationCode, read_organisation_code
from services.identity.national.text import Unacceptable
from services.identity.views import organisations as view

Limit = Annotated[int, Query(ge=1, le=200)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Code = Annotated[str, Field(max_length=60)]


class NewOrganisation(Input):
    name: Name
    code: Code


class Correction(Input):
    name: Name | None = None
    code: Code | None = None


def code_of(text: str) -> OrganisationCode:
    """Raises Problem 422 organisation_code_invalid with the reason."""
    try:
        return read_organisation_code(text)
    except Unacceptable as refused:
        raise Problem(422, "organisation_code_invalid", reason=refused.reason) from refused


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["organisations"])

    def tagged(done: Done) -> dict[str, str]:
        return {
            **position_header(app.service.name, app.commands.generation, done), "ETag": f'"{done.outcome.version}"'}

    @router.post("/v1/organisations", status_code=201)
    async def register_organisation(
        body: NewOrganisation, request: Request, key: IdempotencyKey, principal: Principal = permitted(HOMES_MANAGE)
    ) -> Response:
        """A code that is doubtful is taken, and the answer says what was found."""
        community_id, code = community_of(principal), code_of(body.code)
        organisation_id = lookups.id_for(key, community_id)
        command = RegisterOrganisation(organisation_id, body.name, code.value, code.findings)
        done = await app.commands.handle(organisation_id, command, context(request, principal, community_id), key=key)
        return json({"id": done.outcome.id, "code": code.value, "findings": code.findings}, 201, tagged(done))

    @router.get("/v1/organisations")
    async def list_organisations(
        request: Request, after: Annotated[str | None, Query(alias="cursor")] = None, limit: Limit = 50,
        principal: Principal = permitted(HOMES_READ)
    ) -> Response:
        start = cursor_id(after, "organisations")
        headers = await caught_up(request, view.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, view.page_of(start, limit + 1))
        return json(page(rows, limit, "organisations", "id"), 200, headers)

    @router.get("/v1/organisations/{organisation_id}")
    async def show_organisation(
        organisation_id: UUID, request: Request, principal: Principal = permitted(HOMES_READ)
    ) -> Response:
        headers = await caught_up(request, view.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, view.one(organisation_id))
        if not rows:
            raise NotFound("organisation")
        return json(rows[0], 200, {**headers, "ETag": f'"{rows[0]["version"]}"'})

    @router.patch("/v1/organisations/{organisation_id}")
    async def correct_organisation(
        organisation_id: UUID, body: Correction, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(HOMES_MANAGE)
    ) -> Response:
        """Needs If-Match with the ETag that the caller saw."""
        community_id, expected = community_of(principal), if_match(request, required=True)
        code = code_of(body.code) if body.code else None
        command = CorrectOrganisation(
            organisation_id, body.name, code.value if code else None, code.findings if code else ())
        done = await app.commands.handle(
            organisation_id, command, context(request, principal, community_id), key=key, expected=expected)
        return json({"id": organisation_id, "findings": code.findings if code else ()}, 200, tagged(done))

    return router
