"""Visitor passes: a resident issues them for their own home, staff for any; only the host sees the code."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid5

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from libs.contracts.permissions import VISITOR_PASSES_ISSUE_OWN, VISITOR_PASSES_MANAGE
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.commands import Done
from libs.eventkit.decider import NotFound
from libs.eventkit.http import IdempotencyKey, Input, Moment, community_of, json, permitted
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.log import Key
from libs.eventkit.privacy import Erased, base64url, masked, seal
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import uuid7
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.access.book import DoorBook
from services.access.domain.pass_history import Issued
from services.access.domain.pass_kinds import RULES, PassKind
from services.access.domain.plates import normalised_plate
from services.access.domain.visitor_passes import PASSES, IssuePass, RevokePass
from services.access.erasures import refuse_erased
from services.access.qr import Code, Signer, text_of
from services.access.views import visitor_passes as view

Limit = Annotated[int, Query(ge=1, le=200)]
PURPOSE = "credential"
SLOTS = ("plate", "visitor_name")
NOT_KEPT = {"Cache-Control": "no-store"}


class NewPass(Input):
    """`valid_from`: now, where it is not said; `valid_until`: as long as the kind allows; `uses`: what is usual for the kind.
    `host_id`: on whose behalf; staff alone say it."""

    kind: PassKind
    home_id: UUID
    host_id: UUID | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    uses: int | None = Field(default=None, ge=1, le=1000)
    plate: str | None = Field(default=None, min_length=1, max_length=60)
    visitor_name: str | None = Field(default=None, min_length=1, max_length=100)


def routes(app: App, book: DoorBook, signer: Signer) -> APIRouter:
    router = APIRouter(prefix="/v1")
    own_or_all = permitted(VISITOR_PASSES_ISSUE_OWN, VISITOR_PASSES_MANAGE)

    @router.post("/visitor-passes", status_code=201)
    async def issue_pass(body: NewPass, request: Request, key: IdempotencyKey, principal: Principal = own_or_all) -> Response:
        """The code is in the answer where the caller is the host. Ahead of the pass may come the word that its key was made."""
        community_id, host_id = community_of(principal), host_of(body, principal)
        pass_id = id_for(key, community_id)
        done = await issue(app, book, pass_id, host_id, body, http.context(request, principal, community_id), key)
        state, _ = await app.commands.state(PASSES, done.outcome.id, community_id)
        answer: dict[str, Any] = {"id": done.outcome.id, "event_id": next(reversed(done.outcome.events), None)}
        if host_id == principal.id and isinstance(state, Issued):
            answer["qr"] = code_text(signer, community_id, done.outcome.id, msgspec.structs.asdict(state))
        headers = http.position_header(app.service.name, app.commands.generation, done)
        return json(answer, 201, {**headers, **NOT_KEPT, "Location": f"/v1/visitor-passes/{done.outcome.id}"})

    @router.get("/visitor-passes")
    async def list_passes(
        request: Request, cursor: str | None = None, limit: Limit = 50, principal: Principal = own_or_all,
    ) -> Response:
        host_id = None if VISITOR_PASSES_MANAGE in principal.permissions else principal.id
        filter_ = f"visitor-passes of {host_id}"
        after, stale = http.cursor_id(cursor, filter_), await http.caught_up(request, view.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, view.page_of(host_id, after, limit + 1))
        return json(http.page(await shown(app, rows, principal.id), limit, filter_, "id"), 200, stale)

    @router.get("/visitor-passes/{pass_id}")
    async def show_pass(pass_id: UUID, request: Request, principal: Principal = own_or_all) -> Response:
        stale = await http.caught_up(request, view.VIEW.name)
        row = await found(pass_id, principal)
        answer = (await shown(app, [row], principal.id))[0]
        if row["host_id"] == principal.id and row["revoked"] is None:
            answer["qr"] = code_text(signer, row["community_id"], pass_id, row)
        return json(answer, 200, {**stale, **NOT_KEPT})

    @router.post("/visitor-passes/{pass_id}/revocations", status_code=201)
    async def revoke_pass(
        pass_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = own_or_all,
    ) -> Response:
        community_id = community_of(principal)
        state, _ = await app.commands.state(PASSES, pass_id, community_id)
        host_id = getattr(state, "host_id", None) or getattr(getattr(state, "last", None), "host_id", None)
        if host_id is None or (host_id != principal.id and VISITOR_PASSES_MANAGE not in principal.permissions):
            raise NotFound("visitor-pass")
        context = http.context(request, principal, community_id)
        command = RevokePass(pass_id, "host" if host_id == principal.id else "staff", context.now)
        done = await app.commands.handle(pass_id, command, context, key=key)
        return json({"id": pass_id}, 201, http.position_header(app.service.name, app.commands.generation, done))

    @router.get("/visitor-qr-keys", dependencies=[http.open_to_all])
    async def list_code_keys() -> Response:
        """What a reader needs to check codes by itself; each key id is the first 4 bytes of the key's SHA-256, in hex."""
        keys = [{"id": i.hex(), "public_key": base64url(k.public_bytes_raw())} for i, k in signer.public.items()]
        return json({"items": keys, "next": None})

    async def found(pass_id: UUID, principal: Principal) -> dict[str, Any]:
        rows = await app.database.fetch(principal.community_ids, view.one(pass_id))
        if not rows or (rows[0]["host_id"] != principal.id and VISITOR_PASSES_MANAGE not in principal.permissions):
            raise NotFound("visitor-pass")
        return dict(rows[0])

    return router


