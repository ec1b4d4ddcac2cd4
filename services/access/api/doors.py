"""Doors and credentials, as staff manage them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, model_validator

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.http import IdempotencyKey, Input, Moment, community_of, json, permitted
from libs.eventkit.keys_topic import KeyCreated
from libs.eventkit.privacy import masked, seal
from libs.eventkit.recorded import uuid7
from libs.eventkit.sealed import Sealed
from libs.eventkit.service import App
from services.access.book import DoorBook
from services.access.domain.credentials import (
    CREDENTIALS,
    CredentialKind,
    IssueCredential,
    RevokeCredential,
    Revoked,
    Valid,
    normalised,
    template_id_of,
)
from services.access.domain.doors import InstallDoor
from services.access.domain.face_filing import FILED_WITHIN, FILING, THRESHOLD, level_of
from services.access.erasures import refuse_erased
from services.access.views import credentials, doors, readers
from services.access.ways import ways_of

Limit = Query(default=50, ge=1, le=200)


class NewDoor(Input):
    name: str = Field(min_length=1, max_length=80)
    zone: str
    device_id: UUID
    door_no: int = Field(ge=1, le=256)
    evacuation: bool = True


class ChangedDoor(NewDoor):
    """`evacuation` is said each time: left out, it would make a plant room a way out."""

    evacuation: bool


class NewCredential(Input):
    """A face has no number: the answer says under which `template_id` a reader is to keep it."""

    person_id: UUID
    kind: CredentialKind
    number: str = Field(default="", max_length=20)
    valid_until: Moment | None = None
    duress: bool = False

    @model_validator(mode="after")
    def all_but_faces_have_numbers(self) -> "NewCredential":
        if (self.kind == "face") == bool(self.number):
            raise ValueError("a card and a PIN have a number, a face has none")
        return self


def routes(app: App, book: DoorBook) -> APIRouter:
    router = APIRouter(prefix="/v1")

    def position(done: Any) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    @router.post("/doors", status_code=201)
    async def install_door(
        body: NewDoor, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.DOORS_MANAGE),
    ) -> Response:
        """409 device_retired: the device is out of use."""
        return await put(uuid7(), body, request, key, principal, None, 201)

    @router.put("/doors/{door_id}")
    async def change_door(
        door_id: UUID, body: ChangedDoor, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.DOORS_MANAGE),
    ) -> Response:
        """Needs If-Match with the version that the caller saw (428 without, 412 when it has changed). 409 device_retired: as above."""
        return await put(door_id, body, request, key, principal, http.if_match(request, required=True), 200)

    async def put(
        door_id: UUID, body: NewDoor, request: Request, key: Any, principal: Principal, expected: int | None, status: int,
    ) -> Response:
        community_id = community_of(principal)
        await book.memory.fresh()
        book.hangs(community_id, door_id, body.device_id)
        done = await app.commands.handle(
            door_id,
            InstallDoor(
                door_id=door_id, name=body.name, zone=body.zone, device_id=body.device_id, door_no=body.door_no,
                evacuation=body.evacuation),
            http.context(request, principal, community_id), key=key, expected=expected)
        return json({"id": done.outcome.id}, status, {**position(done), "ETag": f'"{done.outcome.version}"'})

    @router.get("/doors")
    async def list_doors(
        request: Request, principal: Principal = permitted(permissions.DOORS_READ), cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """`device_retired`: nothing opens it until another device does."""
        after, stale = http.cursor_id(cursor, "doors"), await http.caught_up(request, doors.VIEW.name)
        await book.memory.fresh()
        rows = await app.database.fetch(principal.community_ids, doors.page_of(after, limit + 1))
        shown = ("name", "zone", "device_id", "door_no", "evacuation", "version")
        found = [
            {"id": r["door_id"], **{k: r[k] for k in shown},
             "device_retired": book.retired(r["community_id"], r["device_id"]) is not None} for r in rows]
        return json(http.page(found, limit, "doors", "id"), 200, stale)

    @router.post("/credentials", status_code=201)
    async def issue_credential(
        body: NewCredential, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.CREDENTIALS_MANAGE),
    ) -> Response:
        """409 consent_missing: a face, and the person does not agree to it; other_way_missing: they would have no other credential."""
        community_id, until = community_of(principal), body.valid_until and body.valid_until.astimezone(UTC)
        done = await issue(app, community_id, uuid7(), body.person_id, body.kind, body.number, until,
                           http.context(request, principal, community_id), key, body.duress)
        answer = {"id": done.outcome.id} | ({"template_id": template_id_of(done.outcome.id)} if body.kind == "face" else {})
        return json(answer, 201, {**position(done), "ETag": f'"{done.outcome.version}"'})

    @router.delete("/credentials/{credential_id}")
    async def revoke_credential(
        credential_id: UUID, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.CREDENTIALS_MANAGE),
    ) -> Response:
        """`face_alone`: what is left to the person is their face; they need another way."""
        community_id = community_of(principal)
        held, _ = await app.commands.state(CREDENTIALS, credential_id, community_id)
        done = await app.commands.handle(
            credential_id, RevokeCredential(credential_id), http.context(request, principal, community_id), key=key)
        await ways_of(app).ready(done.outcome.position)
        alone = isinstance(held, Valid | Revoked) and ways_of(app).face_alone(community_id, held.person_id, datetime.now(UTC))
        return json({"id": credential_id, "face_alone": alone}, 200, position(done))

    @router.get("/credentials/{credential_id}/readers")
    async def list_readers(
        credential_id: UUID, request: Request, principal: Principal = permitted(permissions.CREDENTIALS_MANAGE),
    ) -> Response:
        """Of a revoked face: which readers have proved that they have forgotten it."""
        stale = await http.caught_up(request, readers.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, readers.of_credential(credential_id))
        return json({"items": rows, "next": None}, 200, stale)

    @router.get("/face-templates")
    async def count_templates(
        request: Request, principal: Principal = permitted(permissions.OPERATIONS_READ, permissions.DEVICES_MANAGE),
    ) -> Response:
        """How many faces readers keep, over all communities, against the threshold of filing; nobody's in particular."""
        await ways_of(app).ready()
        stored = ways_of(app).stored()
        filing, _ = await app.commands.state(FILING, community_of(principal), community_of(principal))
        return json({
            "stored": stored, "threshold": THRESHOLD, "level": level_of(stored), "filed_within_working_days": FILED_WITHIN,
            "findings": [{"level": found.level, "stored": found.stored} for found in filing.found]})

    @router.get("/credentials")
    async def list_credentials(
        request: Request, principal: Principal = permitted(permissions.CREDENTIALS_MANAGE), person_id: UUID | None = None,
        cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        filter_ = f"credentials {person_id}"
        after, stale = http.cursor_id(cursor, filter_), await http.caught_up(request, credentials.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, credentials.page_of(person_id, after, limit + 1))
        numbers = await app.keyring.open_all([
            Sealed(UUID(n["key_id"]), UUID(n["event_id"]), n["slot"], n["box"]) for n in (r["number"] for r in rows)])
        found = [
            {"id": r["credential_id"], "person_id": r["person_id"], "kind": r["kind"], "valid_until": r["valid_until"],
             "duress": r["duress"], "number": masked(number, "card") if r["kind"] == "card" else "******",
             "template_id": template_id_of(r["credential_id"]) if r["kind"] == "face" else None}
            for r, number in zip(rows, numbers, strict=True)]
        return json(http.page(found, limit, filter_, "id"), 200, stale)

    return router


async def issue(
    app: App, community_id: UUID, credential_id: UUID, person_id: UUID, kind: CredentialKind, number: str,
    valid_until: datetime | None, context: Any, key: Any = None, duress: bool = False,
) -> Any:
    """Seals the number under the person's key and issues the credential. Raises Refused for a number in use, or a person who is erased."""
    plain, ways = normalised(kind, template_id_of(credential_id) if kind == "face" else number), ways_of(app)
    if kind == "face":
        await ways.ready(community_id=community_id)
    await refuse_erased(app, community_id, person_id)
    handle = await app.keyring.key_for(community_id, f"resident:{person_id}", "credential")
    command = IssueCredential(
        credential_id=credential_id, person_id=person_id, kind=kind, valid_until=valid_until, duress=duress,
        number=seal(handle.dek, handle.key_id, uuid7(), "number", plain), index=app.blind.of(community_id, kind, plain),
        agreed=ways.agrees(community_id, person_id, "face"), other_way=ways.other_way(community_id, person_id, context.now))
    done = await app.commands.handle(
        credential_id, command, context, key=key, first=[KeyCreated(handle.key_id)] if handle.is_new else [])
    if handle.is_new and done.outcome.events:
        await app.keyring.announced(handle.key_id)
    return done
