"""A community is founded beside a running platform, and its operator comes in by the gateway like anybody else."""

import os
import subprocess
from typing import Any
from uuid import uuid4

import httpx
from msgspec import json

from cli.place import PYTHON, ROOT
from cli.stack import services
from cli.stack.ports import Kept
from tests.e2e.conftest import Stack
from tests.kit import until


def operated(stack: Stack, *words: str) -> dict[str, Any]:
    """By a process with identity's environment, as `lifang`, a tools container and a job of a cluster do it."""
    told = services.environment("identity", stack.place, Kept.read(stack.place).ports)
    command = [PYTHON, "-m", "cli.operate", "identity", *words]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | told, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.decode(done.stdout))


async def signed_in(http: httpx.AsyncClient, sign_in: dict[str, Any]) -> dict[str, str]:
    answer = await http.post(f"/v1/sign-ins/{sign_in['id']}/tokens", json={"code": sign_in["code"]})
    assert answer.status_code == 200, answer.text
    again = await http.post(f"/v1/sign-ins/{sign_in['id']}/tokens", json={"code": sign_in["code"]})
    assert again.json()["code"] == "code_used"
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def test_from_the_founding_to_a_home_whose_resident_is_registered(stack: Stack, http: httpx.AsyncClient):
    name = f"新里 {uuid4().hex[:8]}"
    words = ("found", name, "--division", "310104", "--phone", f"+86139{uuid4().int % 10**8:08}", "--further")
    founded = operated(stack, *words)
    assert operated(stack, *words) == {k: v for k, v in founded.items() if k != "sign_in"} | {"founded": False}
    operator = await signed_in(http, founded["sign_in"])

    async def heard() -> bool:
        return (await http.get("/v1/me", headers=operator)).status_code == 200

    await until(heard)
    me = (await http.get("/v1/me", headers=operator)).json()
    assert (me["person_id"], me["role"]) == (founded["person_id"], "operator")
    opened = await http.post("/v1/accounts", json={"role": "staff", "phone": f"+86137{uuid4().int % 10**8:08}"}, headers=operator)
    assert opened.status_code == 201, opened.text
    staff = await signed_in(http, operated(stack, "sign-in", opened.json()["id"])["sign_in"])
    building = await http.post("/v1/buildings", json={"name": "1号楼", "units": 1}, headers=staff)
    assert building.status_code == 201, building.text
    assert (await http.post("/v1/residents", json={"name": "林一"}, headers=staff)).status_code == 201
    assert (await http.post("/v1/residents", json={"name": "林一"}, headers=operator)).status_code == 403
    shown = (await http.get("/v1/residents", headers=staff)).json()["items"]
    assert len(shown) <= 1, "nobody of another community"
