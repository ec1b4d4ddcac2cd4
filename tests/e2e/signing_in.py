"""Signing in on the whole stack with a code that is handed out, as whoever runs a platform does it."""

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


def phone() -> str:
    """A number that nobody has."""
    return f"+86139{uuid4().int % 10**8:08}"


def operated(stack: Stack, *words: str) -> dict[str, Any]:
    """By a process with identity's environment, as `lifang`, a tools container and a job of a cluster do it."""
    told = services.environment("identity", stack.place, Kept.read(stack.place).ports)
    command = [str(PYTHON), "-m", "cli.operate", "identity", *words]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | told, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.decode(done.stdout))


def handed_out(stack: Stack, account_id: str) -> dict[str, Any]:
    """A sign-in with its code."""
    return dict(operated(stack, "sign-in", account_id)["sign_in"])


async def signed_in(http: httpx.AsyncClient, sign_in: dict[str, Any]) -> dict[str, Any]:
    """The tokens."""
    answer = await http.post(f"/v1/sign-ins/{sign_in['id']}/tokens", json={"code": sign_in["code"]})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {tokens['access_token']}"}
