"""A community is founded beside a running platform, and its operator comes in by the gateway like anybody else."""

import os
import subprocess
from typing import Any
from uuid import uuid4

import httpx
import pytest
from msgspec import json

from cli.operate import operate
from cli.place import PYTHON, ROOT
from cli.stack import services
from cli.stack.ports import Kept
from libs.eventkit.service import App
from libs.eventkit.settings import settings_for
from services.identity.main import SERVICE
from tests.e2e.conftest import Stack
from tests.kit import until


def told(stack: Stack) -> dict[str, str]:
    return services.environment("identity", stack.place, Kept.read(stack.place).ports)


def founded(stack: Stack, *words: str) -> dict[str, Any]:
    """By a process with identity's environment, as `lifang`, a tools container and a job of a cluster do it."""
    command = [PYTHON, "-m", "cli.operate", "identity", "found", *words]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | told(stack), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.decode(done.stdout))


async def handed_out(stack: Stack, account: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    with monkeypatch.context() as environment:
        for name, value in told(stack).items():
            environment.setenv(name, value)
        app = App(SERVICE, settings_for("identity"))
    found = await operate(app, "sign-in", [account])
    return dict(found["sign_in"])


async def signed_in(http: httpx.AsyncClient, sign_in: dict[str, Any]) -> dict[str, str]:
    answer = await http.post(f"/v1/sign-ins/{sign_in['id']}/tokens", json={"code": sign_in["code"]})
    assert answer.status_code == 200, answer.text
    again = await http.post(f"/v1/sign-ins/{sign_in['id']}/tokens", json={"code": sign_in["code"]})
    assert again.json()["code"] == "code_used"
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def test_from_the_founding_to_a_resident_and_a_door(
    stack: Stack, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    there = founded(stack, f"新里 {uuid4().hex[:8]}", "--division", "310104", "--phone", f"+86139{uuid4().int % 10**8:08}", "--further")
    operator = await signed_in(http, there["sign_in"])

    async def heard() -> bool:
        return (await http.get("/v1/me", headers=operator)).status_code == 200

    await until(heard)
    me = (await http.get("/v1/me", headers=operator)).json()
    assert (me["person_id"], me["role"]) == (there["person_id"], "operator")
    opened = await http.post("/v1/accounts", json={"role": "staff", "phone": f"+86137{uuid4().int % 10**8:08}"}, headers=operator)
    assert opened.status_code == 201, opened.text
    staff = await signed_in(http, await handed_out(stack, opened.json()["id"], monkeypatch))
    building = await http.post("/v1/buildings", json={"name": "1号楼", "units": 1}, headers=staff)
    assert building.status_code == 201, building.text
    assert (await http.post("/v1/residents", json={"name": "林一"}, headers=staff)).status_code == 201
    assert (await http.post("/v1/residents", json={"name": "林一"}, headers=operator)).status_code == 403
    door = {"name": "南门", "zone": "community", "device_id": str(uuid4()), "door_no": 1}
    assert (await http.post("/v1/doors", json=door, headers=operator)).status_code == 403
    installed = await http.post("/v1/doors", json=door, headers=staff)
    assert installed.status_code == 201, installed.text
    shown = (await http.get("/v1/residents", headers=staff)).json()["items"]
    assert len(shown) <= 1, "nobody of another community"
