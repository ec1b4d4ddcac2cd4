"""Short HTTP calls to our own services, without the start-up time of a client library."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

# Loopback only: a proxy of the environment must not see these.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Away(Exception):
    """Nobody answers there, or what answers does not speak HTTP."""


def call(
    method: str, url: str, body: object = None, headers: Mapping[str, str] = {}, timeout: float = 5.0
) -> tuple[int, Any]:
    """The status and the JSON (or else the text) of the answer. Raises Away."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **headers}, method=method)
    try:
        with _opener.open(request, timeout=timeout) as response:
            return response.status, parsed(response.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, parsed(refusal.read())
    except (OSError, ValueError) as error:
        raise Away(f"{url}: {error}") from error


def parsed(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode(errors="replace")
