"""What residents have agreed to: said by them, or by a guardian for a child; seen by staff, who can say nothing here."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts.permissions import ACCOUNTS_MANAGE, DATA_OWN, RESIDENTS_MANAGE
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Done
from libs.eventkit.decider import NotFound
from libs.eventkit.http import IdempotencyKey, Input, caught_up, community_of, context, json, page, permitted, position_header
from libs.eventkit.privacy import masked
from libs.eventkit.problems import Problem
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.identity import asking, lookups
from services.identity.ages import under_14
from services.identity.contacts import as_shown
from services.identity.domain.consents import (
    PURPOSES,
    DeclareGuardian,
    EndGuardian,
    GiveConsent,
    Purpose,
    WithdrawConsent,
    speaks_for,
)
from services.identity.views import consents as view
from services.identity.views import probing
from services.identity.views import residents as residents_view

Limit = Annotated[int, Query(ge=1, le=200)]
FOLLOWS: dict[Purpose, str] = {
    "face": "face_credentials_revoked_and_removed_from_readers", "sharing": "grid_workers_are_shown_nothing_more",
    "notices": "nothing_by_push_or_sms_but_emergencies"}
"""What comes of a withdrawal, within a minute."""


class Said(Input):
    """`for`: the child for whom the caller, their guardian, speaks."""

    given: bool
    for_: UUID | None = Field(default=None, alias="for")


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["consents"])

    def said(done: Done) -> dict[str, str]:
        return position_header(app.service.name, app.commands.generation, done)

    @router.get("/v1/me/consents")
    async def list_my_consents(request: Request, principal: Principal = permitted(DATA_OWN)) -> Response:
        """The caller's, then those of the children for whom they speak: each purpose with what was said, the latest last."""
        community_id = community_of(principal)
        stale = await caught_up(request, *(v.name for v in view.VIEWS))
        declared = [row["resident_id"] for row in await app.database.fetch([community_id], view.wards_of(principal.id))]
        wards = [who for who in declared if speaks_for(await under_14(app, who, community_id))]
        items = await consents_of(app, principal, [principal.id, *wards])
        return json({"items": items, "next": None}, 200, stale)

    @router.put("/v1/me/consents/{purpose}")
    async def say_consent(
        purpose: Purpose, body: Said, request: Request, key: IdempotencyKey, principal: Principal = permitted(DATA_OWN),
    ) -> Response:
        """409 guardian_needed: whoever is under 14 cannot give it themselves. 404 for whom the caller does not speak for."""
        community_id, resident_id = community_of(principal), body.for_ or principal.id
        asked = context(request, principal, community_id)
        try:
            await lookups.resident(app, resident_id, community_id)
            young = await under_14(app, resident_id, community_id)
            kind = GiveConsent if body.given else WithdrawConsent
            done = await app.commands.handle(resident_id, kind(resident_id, purpose, principal.id, young), asked, key=key)
        except NotFound:
            if resident_id == principal.id:
                raise
            await asking.missed(app, principal, asked)
            raise
        answer = {"resident_id": resident_id, "purpose": purpose, "given": body.given}
        return json(answer if body.given else {**answer, "follows": FOLLOWS[purpose]}, 200, said(done))

    @router.get("/v1/consents")
    async def list_consents(
        request: Request, resident_id: UUID | None = None, purpose: Purpose | None = None,
        after: Annotated[str | None, Query(alias="cursor")] = None, limit: Limit = 50,
        principal: Principal = permitted(RESIDENTS_MANAGE),
    ) -> Response:
        """Of every resident who has ever said anything; names masked."""
        filter_ = f"consents {resident_id} {purpose}"
        start = place_of(after, filter_)
        stale = await caught_up(request, view.CONSENTS_VIEW.name, residents_view.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, view.page_of(resident_id, purpose, start, limit + 1))
        return json(page(await with_names(app, rows), limit, filter_, "resident_id", "purpose"), 200, stale)

    @router.put("/v1/residents/{resident_id}/guardians/{guardian_id}")
    async def declare_guardian(
        resident_id: UUID, guardian_id: UUID, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(RESIDENTS_MANAGE),
    ) -> Response:
        """Staff have seen that they are (户口簿, 出生证). 409 no_guardian_needed: the ID number says 14 or more."""
        community_id = community_of(principal)
        for who in (resident_id, guardian_id):
            await lookups.resident(app, who, community_id)
        young, guardian_young = [await under_14(app, who, community_id) for who in (resident_id, guardian_id)]
        command = DeclareGuardian(resident_id, guardian_id, principal.id, young, guardian_young)
        done = await app.commands.handle(resident_id, command, context(request, principal, community_id), key=key)
        return json({"id": resident_id, "guardian_id": guardian_id}, 200, said(done))

    @router.delete("/v1/residents/{resident_id}/guardians/{guardian_id}", status_code=204)
    async def end_guardian(
        resident_id: UUID, guardian_id: UUID, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(RESIDENTS_MANAGE),
    ) -> Response:
        community_id = community_of(principal)
        await lookups.resident(app, resident_id, community_id)
        command = EndGuardian(resident_id, guardian_id, principal.id)
        done = await app.commands.handle(resident_id, command, context(request, principal, community_id), key=key)
        return Response(status_code=204, headers=said(done))

    @router.get("/v1/probing-findings")
    async def list_probing_findings(
        request: Request, after: Annotated[str | None, Query(alias="cursor")] = None, limit: Limit = 50,
        principal: Principal = permitted(RESIDENTS_MANAGE, ACCOUNTS_MANAGE),
    ) -> Response:
        """Accounts that have used up what one may look at (`look`), or guess (`miss`), newest first."""
        before = http.cursor_position(after, "probing-findings")
        stale = await caught_up(request, probing.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, probing.page_of(before, limit + 1))
        return json(page(rows, limit, "probing-findings", "position"), 200, stale)

    return router


async def consents_of(app: App, principal: Principal, residents: list[UUID]) -> list[dict[str, Any]]:
    """Every purpose of each, also where nothing was ever said."""
    rows = await app.database.fetch(principal.community_ids, view.of_residents(residents))
    known = {(row["resident_id"], row["purpose"]): row for row in rows}

    def item(resident_id: UUID, purpose: Purpose) -> dict[str, Any]:
        row = known.get((resident_id, purpose), {"given": False, "since": None, "history": []})
        history = [{k: v for k, v in entry.items() if k != "version"} for entry in row["history"]]
        return {
            "resident_id": resident_id, "of": "self" if resident_id == principal.id else "ward", "purpose": purpose,
            "given": row["given"], "since": row["since"], "history": history}

    return [item(resident_id, purpose) for resident_id in residents for purpose in PURPOSES]


async def with_names(app: App, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    boxes = [msgspec.convert(row["name"], Sealed) for row in rows if row["name"]]
    names = iter(await app.keyring.open_all(boxes))
    return [row | as_shown("name", masked(next(names), "name") if row["name"] else None) for row in rows]


def place_of(cursor: str | None, filter_: str) -> tuple[UUID, str] | None:
    """Raises Problem 400."""
    values = http.cursor(cursor, filter_, 2)
    try:
        return (UUID(values[0]), values[1]) if values else None
    except ValueError as error:
        raise Problem(400, "cursor_malformed") from error
