"""What plates may enter as: permits and lists, as staff manage them; what holders see of theirs; months more of a permit."""

from itertools import pairwise
from typing import Any, Literal
from uuid import UUID, uuid5

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound
from libs.eventkit.http import IdempotencyKey, Input, Moment, community_of, json, permitted
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.privacy import seal
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import uuid7
from libs.eventkit.service import App
from services.parking.api.lots import now, utc
from services.parking.api.plates import masked_plates
from services.parking.book import LotBook
from services.parking.domain.plate_rights import (
    PLATE_RIGHTS,
    AskRenewal,
    EndPlateRight,
    GrantPlateRight,
    Held,
    PlateRightGranted,
    renewed,
)
from services.parking.domain.plates import PlateRefused, read_plate
from services.parking.erasures import refuse_erased
from services.parking.lane_desk import index_in, index_of
from services.parking.payments import Provider
from services.parking.views import rights

Limit = Query(default=50, ge=1, le=200)
KINDS = Literal["vehicle", "permit", "visitor_pass", "white", "black"]
SHOWN = ("kind", "lot_id", "valid_from", "valid_until", "uses", "person_id", "reason", "monthly", "space_id", "version")


class Terms(Input):
    """Without `lot_id` it counts in every lot of the community. Of a permit: `monthly`, fen for a month; `space_id`, the space
    that is kept for it, which several permits may share."""

    lot_id: UUID | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    person_id: UUID | None = None
    vehicle_id: UUID | None = None
    monthly: int | None = Field(default=None, ge=1, le=10_000_000)
    space_id: UUID | None = None
    reason: str = Field(default="", max_length=200)


class NewRight(Terms):
    """A permit, or a plate on the white or black list."""

    kind: Literal["permit", "white", "black"]
    plate: str = Field(min_length=2, max_length=20)


class Renewal(Input):
    months: int = Field(ge=1, le=36)


