"""Which web pages of other origins may ask the gateway from a browser (CORS, in the Fetch standard): those that are named, by default none.

What asks has to show a token in a header; no cookie is ever looked at, so a page sends nothing along that somebody else was given.
"""

import os
import re

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from services.gateway.forwarding import COMES_BACK, GOES_ON

ORIGINS = "LIFANG_WEB_ORIGINS"
"""The variable of the environment: origins as a browser says them, apart by blanks: `https://app.example https://desk.example:8443`."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ASKS, READS = (*GOES_ON, "last-event-id"), (*COMES_BACK, "content-disposition")
"""Headers that a page may send, and those of an answer that it may read."""
REMEMBERED = 600
"""Seconds for which a browser need not ask again."""
_ORIGIN = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")


def origins_of(text: str) -> tuple[str, ...]:
    """Raises ValueError for what no browser would say, and for HTTP but on the own machine."""
    found = tuple(dict.fromkeys(text.split()))
    if wrong := [origin for origin in found if not _ORIGIN.fullmatch(origin)]:
        raise ValueError(f"{ORIGINS}: {wrong[0]!r} is no origin such as https://app.example")
    return found


def for_pages(asgi: ASGIApp) -> ASGIApp:
    """Around everything, so that a page can read refusals too."""
    allowed = origins_of(os.environ.get(ORIGINS, ""))
    if not allowed:
        return asgi
    return CORSMiddleware(
        asgi, allow_origins=allowed, allow_methods=METHODS, allow_headers=ASKS, expose_headers=READS, max_age=REMEMBERED)
