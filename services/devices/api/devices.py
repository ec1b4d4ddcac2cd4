"""The registry: staff register devices, a device exchanges its one-time code for a credential of its own."""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, model_validator

from libs.contracts import permissions
from libs.eventkit import http
from libs.eventkit.auth import Principal
from libs.eventkit.decider import NotFound, Refused
from libs.eventkit.http import IdempotencyKey, Input, community_of, json, open_to_all, permitted
from libs.eventkit.problems import Problem
from libs.eventkit.recorded import NOWHERE, uuid7
from libs.eventkit.service import App
from services.devices.api.reports import push_of
from services.devices.device_book import DeviceBook, hash_of
from services.devices.domain.registry import (
    REGISTRY,
    DescribeDevice,
    Description,
    EnrolDevice,
    Enrolled,
    MoveDevice,
    RegisterDevice,
    Registered,
    ReissueCredential,
    RetireDevice,
)
from services.devices.views import devices, findings

CODE_LIFETIME = timedelta(hours=24)
Limit = Query(default=50, ge=1, le=200)
Address = Field(default="", pattern=r"^(https?://[A-Za-z0-9.\-\[\]:]{1,253})?$")


PANEL = "dc09-panel"


class NewDevice(Input):
    """`address`: where orders go, as http(s)://host:port; `password_secret`: the secret that opens it. A camera that waits
    for an answer is told `fallback` after `answer_ms` milliseconds without a decision. `stream`: it cannot push, read its alert stream, or
    (ONVIF) pull its events.

    An alarm panel reports under its `account`, encrypted where `key_secret` names the secret with its key; its line is silent
    after `supervise` seconds without a word (0: not supervised)."""

    kind: Literal["hikvision-terminal", "hikvision-camera", "vzenith-camera", "onvif-camera", "dc09-panel"]
    name: str = Field(min_length=1, max_length=80)
    serial: str = Field(default="", max_length=64)
    address: str = Address
    user: str = Field(default="admin", max_length=32)
    password_secret: str = Field(default="device-password", pattern=r"^device-password(-[a-z0-9-]{1,40})?$")
    fallback: Literal["open", "closed"] = "closed"
    answer_ms: int = Field(default=400, ge=50, le=5000)
    stream: bool = False
    account: str = Field(default="", pattern=r"^([0-9A-Fa-f]{3,16})?$")
    key_secret: str = Field(default="", pattern=r"^(dc09-key(-[a-z0-9-]{1,40})?)?$")
    supervise: int = Field(default=0, ge=0, le=172_800)

    @model_validator(mode="after")
    def only_panels_have_accounts(self) -> "NewDevice":
        if (self.kind == PANEL) != bool(self.account) or (self.kind != PANEL and (self.key_secret or self.supervise)):
            raise ValueError("an alarm panel has an account, and nothing else has")
        return self

    @property
    def described(self) -> Description:
        return Description(
            kind=self.kind, name=self.name, hardware_serial=self.serial, base_url=self.address, user=self.user,
            password_secret=self.password_secret, fallback=self.fallback, answer_ms=self.answer_ms, stream=self.stream,
            account=self.account.upper(), key_secret=self.key_secret, supervise=self.supervise)


class EnrolmentCode(Input):
    code: str = Field(min_length=20, max_length=100)


class Reissue(Input):
    """`revoke`: the old credential ends now, not when the new one is taken."""

    revoke: bool = False


class Move(Input):
    address: str = Address


