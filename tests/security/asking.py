"""A service asked in this process, as its server would ask it; of an answer without end its beginning is enough."""

import asyncio
import json
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI
from msgspec import Struct


class Answer(Struct):
    status: int
    body: bytes

    @property
    def code(self) -> str:
        """Of a problem; empty for what is none."""
        if self.status < 400:
            return ""
        try:
            found = json.loads(self.body)
        except ValueError:
            return ""
        return str(found.get("code", "")) if isinstance(found, dict) else ""


async def ask(app: FastAPI, method: str, path: str, token: str = "", body: object = None, headers: dict[str, str] | None = None) -> Answer:
    """Up to the first piece of the answer's body."""
    sent = b"" if body is None else json.dumps(body).encode()
    heads = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
    target, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": unquote(target),
        "raw_path": target.encode(), "query_string": query.encode(), "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "headers": [(name.lower().encode(), value.encode()) for name, value in heads.items()]}
    got: dict[str, Any] = {}
    enough, waiting = asyncio.Event(), [{"type": "http.request", "body": sent, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            got["status"] = message["status"]
            if dict(message["headers"]).get(b"content-type", b"").startswith(b"text/event-stream"):
                enough.set()
        else:
            got["body"] = got.get("body", b"") + message.get("body", b"")
            if not message.get("more_body"):
                enough.set()

    asking = asyncio.create_task(app(scope, receive, send))
    done = asyncio.create_task(enough.wait())
    await asyncio.wait({asking, done}, return_when=asyncio.FIRST_COMPLETED, timeout=20)
    for task in (asking, done):
        task.cancel()
    await asyncio.gather(asking, done, return_exceptions=True)
    assert "status" in got, f"{method} {path} did not answer"
    return Answer(got["status"], got.get("body", b""))