def routes(app: App, book: LotBook, provider: Provider) -> APIRouter:
    router = APIRouter(prefix="/v1/parking")

    def position(done: Any) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    async def placed(community_id: UUID, body: Terms) -> None:
        """Raises NotFound for a lot or a space that is not there, 422 for a space without its lot."""
        await book.memory.catch_up()
        await book.ready(await app.database.pool(), community_id)
        if body.lot_id is not None:
            book.lot(community_id, body.lot_id)
        if body.space_id is not None:
            if body.lot_id is None:
                raise Problem(422, "space_without_lot")
            book.space(body.lot_id, body.space_id)

    def granted(right_id: UUID, kind: Any, plate: Any, body: Terms, uses: int | None = None) -> PlateRightGranted:
        return PlateRightGranted(
            right_id, kind, plate, body.lot_id, utc(body.valid_from), utc(body.valid_until), uses, body.person_id, body.vehicle_id,
            body.reason, body.monthly, body.space_id)

    async def held(right_id: UUID, principal: Principal) -> Held:
        """Raises NotFound, also for a right that is none of the caller's."""
        state, _ = await app.commands.state(PLATE_RIGHTS, right_id, community_of(principal))
        if not isinstance(state, Held):
            raise NotFound("plate-right")
        own = state.granted.person_id is not None and state.granted.person_id == principal.id
        if permissions.PARKING_READ not in principal.permissions and not own:
            raise NotFound("plate-right")
        return state

    @router.post("/plate-rights", status_code=201)
    async def grant_plate_right(
        body: NewRight, request: Request, key: IdempotencyKey, principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        """422 plate_invalid with the reason for what is no plate."""
        community_id = community_of(principal)
        try:
            value = read_plate(body.plate, "form").value
        except PlateRefused as refused:
            raise Problem(422, "plate_invalid", reason=refused.reason) from refused
        if value is None:
            raise Problem(422, "plate_invalid", reason="no_plate")
        await refuse_erased(app, community_id, body.person_id)
        await placed(community_id, body)
        right_id = uuid7()
        handle = await app.keyring.key_for(community_id, f"plate-right:{right_id}", "plate")
        plate = seal(handle.dek, handle.key_id, right_id, "plate", value)
        command = GrantPlateRight(granted(right_id, body.kind, plate, body), index_of(app, community_id, value))
        done = await app.commands.handle(
            right_id, command, http.context(request, principal, community_id), key=key,
            first=[KeyCreated(handle.key_id)] if handle.is_new else [])
        if done.outcome.events and not done.replayed:
            await app.keyring.announced(handle.key_id)
        return json({"id": done.outcome.id}, 201, {**position(done), "ETag": f'"{done.outcome.version}"'})

    @router.put("/plate-rights/{right_id}")
    async def change_plate_right(
        right_id: UUID, body: Terms, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        """Other terms for the same plate; what stands here under it is billed by them from now on. Needs If-Match with the version
        that the caller saw: months may have been paid since. 409 where somebody else's rule made the right: a vehicle's, a guest's."""
        community_id, was = community_of(principal), (await held(right_id, principal)).granted
        if was.kind not in ("permit", "white", "black"):
            raise Problem(409, "right_of_another_rule", kind=was.kind)
        await refuse_erased(app, community_id, body.person_id)
        await placed(community_id, body)
        command = GrantPlateRight(
            granted(right_id, was.kind, was.plate, body, was.uses), await index_in(app, community_id, was.plate))
        done = await app.commands.handle(
            right_id, command, http.context(request, principal, community_id), key=key,
            expected=http.if_match(request, required=True))
        return json({"id": right_id}, 200, {**position(done), "ETag": f'"{done.outcome.version}"'})

    @router.delete("/plate-rights/{right_id}")
    async def end_plate_right(
        right_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = permitted(permissions.PARKING_MANAGE),
    ) -> Response:
        context = http.context(request, principal, community_of(principal))
        done = await app.commands.handle(right_id, EndPlateRight(right_id, "by_staff"), context, key=key)
        return json({"id": right_id}, 200, position(done))

    async def page(request: Request, principal: Principal, cursor: str | None, limit: int, kind: str | None, of: UUID | None) -> Response:
        filter_ = f"plate rights {kind} {of}"
        after, stale = http.cursor_id(cursor, filter_), await http.caught_up(request, rights.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, rights.page_of(after, limit + 1, kind, of))
        plates = await masked_plates(app, [row["plate"] for row in rows])
        items = [
            {"id": row["right_id"], "plate": plate, **{f: row[f] for f in SHOWN}} for row, plate in zip(rows, plates, strict=True)]
        return json(http.page(items, limit, filter_, "id"), 200, stale)

    @router.get("/plate-rights")
    async def list_plate_rights(
        request: Request, principal: Principal = permitted(permissions.PARKING_READ), cursor: str | None = None, limit: int = Limit,
        kind: KINDS | None = None,
    ) -> Response:
        return await page(request, principal, cursor, limit, kind, None)

    @router.get("/me/permits")
    async def list_own_permits(
        request: Request, principal: Principal = permitted(permissions.PARKING_READ_OWN), cursor: str | None = None,
        limit: int = Limit,
    ) -> Response:
        return await page(request, principal, cursor, limit, "permit", principal.id)

    @router.post("/plate-rights/{right_id}/renewals", status_code=201)
    async def ask_renewal(
        right_id: UUID, body: Renewal, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.PARKING_MANAGE, permissions.PARKING_READ_OWN),
    ) -> Response:
        """What so many months more cost, month by month, and where to pay. The permit holds on when the provider says so."""
        community_id, state = community_of(principal), await held(right_id, principal)
        await book.ready(await app.database.pool(), community_id)
        clock = book.lot(community_id, state.granted.lot_id).opened.clock if state.granted.lot_id else ""
        payment_id = uuid5(right_id, key.key) if key is not None else uuid7()
        done = await app.commands.handle(
            right_id, AskRenewal(right_id, payment_id, body.months, clock, now()), http.context(request, principal, community_id),
            key=key)
        after = await held(right_id, principal)
        asked = next(a for a in after.asked if a.payment_id == payment_id)
        since, each = after.counted_from, asked.amount // asked.months
        ends = [asked.begins, *(renewed(since, asked.begins, n, asked.clock) for n in range(1, asked.months + 1))]
        lines = [{"starts": a, "ends": b, "amount": each} for a, b in pairwise(ends)]
        return json(
            {"id": payment_id, "amount": asked.amount, "months": lines, "pay_at": provider.begin(payment_id, asked.amount)}, 201,
            position(done))

    return router

