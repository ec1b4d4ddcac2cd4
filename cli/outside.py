"""An installation seen from outside: its gateway, and its demo desk (`cli/desk`) for what only the inside has."""

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec

from cli.call import Away, call
from cli.desk.counter import KEY
from cli.stack.demo import SEEDED, Demo

PORT = 8090
VARIABLE = "LIFANG_DESK_KEY"


class NotOpen(Exception):
    """The desk does not answer, or not to us; what to do."""


@dataclass(frozen=True)
class Desk:
    url: str
    key: str

    @classmethod
    def beside(cls, gateway: str, url: str | None, key: Path | None) -> "Desk":
        """`url`: where it is not the gateway's host, at the desk's port. `key`: a file, `-` for standard input; without one the
        variable LIFANG_DESK_KEY. Raises NotOpen."""
        at = url or urlunsplit(("http", f"{urlsplit(gateway).hostname}:{PORT}", "", "", ""))
        try:
            text = sys.stdin.read() if str(key) == "-" else key.read_text() if key else os.environ[VARIABLE]
        except (KeyError, OSError) as error:
            raise NotOpen(f"the key of the demo desk is missing ({error}): --key FILE, or {VARIABLE}; it is the secret `demo`") from error
        return cls(at.rstrip("/"), text.strip())

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Raises NotOpen."""
        try:
            status, answer = call(method, f"{self.url}{path}", body, {KEY: self.key}, timeout=30)
        except Away as error:
            raise NotOpen(f"the demo desk does not answer: {error}") from error
        if status >= 300:
            raise NotOpen(f"the demo desk at {self.url} answered {status}: {answer}")
        return dict(answer)

    @cached_property
    def open(self) -> dict[str, Any]:
        return self.ask("GET", "/v1/demo")

    @property
    def demo(self) -> Demo:
        return msgspec.convert(self.open["demo"], type=Demo)

    @property
    def controls(self) -> dict[str, str]:
        return {device: f"{self.url}/controls/{device}" for device in self.open["devices"]}

    def token(self, role: str, person: str | None) -> str:
        return str(self.ask("POST", "/v1/tokens", {"role": role, "as": person})["access_token"])

    def status(self, gateway: str) -> dict[str, Any]:
        """As much of `lifang status` as a story asks for."""
        services = {name: {"url": f"{self.url}/services/{name}"} for name in SEEDED}
        return {"gateway": gateway, "community_id": self.demo.community_id, "services": services}


class WithKey(httpx.AsyncHTTPTransport):
    """Shows the key, to the desk alone."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers[KEY] = self._desk.key
        return await super().handle_async_request(request)
