"""What `lifang up` puts into a fresh community: two door terminals, two plate cameras, two alarm panels. Only where demo is switched on."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from fastapi import APIRouter, Request, Response
from pydantic import Field

from libs.eventkit.commands import Context
from libs.eventkit.http import Input, json, open_to_all
from libs.eventkit.problems import Problem
from libs.eventkit.service import App
from services.devices.adapters.dc09_crypto import key_of
from services.devices.api.devices import PANEL
from services.devices.api.reports import authorization, push_of
from services.devices.device_book import DeviceBook, hash_of
from services.devices.domain.registry import Description, EnrolDevice, MoveDevice, RegisterDevice

HERE = uuid5(NAMESPACE_URL, "lifang-demo")
TERMINALS = {"terminal-1": "南大门门禁机", "terminal-2": "1号楼东门门禁机"}
PANELS = {"panel-1": ("1号楼报警主机", "4A21"), "panel-2": ("2号楼报警主机", "E5C102")}
"""The first speaks encrypted."""
SUPERVISE, KEY = 60, "dc09-key"
CAMERAS = {"camera-1": "东门入口车牌相机", "camera-2": "东门出口车牌相机"}


class Seed(Input):
    """`listen`: where the terminals answer, as host:port, in their order or by name; `gates`: the same of the cameras."""

    community_id: UUID
    listen: list[str] | dict[str, str] = Field(default_factory=list)
    gates: list[str] = Field(default_factory=list)


def routes(app: App, book: DeviceBook) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/demo-seed", dependencies=[open_to_all], include_in_schema=False)
    async def seed(body: Seed, request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        secret = app.settings.secret("demo")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            raise Problem(403, "not_permitted")
        listen = body.listen if isinstance(body.listen, dict) else dict(zip(TERMINALS, body.listen, strict=False))
        context = Context(community_id=body.community_id, now=datetime.now(UTC), principal="demo")
        gates = dict(zip(CAMERAS, body.gates, strict=False))
        return json({
            "terminals": [
                await _device("hikvision-terminal", name, TERMINALS[name], listen.get(name, ""), secret, context)
                for name in TERMINALS],
            "panels": [await _panel(name, name == "panel-2" and _has_key(), context) for name in PANELS],
            "cameras": [
                await _device("vzenith-camera", name, CAMERAS[name], gates.get(name, ""), secret, context) for name in CAMERAS]})

    async def _device(kind: str, name: str, title: str, listen: str, secret: str, context: Context) -> dict[str, Any]:
        device_id, serial = uuid5(HERE, name), f"{name[:2].upper()}{name[-1]:0>9}" if kind != "hikvision-terminal" else f"LF{name[-1]:0>9}"
        credential, code = _derived(secret, f"credential {name}"), _derived(secret, f"code {name}")
        base_url = f"http://{listen}" if listen else ""
        if await book.find(device_id) is None:
            description = Description(
                kind=kind, name=title, hardware_serial=serial, base_url=base_url,
                user="admin", password_secret="device-password")
            expires = context.now + timedelta(days=3650)
            await app.commands.handle(device_id, RegisterDevice(device_id, description, hash_of(code), expires), context)
        elif base_url:
            await app.commands.handle(device_id, MoveDevice(device_id, base_url), context)
        done = await app.commands.handle(
            device_id, EnrolDevice(device_id, hash_of(code), hash_of(credential), context.now), context)
        await book.find(device_id, done.outcome.position)
        headers = {"authorization": authorization(device_id, credential)}
        return {"device_id": device_id, "name": title, "serial": serial,
                "push": {**push_of(app, device_id, kind), "headers": headers}}

    async def _panel(name: str, encrypted: bool, context: Context) -> dict[str, Any]:
        device_id, (title, account) = uuid5(HERE, name), PANELS[name]
        known = await book.find(device_id)
        if known is None:
            description = Description(
                kind=PANEL, name=title, hardware_serial="", account=account, supervise=SUPERVISE, key_secret=KEY if encrypted else "")
            expires = context.now + timedelta(days=3650)
            code = _derived(app.settings.secret("demo"), f"code {name}")
            done = await app.commands.handle(device_id, RegisterDevice(device_id, description, hash_of(code), expires), context)
            known = await book.find(device_id, done.outcome.position)
        encrypted = bool(known and known.description.key_secret)
        return {"device_id": device_id, "name": title, "account": account, "encrypted": encrypted}

    def _has_key() -> bool:
        try:
            return bool(key_of(app.settings.secret(KEY)))
        except (OSError, ValueError):
            return False

    return router


def _derived(secret: str, purpose: str) -> str:
    """32 bytes that the same stack always has and nobody else."""
    raw = hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