def routes(app: App, book: DeviceBook) -> APIRouter:
    router = APIRouter(prefix="/v1/devices")

    def position(done: Any) -> dict[str, str]:
        return http.position_header(app.service.name, app.commands.generation, done)

    async def ours(device_id: UUID, principal: Principal, retired: bool = False) -> UUID:
        """The device's community, if the caller belongs to it. Raises NotFound."""
        device = await book.find(device_id) or (book.retired.get(device_id) if retired else None)
        if device is None or device.community_id not in principal.community_ids:
            raise NotFound("device")
        return device.community_id

    @router.post("", status_code=201)
    async def register_device(
        body: NewDevice, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.DEVICES_MANAGE),
    ) -> Response:
        """Answers with the one-time code, which is shown once: a repeat of the same request has it not."""
        device_id, code, context = uuid7(), _secret(), http.context(request, principal, community_of(principal))
        expires = context.now + CODE_LIFETIME
        done = await app.commands.handle(
            device_id, RegisterDevice(device_id, body.described, hash_of(code), expires), context, key=key)
        shown = {} if done.replayed else {"enrolment_code": code, "enrolment_code_expires": expires}
        return json({"id": done.outcome.id, **shown}, 201, position(done))

    @router.post("/{device_id}/enrolments", status_code=201, dependencies=[open_to_all])
    async def enrol_device(device_id: UUID, body: EnrolmentCode, request: Request) -> Response:
        """Called by the device or whoever installs it. The credential is shown once and kept as a hash."""
        device = await book.find(device_id)
        if device is None:
            raise Refused("enrolment_code_wrong")
        credential, context = _secret(), http.context(request, None, device.community_id)
        done = await app.commands.handle(
            device_id, EnrolDevice(device_id, hash_of(body.code), hash_of(credential), context.now), context)
        await book.find(device_id, done.outcome.position)
        return json(
            {"device_id": device_id, "credential": credential, "push": push_of(app, device_id, device.description.kind)}, 201,
            {**position(done), "Cache-Control": "no-store"})

    @router.post("/{device_id}/enrolment-codes", status_code=201)
    async def reissue_credential(
        device_id: UUID, body: Reissue, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.DEVICES_MANAGE),
    ) -> Response:
        """A new one-time code for a device that lost its credential, or is to change it."""
        code, context = _secret(), http.context(request, principal, await ours(device_id, principal))
        expires = context.now + CODE_LIFETIME
        done = await app.commands.handle(
            device_id, ReissueCredential(device_id, hash_of(code), expires, body.revoke), context, key=key)
        await book.find(device_id, done.outcome.position)
        shown = {} if done.replayed else {"enrolment_code": code, "enrolment_code_expires": expires}
        return json({"id": device_id, **shown}, 201, position(done))

    @router.put("/{device_id}/address")
    async def move_device(
        device_id: UUID, body: Move, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.DEVICES_MANAGE),
    ) -> Response:
        """Where orders to the device go from now on."""
        context = http.context(request, principal, await ours(device_id, principal))
        done = await app.commands.handle(
            device_id, MoveDevice(device_id, body.address), context, key=key, expected=http.if_match(request))
        return json({"id": device_id}, 200, {**position(done), "ETag": f'"{done.outcome.version}"'})

    @router.put("/{device_id}")
    async def describe_device(
        device_id: UUID, body: NewDevice, request: Request, key: IdempotencyKey,
        principal: Principal = permitted(permissions.DEVICES_MANAGE),
    ) -> Response:
        """All of what is registered of the device, as it is from now on; its kind stays. 409: device_of_another_kind,
        hardware_already_registered, account_already_registered."""
        context = http.context(request, principal, await ours(device_id, principal))
        done = await app.commands.handle(
            device_id, DescribeDevice(device_id, body.described), context, key=key, expected=http.if_match(request))
        await book.find(device_id, done.outcome.position)
        return json({"id": device_id}, 200, {**position(done), "ETag": f'"{done.outcome.version}"'})

    @router.delete("/{device_id}")
    async def retire_device(
        device_id: UUID, request: Request, key: IdempotencyKey, principal: Principal = permitted(permissions.DEVICES_MANAGE),
    ) -> Response:
        """Out of use for good: its hardware, or its account, may be registered anew."""
        context = http.context(request, principal, await ours(device_id, principal, retired=True))
        done = await app.commands.handle(device_id, RetireDevice(device_id), context, key=key, expected=http.if_match(request))
        await book.find(device_id, done.outcome.position)
        return json({"id": device_id}, 200, position(done))

    @router.get("")
    async def list_devices(
        request: Request, principal: Principal = permitted(permissions.DEVICES_READ), cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        after, stale = http.cursor_id(cursor, "devices"), await http.caught_up(request, devices.VIEW.name)
        rows = await app.database.fetch(principal.community_ids, devices.page_of(after, limit + 1))
        now = datetime.now(UTC)
        return json(http.page([devices.shown(row, now) for row in rows], limit, "devices", "id"), 200, stale)

    @router.get("/unplaced-findings")
    async def list_unplaced_findings(
        request: Request, principal: Principal = permitted(permissions.DEVICES_READ), cursor: str | None = None, limit: int = Limit,
    ) -> Response:
        """For operators: who sends without being registered, and how often (`mark`: the account)."""
        if principal.role != "operator":
            raise Problem(403, "not_permitted")
        return await found_of(request, NOWHERE, {NOWHERE}, cursor, limit)

    @router.get("/{device_id}")
    async def show_device(device_id: UUID, principal: Principal = permitted(permissions.DEVICES_MANAGE)) -> Response:
        """What is registered of the device, as a PUT takes it."""
        device, version = await app.commands.state(REGISTRY, device_id, await ours(device_id, principal))
        if not isinstance(device, Registered | Enrolled):
            raise NotFound("device")
        about = device.description
        shown = {
            "kind": about.kind, "name": about.name, "serial": about.hardware_serial, "address": about.base_url, "user": about.user,
            "password_secret": about.password_secret, "fallback": about.fallback, "answer_ms": about.answer_ms, "stream": about.stream,
            "account": about.account, "key_secret": about.key_secret, "supervise": about.supervise}
        return json(shown, 200, {"ETag": f'"{version}"'})

    @router.get("/{device_id}/findings")
    async def list_findings(
        request: Request, device_id: UUID, principal: Principal = permitted(permissions.DEVICES_READ), cursor: str | None = None,
        limit: int = Limit,
    ) -> Response:
        await ours(device_id, principal, retired=True)
        return await found_of(request, device_id, principal.community_ids, cursor, limit)

    async def found_of(request: Request, device_id: UUID, of: Collection[UUID], cursor: str | None, limit: int) -> Response:
        filter_ = f"findings of {device_id}"
        after, stale = http.cursor(cursor, filter_, 2), await http.caught_up(request, findings.VIEW.name)
        query = findings.page_of(device_id, (after[0], after[1]) if after else None, limit + 1)
        rows = await app.database.fetch(of, query)
        return json(http.page([findings.shown(row) for row in rows], limit, filter_, "finding", "mark"), 200, stale)

    return router


def _secret() -> str:
    return secrets.token_urlsafe(32)
