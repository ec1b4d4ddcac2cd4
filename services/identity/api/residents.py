"""Residents and where they live. Lists show names and phones masked; opening them takes a purpose and is recorded."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts.permissions import GOVERNMENT_READ, RESIDENTS_MANAGE, RESIDENTS_READ
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
from libs.eventkit.service import App
from services.identity import asking, contacts, lookups
from services.identity.disclosing import looked, recorded_first
from services.identity.domain.consents import CONSENTS
from services.identity.domain.residences import EndResidence, HomeRole, StartResidence
from services.identity.domain.residents import RESIDENTS, DiscloseContact
from services.identity.phone_numbers import telephone
from services.identity.views import residences as residences_view
from services.identity.views import residents as residents_view

Limit = Annotated[int, Query(ge=1, le=200)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Phone = Annotated[str, Field(min_length=1, max_length=40)]
Day = Annotated[date, Field(ge=date(1900, 1, 1))]


class NewResident(Input):
    name: Name
    phone: Phone | None = None


class Correction(Input):
    """What is not said stays; `phone` null: they have none any more."""

    name: Name | None = None
    phone: Phone | None = None


class Look(Input):
    """`basis`: the law or the order on which the police rest."""

    purpose: Annotated[str, Field(max_length=200)]
    id_number: bool = False
    basis: Annotated[str, Field(max_length=200)] = ""


class NewResidence(Input):
    """`since`: today, where it is not said."""

    home_id: UUID
    role: HomeRole
    since: Day | None = None


class MoveOut(Input):
    """`until`: today, where it is not said."""

    until: Day | None = None


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["residents"])

    def said(done: Done) -> dict[str, str]:
        return position_header(app.service.name, app.commands.generation, done)

    def tagged(done: Done) -> dict[str, str]:
        return {**said(done), "ETag": f'"{done.outcome.version}"'}

    @router.post("/v1/residents", status_code=201)
    async def register_resident(
        body: NewResident, request: Request, key: IdempotencyKey, principal: Principal = permitted(RESIDENTS_MANAGE)
    ) -> Response:
        community_id = community_of(principal)
        phone = telephone(body.phone) if body.phone else None
        done = await contacts.register(
            app, lookups.id_for(key, community_id), body.name, phone, context(request, principal, community_id), key)
        return json({"id": done.outcome.id, "findings": phone.findings if phone else ()}, 201, tagged(done))

    @router.get("/v1/residents")
    async def list_residents(
        request: Request, home_id: UUID | None = None, after: Annotated[str | None, Query(alias="cursor")] = None,
        limit: Limit = 50, principal: Principal = permitted(RESIDENTS_READ)
    ) -> Response:
        """Name, phone and ID number masked; `…_state`: known, none, or why they read null: pending, erased."""
        filter_ = f"residents {home_id}"
        start = cursor_id(after, filter_)
        headers = await caught_up(request, residents_view.VIEW.name)
        if home_id:
            headers |= await caught_up(request, residences_view.VIEW.name)
        rows = await app.database.fetch(
            principal.community_ids, residents_view.page_of(home_id, start, limit + 1))
        return json(page(await contacts.masked_contacts(app, rows), limit, filter_, "id"), 200, headers)

    @router.get("/v1/residents/{resident_id}")
    async def show_resident(
        resident_id: UUID, request: Request, principal: Principal = permitted(RESIDENTS_READ)
    ) -> Response:
        """As in the list; ETag: the version that If-Match of a correction takes."""
        headers = await caught_up(request, residents_view.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, residents_view.one(resident_id))
        if not rows:
            raise NotFound("resident")
        found = (await contacts.masked_contacts(app, rows))[0]
        return json(found, 200, {**headers, "ETag": f'"{found["version"]}"'})

    @router.patch("/v1/residents/{resident_id}")
    async def correct_contact(
        resident_id: UUID, body: Correction, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(RESIDENTS_MANAGE)
    ) -> Response:
        """Needs If-Match with the ETag that the caller saw. Whoever signs in with the phone still does: that is the account's."""
        community_id, expected = community_of(principal), if_match(request, required=True)
        phone = telephone(body.phone) if body.phone else None
        await lookups.resident(app, resident_id, community_id)
        done = await contacts.correct(
            app, resident_id, body.name, phone, context(request, principal, community_id), key, expected,
            no_phone="phone" in body.model_fields_set and body.phone is None)
        return json({"id": resident_id, "findings": phone.findings if phone else ()}, 200, tagged(done))

    @router.post("/v1/residents/{resident_id}/disclosures", status_code=201)
    async def disclose_contact(
        resident_id: UUID, body: Look, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(RESIDENTS_MANAGE, GOVERNMENT_READ)
    ) -> Response:
        """Name and phone in full, and the ID number where it is asked for. Who looked, and for what, stays on record, and the
        resident reads it. 409 consent_missing: a grid worker, and the resident has not agreed to `sharing`; look_expired: asked
        again under its key a minute later."""
        community_id = community_of(principal)
        asked = context(request, principal, community_id)
        await asking.spend(app, principal, asked, "look", key)
        ledger, _ = await app.commands.state(CONSENTS, resident_id, community_id)
        command = DiscloseContact(
            resident_id, principal.id, body.purpose, body.id_number, principal.role, body.basis, "sharing" in ledger.given)
        done, shown = await recorded_first(
            lambda: looked(app, RESIDENTS, resident_id, command, asked, key),
            lambda: contacts.in_full(app, resident_id, community_id, body.id_number))
        return json(shown, 201, {**tagged(done), "Cache-Control": "no-store"})

    @router.post("/v1/residents/{resident_id}/residences", status_code=201)
    async def start_residence(
        resident_id: UUID, body: NewResidence, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(RESIDENTS_MANAGE)
    ) -> Response:
        """They live there from now on, whatever day it is since. 409 not_yet: a day to come."""
        community_id = community_of(principal)
        await lookups.resident(app, resident_id, community_id)
        home = await lookups.home(app, body.home_id, community_id)
        residence_id, today = lookups.id_for(key, community_id), await lookups.today(app, community_id)
        command = StartResidence(
            residence_id, resident_id, body.home_id, home.building_id, home.unit, body.role, body.since or today, today)
        done = await app.commands.handle(residence_id, command, context(request, principal, community_id), key=key)
        return json({"id": done.outcome.id}, 201, said(done))

    @router.post("/v1/residences/{residence_id}/end")
    async def end_residence(
        residence_id: UUID, body: MoveOut, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(RESIDENTS_MANAGE)
    ) -> Response:
        """Every right that rests on it ends at once. 409 not_yet: a day to come."""
        community_id = community_of(principal)
        command = EndResidence(residence_id, body.until, await lookups.today(app, community_id))
        done = await app.commands.handle(residence_id, command, context(request, principal, community_id), key=key)
        return json({"id": residence_id}, 200, said(done))

    @router.get("/v1/residences")
    async def list_residences(
        request: Request, home_id: UUID | None = None, resident_id: UUID | None = None,
        after: Annotated[str | None, Query(alias="cursor")] = None, limit: Limit = 50,
        principal: Principal = permitted(RESIDENTS_READ)
    ) -> Response:
        filter_ = f"residences {home_id} {resident_id}"
        start = cursor_id(after, filter_)
        headers = await caught_up(request, residences_view.VIEW.name)
        rows = await app.database.fetch(
            principal.community_ids, residences_view.page_of(home_id, resident_id, start, limit + 1))
        return json(page(rows, limit, filter_, "id"), 200, headers)

    return router