def host_of(body: NewPass, principal: Principal) -> UUID:
    """Raises Problem 403 where a resident names somebody else, 422 where staff name nobody."""
    if VISITOR_PASSES_MANAGE in principal.permissions:
        if body.host_id is None:
            raise Problem(422, "host_missing")
        return body.host_id
    if body.host_id not in (None, principal.id):
        raise Problem(403, "not_permitted", needs=VISITOR_PASSES_MANAGE)
    return principal.id


def id_for(key: Key | None, community_id: UUID) -> UUID:
    """The same for a request that comes again, so that no second key is made for its visitor."""
    return uuid5(community_id, f"visitor pass {key.principal} {key.route} {key.key}") if key else uuid7()


async def issue(
    app: App, book: DoorBook, pass_id: UUID, host_id: UUID, body: NewPass, context: Any, key: Key | None = None,
) -> Done:
    """Seals what is personal under a key of the pass and issues it. Raises Refused, NotFound."""
    community_id, now = context.community_id, context.now
    await refuse_erased(app, community_id, host_id)
    await book.ready(await app.database.pool())
    building_id = book.building(community_id, body.home_id)
    residence, floor = book.residence(community_id, host_id, body.home_id), book.floor(community_id, body.home_id)
    plate = normalised_plate(body.plate) if body.plate else None
    start = (body.valid_from or now).astimezone(UTC).replace(microsecond=0)
    end = (body.valid_until.astimezone(UTC) if body.valid_until else start + RULES[body.kind].longest).replace(microsecond=0)
    plain = {"plate": plate, "visitor_name": body.visitor_name}
    sealed: dict[str, Sealed] = {}
    first = []
    if any(plain.values()) and residence is not None:
        handle, bound_to = await app.keyring.key_for(community_id, f"visitor-pass:{pass_id}", PURPOSE), uuid7()
        sealed = {slot: seal(handle.dek, handle.key_id, bound_to, slot, text) for slot, text in plain.items() if text}
        first = [KeyCreated(handle.key_id)] if handle.is_new else []
    command = IssuePass(
        pass_id=pass_id, kind=body.kind, home_id=body.home_id, host_id=host_id, lives_there=residence is not None,
        valid_from=start, valid_until=end, uses=RULES[body.kind].usual if body.uses is None else body.uses,
        zones=(f"building:{building_id}", "community"), floors=(floor.floor,) if floor else (), now=now, **sealed)
    because = tuple(known.because for known in (residence, floor) if known)
    done = await app.commands.handle(
        pass_id, command, msgspec.structs.replace(context, caused_by=because), key=key, first=first)
    if first and done.outcome.events:
        await app.keyring.announced(first[0].key_id)
    return done


def code_text(signer: Signer, community_id: UUID, pass_id: UUID, known: dict[str, Any]) -> str:
    return text_of(signer.sign(Code(
        pass_id, community_id, known["valid_from"], known["valid_until"], known["uses"], tuple(known["zones"]),
        tuple(known["floors"]))))


async def shown(app: App, rows: list[Any], reader: UUID) -> list[dict[str, Any]]:
    """The passes as their host sees them; for others plates and names are masked. What cannot be opened reads null, and its `…_state`
    says why, as at the gateway."""
    boxes = {(r["pass_id"], slot): msgspec.convert(r[slot], Sealed) for r in rows for slot in SLOTS if r[slot]}
    opened = dict(zip(boxes, await app.keyring.open_all(list(boxes.values())), strict=True))
    now = datetime.now(UTC)

    def plain(row: Any, slot: str) -> dict[str, Any]:
        value = opened.get((row["pass_id"], slot))
        if not isinstance(value, bytes):
            return {slot: None, f"{slot}_state": "none" if value is None else "erased" if isinstance(value, Erased) else "pending"}
        text = value.decode() if row["host_id"] == reader else masked(value, "name" if slot == "visitor_name" else "plate")
        return {slot: text, f"{slot}_state": "known"}

    kept = ("kind", "home_id", "host_id", "valid_from", "valid_until", "uses", "zones", "floors", "entries", "arrived_at")
    return [
        {"id": r["pass_id"], **{k: r[k] for k in kept}, **plain(r, "plate"), **plain(r, "visitor_name"), "state": state_of(r, now),
         "revoked": r["revoked"]} for r in rows]


def state_of(row: Any, now: datetime) -> str:
    if row["revoked"] is not None:
        return "revoked"
    if now < row["valid_from"]:
        return "not_yet_valid"
    return "valid" if now - row["valid_until"] < timedelta(0) else "expired"
